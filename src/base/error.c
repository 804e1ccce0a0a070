#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

TIN_PRINTF(5, 0)
static void record(tin_error *err, tin_status status, const char *file, long line, const char *format, va_list args)
{
    if (!err || err->status != TIN_OK)
        return;
    err->status = status;
    snprintf(err->file, sizeof err->file, "%s", file ? file : "");
    err->line = line;
    vsnprintf(err->message, sizeof err->message, format, args);
}

tin_status tin_fail(tin_error *err, tin_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(err, status, NULL, 0, format, args);
    va_end(args);
    return status;
}

tin_status tin_fail_at(tin_error *err, tin_status status, const char *file, long line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(err, status, file, line, format, args);
    va_end(args);
    return status;
}

tin_status tin_fail_errno(tin_error *err, const char *file, const char *action)
{
    int number = errno;
    tin_status status = number == ENOMEM ? TIN_ERR_MEMORY : TIN_ERR_IO;
    const char *mend = "";
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        mend = "; free space on that disk and run again";
    else if (number == EACCES || number == EPERM || number == EROFS)
        mend = "; check the owner and the permissions of the file and its folder";
    return tin_fail_at(err, status, file, 0, "%s: %s%s", action, strerror(number), mend);
}

const char *tin_error_text(tin_error *err)
{
    const char *message = err->message[0] ? err->message : tin_status_name(err->status);
    if (err->file[0] && err->line > 0)
        snprintf(err->text, sizeof err->text, "%s:%ld: error: %s", err->file, err->line, message);
    else if (err->file[0])
        snprintf(err->text, sizeof err->text, "%s: error: %s", err->file, message);
    else
        snprintf(err->text, sizeof err->text, "error: %s", message);
    /* One line, whatever a compiler said or a file is called; and nothing that a terminal would obey. */
    size_t n = strlen(err->text);
    while (n > 0 && err->text[n - 1] == '\n')
        err->text[--n] = '\0';
    for (char *c = err->text; *c; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return err->text;
}

const char *tin_status_name(tin_status status)
{
    switch (status) {
#define X(code, exit_code, name, meaning)                                                                              \
    case code:                                                                                                         \
        return name;
        TIN_STATUS_LIST(X)
#undef X
    default:
        return "unknown";
    }
}

int tin_status_exit_code(tin_status status)
{
    switch (status) {
#define X(code, exit_code, name, meaning)                                                                              \
    case code:                                                                                                         \
        return exit_code;
        TIN_STATUS_LIST(X)
#undef X
    default:
        return 1;
    }
}
