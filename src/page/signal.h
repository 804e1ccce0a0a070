/* Signals for the pages, as the least and greatest count of each column of a picture. */
#ifndef TIN_SIGNAL_H
#define TIN_SIGNAL_H

#include "base/text.h"
#include "dataset/dataset.h"

/* A JSON array of names, units and scales: "channels", and of names and kinds: "classes"; each as ,"key":[...]. */
void tin_signal_add_head(tin_text *out, const tin_dataset *dataset);
/* ,"intervals":[[start, end, class], ...] of those that touch frames [from, to). */
void tin_signal_add_intervals(tin_text *out, const tin_stream *stream, int64_t from, int64_t to);
/* "base64": frames [from, to) of one channel in n_columns columns, 1 <= n_columns <= to - from: pairs of least and greatest
 * count, or, where n_columns is to - from, the counts themselves. memory: for 2 * n_columns values. */
void tin_signal_add(tin_text *out, const tin_dataset *dataset, const tin_stream *stream, int channel, int64_t from,
                    int64_t to, int64_t n_columns, int16_t *memory);

#endif
