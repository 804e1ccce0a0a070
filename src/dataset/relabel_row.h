/* One row of a list of labels to change, as the setting data.relabel takes it (docs/checks.md, "relabel.csv"). */
#ifndef TIN_RELABEL_ROW_H
#define TIN_RELABEL_ROW_H

#include <stdio.h>

#include "dataset/dataset.h"

#define TIN_RELABEL_COLUMNS "stream,start,end,label,suggested"

/* Decimals of a time in seconds, so that it means one frame. */
int tin_relabel_decimals(const tin_dataset *dataset);
/* The text as one field: in quotes where it needs them. */
void tin_relabel_write_field(FILE *out, const char *text);
/* Without the end of the line. where.class_index: the suggested class; label: the class that the label has now, negative
 * when there is none yet. */
void tin_relabel_write_row(FILE *out, const tin_dataset *dataset, const tin_stream *stream, tin_interval where,
                           int32_t label);

#endif
