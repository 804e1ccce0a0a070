/* The score of the Numenta Anomaly Benchmark, profile "standard": a report early in a window is worth up to 1, a false one
 * costs up to 0.11, a missed window 1 (Lavin, Ahmad: Evaluating real-time anomaly detection algorithms, ICMLA 2015;
 * nab/sweeper.py of version 1.1). docs/metrics.md, "NAB score". */
#ifndef TIN_NAB_SCORE_H
#define TIN_NAB_SCORE_H

#include "metrics/event_metrics.h"

/* Adds nab_windows and nab_billionths of one class in one stream: its acceptance windows, of which those that overlap are
 * one, and its triggers. The device may speak from the first frame on: there is no probation. */
void tin_nab_count(const tin_scene *scene, const tin_detection *detection, const tin_margins *margins, int class_index,
                   tin_event_counts *counts);

#endif
