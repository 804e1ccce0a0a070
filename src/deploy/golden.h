/* Private to src/deploy: golden vectors for a self-test: a piece of a recording and what the reference gives on it. */
#ifndef TIN_GOLDEN_H
#define TIN_GOLDEN_H

#include "base/text.h"
#include "dataset/dataset.h"
#include "deploy/expect.h"

/* Frames [first, first + n) of a test stream; the model starts anew with the first one. */
typedef struct tin_piece {
    const tin_stream *stream;
    int64_t first, n;
} tin_piece;

/* A piece of at most n frames, n > 0, that shows what the model is for: one in which the reference detects an event that
 * is there; else one with an event; else the beginning of the first test stream. TIN_ERR_DATA without a test stream. */
tin_status tin_piece_choose(tin_expectation *x, const tin_dataset *dataset, int64_t n, tin_piece *piece,
                            tin_error *err) TIN_USE_RESULT;

/* At most n frames of one stream, around its first event; without one, from its beginning. */
tin_piece tin_piece_of(const tin_dataset *dataset, const tin_stream *stream, int64_t n);

#define TIN_GOLDEN_MADE 4096 /* frames that the self-test makes up itself */
#define TIN_GOLDEN_MADE_STRETCH 256
#define TIN_GOLDEN_RECORDED_STRETCH 32

/* Initialisers of C arrays, as packages/selftest.c.in takes them. Zero-initialise; tin_golden_free in any case. */
typedef struct tin_golden {
    tin_piece piece;
    int n_first; /* decisions in full */
    tin_text recorded, first, recorded_sums, made_sums;
} tin_golden;
/* The vectors of `piece`, whose n is at most 32,767. */
tin_status tin_golden_make(tin_golden *golden, tin_expectation *x, const tin_piece *piece,
                           tin_error *err) TIN_USE_RESULT;
void tin_golden_free(tin_golden *golden);

#endif
