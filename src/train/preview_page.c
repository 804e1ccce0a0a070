#include "train/preview_page.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define WIDTH 380.0
#define LEFT 38.0
#define RIGHT 6.0
#define PANEL 74.0  /* height of the channels of one sensor ... */
#define GAP 8.0     /* ... and what is between two */
#define STRIP 9.0   /* height of a row of labels */
#define BOTTOM 16.0 /* for the time */
#define MOST_PANELS 4
#define PER_PANEL 3
#define COLUMNS 336 /* of pixels; a longer signal is drawn by its extremes in each */

/* Channels [first, first + n) are drawn together. */
typedef struct panel {
    int first, n;
    double low[TIN_PREVIEW_SEQUENCES], high[TIN_PREVIEW_SEQUENCES];
} panel;

typedef struct drawing {
    const tin_preview_scene *scene;
    tin_text *t;
    panel panels[MOST_PANELS];
    int n_panels;
} drawing;

static const float *values_of(const tin_preview_scene *s, int view, int sequence)
{
    return s->views[view].values + (ptrdiff_t)sequence * s->n_frames * s->dataset->n_channels;
}

/* Up to three neighbours in one unit share a panel, and all the views of a sequence its range. */
static void find_panels(drawing *d)
{
    const tin_preview_scene *s = d->scene;
    const int n_channels = s->dataset->n_channels;
    for (int c = 0; c < n_channels && d->n_panels < MOST_PANELS;) {
        panel *p = &d->panels[d->n_panels++];
        p->first = c;
        while (c < n_channels && c - p->first < PER_PANEL &&
               strcmp(s->dataset->channels[c].unit, s->dataset->channels[p->first].unit) == 0) {
            c++;
        }
        p->n = c - p->first;
        for (int q = 0; q < s->preview->n_sequences; q++) {
            double low = DBL_MAX, high = -DBL_MAX;
            for (int v = 0; v < s->n_views; v++) {
                const float *x = values_of(s, v, q);
                for (int t = 0; t < s->n_frames; t++) {
                    for (int k = p->first; k < p->first + p->n; k++) {
                        low = fmin(low, (double)x[t * n_channels + k]);
                        high = fmax(high, (double)x[t * n_channels + k]);
                    }
                }
            }
            double middle = (low + high) / 2, half = fmax((high - low) / 2 * 1.03, 1e-9);
            p->low[q] = middle - half;
            p->high[q] = middle + half;
        }
    }
}

static double x_at(const tin_preview_scene *s, double frame)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * frame / s->n_frames;
}

static double panel_top(int i)
{
    return 4 + i * (PANEL + GAP);
}

static double height(const drawing *d)
{
    return panel_top(d->n_panels) + 2 * STRIP + BOTTOM;
}

/* Text that HTML takes for text. */
static void add_text(tin_text *t, const char *text)
{
    for (; *text; text++) {
        const char *name = *text == '<' ? "&lt;" : *text == '&' ? "&amp;" : *text == '"' ? "&quot;" : NULL;
        if (name) {
            tin_text_add(t, name);
        } else {
            tin_text_add_bytes(t, text, 1);
        }
    }
}

/* Frames of one column: each one, or the least and the greatest value of many. */
static void add_line(const drawing *d, const panel *p, int top, int view, int sequence, int channel)
{
    const tin_preview_scene *s = d->scene;
    const int n_channels = s->dataset->n_channels, step = s->n_frames / COLUMNS > 2 ? s->n_frames / COLUMNS : 1;
    const float *x = values_of(s, view, sequence) + channel;
    double low = p->low[sequence], scale = PANEL / (p->high[sequence] - low);
    for (int t = 0; t < s->n_frames; t += step) {
        float least = x[t * n_channels], most = least;
        for (int i = t; i < t + step && i < s->n_frames; i++) {
            least = x[i * n_channels] < least ? x[i * n_channels] : least;
            most = x[i * n_channels] > most ? x[i * n_channels] : most;
        }
        double at = x_at(s, t + (step - 1) / 2.0), base = panel_top(top) + PANEL;
        tin_text_printf(d->t, "%s%.1f %.1f", t ? "L" : "M", at, base - ((double)most - low) * scale);
        if (step > 1) {
            tin_text_printf(d->t, "L%.1f %.1f", at, base - ((double)least - low) * scale);
        }
    }
}

