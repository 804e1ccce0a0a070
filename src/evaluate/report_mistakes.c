#include "evaluate/report_mistakes.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "dataset/relabel_row.h"
#include "evaluate/evaluate.h"
#include "evaluate/mistakes.h"
#include "page/page.h"
#include "page/signal.h"

#define MOST_MISTAKES 300  /* in the page */
#define MOST_VALUES 900000 /* of all signals together; two bytes each, a third more as text */
#define MOST_SCORES 450000 /* likewise of all scores */
#define MOST_COLUMNS 1000  /* of one signal */
#define LEAST_COLUMNS 64
#define LEAST_DECISIONS 16
#define MORE_COLUMNS ",role,subject,kind,confidence"
#define AROUND_S 4.0 /* shown on both sides, or half the length of the mistake */

typedef struct album {
    tin_text *out;
    const tin_dataset *dataset;
    const tin_mistakes *mistakes;
    int64_t columns, decisions;                         /* of one picture, at most */
    int16_t signal[2 * MOST_COLUMNS], *decision_scores; /* work space; [decisions][n_classes] */
} album;

static int64_t between(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* ,"key":[...] of those items of a list in a timeline that touch frames [from, to); each begins with its first frame, and
 * `span` says that its end follows. */
static void add_near(album *a, const json_t *timeline, const char *key, bool span, int64_t from, int64_t to)
{
    const json_t *item;
    size_t i;
    const char *comma = "";
    tin_text_printf(a->out, ",\"%s\":[", key);
    json_array_foreach(json_object_get(timeline, key), i, item)
    {
        int64_t start = (int64_t)json_integer_value(json_array_get(item, 0));
        int64_t end = span ? (int64_t)json_integer_value(json_array_get(item, 1)) : start + 1;
        if (end > from && start < to) {
            tin_text_add(a->out, comma);
            tin_page_add_json(a->out, item);
            comma = ",";
        }
    }
    tin_text_add(a->out, "]");
}

/* Every n-th of the decisions that speak of frames [from, to). */
static void add_scores(album *a, size_t stream, int64_t from, int64_t to)
{
    const tin_mistakes *m = a->mistakes;
    const int64_t n_classes = a->dataset->n_classes;
    int64_t first = tin_mistakes_decision(m, stream, from),
            n_all = tin_mistakes_decision(m, stream, to - 1) - first + 1;
    n_all = m->said[stream].n_decisions > 0 ? n_all : 0;
    int64_t every = (n_all + a->decisions - 1) / a->decisions, n = 0;
    for (int64_t j = first; j < first + n_all; j += every) {
        memcpy(a->decision_scores + n++ * n_classes, m->said[stream].scores + j * n_classes,
               (size_t)n_classes * sizeof(int16_t));
    }
    tin_text_printf(a->out,
                    ",\"scores\":{\"first\":%" PRId64 ",\"step\":%" PRId64 ",\"values\":", tin_mistakes_frame(m, first),
                    every * m->timing.hop);
    tin_page_add_base64(a->out, a->decision_scores, (size_t)(n * n_classes));
    tin_text_add(a->out, "}");
}

static void add_picture(album *a, const tin_mistake *e)
{
    const tin_stream *s = &a->dataset->streams[e->stream];
    const json_t *timeline = a->mistakes->said[e->stream].timeline;
    int64_t around = (int64_t)(AROUND_S * a->dataset->rate_hz), half = (e->end - e->start) / 2;
    around = half > around ? half : around;
    int64_t from = between(e->start - around, 0, s->n_frames), to = between(e->end + around, 0, s->n_frames);
    int64_t columns = 2 * a->columns >= to - from ? to - from : a->columns;
    tin_text_printf(a->out, ",\"from\":%" PRId64 ",\"to\":%" PRId64 ",\"columns\":%" PRId64 ",\"signals\":[", from, to,
                    columns);
    for (int c = 0; c < a->dataset->n_channels; c++) {
        tin_text_printf(a->out, "%s{\"channel\":%d,\"counts\":", c > 0 ? "," : "", c);
        tin_signal_add(a->out, a->dataset, s, c, from, to, columns, a->signal);
        tin_text_add(a->out, "}");
    }
    tin_text_add(a->out, "]");
    tin_signal_add_intervals(a->out, s, from, to);
    add_near(a, timeline, "predicted", true, from, to);
    if (a->mistakes->has_events) {
        add_near(a, timeline, "segments", true, from, to);
        add_near(a, timeline, "triggers", false, from, to);
    }
    add_scores(a, e->stream, from, to);
}

static const char *role_name(const tin_stream *s)
{
    return s->role == TIN_ROLE_TEST ? "test" : "validation";
}

static void add_mistake(album *a, const tin_mistake *e)
{
    const tin_stream *s = &a->dataset->streams[e->stream];
    tin_text_printf(a->out, "{\"kind\":\"%s\",\"role\":\"%s\",\"id\":", tin_mistake_name(e->kind), role_name(s));
    tin_page_add_string(a->out, s->id);
    tin_text_add(a->out, ",\"subject\":");
    tin_page_add_string(a->out, s->subject);
    tin_text_printf(a->out,
                    ",\"start\":%" PRId64 ",\"end\":%" PRId64 ",\"report\":%" PRId64 ",\"truth\":%" PRId32
                    ",\"said\":%" PRId32 ",\"confidence\":%.3f",
                    e->start, e->end, e->report, e->truth, e->said, e->confidence);
    if (e->proposed.end > 0) {
        tin_text_printf(a->out, ",\"proposed\":[%" PRId64 ",%" PRId64 ",%" PRId32 "]", e->proposed.start,
                        e->proposed.end, e->proposed.class_index);
    }
    add_picture(a, e);
    tin_text_add(a->out, "}");
}

static void add_counts(tin_text *out, const tin_mistakes *m, tin_role role)
{
    for (int kind = 0; kind < TIN_MISTAKE_COUNT; kind++) {
        tin_text_printf(out, "%s\"%s\":%" PRId64, kind > 0 ? "," : "{", tin_mistake_name((tin_mistake_kind)kind),
                        m->counts[role][kind]);
    }
    tin_text_printf(out, ",\"wrong_frames\":%" PRId64 "}", m->frames[role]);
}

static tin_status add_all(tin_text *out, const tin_mistakes *m, tin_error *err)
{
    const tin_dataset *d = m->dataset;
    album *a = tin_alloc(1, sizeof *a, err);
    if (a == NULL) {
        return TIN_ERR_MEMORY;
    }
    int64_t n = m->n > 0 ? (int64_t)m->n : 1;
    *a = (album){.out = out, .dataset = d, .mistakes = m};
    a->columns = between(MOST_VALUES / (2 * n * d->n_channels), LEAST_COLUMNS, MOST_COLUMNS);
    a->decisions = between(MOST_SCORES / (n * d->n_classes), LEAST_DECISIONS, MOST_COLUMNS);
    a->decision_scores = tin_alloc((size_t)(a->decisions * d->n_classes), sizeof(int16_t), err);
    if (a->decision_scores == NULL) {
        tin_free(a);
        return TIN_ERR_MEMORY;
    }
    tin_text_add(out, ",\"mistakes\":{\"found\":{\"validation\":");
    add_counts(out, m, TIN_ROLE_VALIDATION);
    tin_text_add(out, ",\"test\":");
    add_counts(out, m, TIN_ROLE_TEST);
    tin_text_printf(out, "},\"decimals\":%d,\"header\":\"%s\",\"list\":[", tin_relabel_decimals(d),
                    TIN_RELABEL_COLUMNS MORE_COLUMNS);
    for (size_t i = 0; i < m->n; i++) {
        tin_text_add(out, i > 0 ? "," : "");
        add_mistake(a, &m->items[i]);
    }
    tin_text_add(out, "]}");
    tin_free(a->decision_scores);
    tin_free(a);
    return TIN_OK;
}

tin_status tin_report_mistakes(tin_text *out, const tin_dataset *dataset, const char *folder, tin_error *err)
{
    tin_mistakes mistakes;
    tin_status status = tin_mistakes_load(&mistakes, dataset, folder, err);
    if (status == TIN_OK && mistakes.said != NULL) {
        tin_mistakes_sort(&mistakes, MOST_MISTAKES);
        status = add_all(out, &mistakes, err);
    }
    tin_mistakes_free(&mistakes);
    return status;
}

tin_status tin_evaluate_relabel(const tin_dataset *dataset, const char *folder, const char *path,
                                tin_relabel_count *count, tin_error *err)
{
    tin_mistakes m;
    tin_writer writer = {0};
    *count = (tin_relabel_count){0};
    tin_status status = tin_mistakes_load(&m, dataset, folder, err);
    if (status == TIN_OK && m.said == NULL) {
        status = tin_fail_at(err, TIN_ERR_IO, folder, 0,
                             "timelines.json or scores.safetensors is missing; run the stage evaluate again");
    }
    status = status ? status : tin_writer_open(&writer, path, err);
    if (status == TIN_OK) {
        tin_mistakes_sort(&m, m.n);
        fputs(TIN_RELABEL_COLUMNS MORE_COLUMNS "\n", writer.stream);
        for (size_t i = 0; i < m.n; i++) {
            const tin_mistake *e = &m.items[i];
            const tin_stream *s = &dataset->streams[e->stream];
            if (e->proposed.end > 0) {
                const bool has_label = e->truth >= 0 && e->kind != TIN_MISTAKE_FRAMES;
                tin_relabel_write_row(writer.stream, dataset, s, e->proposed, has_label ? e->truth : -1);
                fprintf(writer.stream, ",%s,", role_name(s));
                tin_relabel_write_field(writer.stream, s->subject);
                fprintf(writer.stream, ",%s,%.3f\n", tin_mistake_name(e->kind), e->confidence);
                count->rows++;
                count->test_rows += s->role == TIN_ROLE_TEST;
            }
        }
        status = tin_writer_commit(&writer, err);
    }
    tin_writer_abort(&writer);
    tin_mistakes_free(&m);
    return status;
}
