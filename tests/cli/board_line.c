/* board_line LINK PROGRAM: runs PROGRAM, which plays a board on its standard input and output, at the end of a pseudo
 * terminal, and makes LINK point to the other end: what /dev/ttyACM0 would be. Each ends with the other. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct termios raw;
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (argc != 3 || master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        fprintf(stderr, "board_line LINK PROGRAM\n");
        return 2;
    }
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC); /* held open: no hang-up between two uses */
    if (slave < 0 || tcgetattr(slave, &raw) != 0) {
        perror("board_line");
        return 1;
    }
    cfmakeraw(&raw);
    const pid_t board = tcsetattr(slave, TCSANOW, &raw) == 0 ? fork() : -1;
    if (board == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(master, 0);
        (void)dup2(master, 1);
        (void)execl(argv[2], argv[2], (char *)NULL);
        _exit(127);
    }
    if (board < 0 || symlink(ptsname(master), argv[1]) != 0) {
        perror("board_line");
        return 1;
    }
    (void)waitpid(board, NULL, 0);
    return 0;
}
