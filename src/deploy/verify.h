/* Validation on the target: recorded frames over a serial line to a board that runs the package's example NAME_verify, its
 * decisions back, every one compared with the reference. docs/packages.md describes the protocol. */
#ifndef TIN_VERIFY_H
#define TIN_VERIFY_H

#include "dataset/dataset.h"
#include "model/decision.h"
#include "model/qmodel.h"

typedef struct tin_verify_options {
    const char *port; /* "/dev/ttyACM0" */
    long baud;
    int latency;    /* NAME_LATENCY of the code */
    int64_t frames; /* of the test recordings, in equal parts of each, around its first event; 0: all */
    /* Patience; 0: 6 seconds for the first answer (a board may start anew when its line is opened), 3 for the others */
    double hello_seconds, answer_seconds;
    bool quiet;
} tin_verify_options;

typedef struct tin_verify_result {
    int64_t frames, decisions, mismatches; /* mismatches: frames that differ */
    char board[64];                        /* name of the model on the board */
    bool has_clock;
    double step_mean_s, step_worst_s;             /* of NAME_step by the board's clock; 0 without a clock */
    double round_trip_mean_s, round_trip_worst_s; /* of a packet of frames and its answer */
    int frames_per_packet;
    double seconds; /* in all */
    long resent;    /* packets that were sent again */
} tin_verify_result;

/* TIN_ERR_MISMATCH when a result differs (stream, frame, field, both values) or the board runs something else, TIN_ERR_IO
 * when the line or the board does not answer. *result is filled in the first case too. */
tin_status tin_verify(const tin_qmodel *model, const tin_decision_rule *rule, const tin_dataset *dataset,
                      const tin_verify_options *options, tin_verify_result *result, tin_error *err) TIN_USE_RESULT;

#endif
