/* Command lines of outside programs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deploy/target.h"

void tin_command_add(tin_command *c, const char *word)
{
    if (c->n + 1 < sizeof c->argv / sizeof c->argv[0]) { /* the last one stays NULL */
        c->argv[c->n++] = word;
    } else {
        c->full = true;
    }
}

void tin_command_format(tin_command *c, const char *format, ...)
{
    char *to = c->text + c->used;
    const size_t room = sizeof c->text - c->used;
    va_list arguments;
    va_start(arguments, format);
    const int n = vsnprintf(to, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room) {
        c->full = true;
        return;
    }
    c->used += (size_t)n + 1;
    tin_command_add(c, to);
}

void tin_command_words(tin_command *c, const char *words)
{
    for (const char *at = words + strspn(words, " "); *at != '\0'; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        tin_command_format(c, "%.*s", (int)n, at);
        at += n;
    }
}

/* Debian's package with the C library of a cross compiler. */
static const char *library_of(const char *compiler)
{
    static const struct {
        const char *compiler, *package;
    } libraries[] = {{"arm-none-eabi-gcc", "libnewlib-arm-none-eabi"},
                     {"riscv64-unknown-elf-gcc", "picolibc-riscv64-unknown-elf"},
                     {"avr-gcc", "avr-libc"},
                     {"powerpc-linux-gnu-gcc", "libc6-dev-powerpc-cross"},
                     {"aarch64-linux-gnu-gcc", "libc6-dev-arm64-cross"}};
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        if (strcmp(libraries[i].compiler, compiler) == 0) {
            return libraries[i].package;
        }
    }
    return "libc6-dev";
}

tin_status tin_command_run(const tin_command *c, double timeout_seconds, tin_process_result *result, tin_error *err)
{
    *result = (tin_process_result){0};
    if (c->full) {
        return tin_fail(err, TIN_ERR_TOOL, "the command line of %s is too long; use shorter folder names", c->argv[0]);
    }
    const tin_status status = tin_process_run(c->argv, timeout_seconds, result, err);
    if (status || result->exit_code == 0) {
        return status;
    }
    const bool no_library = strstr(result->errors, "string.h: No such file") != NULL ||
                            strstr(result->errors, "cannot read spec file") != NULL;
    return tin_fail(err, TIN_ERR_TOOL, "%s ended with %d%s%s: %.500s", c->argv[0], result->exit_code,
                    no_library ? "; install the C library: apt-get install " : "",
                    no_library ? library_of(c->argv[0]) : "",
                    result->errors[0] != '\0' ? result->errors : result->output);
}
