/* Private to src/data: the file of data.relabel, a list of labels as `data check` suggests them and a person edited it:
 *
 *     stream,start,end,label,suggested
 *
 * A row whose `suggested` is empty changes nothing. With a `label`, exactly this label of the stream, from `start` to `end`
 * (seconds from its first frame), becomes the class `suggested` or is ignored. Without one, the time from `start` to `end`
 * becomes a label of that class; it may lie in background or ignored labels, which are cut, not in those of events. */
#ifndef TIN_RELABEL_H
#define TIN_RELABEL_H

#include "dataset/dataset.h"

typedef struct tin_relabel_row {
    char *stream;
    double start, end;        /* seconds */
    int32_t label, suggested; /* class; label: or TIN_RELABEL_NEW; suggested: or TIN_LABEL_IGNORE */
    long line;
    bool used;
} tin_relabel_row;

#define TIN_RELABEL_NEW (-2) /* there is no label yet */

typedef struct tin_relabel {
    tin_relabel_row *rows; /* [n], by stream, then line; without those that change nothing */
    size_t n;
    const char *path;
    const tin_class *classes;
    double rate_hz;
    size_t n_labels; /* that were changed so far */
} tin_relabel;

/* TIN_ERR_DATA with the line for what is no such list or names an unknown class. path and classes must outlive it. */
tin_status tin_relabel_read(tin_relabel *relabel, const char *path, double rate_hz, const tin_class *classes,
                            int n_classes, tin_error *err) TIN_USE_RESULT;
/* How many more intervals tin_relabel_apply may make of the stream's. */
size_t tin_relabel_room(const tin_relabel *relabel, const char *stream);
/* Changes the stream's intervals, an array of the caller's, in place. TIN_ERR_DATA with the line where a row's label is
 * not there. */
tin_status tin_relabel_apply(tin_relabel *relabel, tin_stream *stream, tin_interval *intervals,
                             tin_error *err) TIN_USE_RESULT;
/* TIN_ERR_DATA for a row whose stream never came. */
tin_status tin_relabel_finish(const tin_relabel *relabel, tin_error *err) TIN_USE_RESULT;
void tin_relabel_free(tin_relabel *relabel);

#endif
