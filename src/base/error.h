/* Errors: one status enum, one caller-owned error object, the first error wins.
 *
 * Every function that can fail returns a tin_status (TIN_OK is 0) and takes a `tin_error *err` as its
 * last argument. `err` may be NULL when the caller does not care for the text. Libraries never print,
 * exit or abort; only src/cli does.
 *
 *     tin_error err = {0};
 *     if (tin_file_read(path, &bytes, &size, &err)) { fprintf(stderr, "%s\n", tin_error_text(&err)); }
 */
#ifndef TIN_ERROR_H
#define TIN_ERROR_H

#include <stdarg.h>
#include <stdint.h>

/* code, exit code of the command, name, what it means */
#define TIN_STATUS_LIST(X)                                                                                             \
    X(TIN_OK, 0, "ok", "success")                                                                                      \
    X(TIN_DIFFERENT, 1, "different", "a comparison or check was made and found something; no error")                    \
    X(TIN_ERR_USAGE, 2, "usage", "the command line or an argument is wrong")                                           \
    X(TIN_ERR_CONFIG, 3, "config", "tinamou.yaml or another setting is wrong")                                         \
    X(TIN_ERR_DATA, 4, "data", "a data file is wrong: row, label, unit, length")                                       \
    X(TIN_ERR_FORMAT, 5, "format", "a file of Tinamou's own formats is damaged")                                       \
    X(TIN_ERR_IO, 6, "io", "the operating system refused to read or write")                                            \
    X(TIN_ERR_MEMORY, 7, "memory", "out of memory")                                                                    \
    X(TIN_ERR_TOOL, 8, "tool", "an outside program is missing or failed")                                              \
    X(TIN_ERR_MODEL, 9, "model", "the model is not valid, not causal, or could overflow")                              \
    X(TIN_ERR_NUMERIC, 10, "numeric", "training met NaN or infinity")                                                  \
    X(TIN_ERR_MISMATCH, 11, "mismatch", "two results that must be equal differ")                                       \
    X(TIN_REFUSED, 12, "refused", "a figure of a run is outside what the caller allows; no error")                     \
    X(TIN_ERR_INTERRUPTED, 130, "interrupted", "stopped by the user; run again to go on")

typedef enum tin_status {
#define X(code, exit_code, name, meaning) code,
    TIN_STATUS_LIST(X)
#undef X
        TIN_STATUS_COUNT
} tin_status;

#define TIN_USE_RESULT __attribute__((warn_unused_result))
#define TIN_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Zero-initialise before use. `file` is "" and `line` 0 where they mean nothing. */
typedef struct tin_error {
    tin_status status;
    char file[256];
    long line;         /* 1-based line of `file`, 0: none */
    char message[768]; /* what is wrong, with the value, and how to mend it */
    char text[1100];   /* built by tin_error_text */
} tin_error;

/* Records the error unless one is recorded already, and returns `status` so that a caller can write
 * `return tin_fail(err, TIN_ERR_DATA, "...")`. err may be NULL. */
tin_status tin_fail(tin_error *err, tin_status status, const char *format, ...) TIN_PRINTF(3, 4);

/* The same with a place: file name and 1-based line (0: whole file). */
tin_status tin_fail_at(tin_error *err, tin_status status, const char *file, long line, const char *format, ...)
    TIN_PRINTF(5, 6);

/* The same for a failed system call: appends strerror(errno). Status is TIN_ERR_IO (TIN_ERR_MEMORY for ENOMEM). */
tin_status tin_fail_errno(tin_error *err, const char *file, const char *action);

/* "FILE:LINE: error: MESSAGE" for people, always one line without control characters; owned by err, valid until err changes. */
const char *tin_error_text(tin_error *err);

const char *tin_status_name(tin_status status);
int tin_status_exit_code(tin_status status);

#endif
