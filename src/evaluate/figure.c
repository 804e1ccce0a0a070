#include "evaluate/figure.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "model/qmodel.h"

#define WIDTH 1600
#define HEIGHT 1180
#define EXCERPT_S 60.0 /* of the recording, at most */
#define LANE 26.0
#define MOST_CURVES 6 /* channels of one unit */
#define FP_MOST 100.0 /* the axis of rates ends there */

typedef struct box {
    double x, y, w, h;
} box;

/* Okabe and Ito's colours, as in the page. */
static const double palette[][3] = {{0, .447, .698},  {.835, .369, 0}, {0, .62, .451},
                                    {.8, .475, .655}, {.902, .624, 0}, {.337, .706, .914}};
#define N_COLOURS (sizeof palette / sizeof *palette)

static void ink(cairo_t *c, double grey)
{
    cairo_set_source_rgb(c, grey, grey, grey);
}

static void colour(cairo_t *c, size_t i, double alpha)
{
    const double *rgb = palette[i % N_COLOURS];
    cairo_set_source_rgba(c, rgb[0], rgb[1], rgb[2], alpha);
}

/* align 0: from x on, 0.5: around it, 1: up to it */
static void write_text(cairo_t *c, double x, double y, double size, double align, const char *text)
{
    cairo_text_extents_t extents;
    cairo_set_font_size(c, size);
    cairo_text_extents(c, text, &extents);
    cairo_move_to(c, x - align * extents.x_advance, y);
    cairo_show_text(c, text);
}

/* The last byte of the text goes, with the others of its character (UTF-8). */
static void cut_character(char *text)
{
    size_t n = strlen(text);
    while (n > 1 && ((unsigned char)text[n - 1] & 0xc0) == 0x80) {
        n--;
    }
    text[n > 0 ? n - 1 : 0] = '\0';
}

/* As much of the text as fits the width. */
static void write_cut(cairo_t *c, double x, double y, double size, double align, double width, const char *text)
{
    char shown[256];
    cairo_text_extents_t extents;
    size_t n = strlen(text) < sizeof shown - 1 ? strlen(text) : sizeof shown - 1;
    memcpy(shown, text, n);
    shown[n] = '\0';
    if (text[n] != '\0') {
        cut_character(shown); /* it may be half a one */
    }
    cairo_set_font_size(c, size);
    for (cairo_text_extents(c, shown, &extents); extents.x_advance > width && shown[0] != '\0';) {
        cut_character(shown);
        cairo_text_extents(c, shown, &extents);
    }
    write_text(c, x, y, size, align, shown);
}

/* From below upwards. */
static void write_upright(cairo_t *c, double x, double y, double size, double align, double height, const char *text)
{
    cairo_save(c);
    cairo_translate(c, x, y);
    cairo_rotate(c, -M_PI / 2);
    write_cut(c, 0, 0, size, align, height, text);
    cairo_restore(c);
}

static double nice_step(double span, double n)
{
    double raw = span / n, power = pow(10, floor(log10(raw)));
    return raw <= power ? power : raw <= 2 * power ? 2 * power : raw <= 5 * power ? 5 * power : 10 * power;
}

/* A grid line and number per step. vertical: along y, at the side `align` says (1: left of the box, 0: right of it). */
static void axis(cairo_t *c, box b, double low, double high, bool vertical, bool right, bool grid)
{
    const double step = nice_step(high - low, vertical ? 6 : 8);
    char text[32];
    cairo_set_line_width(c, 1);
    for (double v = ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step) {
        const double share = (v - low) / (high - low);
        const double x = vertical ? b.x : b.x + share * b.w, y = vertical ? b.y + b.h * (1 - share) : b.y + b.h;
        if (grid) {
            ink(c, 0.88);
            cairo_move_to(c, x, y);
            cairo_line_to(c, vertical ? b.x + b.w : x, vertical ? y : b.y);
            cairo_stroke(c);
        }
        ink(c, 0.3);
        snprintf(text, sizeof text, "%.4g", fabs(v) < step / 1e6 ? 0 : v);
        if (vertical) {
            write_text(c, right ? b.x + b.w + 8 : b.x - 8, y + 5, 14, right ? 0 : 1, text);
        } else {
            write_text(c, x, y + 20, 14, 0.5, text);
        }
    }
}

