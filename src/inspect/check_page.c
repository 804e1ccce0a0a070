#include "inspect/check_page.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "inspect/model_scores.h"
#include "page/page.h"
#include "page/signal.h"

#define MOST_PICTURES 40 /* of a check */
#define MOST_COLUMNS 300
#define MOST_CHANNELS 6
#define AROUND_S 2.0   /* shown on both sides of a finding, or half its length */
#define WARM_UP_S 60.0 /* that a model runs before its scores are shown */
#define SCORE_ONE 1000

extern const char tin_check_style[], tin_check_script[];

typedef struct painter {
    tin_text out;
    const tin_dataset *dataset;
    tin_model_scores *scores; /* NULL: no model */
    const tin_qmodel *model;
    int16_t memory[2 * MOST_COLUMNS];
    int16_t label[MOST_COLUMNS], suggested[MOST_COLUMNS]; /* probabilities in 1/SCORE_ONE, -1: none */
} painter;

/* Probabilities of the two classes in the columns of [from, to); the last decision in a column is shown. */
static void run_model(painter *p, const tin_finding *f, const tin_stream *s, int64_t from, int64_t to,
                      int64_t n_columns)
{
    const tin_dataset *d = p->dataset;
    float probabilities[TIN_MAX_CLASSES];
    int64_t first = from - (int64_t)(WARM_UP_S * d->rate_hz);
    first = first < 0 ? 0 : first / p->model->hop * p->model->hop;
    for (int64_t c = 0; c < n_columns; c++) {
        p->label[c] = p->suggested[c] = -1;
    }
    const int64_t end = to + p->model->delay < s->n_frames ? to + p->model->delay : s->n_frames;
    tin_model_scores_begin(p->scores, s->counts + first * d->n_channels, end - first);
    for (int64_t t; tin_model_scores_next(p->scores, probabilities, &t);) {
        int64_t about = first + t - p->model->delay;
        if (about >= from) {
            int64_t c = (about - from) * n_columns / (to - from);
            p->label[c] = f->class_index >= 0 ? (int16_t)(SCORE_ONE * probabilities[f->class_index]) : -1;
            p->suggested[c] = (int16_t)(SCORE_ONE * probabilities[f->suggested]);
        }
    }
}

static void add_scores(painter *p, const tin_finding *f, int64_t n_columns)
{
    tin_text_add(&p->out, ",\"scores\":[");
    for (int i = 0; i < 2; i++) {
        int32_t k = i == 0 ? f->suggested : f->class_index;
        if (k >= 0) {
            tin_text_printf(&p->out, "%s{\"class\":%" PRId32 ",\"values\":", i > 0 ? "," : "", k);
            tin_page_add_base64(&p->out, i == 0 ? p->suggested : p->label, (size_t)n_columns);
            tin_text_add(&p->out, "}");
        }
    }
    tin_text_add(&p->out, "]");
}

/* Frames [start, end) of a stream with what is around; the mark is drawn over them. */
static void add_picture(painter *p, size_t index, const tin_finding *f, int64_t stream, int64_t start, int64_t end)
{
    const tin_dataset *d = p->dataset;
    const tin_stream *s = &d->streams[stream];
    int64_t around = (int64_t)rint(AROUND_S * d->rate_hz), from = 0, to = s->n_frames;
    if (end > start) {
        around = (end - start) / 2 > around ? (end - start) / 2 : around;
        from = start > around ? start - around : 0;
        to = end + around < s->n_frames ? end + around : s->n_frames;
    }
    int64_t n_columns = to - from < MOST_COLUMNS ? to - from : MOST_COLUMNS;
    tin_text_printf(&p->out, "{\"finding\":%zu,\"stream\":", index);
    tin_page_add_string(&p->out, s->id);
    tin_text_printf(&p->out,
                    ",\"from\":%" PRId64 ",\"to\":%" PRId64 ",\"mark\":[%" PRId64 ",%" PRId64 "],\"columns\":%" PRId64
                    ",\"signals\":[",
                    from, to, start, end, n_columns);
    const char *unit = f->channel >= 0 ? d->channels[f->channel].unit : NULL;
    int shown = 0;
    for (int c = 0; c < d->n_channels && shown < MOST_CHANNELS; c++) {
        if (unit && strcmp(unit, d->channels[c].unit) != 0) {
            continue;
        }
        tin_text_printf(&p->out, "%s{\"channel\":%d,\"counts\":", shown++ > 0 ? "," : "", c);
        tin_signal_add(&p->out, d, s, c, from, to, n_columns, p->memory);
        tin_text_add(&p->out, "}");
    }
    tin_text_add(&p->out, "]");
    tin_signal_add_intervals(&p->out, s, from, to);
    if (p->scores && f->suggested >= 0) {
        run_model(p, f, s, from, to, n_columns);
        add_scores(p, f, n_columns);
    }
    tin_text_add(&p->out, "}");
}

static void add_pictures(painter *p, const tin_findings *findings)
{
    size_t of_check[TIN_CHECK_COUNT] = {0};
    const char *comma = "";
    tin_text_add(&p->out, ",\"pictures\":[");
    for (size_t i = 0; i < findings->n; i++) {
        const tin_finding *f = &findings->items[i];
        if (f->stream < 0 || of_check[f->check]++ >= MOST_PICTURES) {
            continue;
        }
        tin_text_add(&p->out, comma);
        add_picture(p, i, f, f->stream, f->start, f->end);
        comma = ",";
        if (f->other >= 0) {
            tin_text_add(&p->out, comma);
            add_picture(p, i, f, f->other, f->other_start, f->other_start + f->end - f->start);
        }
    }
    tin_text_add(&p->out, "]");
}

tin_status tin_check_page(const char *path, const char *title, const json_t *json, const tin_findings *findings,
                          const tin_dataset *dataset, const tin_qmodel *model, tin_error *err)
{
    painter *p = tin_alloc(1, sizeof *p, err);
    if (!p) {
        return TIN_ERR_MEMORY;
    }
    p->dataset = dataset;
    p->model = model;
    tin_status status = model ? tin_model_scores_create(&p->scores, model, err) : TIN_OK;
    if (status == TIN_OK) {
        tin_text_add(&p->out, "{\"title\":");
        tin_page_add_string(&p->out, title);
        tin_text_printf(&p->out, ",\"score_one\":%d,\"report\":", SCORE_ONE);
        tin_page_add_json(&p->out, json);
        tin_signal_add_head(&p->out, dataset);
        add_pictures(p, findings);
        tin_text_add(&p->out, "}");
        status = tin_text_check(&p->out, err);
    }
    status = status ? status : tin_page_write(path, tin_check_style, tin_check_script, p->out.data, err);
    tin_text_free(&p->out);
    tin_model_scores_free(p->scores);
    tin_free(p);
    return status;
}
