/* Private to src/deploy: a serial line of this computer, or a pseudo terminal: raw bytes with time limits. */
#ifndef TIN_SERIAL_LINE_H
#define TIN_SERIAL_LINE_H

#include <stddef.h>
#include <termios.h>

#include "base/file.h"

typedef struct tin_serial {
    int fd; /* -1: not open */
    char path[TIN_PATH_MAX];
    struct termios before; /* settings of the line, put back by close */
} tin_serial;

/* Raw, 8 bits, no parity, one stop bit, no flow control; no other program can open it meanwhile. What came before is
 * thrown away. TIN_ERR_USAGE for a speed that no line has, TIN_ERR_IO with the mend for a line that cannot be opened. */
tin_status tin_serial_open(tin_serial *s, const char *path, long baud, tin_error *err) TIN_USE_RESULT;
void tin_serial_close(tin_serial *s);
/* What has come, at most `size` bytes; waits up to `seconds` for the first one. *n is 0 when none came in time.
 * TIN_ERR_INTERRUPTED after Ctrl-C, TIN_ERR_IO when the device went away. */
tin_status tin_serial_read(tin_serial *s, void *data, size_t size, double seconds, size_t *n,
                           tin_error *err) TIN_USE_RESULT;
/* All of it; TIN_ERR_IO when the line takes nothing for 5 seconds. */
tin_status tin_serial_write(tin_serial *s, const void *data, size_t size, tin_error *err) TIN_USE_RESULT;

#endif