/* What is drawn over the threshold. */
enum { CURVE_FNR, CURVE_FCR, CURVE_FPR, CURVE_LATENCY, N_OVER };

static double over_threshold(const tin_positions *p, size_t i, int curve)
{
    const tin_detector_result *r = &p->test[i];
    const tin_event_figures f = tin_event_figures_of(&r->total.events, r->rate_hz);
    return curve == CURVE_FNR   ? 100 * f.fnr
           : curve == CURVE_FCR ? 100 * f.fcr
           : curve == CURVE_FPR ? f.fp_per_hour
                                : f.latency_mean_s;
}

/* The threshold that all event classes share; false when each has its own. */
static bool common_threshold(const tin_figure_input *in, int32_t *on)
{
    bool found = false, same = true;
    for (int k = 0; k < in->dataset->n_classes; k++) {
        if (in->dataset->classes[k].event) {
            same = same && (!found || *on == in->rule.on[k]);
            *on = in->rule.on[k];
            found = true;
        }
    }
    return found && same;
}

static void draw_curves(cairo_t *c, const tin_figure_input *in, box b)
{
    static const char *const names[] = {"FNR, missed (%)", "FCR, wrong class (%)", "FPR (false positives per hour)",
                                        "latency, mean (s, right axis)"};
    const tin_positions *p = in->positions;
    int32_t base = 0;
    const bool common = common_threshold(in, &base);
    double latest = 0.1, earliest = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double latency = over_threshold(p, i, CURVE_LATENCY);
        latest = latency > latest ? latency : latest;
        earliest = latency < earliest ? latency : earliest;
    }
    base = common ? base : 0;
    double low = (double)(base + p->offsets[0]) / TIN_SCORE_ONE,
           high = (double)(base + p->offsets[p->n - 1]) / TIN_SCORE_ONE;
    high = high > low ? high : low + 1;
    axis(c, b, low, high, false, false, true);
    axis(c, b, 0, FP_MOST, true, false, true);
    axis(c, b, earliest, latest, true, true, false);
    ink(c, 0.3);
    write_text(c, b.x + b.w / 2, b.y + b.h + 44, 15, 0.5,
               common ? "threshold (logit margin)" : "added to the threshold of every class (logits)");
    write_upright(c, b.x - 48, b.y + b.h / 2, 15, 0.5, b.h, "% of events; false positives per hour");
    write_upright(c, b.x + b.w + 58, b.y + b.h / 2, 15, 0.5, b.h, "latency (s)");
    cairo_save(c);
    cairo_rectangle(c, b.x, b.y - 1, b.w, b.h + 2);
    cairo_clip(c);
    for (int k = 0; k < N_OVER; k++) {
        const double dash[] = {8, 5};
        const double least = k == CURVE_LATENCY ? earliest : 0, most = k == CURVE_LATENCY ? latest : FP_MOST;
        bool pen = false;
        colour(c, (size_t)k, 1);
        cairo_set_line_width(c, 2.5);
        cairo_set_dash(c, dash, k == CURVE_LATENCY ? 2 : 0, 0);
        for (size_t i = 0; i < p->n; i++) {
            const double v = over_threshold(p, i, k);
            const double x = b.x + ((double)(base + p->offsets[i]) / TIN_SCORE_ONE - low) / (high - low) * b.w;
            if (isfinite(v)) {
                (pen ? cairo_line_to : cairo_move_to)(c, x, b.y + b.h * (1 - (v - least) / (most - least)));
            }
            pen = isfinite(v);
        }
        cairo_stroke(c);
    }
    cairo_set_dash(c, NULL, 0, 0);
    const double at = b.x + ((double)base / TIN_SCORE_ONE - low) / (high - low) * b.w;
    ink(c, 0.1);
    cairo_set_line_width(c, 1.5);
    cairo_move_to(c, at, b.y);
    cairo_line_to(c, at, b.y + b.h);
    cairo_stroke(c);
    cairo_restore(c);
    ink(c, 0.1);
    write_text(c, at, b.y - 8, 14, 0.5, "chosen");
    for (int k = 0; k < N_OVER; k++) {
        const double x = b.x + (k % 2) * b.w / 2, y = b.y + b.h + 72 + 24 * (k / 2);
        colour(c, (size_t)k, 1);
        cairo_rectangle(c, x, y - 8, 24, 4);
        cairo_fill(c);
        ink(c, 0.2);
        write_text(c, x + 32, y, 14, 0, names[k]);
    }
}

