/* RESULT of docs/metrics-format.md: the figures of one detector on one set of streams. */
#ifndef TIN_RESULT_JSON_H
#define TIN_RESULT_JSON_H

#include "base/json_tools.h"
#include "evaluate/detector_result.h"

/* in_detail: with people, classes of events and confusion. */
json_t *tin_result_json(tin_json_builder *builder, const tin_detector_result *result, bool has_events, bool in_detail);

/* Its key `events`; in_detail: with classes and confusion. */
json_t *tin_events_json(tin_json_builder *builder, const tin_detector_result *result, bool in_detail);

enum { TIN_WORDS = 256 };
/* What so few false positives in so short a time say: "no false positive in 9 minutes without an event: fewer than 20 an
 * hour (95 % sure)". */
void tin_false_positive_words(char words[TIN_WORDS], const tin_event_counts *counts, double rate_hz);

#endif
