/* Private to src/evaluate: where the device was wrong on the validation and the test people, one by one, from timelines.json
 * and scores.safetensors of a run. Definitions: docs/mistakes.md.
 *
 *     tin_mistakes mistakes = {0};
 *     status = tin_mistakes_load(&mistakes, dataset, folder, &err);
 *     tin_mistakes_sort(&mistakes, 300);
 *     tin_mistakes_free(&mistakes); */
#ifndef TIN_MISTAKES_H
#define TIN_MISTAKES_H

#include <jansson.h>

#include "dataset/dataset.h"
#include "metrics/frame_metrics.h"
#include "model/safetensors.h"

/* kind, name in files */
#define TIN_MISTAKE_LIST(X)                                                                                            \
    X(TIN_MISTAKE_MISSED, "missed")       /* an event without a report */                                              \
    X(TIN_MISTAKE_WRONG, "wrong")         /* an event reported as another class */                                     \
    X(TIN_MISTAKE_FALSE, "false")         /* a report in no acceptance window */                                       \
    X(TIN_MISTAKE_REPEAT, "repeat")       /* a report of an event that was reported, with its class */                 \
    X(TIN_MISTAKE_DUPLICATE, "duplicate") /* the same with another class */                                            \
    X(TIN_MISTAKE_FRAMES, "frames")       /* a stretch of wrong frames; only where no class is an event */
typedef enum tin_mistake_kind {
#define X(kind, name) kind,
    TIN_MISTAKE_LIST(X)
#undef X
        TIN_MISTAKE_COUNT
} tin_mistake_kind;
const char *tin_mistake_name(tin_mistake_kind kind);

#define TIN_MISTAKE_NONE (-1) /* no class, no frame */

typedef struct tin_mistake {
    tin_mistake_kind kind;
    size_t stream; /* of the dataset */
    int64_t start,
        end;        /* frames [start, end): the event; of a report without one what the model saw; the wrong frames */
    int64_t report; /* frame of the device's report, or TIN_MISTAKE_NONE */
    int32_t truth, said;   /* class; truth: TIN_MISTAKE_NONE where there is no event */
    double confidence;     /* logits by which the model preferred what it said, mean over [start, end) */
    tin_interval proposed; /* the label that would make it right; end 0: none */
} tin_mistake;

/* What is known of one stream. */
typedef struct tin_said {
    const json_t *timeline; /* NULL: the stream was not evaluated */
    const int16_t *scores;  /* [n_decisions][n_classes] logits * 256 */
    int64_t n_decisions;
} tin_said;

typedef struct tin_mistakes {
    tin_mistake *items; /* [n] */
    size_t n, capacity;
    int64_t counts[3][TIN_MISTAKE_COUNT]; /* by role: found, whatever is listed */
    int64_t frames[3];                    /* of TIN_MISTAKE_FRAMES */
    tin_said *said;                       /* [n_streams] */
    tin_timing timing;
    bool has_events, allow_repeats;
    const tin_dataset *dataset;
    json_t *timelines;       /* what `said` points into */
    tin_safetensors *scores; /* likewise */
} tin_mistakes;

/* All of them, in the order of timelines.json. With timelines.json missing there are none, and said is NULL.
 * TIN_ERR_FORMAT where the files do not fit the dataset. Free after a failure too. */
tin_status tin_mistakes_load(tin_mistakes *mistakes, const tin_dataset *dataset, const char *folder,
                             tin_error *err) TIN_USE_RESULT;
/* The most confident first. Of more than `most` those are kept that are most confident or, of wrong frames, last longest;
 * validation and test share the room evenly where both need it. */
void tin_mistakes_sort(tin_mistakes *mistakes, size_t most);
/* The decision that speaks of frame t, kept within those that there are. */
int64_t tin_mistakes_decision(const tin_mistakes *mistakes, size_t stream, int64_t t);
/* The first frame that a decision speaks of; may be negative. */
int64_t tin_mistakes_frame(const tin_mistakes *mistakes, int64_t decision);
void tin_mistakes_free(tin_mistakes *mistakes);

#endif
