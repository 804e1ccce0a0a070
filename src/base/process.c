#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/text.h"

extern char **environ;

/* Debian's names; those of a compiler's other tools follow from its prefix. */
static const struct {
    const char *program, *package;
} packages[] = {
    {"arm-none-eabi-gcc", "gcc-arm-none-eabi"},
    {"arm-none-eabi-", "binutils-arm-none-eabi"},
    {"riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf"},
    {"riscv64-unknown-elf-", "binutils-riscv64-unknown-elf"},
    {"avr-gcc", "gcc-avr"},
    {"avr-", "binutils-avr"},
    {"powerpc-linux-gnu-gcc", "gcc-powerpc-linux-gnu"},
    {"powerpc-linux-gnu-", "binutils-powerpc-linux-gnu"},
    {"aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"},
    {"aarch64-linux-gnu-", "binutils-aarch64-linux-gnu"},
    {"x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"},
    {"x86_64-linux-gnu-", "binutils-x86-64-linux-gnu"},
    {"qemu-system-arm", "qemu-system-arm"},
    {"qemu-system-", "qemu-system-misc"},
    {"qemu-", "qemu-user"},
};

static tin_status missing(const char *program, tin_error *err)
{
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
        if (strncmp(packages[i].program, program, strlen(packages[i].program)) == 0)
            return tin_fail(err, TIN_ERR_TOOL, "the program %s is missing; install it: apt-get install %s", program,
                            packages[i].package);
    return tin_fail(err, TIN_ERR_TOOL, "the program %s is missing; install it or put its folder into PATH", program);
}

bool tin_process_exists(const char *program)
{
    char candidate[TIN_PATH_MAX];
    if (strchr(program, '/'))
        return access(program, X_OK) == 0;
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t n = strcspn(path, ":");
        int m = snprintf(candidate, sizeof candidate, "%.*s/%s", (int)n, path, program);
        if (m > 0 && (size_t)m < sizeof candidate && access(candidate, X_OK) == 0)
            return true;
        path += n;
        if (*path)
            path++;
    }
    return false;
}

/* Reads what is there into text; false at end of file. */
static bool drain(int fd, tin_text *text)
{
    char block[4096];
    ssize_t n = read(fd, block, sizeof block);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    tin_text_add_bytes(text, block, (size_t)n);
    return n > 0;
}

/* Collects both outputs until they end; false when the time is over. */
static bool collect(int out, int errors, double deadline, tin_text *text_out, tin_text *text_errors)
{
    struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = errors, .events = POLLIN}};
    tin_text *texts[2] = {text_out, text_errors};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int wait_ms = -1;
        if (deadline > 0) {
            double left = deadline - tin_now();
            if (left <= 0)
                return false;
            wait_ms = left > 1e6 ? 1000000000 : (int)(left * 1e3) + 1;
        }
        if (poll(fds, 2, wait_ms) < 0 && errno != EINTR)
            return true;
        for (int i = 0; i < 2; i++)
            if (fds[i].fd >= 0 && (fds[i].revents & (POLLIN | POLLHUP | POLLERR)) && !drain(fds[i].fd, texts[i]))
                fds[i].fd = -1;
    }
    return true;
}

static tin_status spawn(const char *const argv[], const int out[2], const int errors[2], pid_t *pid, tin_error *err)
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return tin_fail(err, TIN_ERR_MEMORY, "out of memory while starting %s", argv[0]);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, errors[1], 2);
    int code = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code == ENOENT)
        return missing(argv[0], err);
    if (code != 0)
        return tin_fail(err, TIN_ERR_TOOL, "cannot start %s: %s", argv[0], strerror(code));
    return TIN_OK;
}

static void close_pipe(int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    fds[0] = fds[1] = -1;
}

tin_status tin_process_run(const char *const argv[], double timeout_seconds, tin_process_result *result, tin_error *err)
{
    tin_status status = TIN_OK;
    int out[2] = {-1, -1}, errors[2] = {-1, -1}, code = 0;
    tin_text text_out = {0}, text_errors = {0};
    pid_t pid = -1;
    *result = (tin_process_result){0};
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0) {
        status = tin_fail_errno(err, argv[0], "cannot make a pipe");
        goto cleanup;
    }
    status = spawn(argv, out, errors, &pid, err);
    if (status)
        goto cleanup;
    close(out[1]);
    close(errors[1]);
    out[1] = errors[1] = -1;
    double deadline = timeout_seconds > 0 ? tin_now() + timeout_seconds : 0;
    bool in_time = collect(out[0], errors[0], deadline, &text_out, &text_errors);
    if (!in_time)
        kill(pid, SIGKILL);
    while (waitpid(pid, &code, 0) < 0 && errno == EINTR)
        ;
    if (!in_time) {
        status = tin_fail(err, TIN_ERR_TOOL, "%s ran longer than %.0f s and was stopped; its last words: %.200s",
                          argv[0], timeout_seconds, text_errors.data ? text_errors.data : "none");
        goto cleanup;
    }
    tin_text_add(&text_out, "");
    tin_text_add(&text_errors, "");
    status = tin_text_check(&text_out, err);
    if (!status)
        status = tin_text_check(&text_errors, err);
    if (status)
        goto cleanup;
    result->exit_code = WIFSIGNALED(code) ? 128 + WTERMSIG(code) : WEXITSTATUS(code);
    result->output = text_out.data;
    result->output_size = text_out.size;
    result->errors = text_errors.data;
    text_out = text_errors = (tin_text){0};
    /* A C library without an exec error report ends the child with 127. */
    if (result->exit_code == 127 && !tin_process_exists(argv[0])) {
        tin_process_free(result);
        status = missing(argv[0], err);
    }
cleanup:
    tin_text_free(&text_out);
    tin_text_free(&text_errors);
    close_pipe(out);
    close_pipe(errors);
    return status;
}

void tin_process_free(tin_process_result *result)
{
    tin_free(result->output);
    tin_free(result->errors);
    *result = (tin_process_result){0};
}
