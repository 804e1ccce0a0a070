/* Private to src/data: the rules of data.labels, which mend the labels of a stream before it is stored. Each rule takes the
 * labels that it is about and that meet its conditions, in the order in which the rules are written.
 *
 * relabel: they become the class `to`, or are ignored.
 * drop:    their frames have no label any more.
 * merge:   labels of one class become one when at most gap_ms lie between them, with no other label there.
 * anchor:  a label becomes the time from early_ms before its anchor (start, end or peak) to late_ms behind it, as far as its
 *          neighbours and the stream leave room.
 *
 * The peak of a label: where the energy of the signal is greatest, the mean over 0.1 s of the squared deviations of all
 * channels from their means in the label, each in units of its deviation in the stream. */
#ifndef TIN_LABEL_RULES_H
#define TIN_LABEL_RULES_H

#include "dataset/dataset.h"
#include "project/config.h"

typedef struct tin_label_rule {
    const tin_config_label_rule *given;
    bool classes[TIN_MAX_CLASSES + 1]; /* that it is about, at class + 1: the ignored ones first */
    int32_t to, after, before;         /* class, TIN_LABEL_IGNORE, or TIN_RULE_ANY */
    int64_t n_labels;                  /* that were changed so far */
} tin_label_rule;

#define TIN_RULE_ANY (-2) /* no condition */

typedef struct tin_label_rules {
    tin_label_rule *rules;
    unsigned n;
    double rate_hz;
} tin_label_rules;

/* Index of the class of that name, TIN_LABEL_IGNORE for "ignore"; false: there is none. */
bool tin_label_class_find(int32_t *index, const char *name, const tin_class *classes, int n_classes);
/* TIN_ERR_CONFIG for a class that is not there. The settings must outlive the rules. */
tin_status tin_label_rules_make(tin_label_rules *rules, const tin_config_data *settings, const tin_class *classes,
                                int n_classes, tin_error *err) TIN_USE_RESULT;
/* Changes the stream's intervals, an array of the caller's, in place; there are never more of them. */
tin_status tin_label_rules_apply(tin_label_rules *rules, tin_stream *stream, tin_interval *intervals, int n_channels,
                                 tin_error *err) TIN_USE_RESULT;
void tin_label_rules_free(tin_label_rules *rules);

#endif
