/* Outside programs (the cross compiler, the emulator): no shell, output captured. */
#ifndef TIN_PROCESS_H
#define TIN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct tin_process_result {
    int exit_code; /* 128 + signal when killed */
    char *output;  /* stdout, NUL-terminated; tin_free it */
    size_t output_size;
    char *errors; /* stderr, likewise */
} tin_process_result;

/* Runs argv (NULL-terminated; argv[0] looked up in PATH) with stdin from /dev/null. Fails with TIN_ERR_TOOL when the
 * program is missing (message names the Debian package when known: gcc-arm-none-eabi, qemu-system-arm) or runs longer
 * than timeout_seconds (0: no limit; it is killed). A non-zero exit code is not a failure here: look at result. */
tin_status tin_process_run(const char *const argv[], double timeout_seconds, tin_process_result *result,
                           tin_error *err) TIN_USE_RESULT;
void tin_process_free(tin_process_result *result);
bool tin_process_exists(const char *program);

#endif