static void add_axes(const drawing *d, int sequence)
{
    const tin_preview_scene *s = d->scene;
    for (int i = 0; i < d->n_panels; i++) {
        const panel *p = &d->panels[i];
        double top = panel_top(i);
        tin_text_printf(
            d->t,
            "<rect class=\"f\" x=\"%.0f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\"/><text class=\"y\" x=\"%.0f\" "
            "y=\"%.1f\">%.3g</text><text class=\"y\" x=\"%.0f\" y=\"%.1f\">%.3g</text><text class=\"y u\" "
            "x=\"%.0f\" y=\"%.1f\">",
            LEFT, top, WIDTH - LEFT - RIGHT, PANEL, LEFT - 3, top + 9, p->high[sequence], LEFT - 3, top + PANEL,
            p->low[sequence], LEFT - 3, top + PANEL / 2 + 4);
        add_text(d->t, s->dataset->channels[p->first].unit);
        tin_text_add(d->t, "</text>\n");
    }
    double seconds = s->preview->seconds, tick = seconds > 4 ? 2 : seconds > 1 ? 0.5 : seconds / 4;
    for (int k = 0; k * tick < seconds - tick / 4; k++) {
        tin_text_printf(d->t, "<text class=\"x\" x=\"%.1f\" y=\"%.1f\">%.3g%s</text>\n",
                        x_at(s, k * tick / seconds * s->n_frames), height(d) - 4, k * tick, k ? "" : " s");
    }
}

/* The class with the greatest share in a frame, -1: none; *share in twentieths. */
static int label_at(const drawing *d, int view, int sequence, int frame, int *share)
{
    const tin_preview_scene *s = d->scene;
    const int n_classes = s->dataset->n_classes;
    const float *target = s->views[view].target + ((ptrdiff_t)sequence * s->n_frames + frame) * n_classes;
    int best = -1;
    *share = 0;
    for (int c = 0; c < n_classes; c++) {
        if (target[c] > 0 && (best < 0 || target[c] > target[best])) {
            best = c;
            *share = (int)lrintf(target[c] * 20);
        }
    }
    return best;
}

/* Golden angle: neighbours among the classes differ. What is no event is pale. */
static void add_colour(const drawing *d, int class)
{
    int hue = (int)fmod(205 + 137.508 * class, 360);
    tin_text_printf(d->t, "hsl(%d %d%% 55%%)", hue, d->scene->dataset->classes[class].event ? 70 : 22);
}

static void add_labels(const drawing *d, int view, int sequence, double top)
{
    const tin_preview_scene *s = d->scene;
    for (int t = 0, end; t < s->n_frames; t = end) {
        int share, other, label = label_at(d, view, sequence, t, &share);
        for (end = t + 1; end < s->n_frames && label_at(d, view, sequence, end, &other) == label && other == share;) {
            end++;
        }
        if (label >= 0) {
            tin_text_printf(d->t,
                            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill-opacity=\"%.2f\" fill=\"",
                            x_at(s, t), top, x_at(s, end) - x_at(s, t), STRIP - 1, share / 20.0);
            add_colour(d, label);
            tin_text_add(d->t, "\"><title>");
            add_text(d->t, s->dataset->classes[label].name);
            tin_text_add(d->t, "</title></rect>\n");
        }
    }
}