/* Rows: what happened, the last one no event. Columns: what was reported first, the last one no report. */
static void draw_confusion(cairo_t *c, const tin_figure_input *in, box b)
{
    const tin_detector_result *r = &in->positions->test[in->positions->chosen];
    int shown[TIN_MAX_CLASSES + 1], n = 0;
    const int side = r->n_classes + 1;
    for (int k = 0; k < r->n_classes; k++) {
        if (in->dataset->classes[k].event) {
            shown[n++] = k;
        }
    }
    shown[n++] = r->n_classes;
    const double names = 130, w = (b.w - names) / n, h = (b.h - names) / n;
    for (int i = 0; i < n; i++) {
        int64_t sum = 0;
        for (int j = 0; j < n; j++) {
            sum += r->event_confusion[shown[i] * side + shown[j]];
        }
        const bool rejection = i == n - 1;
        ink(c, 0.2);
        write_cut(c, b.x + names - 8, b.y + names + (i + 0.5) * h + 5, 13, 1, names - 10,
                  rejection ? "no event" : in->dataset->classes[shown[i]].name);
        write_upright(c, b.x + names + (i + 0.5) * w + 5, b.y + names - 8, 13, 0, names - 10,
                      rejection ? "no report" : in->dataset->classes[shown[i]].name);
        for (int j = 0; j < n && !(rejection && j == n - 1); j++) {
            const int64_t cell = r->event_confusion[shown[i] * side + shown[j]];
            const box at = {b.x + names + j * w, b.y + names + i * h, w, h};
            char text[24];
            colour(c, i == j ? 0 : 1, sum > 0 ? 0.6 * (double)cell / (double)sum : 0);
            cairo_rectangle(c, at.x, at.y, at.w, at.h);
            cairo_fill_preserve(c);
            ink(c, 0.8);
            cairo_set_line_width(c, 1);
            cairo_stroke(c);
            ink(c, cell > 0 ? 0.1 : 0.6);
            snprintf(text, sizeof text, "%lld", (long long)cell);
            write_text(c, at.x + at.w / 2, at.y + at.h / 2 + 6, 16, 0.5, text);
        }
    }
}

static int64_t item(const json_t *list, size_t i)
{
    return (int64_t)json_integer_value(json_array_get(list, i));
}

/* The frames that are shown: those of EXCERPT_S that hold most starts of events, the first of such. */
static void choose_excerpt(const tin_figure_input *in, const json_t *timeline, int64_t *from, int64_t *to)
{
    const int64_t n_frames = (int64_t)json_integer_value(json_object_get(timeline, "n_frames"));
    const int64_t length = llround(EXCERPT_S * in->dataset->rate_hz), before = length / 20;
    const json_t *events = json_object_get(timeline, "events"), *event, *other;
    size_t i, j, most = 0;
    *from = 0;
    json_array_foreach(events, i, event)
    {
        size_t n = 0;
        json_array_foreach(events, j, other)
        {
            n += item(other, 0) >= item(event, 0) && item(other, 0) < item(event, 0) + length - 2 * before;
        }
        if (n > most) {
            most = n;
            *from = item(event, 0) - before;
        }
    }
    *from = *from + length > n_frames ? n_frames - length : *from;
    *from = *from < 0 ? 0 : *from;
    *to = *from + length < n_frames ? *from + length : n_frames;
}

/* The place of a class among those that have a colour; -1: it has none. */
static int colour_of(const tin_dataset *d, int64_t k)
{
    int place = 0;
    if (k < 0 || k >= d->n_classes || !d->classes[k].event) {
        return -1;
    }
    for (int64_t i = 0; i < k; i++) {
        place += d->classes[i].event;
    }
    return place;
}

