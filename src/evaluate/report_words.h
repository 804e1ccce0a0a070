/* Private to src/evaluate: what the figures say, in a few sentences for people who read no figures. */
#ifndef TIN_REPORT_WORDS_H
#define TIN_REPORT_WORDS_H

#include <jansson.h>

#include "base/text.h"

/* One sentence a line, from what stands in metrics.json. */
void tin_report_words(tin_text *words, const json_t *metrics);

#endif