/* One sequence under one augmentation; what was recorded stands grey behind it. */
static void add_cell(const drawing *d, int view, int sequence)
{
    const tin_preview_scene *s = d->scene;
    tin_text_printf(d->t, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", WIDTH, height(d));
    add_text(d->t, s->views[view].name);
    tin_text_add(d->t, ", ");
    add_text(d->t, s->preview->sequences[sequence].stream->id);
    tin_text_add(d->t, "\">\n");
    add_axes(d, sequence);
    for (int i = 0; i < d->n_panels; i++) {
        for (int k = 0; k < d->panels[i].n; k++) {
            if (view > 0) {
                tin_text_printf(d->t, "<use class=\"o\" href=\"#b%d-%d-%d\"/>\n", sequence, i, k);
            }
        }
        for (int k = 0; k < d->panels[i].n; k++) {
            if (view == 0) {
                tin_text_printf(d->t, "<g class=\"c%d\"><path id=\"b%d-%d-%d\" d=\"", k, sequence, i, k);
            } else {
                tin_text_printf(d->t, "<path class=\"c%d\" d=\"", k);
            }
            add_line(d, &d->panels[i], i, view, sequence, d->panels[i].first + k);
            tin_text_add(d->t, view ? "\"/>\n" : "\"/></g>\n");
        }
    }
    add_labels(d, 0, sequence, panel_top(d->n_panels) - GAP + 3);
    add_labels(d, view, sequence, panel_top(d->n_panels) - GAP + 3 + STRIP);
    tin_text_add(d->t, "</svg>\n");
}

static void add_section(const drawing *d, int view)
{
    const tin_preview_view *v = &d->scene->views[view];
    tin_text_add(d->t, "<section><h2>");
    add_text(d->t, v->name);
    tin_text_add(d->t, "</h2>");
    if (v->meaning[0]) {
        tin_text_add(d->t, "<p>");
        add_text(d->t, v->meaning);
        tin_text_add(d->t, "</p>");
    }
    tin_text_add(d->t, "\n<div>\n");
    for (int q = 0; q < d->scene->preview->n_sequences; q++) {
        add_cell(d, view, q);
    }
    tin_text_add(d->t, "</div></section>\n");
}

/* The recorded lines are drawn once, coloured here, and grey by reference in the other cells: so they carry no class. */
static const char style[] =
    ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:1240px;margin:1.5em "
    "auto;padding:0 1em;"
    "background:#fff;color:#222}h1{font-size:1.3em}h2{font-size:1.05em;margin:1.4em 0 0}p{margin:.2em 0}"
    "div{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:.6em}svg{width:100%;height:auto;"
    "display:block}path,use{fill:none;stroke-width:1.1;stroke-linejoin:round;vector-effect:non-scaling-stroke}"
    "text{fill:currentColor;font-size:9.5px;opacity:.7}.y{text-anchor:end}.u{font-style:italic}"
    ".f{fill:#8881;stroke:none}.o{stroke:#888;opacity:.5}.c0{stroke:#0072b2}.c1{stroke:#d55e00}.c2{stroke:#009e73}"
    ".k{display:inline-block;width:.9em;height:.9em;border-radius:2px;margin:0 .35em 0 1em;vertical-align:-.1em}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}.c0{stroke:#4fb0e8}.c1{stroke:#f08a3c}"
    ".c2{stroke:#3cc79a}.o{opacity:.75;stroke:#777}}";

static void add_head(const drawing *d)
{
    const tin_preview_scene *s = d->scene;
    tin_text_add(d->t, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                       "content=\"width=device-width\"><title>What training sees: ");
    add_text(d->t, s->title);
    tin_text_printf(d->t, "</title>\n<style>%s</style></head><body>\n<h1>What training sees: ", style);
    add_text(d->t, s->title);
    tin_text_printf(
        d->t,
        "</h1>\n<p>Three sequences of %.3g s of the training recordings, as recorded, with each operation of "
        "train.augment alone, and with all together as training draws them. Grey: as recorded. Below the signals "
        "the labels, upper row as recorded, lower row what the network is told.",
        s->preview->seconds);
    if (s->off[0]) {
        tin_text_printf(d->t, " Off: %s.", s->off);
    }
    tin_text_add(d->t, "</p>\n<p>");
    for (int c = 0; c < s->dataset->n_classes; c++) {
        tin_text_add(d->t, "<span class=\"k\" style=\"background:");
        add_colour(d, c);
        tin_text_add(d->t, "\"></span>");
        add_text(d->t, s->dataset->classes[c].name);
    }
    tin_text_add(d->t, "</p>\n<p>");
    for (int q = 0; q < s->preview->n_sequences; q++) {
        tin_text_add(d->t, q ? "; " : "Left to right: ");
        add_text(d->t, s->preview->sequences[q].stream->id);
        tin_text_printf(d->t, " from %.1f s", s->preview->sequences[q].start_s);
    }
    int drawn = d->panels[d->n_panels - 1].first + d->panels[d->n_panels - 1].n;
    if (drawn < s->dataset->n_channels) {
        tin_text_printf(d->t, ". The first %d of %d channels", drawn, s->dataset->n_channels);
    }
    tin_text_add(d->t, ".</p>\n");
}

void tin_preview_page(const tin_preview_scene *scene, tin_text *page)
{
    drawing d = {.scene = scene, .t = page};
    find_panels(&d);
    add_head(&d);
    for (int v = 0; v < scene->n_views; v++) {
        add_section(&d, v);
    }
    tin_text_add(page, "</body></html>\n");
}