static void draw_lane(cairo_t *c, const tin_figure_input *in, box b, const json_t *intervals, int64_t from, int64_t to)
{
    const json_t *one;
    size_t i;
    json_array_foreach(intervals, i, one)
    {
        const int64_t k = item(one, 2);
        const double start = fmax((double)item(one, 0), (double)from), end = fmin((double)item(one, 1), (double)to);
        if (end <= start || k < 0 || k >= in->dataset->n_classes) {
            continue;
        }
        const double x = b.x + (start - (double)from) / (double)(to - from) * b.w;
        const double w = fmax(1.5, (end - start) / (double)(to - from) * b.w);
        const int place = colour_of(in->dataset, k);
        if (place < 0) {
            ink(c, 0.85);
        } else {
            colour(c, (size_t)place, 1);
        }
        cairo_rectangle(c, x, b.y + 2, w, b.h - 4);
        cairo_fill(c);
        if (w > 30) {
            ink(c, place < 0 ? 0.2 : 1);
            write_cut(c, x + 4, b.y + b.h - 8, 13, 0, w - 6, in->dataset->classes[k].name);
        }
    }
}

/* Up: right; down: wrong class or once more; cross: false. */
static void draw_report(cairo_t *c, double x, double y, int place, const char *kind)
{
    if (place < 0) {
        ink(c, 0.1);
    } else {
        colour(c, (size_t)place, 1);
    }
    if (strcmp(kind, "false") == 0) {
        ink(c, 0.1);
        cairo_set_line_width(c, 3);
        cairo_move_to(c, x - 6, y - 6);
        cairo_line_to(c, x + 6, y + 6);
        cairo_move_to(c, x + 6, y - 6);
        cairo_line_to(c, x - 6, y + 6);
        cairo_stroke(c);
    } else {
        const double tip = strcmp(kind, "true") == 0 ? -7 : 7;
        cairo_move_to(c, x, y + tip);
        cairo_line_to(c, x - 7, y - tip);
        cairo_line_to(c, x + 7, y - tip);
        cairo_close_path(c);
        cairo_fill(c);
    }
}

/* The channels that share the unit of the first one. */
static void draw_signals(cairo_t *c, const tin_figure_input *in, const tin_stream *s, box b, int64_t from, int64_t to)
{
    const tin_dataset *d = in->dataset;
    double low = INFINITY, high = -INFINITY;
    int shown[MOST_CURVES], n = 0;
    for (int k = 0; k < d->n_channels && n < MOST_CURVES; k++) {
        if (strcmp(d->channels[k].unit, d->channels[0].unit) == 0) {
            shown[n++] = k;
        }
    }
    for (int i = 0; i < n; i++) {
        for (int64_t t = from; t < to; t++) {
            const double v = s->counts[t * d->n_channels + shown[i]] * d->channels[shown[i]].scale;
            low = fmin(low, v);
            high = fmax(high, v);
        }
    }
    high = high > low ? high : low + 1;
    axis(c, b, low, high, true, false, true);
    axis(c, b, (double)from / d->rate_hz, (double)to / d->rate_hz, false, false, false);
    ink(c, 0.3);
    write_upright(c, b.x - 62, b.y + b.h / 2, 15, 0.5, b.h, d->channels[0].unit);
    for (int i = 0; i < n; i++) {
        colour(c, (size_t)i, 1);
        cairo_set_line_width(c, 1);
        for (int64_t t = from; t < to; t++) {
            const double v = s->counts[t * d->n_channels + shown[i]] * d->channels[shown[i]].scale;
            (t == from ? cairo_move_to : cairo_line_to)(c, b.x + (double)(t - from) / (double)(to - from) * b.w,
                                                        b.y + b.h * (1 - (v - low) / (high - low)));
        }
        cairo_stroke(c);
        write_text(c, b.x + 60 * i, b.y + b.h + 44, 14, 0, d->channels[shown[i]].name);
    }
    ink(c, 0.3);
    write_text(c, b.x + b.w, b.y + b.h + 44, 15, 1, "time (s)");
}

static const tin_stream *find_stream(const tin_dataset *dataset, const char *id)
{
    for (size_t i = 0; id != NULL && i < dataset->n_streams; i++) {
        if (strcmp(dataset->streams[i].id, id) == 0) {
            return &dataset->streams[i];
        }
    }
    return NULL;
}

