/* By termios: libserialport cannot open pseudo terminals, and the tests and every emulator's serial line are such. */
#include "deploy/serial_line.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/progress.h"
#include "base/text.h"

#define SLICE_MS 50 /* after which Ctrl-C is looked for */
#define WRITE_SECONDS 5.0

static const struct {
    long baud;
    speed_t speed;
} speeds[] = {{1200, B1200},       {2400, B2400},       {4800, B4800},       {9600, B9600},       {19200, B19200},
              {38400, B38400},     {57600, B57600},     {115200, B115200},   {230400, B230400},   {460800, B460800},
              {500000, B500000},   {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
              {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000},
              {4000000, B4000000}};

static tin_status find_speed(long baud, speed_t *speed, tin_error *err)
{
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        if (speeds[i].baud == baud) {
            *speed = speeds[i].speed;
            return TIN_OK;
        }
    }
    return tin_fail(err, TIN_ERR_USAGE,
                    "--baud is %ld, which serial lines do not have; give 9600, 19200, 38400, 57600, 115200, 230400, "
                    "460800, 921600, 1000000 or 2000000",
                    baud);
}

/* What could have been meant. */
static tin_status no_such_line(const char *path, tin_error *err)
{
    glob_t found = {0};
    tin_text list = {0};
    (void)glob("/dev/ttyACM*", 0, NULL, &found);
    (void)glob("/dev/ttyUSB*", GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc && i < 8; i++) {
        tin_text_printf(&list, "%s %s", i == 0 ? "" : ",", found.gl_pathv[i]);
    }
    const tin_status status =
        tin_fail_at(err, TIN_ERR_IO, path, 0, "there is no such serial line; %s%s",
                    list.size > 0 ? "there are:" : "no board with a serial line over USB is connected to this computer",
                    list.size > 0 ? list.data : "");
    globfree(&found);
    tin_text_free(&list);
    return status;
}

static tin_status no_permission(const char *path, tin_error *err)
{
    struct stat info;
    const struct group *group = stat(path, &info) == 0 ? getgrgid(info.st_gid) : NULL;
    const char *name = group != NULL ? group->gr_name : "dialout";
    return tin_fail_at(
        err, TIN_ERR_IO, path, 0,
        "you may not use this serial line; become a member of its group: `sudo usermod -aG %s $USER`, then "
        "log in again",
        name);
}

static tin_status cannot_open(const char *path, tin_error *err)
{
    if (errno == ENOENT || errno == ENXIO || errno == ENODEV) {
        return no_such_line(path, err);
    }
    if (errno == EACCES || errno == EPERM) {
        return no_permission(path, err);
    }
    if (errno == EBUSY) {
        return tin_fail_at(err, TIN_ERR_IO, path, 0,
                           "another program uses this serial line; close its serial monitor, then try again");
    }
    return tin_fail_errno(err, path, "cannot open the serial line");
}

tin_status tin_serial_open(tin_serial *s, const char *path, long baud, tin_error *err)
{
    speed_t speed = B0;
    struct termios raw;
    s->fd = -1;
    tin_status status = tin_path_join(s->path, path, "", err); /* checks its length */
    if (status == TIN_OK) {
        s->path[strlen(path)] = '\0';
        status = find_speed(baud, &speed, err);
    }
    if (status) {
        return status;
    }
    s->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (s->fd < 0) {
        return cannot_open(path, err);
    }
    if (tcgetattr(s->fd, &s->before) != 0) {
        status = tin_fail_at(err, TIN_ERR_IO, path, 0, "is no serial line; give the board's, e.g. /dev/ttyACM0");
        close(s->fd);
        s->fd = -1;
        return status;
    }
    raw = s->before;
    cfmakeraw(&raw);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSTOPB | CRTSCTS | HUPCL)) | CREAD | CLOCAL;
    if (cfsetspeed(&raw, speed) != 0 || tcsetattr(s->fd, TCSANOW, &raw) != 0 || ioctl(s->fd, TIOCEXCL) != 0) {
        status = tin_fail_errno(err, path, "cannot set up the serial line");
        tin_serial_close(s);
        return status;
    }
    (void)tcflush(s->fd, TCIOFLUSH);
    return TIN_OK;
}

void tin_serial_close(tin_serial *s)
{
    if (s->fd >= 0) {
        (void)ioctl(s->fd, TIOCNXCL);
        (void)tcflush(s->fd, TCIOFLUSH); /* a board that reads nothing must not hold us */
        (void)tcsetattr(s->fd, TCSANOW, &s->before);
        close(s->fd);
    }
    s->fd = -1;
}

static tin_status gone(const tin_serial *s, tin_error *err)
{
    return tin_fail_at(err, TIN_ERR_IO, s->path, 0, "the board went away; was it unplugged, or did it reset?");
}

/* Waits until the line is ready for `events`, or the time is over (*ready false). */
static tin_status wait_for(const tin_serial *s, short events, double until, bool *ready, tin_error *err)
{
    for (;;) {
        const double left = until - tin_now();
        struct pollfd fd = {.fd = s->fd, .events = events};
        if (tin_stop_requested()) {
            return tin_fail(err, TIN_ERR_INTERRUPTED, "stopped while talking to the board on %s", s->path);
        }
        const int n = poll(&fd, 1, left <= 0 ? 0 : left * 1e3 < SLICE_MS ? (int)(left * 1e3) + 1 : SLICE_MS);
        if (n < 0 && errno != EINTR) {
            return tin_fail_errno(err, s->path, "cannot wait for the serial line");
        }
        *ready = n > 0;
        if (*ready || left <= 0) {
            return TIN_OK;
        }
    }
}

tin_status tin_serial_read(tin_serial *s, void *data, size_t size, double seconds, size_t *n, tin_error *err)
{
    bool ready = false;
    *n = 0;
    const tin_status status = wait_for(s, POLLIN, tin_now() + seconds, &ready, err);
    if (status || !ready) {
        return status;
    }
    const ssize_t got = read(s->fd, data, size);
    if (got > 0) {
        *n = (size_t)got;
        return TIN_OK;
    }
    return got < 0 && (errno == EAGAIN || errno == EINTR) ? TIN_OK : gone(s, err);
}

tin_status tin_serial_write(tin_serial *s, const void *data, size_t size, tin_error *err)
{
    const char *at = data;
    while (size > 0) {
        bool ready = false;
        const tin_status status = wait_for(s, POLLOUT, tin_now() + WRITE_SECONDS, &ready, err);
        if (status) {
            return status;
        }
        if (!ready) {
            return tin_fail_at(err, TIN_ERR_IO, s->path, 0, "the line takes no bytes; is the board running?");
        }
        const ssize_t put = write(s->fd, at, size);
        if (put < 0 && errno != EAGAIN && errno != EINTR) {
            return gone(s, err);
        }
        at += put > 0 ? put : 0;
        size -= put > 0 ? (size_t)put : 0;
    }
    return TIN_OK;
}
