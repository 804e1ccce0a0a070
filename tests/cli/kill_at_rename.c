/* Preloaded into the program under test: the process kills itself (SIGKILL) where it is about to rename a file for the
 * KILL_AT_RENAME-th time, so that every state between two renames is left behind once, whatever the machine's speed. */
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

int rename(const char *from, const char *to)
{
    static atomic_long renames;
    const char *at = getenv("KILL_AT_RENAME");
    if (at != NULL && atomic_fetch_add(&renames, 1) + 1 == strtol(at, NULL, 10))
        (void)raise(SIGKILL);
    return (int)syscall(SYS_renameat2, -100 /* AT_FDCWD */, from, -100, to, 0);
}
