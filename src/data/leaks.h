/* Private to src/data: finds the same signal on both sides of a split. Recordings that are copies, parts or shifted copies of
 * one another share most of their fingerprints: hashes of 64 frames at places that the signal itself chooses. */
#ifndef TIN_LEAKS_H
#define TIN_LEAKS_H

#include "dataset/dataset.h"

typedef struct tin_leaks tin_leaks;

tin_status tin_leaks_create(tin_leaks **leaks, int n_channels, tin_error *err) TIN_USE_RESULT;
/* Takes the fingerprints of a stream: about one per 64 frames, none where the signal stands still. */
tin_status tin_leaks_add(tin_leaks *leaks, const tin_stream *stream, tin_error *err) TIN_USE_RESULT;

/* Of the streams with the most in common: their ids, and the share of the shorter one that the other holds too. */
typedef struct tin_leak {
    const char *first, *second; /* ids; NULL: there is none */
    tin_role roles[2];
    double share;
    size_t n_pairs; /* of streams with different roles that share half or more */
} tin_leak;
tin_status tin_leaks_find(tin_leaks *leaks, tin_leak *leak, tin_error *err) TIN_USE_RESULT;
void tin_leaks_free(tin_leaks *leaks);

#endif
