#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "page/signal.h"
#include "inspect/stats.h"
#include "page/page.h"

#define MOST_BYTES (8 << 20)  /* of counts in the page */
#define MOST_OF_ONE (4 << 20) /* of one recording */
#define MOST_CHANNELS 12

extern const char tin_stats_style[], tin_stats_script[];

typedef struct album {
    tin_text out;
    const tin_dataset *dataset;
    int n_channels;
    bool *taken; /* [n_streams] */
    size_t bytes, n;
    int16_t *memory; /* MOST_OF_ONE bytes */
} album;

/* Columns of a recording: its frames, or fewer where these do not fit. */
static int64_t columns_of(const album *a, const tin_stream *s)
{
    int64_t whole = s->n_frames * a->n_channels * (int64_t)sizeof(int16_t);
    return whole <= MOST_OF_ONE ? s->n_frames : MOST_OF_ONE / (2 * a->n_channels * (int64_t)sizeof(int16_t));
}

static void add_stream(album *a, size_t index)
{
    const tin_stream *s = &a->dataset->streams[index];
    int64_t columns = columns_of(a, s);
    size_t bytes = (size_t)(columns * (columns < s->n_frames ? 2 : 1) * a->n_channels) * sizeof(int16_t);
    if (a->taken[index] || a->bytes + bytes > MOST_BYTES) {
        return;
    }
    a->taken[index] = true;
    a->bytes += bytes;
    tin_text_printf(&a->out, "%s{\"index\":%zu,\"n_frames\":%" PRId64 ",\"columns\":%" PRId64 ",\"signals\":[",
                    a->n++ > 0 ? "," : "", index, s->n_frames, columns);
    for (int c = 0; c < a->n_channels; c++) {
        tin_text_add(&a->out, c > 0 ? "," : "");
        tin_signal_add(&a->out, a->dataset, s, c, 0, s->n_frames, columns, a->memory);
    }
    tin_text_add(&a->out, "]");
    tin_signal_add_intervals(&a->out, s, 0, s->n_frames);
    tin_text_add(&a->out, "}");
    tin_dataset_forget(a->dataset);
}

static bool is_first_of_person(const tin_dataset *d, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(d->streams[i].subject, d->streams[index].subject) == 0) {
            return false;
        }
    }
    return true;
}

static tin_status add_streams(album *a, const char *first, tin_error *err)
{
    const tin_dataset *d = a->dataset;
    bool found = first == NULL;
    tin_text_add(&a->out, ",\"signals\":[");
    for (size_t i = 0; i < d->n_streams; i++) {
        if (first && strcmp(d->streams[i].id, first) == 0) {
            found = true;
            add_stream(a, i);
        }
    }
    if (!found) {
        return tin_fail(err, TIN_ERR_USAGE, "there is no recording '%.200s'; `tinamou data stats --json` lists them",
                        first);
    }
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < d->n_streams && a->bytes < MOST_BYTES; i++) {
            if (round == 1 || is_first_of_person(d, i)) {
                add_stream(a, i);
            }
        }
    }
    tin_text_add(&a->out, "]");
    return TIN_OK;
}

tin_status tin_stats_page(const char *path, const char *title, const char *first, const json_t *json,
                          const tin_dataset *dataset, tin_error *err)
{
    album a = {.dataset = dataset};
    a.n_channels = dataset->n_channels < MOST_CHANNELS ? dataset->n_channels : MOST_CHANNELS;
    a.taken = tin_alloc(dataset->n_streams, sizeof *a.taken, err);
    a.memory = tin_alloc(1, MOST_OF_ONE, err);
    tin_status status = a.taken && a.memory ? TIN_OK : TIN_ERR_MEMORY;
    if (status == TIN_OK) {
        tin_text_add(&a.out, "{\"title\":");
        tin_page_add_string(&a.out, title);
        tin_text_printf(&a.out, ",\"most_bytes\":%d,\"report\":", MOST_BYTES);
        tin_page_add_json(&a.out, json);
        tin_signal_add_head(&a.out, dataset);
        status = add_streams(&a, first, err);
    }
    if (status == TIN_OK) {
        tin_text_add(&a.out, "}");
        status = tin_text_check(&a.out, err);
    }
    status = status ? status : tin_page_write(path, tin_stats_style, tin_stats_script, a.out.data, err);
    tin_text_free(&a.out);
    tin_free(a.taken);
    tin_free(a.memory);
    return status;
}
