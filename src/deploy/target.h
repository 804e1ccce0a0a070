/* Private to src/deploy: the cores that generated code is built for and run on, and the commands that do it. */
#ifndef TIN_TARGET_H
#define TIN_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/process.h"

/* One emulated core. Flags and commands are words with a space between. The harness is the same for all of them;
 * a row in target.c and, where the start-up differs, a targets/board_*.h make another. */
typedef struct tin_target {
    const char *name;      /* "m4", as on the command line */
    const char *title;     /* "Cortex-M4" */
    const char *tools;     /* what stands before gcc, nm, objdump, size */
    const char *flags;     /* which core: for everything that is compiled */
    const char *harness;   /* board and memory: for the harness and the link */
    bool bare;             /* the harness starts without an operating system, by targets/link.ld */
    const char *emulator;  /* command that the program's file is added to; "": the program is run as it is */
    bool serial;           /* frames and results go through the emulated serial line */
    double ticks_per_insn; /* of the emulated clock; 0: there is none, and no stack of the model's own */
    const char *helpers;   /* how the compiler's own functions begin that the code may call besides memcpy, memmove
                              and memset */
    int return_bytes;      /* that a call itself puts on the stack */
    const char *forbidden; /* how instructions begin that divide or compute with floats */
} tin_target;

/* All of them, in the order of the documentation; ends with a NULL name. */
extern const tin_target tin_targets[];
/* TIN_ERR_USAGE lists the names when there is no such target. */
tin_status tin_target_find(const tin_target **target, const char *name, tin_error *err) TIN_USE_RESULT;

/* Whether `word` is one of the words of `list`. */
bool tin_words_have(const char *list, const char *word);
/* Whether `word` begins with one of the words of `list`. */
bool tin_words_begin(const char *list, const char *word);

/* A command line that is put together: zero-initialise, add, run. What is too much for it is reported by the run. */
typedef struct tin_command {
    const char *argv[96];
    char text[4096]; /* of what is not kept by pointer */
    size_t n, used;
    bool full;
} tin_command;

void tin_command_add(tin_command *c, const char *word); /* kept by pointer */
void tin_command_words(tin_command *c, const char *words);
void tin_command_format(tin_command *c, const char *format, ...) TIN_PRINTF(2, 3);
/* The program must end with 0; its own words go into the error. `result` is to be freed in any case. */
tin_status tin_command_run(const tin_command *c, double timeout_seconds, tin_process_result *result,
                           tin_error *err) TIN_USE_RESULT;

#endif
