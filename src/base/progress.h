/* Progress of long work on stderr: a bar with time left on a terminal, a plain line now and then otherwise, nothing
 * when quiet. It changes no result. */
#ifndef TIN_PROGRESS_H
#define TIN_PROGRESS_H

#include <stdbool.h>

typedef struct tin_progress {
    char title[64];
    double started, shown; /* seconds of tin_now */
    long total, done;
    bool terminal, quiet;
} tin_progress;

/* total in any unit, > 0. quiet: print nothing. */
void tin_progress_begin(tin_progress *p, const char *title, long total, bool quiet);
/* note: short text behind the bar ("loss 0.31, val 0.91"), may be NULL. */
void tin_progress_update(tin_progress *p, long done, const char *note);
void tin_progress_end(tin_progress *p, const char *note);

/* Monotonic seconds. */
double tin_now(void);

/* SIGINT/SIGTERM ask long work to stop at the next safe point; it then returns TIN_ERR_INTERRUPTED. src/cli installs
 * the handler; libraries poll. */
void tin_stop_install(void);
bool tin_stop_requested(void);

#endif
