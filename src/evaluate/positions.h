/* The positions of the report's threshold: offsets that are added to every threshold of the chosen rule, and what the device
 * would say at each of them. The decision layer itself runs at every position, so that a page that looks a position up shows
 * exactly what the device would do there.
 *
 * Which offsets: 0 is the chosen rule. The range is halved again and again where most changes, until there are enough
 * positions or nothing is left between two of them. */
#ifndef TIN_POSITIONS_H
#define TIN_POSITIONS_H

#include "base/pool.h"
#include "evaluate/judge.h"

#define TIN_MOST_POSITIONS 256

typedef struct tin_positions_input {
    const tin_dataset *dataset; /* at least one class is an event */
    const tin_scored_set *validation, *test;
    tin_decision_rule rule; /* the chosen one */
    tin_margins margins;
    tin_pool *pool;      /* NULL: in the caller's thread; the result does not depend on the threads */
    size_t most_streams; /* of the test people, whose runs are kept */
    size_t most_runs;    /* of all of them together; streams beyond it have none */
    bool quiet;
} tin_positions_input;

/* Something that is so from one position to another, both included. */
typedef struct tin_position_run {
    int64_t a, b;
    int32_t c;
    uint16_t from, to;
} tin_position_run;

typedef struct tin_position_runs {
    tin_position_run *items; /* [n] in the order in which they end, then of a */
    size_t n, capacity;
} tin_position_runs;

/* What is said in one test stream. */
typedef struct tin_stream_runs {
    tin_position_runs triggers; /* a frame, b class, c kind */
    tin_position_runs segments; /* a start, b end, c class */
    tin_position_runs events;   /* a number of the event, b frame of its report or -1, c class of it or
                                   TIN_DECISION_NONE; one at every position */
} tin_stream_runs;

typedef struct tin_positions {
    int32_t offsets[TIN_MOST_POSITIONS];    /* [n] rising, score units */
    size_t n, chosen;                       /* offsets[chosen] is 0 */
    tin_detector_result *validation, *test; /* [n] without bootstrap */
    tin_stream_runs *streams;               /* [n_streams] the first ones of the test set */
    size_t n_streams;
} tin_positions;

/* The rule with the offset on each of its thresholds. */
tin_decision_rule tin_rule_with_offset(const tin_decision_rule *rule, int32_t offset);

/* tin_positions_free, also after a failure. */
tin_status tin_positions_make(tin_positions *positions, const tin_positions_input *input,
                              tin_error *err) TIN_USE_RESULT;
void tin_positions_free(tin_positions *positions);

#endif
