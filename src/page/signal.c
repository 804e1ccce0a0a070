#include "page/signal.h"

#include <inttypes.h>

#include "page/page.h"

void tin_signal_add_head(tin_text *out, const tin_dataset *dataset)
{
    tin_text_add(out, ",\"channels\":[");
    for (int c = 0; c < dataset->n_channels; c++) {
        tin_text_add(out, c > 0 ? ",{\"name\":" : "{\"name\":");
        tin_page_add_string(out, dataset->channels[c].name);
        tin_text_add(out, ",\"unit\":");
        tin_page_add_string(out, dataset->channels[c].unit);
        tin_text_printf(out, ",\"scale\":%.9g}", dataset->channels[c].scale);
    }
    tin_text_add(out, "],\"classes\":[");
    for (int k = 0; k < dataset->n_classes; k++) {
        tin_text_add(out, k > 0 ? ",{\"name\":" : "{\"name\":");
        tin_page_add_string(out, dataset->classes[k].name);
        tin_text_printf(out, ",\"event\":%s}", dataset->classes[k].event ? "true" : "false");
    }
    tin_text_printf(out, "],\"rate_hz\":%.9g,\"unlabelled\":%" PRId32, dataset->rate_hz, dataset->unlabelled);
}

void tin_signal_add_intervals(tin_text *out, const tin_stream *stream, int64_t from, int64_t to)
{
    const char *comma = "";
    tin_text_add(out, ",\"intervals\":[");
    for (size_t i = 0; i < stream->n_intervals; i++) {
        const tin_interval *v = &stream->intervals[i];
        if (v->end > from && v->start < to) {
            tin_text_printf(out, "%s[%" PRId64 ",%" PRId64 ",%" PRId32 "]", comma, v->start, v->end, v->class_index);
            comma = ",";
        }
    }
    tin_text_add(out, "]");
}

void tin_signal_add(tin_text *out, const tin_dataset *dataset, const tin_stream *stream, int channel, int64_t from,
                    int64_t to, int64_t n_columns, int16_t *memory)
{
    const int16_t *x = stream->counts + channel;
    if (n_columns == to - from) {
        for (int64_t t = from; t < to; t++) {
            memory[t - from] = x[t * dataset->n_channels];
        }
        tin_page_add_base64(out, memory, (size_t)n_columns);
        return;
    }
    for (int64_t c = 0; c < n_columns; c++) {
        int64_t first = from + c * (to - from) / n_columns, end = from + (c + 1) * (to - from) / n_columns;
        int16_t least = x[first * dataset->n_channels], greatest = least;
        for (int64_t t = first + 1; t < end; t++) {
            int16_t value = x[t * dataset->n_channels];
            least = value < least ? value : least;
            greatest = value > greatest ? value : greatest;
        }
        memory[2 * c] = least;
        memory[2 * c + 1] = greatest;
    }
    tin_page_add_base64(out, memory, (size_t)(2 * n_columns));
}
