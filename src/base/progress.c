#include "base/progress.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 24
#define TERMINAL_PERIOD_S 0.1
#define PLAIN_PERIOD_S 10.0

double tin_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Prints what fits on the line behind `used` columns: a line that is wrapped cannot be taken back. UTF-8: the bytes that go
 * on with a character take no column. */
static void print_note(const char *note, int used)
{
    struct winsize size = {0};
    int left = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col - used - 3 : 80;
    size_t n = 0;
    while (note[n] && (left > 0 || ((unsigned char)note[n] & 0xc0) == 0x80)) {
        left -= ((unsigned char)note[n] & 0xc0) != 0x80;
        n++;
    }
    if (n > 0)
        fprintf(stderr, "  %.*s", (int)n, note);
}

static void show(tin_progress *p, double now, const char *note)
{
    double share = (double)p->done / (double)p->total, spent = now - p->started;
    if (p->terminal) {
        char bar[BAR_WIDTH + 1];
        int full = (int)(share * BAR_WIDTH);
        memset(bar, '-', BAR_WIDTH);
        memset(bar, '#', (size_t)(full > BAR_WIDTH ? BAR_WIDTH : full));
        bar[BAR_WIDTH] = '\0';
        int used = fprintf(stderr, "\r\033[K%-10s [%s] %3.0f %%", p->title, bar, 100 * share) - 4;
        if (share > 0 && share < 1)
            used += fprintf(stderr, "  %.0f s left", spent / share - spent);
        if (note)
            print_note(note, used);
        fflush(stderr);
    } else {
        fprintf(stderr, "%-10s %3.0f %%  %s\n", p->title, 100 * share, note ? note : "");
    }
    p->shown = now;
}

void tin_progress_begin(tin_progress *p, const char *title, long total, bool quiet)
{
    *p = (tin_progress){.total = total > 0 ? total : 1, .quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1};
    snprintf(p->title, sizeof p->title, "%s", title);
    p->started = p->shown = tin_now();
    if (!quiet && p->terminal)
        show(p, p->started, NULL);
}

void tin_progress_update(tin_progress *p, long done, const char *note)
{
    p->done = done < p->total ? done : p->total;
    double now = tin_now();
    if (!p->quiet && now - p->shown >= (p->terminal ? TERMINAL_PERIOD_S : PLAIN_PERIOD_S))
        show(p, now, note);
}

void tin_progress_end(tin_progress *p, const char *note)
{
    if (p->quiet)
        return;
    if (p->terminal)
        fprintf(stderr, "\r\033[K");
    fprintf(stderr, "%-10s %6.1f s  %s\n", p->title, tin_now() - p->started, note ? note : "");
    fflush(stderr);
}

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

void tin_stop_install(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    action.sa_flags = (int)SA_RESETHAND; /* the second Ctrl-C ends at once */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool tin_stop_requested(void)
{
    return stop != 0;
}
