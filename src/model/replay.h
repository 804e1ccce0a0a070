/* The integer model over whole recordings, fast. Its scores equal those of the interpreter (tin_qrunner) bit for bit on
 * every model, and do not depend on the instruction set: the interpreter stays the definition, this one is compared with it
 * (tests/model/test_replay.c). What proves generated code uses the interpreter, never this.
 *
 * How: a block of some hundred frames goes through one layer after the other. Outputs, or units, lie in vector lanes, a
 * sum of products takes two at a time, and one weight that was read serves several rows. Sums of int32 wrap, so that their
 * order does not matter; tin_qmodel_check has proven that none leaves int32 in the end. Features (model/feature.h) are the
 * shared code that all runners use, frame by frame.
 *
 *     tin_replay_create(&replay, model, TIN_REPLAY_BEST, err);
 *     n = tin_replay_run(replay, stream->counts, stream->n_frames, scores);
 *     tin_replay_reset(replay);     before the next recording */
#ifndef TIN_REPLAY_H
#define TIN_REPLAY_H

#include "base/cpu.h"
#include "model/qmodel.h"

#define TIN_REPLAY_BEST TIN_CPU_LEVELS

typedef struct tin_replay tin_replay;

/* For a model that passed tin_qmodel_check, which must live as long. `level`: the best instruction set that may be used;
 * a machine that has less uses what it has. One per thread; its size does not depend on the recordings. */
tin_status tin_replay_create(tin_replay **replay, const tin_qmodel *model, tin_cpu_level level,
                             tin_error *err) TIN_USE_RESULT;
void tin_replay_reset(tin_replay *replay);
/* Goes on where the last call ended. counts [n_frames][n_channels]; scores [n_frames / hop][n_classes], logit * 256.
 * Frames after the last multiple of the hop are left out: only the last call before a reset may have some. Returns the
 * number of decisions. */
int64_t tin_replay_run(tin_replay *replay, const int16_t *counts, int64_t n_frames, int16_t *scores);
void tin_replay_free(tin_replay *replay);

#endif