static void draw_timeline(cairo_t *c, const tin_figure_input *in, box b)
{
    static const char *const lanes[] = {"labels", "model", "active", "reports"}, *const keys[] = {"intervals",
                                                                                                  "predicted",
                                                                                                  "segments"};
    const json_t *timeline = json_array_get(json_object_get(in->timelines, "streams"), 0), *trigger;
    const tin_stream *s = find_stream(in->dataset, json_string_value(json_object_get(timeline, "id")));
    int64_t from, to;
    size_t i;
    if (s == NULL || s->n_frames != (int64_t)json_integer_value(json_object_get(timeline, "n_frames")) ||
        s->n_frames < 2) {
        return;
    }
    choose_excerpt(in, timeline, &from, &to);
    ink(c, 0.1);
    write_text(c, b.x, b.y - 10, 18, 0, "Recording");
    write_cut(c, b.x + 100, b.y - 10, 18, 0, b.w - 100, s->id);
    for (int k = 0; k < 4; k++) {
        const box lane = {b.x, b.y + k * LANE, b.w, LANE};
        ink(c, 0.3);
        write_text(c, b.x - 8, lane.y + LANE - 8, 14, 1, lanes[k]);
        if (k < 3) {
            draw_lane(c, in, lane, json_object_get(timeline, keys[k]), from, to);
        }
    }
    json_array_foreach(json_object_get(timeline, "triggers"), i, trigger)
    {
        const int64_t frame = item(trigger, 0);
        const char *kind = json_string_value(json_array_get(trigger, 2));
        if (frame >= from && frame < to && kind != NULL) {
            draw_report(c, b.x + (double)(frame - from) / (double)(to - from) * b.w, b.y + 3.5 * LANE,
                        colour_of(in->dataset, item(trigger, 1)), kind);
        }
    }
    draw_signals(c, in, s, (box){b.x, b.y + 4 * LANE + 10, b.w, b.h - 4 * LANE - 10}, from, to);
}

static void draw(cairo_t *c, const tin_figure_input *in)
{
    cairo_set_source_rgb(c, 1, 1, 1);
    cairo_paint(c);
    cairo_select_font_face(c, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    ink(c, 0.1);
    write_cut(c, 40, 44, 22, 0, 500, in->title);
    write_text(c, 880, 44, 18, 1, "Test people over the threshold");
    write_text(c, 1010, 44, 18, 0, "Events of the test people at the chosen threshold");
    draw_curves(c, in, (box){100, 90, 780, 400});
    draw_confusion(c, in, (box){1010, 60, 550, 530});
    ink(c, 0.3);
    write_text(c, 1010, 614, 14, 0, "Rows: what happened. Columns: what the device reported first.");
    draw_timeline(c, in, (box){100, 680, 1460, 430});
}

static cairo_status_t put_bytes(void *closure, const unsigned char *data, unsigned size)
{
    return fwrite(data, 1, size, closure) == size ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* Draws on the surface, which it gives away. png: where the picture goes; NULL: the surface writes itself. */
static tin_status draw_on(cairo_surface_t *surface, const tin_figure_input *input, FILE *png, const char *path,
                          tin_error *err)
{
    cairo_t *c = cairo_create(surface);
    draw(c, input);
    cairo_status_t status = cairo_status(c);
    cairo_destroy(c);
    if (status == CAIRO_STATUS_SUCCESS && png != NULL) {
        status = cairo_surface_write_to_png_stream(surface, put_bytes, png);
    }
    cairo_surface_finish(surface);
    status = status != CAIRO_STATUS_SUCCESS ? status : cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status == CAIRO_STATUS_SUCCESS) {
        return TIN_OK;
    }
    return tin_fail_at(err, status == CAIRO_STATUS_NO_MEMORY ? TIN_ERR_MEMORY : TIN_ERR_IO, path, 0,
                       "the picture was not drawn: %s", cairo_status_to_string(status));
}

tin_status tin_figure_png(const tin_figure_input *input, const char *path, tin_error *err)
{
    tin_writer writer = {0};
    tin_status status = tin_writer_open(&writer, path, err);
    if (status == TIN_OK) {
        status =
            draw_on(cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT), input, writer.stream, path, err);
    }
    status = status ? status : tin_writer_commit(&writer, err);
    tin_writer_abort(&writer);
    return status;
}

tin_status tin_figure_svg(const tin_figure_input *input, const char *path, tin_error *err)
{
    tin_writer writer = {0};
    tin_status status = tin_writer_open(&writer, path, err);
    if (status == TIN_OK) {
        cairo_surface_t *surface = cairo_svg_surface_create_for_stream(put_bytes, writer.stream, WIDTH, HEIGHT);
        cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
        status = draw_on(surface, input, NULL, path, err);
    }
    status = status ? status : tin_writer_commit(&writer, err);
    tin_writer_abort(&writer);
    return status;
}
