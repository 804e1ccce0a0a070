/* What the checks of a dataset found: a list of findings, each with its place, what was measured, and how to mend it.
 * Definitions and thresholds: docs/checks.md. */
#ifndef TIN_FINDINGS_H
#define TIN_FINDINGS_H

#include "dataset/dataset.h"

/* check, name in files, title, how to mend. In the order in which they are shown. */
#define TIN_CHECK_LIST(X)                                                                                              \
    X(TIN_CHECK_SUBJECT, "subject", "One person on both sides of the split",                                           \
      "give all recordings of a person one name (data.import, subject), and that person one role (data.split)")        \
    X(TIN_CHECK_DUPLICATE, "duplicate", "The same signal twice",                                                       \
      "remove one of the two recordings, or cut the common part out of one of them")                                   \
    X(TIN_CHECK_NEAR_DUPLICATE, "near_duplicate", "Nearly the same signal twice",                                      \
      "look at both places; where it is one event recorded twice, keep one, or give both recordings the same role")    \
    X(TIN_CHECK_CLASS, "class", "Classes that a part of the split lacks",                                              \
      "move people between the roles (data.split), record more, or take the class out of data.classes")                \
    X(TIN_CHECK_BALANCE, "balance", "Rare classes",                                                                    \
      "record more of the rare class, or weigh it (train.class_weight_power)")                                         \
    X(TIN_CHECK_RATE, "rate", "Sample rates that differ",                                                              \
      "set data.rate_hz to what all recordings have, or leave out those that are unlike the others")                   \
    X(TIN_CHECK_JITTER, "jitter", "Samples at uneven times",                                                           \
      "let the logger stamp samples where they are taken; where they come evenly, set rate_hz in data.import "         \
      "instead of the time column")                                                                                    \
    X(TIN_CHECK_REPEATED_TIME, "repeated_time", "Samples with equal times",                                            \
      "write finer times (milliseconds or less); where samples come evenly, set rate_hz in data.import instead")       \
    X(TIN_CHECK_GAPS, "gaps", "Recordings full of gaps", "find out why the logger loses samples, and record again")    \
    X(TIN_CHECK_IMPORT, "import", "What the import mended",                                                            \
      "look at the line that it names; mend it in the recording's files, or leave it as the import settled it")        \
    X(TIN_CHECK_SENSOR_FROZEN, "frozen", "Sensors that stand still",                                                   \
      "cut the stretch out of the recording, or label it `ignore`")                                                    \
    X(TIN_CHECK_SENSOR_CLIPPED, "clipped", "Signals cut off at the end of their range",                                \
      "record with a greater range of the sensor; where it is the range of the counts, raise data.range_accel or "     \
      "data.range_gyro")                                                                                               \
    X(TIN_CHECK_UNIT, "unit", "Probably another unit", "set the unit of the column in the mapping of data.import")     \
    X(TIN_CHECK_AXES, "axes", "Axes unlike those of the others",                                                       \
      "compare how the sensor was worn; change the order or the sign of the columns in the mapping of data.import")    \
    X(TIN_CHECK_DURATION, "duration", "Durations that are hard to believe",                                            \
      "look at the label's two ends; mend them, or remove the label")                                                  \
    X(TIN_CHECK_UNLABELLED, "unlabelled", "Stretches without a label",                                                 \
      "label them, or say with data.unlabelled what they are")                                                         \
    X(TIN_CHECK_BORDER_OFFSET, "border_offset", "Labels that come early or late",                                      \
      "shift the class's labels by the offset (data.labels), or widen its margins")                                    \
    X(TIN_CHECK_BORDER, "border", "Single borders that the signal puts elsewhere", "look at the border, and move it")  \
    X(TIN_CHECK_CONTRADICTED, "contradicted", "Labels that the model contradicts",                                     \
      "look at it; where the model is right, take the line of relabel.csv over (data.relabel), else leave it out")     \
    X(TIN_CHECK_MISSED, "missed", "Events that only the model sees",                                                   \
      "look at it; where there is an event, take the line of relabel.csv over (data.relabel), else leave it out")

typedef enum tin_check {
#define X(check, name, title, mend) check,
    TIN_CHECK_LIST(X)
#undef X
        TIN_CHECK_COUNT
} tin_check;

const char *tin_check_name(tin_check check);
const char *tin_check_title(tin_check check);
const char *tin_check_mend(tin_check check);

/* note: worth knowing; warning: probably wrong; fault: certainly wrong, figures made from it cannot be trusted. */
typedef enum tin_severity { TIN_NOTE, TIN_WARNING, TIN_FAULT, TIN_SEVERITY_COUNT } tin_severity;
const char *tin_severity_name(tin_severity severity);

#define TIN_NO_CLASS (-2) /* in a finding: it is about no class; TIN_LABEL_IGNORE is a label */

/* Make one by tin_finding_of, fill in what applies. */
typedef struct tin_finding {
    tin_check check;
    tin_severity severity;
    int64_t stream, other;          /* index of the stream and, of duplicates, of the second one; -1: none */
    int64_t start, end;             /* frames [start, end) of `stream`; 0, 0: all of it */
    int64_t other_start;            /* frame of `other` that is like `start` */
    int32_t class_index, suggested; /* label and the better one; TIN_NO_CLASS: none */
    int channel;                    /* -1: none */
    double value, limit;            /* what was measured and what it was held against, in the check's unit; NaN: none */
    double rank;                    /* greater: shown before others of this check and severity */
    char *text;                     /* one sentence; owned by the list */
} tin_finding;

typedef struct tin_findings {
    tin_finding *items; /* [n] */
    size_t n, capacity;
    size_t found[TIN_CHECK_COUNT]; /* of each check, also those that were dropped by tin_findings_sort */
} tin_findings;

tin_finding tin_finding_of(tin_check check, tin_severity severity);
/* Takes the finding into the list, with its sentence. */
tin_status tin_findings_add(tin_findings *findings, tin_finding finding, tin_error *err, const char *format, ...)
    TIN_PRINTF(4, 5) TIN_USE_RESULT;
/* Moves all of `from` behind `to`. */
tin_status tin_findings_move(tin_findings *to, tin_findings *from, tin_error *err) TIN_USE_RESULT;
/* By check, severity (faults first), rank, place; keeps at most `most` of each check. */
void tin_findings_sort(tin_findings *findings, size_t most);
size_t tin_findings_count(const tin_findings *findings, tin_severity severity);
void tin_findings_free(tin_findings *findings);

#endif
