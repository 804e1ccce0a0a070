/* Preloaded into the program under test: the process kills itself (SIGKILL) where it is about to rename or remove a file for
 * the KILL_AT_CHANGE-th time, so that every state between two changes is left behind once, whatever the machine's speed. */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((constructor)) static void not_in_children(void)
{
    (void)unsetenv("LD_PRELOAD");
}

static void count(void)
{
    static atomic_long changes;
    const char *at = getenv("KILL_AT_CHANGE");
    if (at != NULL && atomic_fetch_add(&changes, 1) + 1 == strtol(at, NULL, 10))
        (void)raise(SIGKILL);
}

int rename(const char *from, const char *to)
{
    count();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    count();
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
