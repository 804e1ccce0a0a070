#include "train/curve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

/* Size of a chart and of what stands round it. */
#define WIDTH 860.0
#define HEIGHT 230.0
#define LEFT 52.0
#define RIGHT 24.0
#define TOP 12.0
#define SPARK 12 /* blocks */

static double value(const tin_curve *curve, int64_t row, int column)
{
    return curve->rows[row * TIN_CURVE_COLUMNS + column];
}

static void column_name(const tin_curve *curve, int column, char name[64])
{
    static const char *const names[] = {"step", "learning_rate", "loss"};
    if (column < TIN_CURVE_METRICS) {
        snprintf(name, 64, "%s", names[column]);
    } else if (column < TIN_CURVE_AVERAGE) {
        snprintf(name, 64, "validation_%s", tin_metric_name((tin_metric)(column - TIN_CURVE_METRICS)));
    } else {
        snprintf(name, 64, "average_%s", tin_metric_name(curve->metric));
    }
}

tin_status tin_curve_write_table(const tin_curve *curve, const char *path, tin_error *err)
{
    tin_text text = {0};
    int n_columns = curve->averaged ? TIN_CURVE_COLUMNS : TIN_CURVE_AVERAGE;
    for (int c = 0; c < n_columns; c++) {
        char name[64];
        column_name(curve, c, name);
        tin_text_printf(&text, "%s%s", c ? "," : "", name);
    }
    for (int64_t i = 0; i < curve->n; i++) {
        tin_text_printf(&text, "\n%.0f,%.6g,%.6g", value(curve, i, TIN_CURVE_STEP), value(curve, i, TIN_CURVE_RATE),
                        value(curve, i, TIN_CURVE_LOSS));
        for (int c = TIN_CURVE_METRICS; c < n_columns; c++) {
            tin_text_printf(&text, ",%.6f", value(curve, i, c));
        }
    }
    tin_text_add(&text, "\n");
    tin_status status = tin_text_check(&text, err);
    if (status == TIN_OK) {
        status = tin_file_write(path, text.data, text.size, err);
    }
    tin_text_free(&text);
    return status;
}

/* ---- the page ---- */

/* Columns of one chart and the values at its lower and upper edge. */
typedef struct chart {
    const char *title;
    int columns[TIN_CURVE_COLUMNS], n_columns;
    double low, high;
} chart;

static bool has_values(const tin_curve *curve, int column)
{
    for (int64_t i = 0; i < curve->n; i++) {
        if (isfinite(value(curve, i, column))) {
            return true;
        }
    }
    return false;
}

static void add_column(chart *c, const tin_curve *curve, int column)
{
    if (has_values(curve, column)) {
        c->columns[c->n_columns++] = column;
    }
}

/* The least step of 1, 2 or 5 times a power of ten that cuts `span` into at most five. */
static double tick_of(double span)
{
    double ten = pow(10, floor(log10(span / 5)));
    return span / 5 <= ten ? ten : span / 5 <= 2 * ten ? 2 * ten : span / 5 <= 5 * ten ? 5 * ten : 10 * ten;
}

static void find_range(chart *c, const tin_curve *curve, bool from_zero)
{
    c->low = from_zero ? 0 : 1;
    c->high = from_zero ? 0 : 1;
    for (int k = 0; k < c->n_columns; k++) {
        for (int64_t i = 0; i < curve->n; i++) {
            double v = value(curve, i, c->columns[k]);
            if (isfinite(v)) {
                c->low = fmin(c->low, v);
                c->high = fmax(c->high, v);
            }
        }
    }
    double tick = tick_of(c->high - c->low > 1e-3 ? c->high - c->low : 1e-3);
    c->low = floor(c->low / tick) * tick;
    c->high = fmax(ceil(c->high / tick) * tick, c->low + tick);
}

static double x_of(const tin_curve *curve, double step)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * step / curve->steps;
}

static double y_of(const chart *c, double v)
{
    return TOP + (HEIGHT - TOP - 28) * (c->high - v) / (c->high - c->low);
}

static void add_grid(tin_text *t, const chart *c, const tin_curve *curve)
{
    double tick = tick_of(c->high - c->low), along = fmax(tick_of(curve->steps), 1);
    for (int i = 0; i <= (int)rint((c->high - c->low) / tick); i++) {
        double v = c->low + i * tick, y = y_of(c, v);
        tin_text_printf(
            t, "<path class=\"g\" d=\"M%.0f %.1fH%.0f\"/><text class=\"l\" x=\"%.0f\" y=\"%.1f\">%.4g</text>\n", LEFT,
            y, WIDTH - RIGHT, LEFT - 6, y + 4, fabs(v) < tick / 2 ? 0 : v);
    }
    for (int i = 0; i * along <= curve->steps; i++) {
        double x = x_of(curve, i * along);
        tin_text_printf(t, "<text class=\"b\" x=\"%.1f\" y=\"%.0f\">%.0f</text>\n", x, HEIGHT - 8, i * along);
    }
    if (curve->best_step > 0) {
        double x = x_of(curve, (double)curve->best_step);
        tin_text_printf(t, "<path class=\"k\" d=\"M%.1f %.0fV%.0f\"><title>kept: step %lld</title></path>\n", x, TOP,
                        HEIGHT - 28, (long long)curve->best_step);
    }
}

static void add_line(tin_text *t, const chart *c, int k, const tin_curve *curve)
{
    bool pen_down = false;
    tin_text_printf(t, "<path class=\"c c%d\" d=\"", k);
    for (int64_t i = 0; i < curve->n; i++) {
        double v = value(curve, i, c->columns[k]);
        if (isfinite(v)) {
            tin_text_printf(t, "%s%.1f %.1f", pen_down ? "L" : "M", x_of(curve, value(curve, i, TIN_CURVE_STEP)),
                            y_of(c, v));
        }
        pen_down = isfinite(v);
    }
    tin_text_add(t, "\"/>\n");
}

static void add_legend(tin_text *t, const chart *c, const tin_curve *curve)
{
    tin_text_add(t, "<p>");
    for (int k = 0; k < c->n_columns; k++) {
        char name[64];
        column_name(curve, c->columns[k], name);
        for (char *s = name; *s; s++) {
            *s = *s == '_' ? ' ' : *s;
        }
        double last = value(curve, curve->n - 1, c->columns[k]);
        tin_text_printf(t, "<span class=\"t%d\">&#9644;</span> %s %s%.4f%s &#8195;", k, name,
                        c->columns[k] == TIN_CURVE_METRICS + (int)curve->metric ? "<b>" : "", last,
                        c->columns[k] == TIN_CURVE_METRICS + (int)curve->metric ? "</b>" : "");
    }
    tin_text_add(t, "</p>\n");
}

static void add_chart(tin_text *t, chart *c, const tin_curve *curve, bool from_zero)
{
    if (c->n_columns == 0) {
        return;
    }
    find_range(c, curve, from_zero);
    tin_text_printf(t, "<h2>%s</h2>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n", c->title, WIDTH,
                    HEIGHT, c->title);
    add_grid(t, c, curve);
    for (int k = 0; k < c->n_columns; k++) {
        add_line(t, c, k, curve);
    }
    tin_text_add(t, "</svg>\n");
    add_legend(t, c, curve);
}

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:1.5em auto;padding:0 "
    "1em;background:#fff;color:#222}"
    "h1{font-size:1.3em}h2{font-size:1.05em;margin:1.2em 0 0}svg{width:100%;height:auto;display:block}p{margin:.2em 0}"
    ".g{stroke:#8883;fill:none}.k{stroke:#888;stroke-dasharray:3 3;fill:none}text{fill:currentColor;font-size:12px;"
    "opacity:.75}.l{text-anchor:end}.b{text-anchor:middle}.c{fill:none;stroke-width:2;stroke-linejoin:round}"
    ".c0{stroke:#0072b2}.c1{stroke:#d55e00}.c2{stroke:#009e73}.c3{stroke:#cc79a7}.c4{stroke:#b08a00}.c5{stroke:#56b4e9}"
    ".t0{color:#0072b2}.t1{color:#d55e00}.t2{color:#009e73}.t3{color:#cc79a7}.t4{color:#b08a00}.t5{color:#56b4e9}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}}";

tin_status tin_curve_write_page(const tin_curve *curve, const char *path, tin_error *err)
{
    tin_text text = {0};
    chart losses = {.title = "Loss"}, scores = {.title = "Validation"};
    add_column(&losses, curve, TIN_CURVE_LOSS);
    add_column(&losses, curve, TIN_CURVE_METRICS + TIN_METRIC_LOSS);
    for (int c = TIN_CURVE_METRICS; c < TIN_CURVE_COLUMNS; c++) {
        if (c != TIN_CURVE_METRICS + TIN_METRIC_LOSS && (c != TIN_CURVE_AVERAGE || curve->metric != TIN_METRIC_LOSS)) {
            add_column(&scores, curve, c);
        }
    }
    char kept[160];
    snprintf(kept, sizeof kept,
             has_values(curve, TIN_CURVE_METRICS + (int)curve->metric)
                 ? "Validation %s decides; the dashed line is the step whose weights are kept so far (%lld)."
                 : "Nobody validates: the last weights are kept.",
             tin_metric_name(curve->metric), (long long)curve->best_step);
    long long done = curve->n > 0 ? (long long)value(curve, curve->n - 1, TIN_CURVE_STEP) : 0;
    tin_text_printf(&text,
                    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">%s<meta name=\"viewport\" "
                    "content=\"width=device-width\"><title>%s: step %lld</title>\n<style>%s</style></head><body>\n"
                    "<h1>%s: %s %lld of %d steps</h1>\n<p>%s</p>\n",
                    curve->finished ? "" : "<meta http-equiv=\"refresh\" content=\"5\">", curve->name, done, style,
                    curve->name, curve->finished ? "finished after" : "under way,", done, curve->steps, kept);
    add_chart(&text, &losses, curve, true);
    add_chart(&text, &scores, curve, false);
    tin_text_add(&text, "</body></html>\n");
    tin_status status = tin_text_check(&text, err);
    if (status == TIN_OK) {
        status = tin_file_write(path, text.data, text.size, err);
    }
    tin_text_free(&text);
    return status;
}

/* ---- the terminal ---- */

void tin_curve_spark(const tin_curve *curve, int column, char text[TIN_SPARK_BYTES])
{
    int64_t first = curve->n > SPARK ? curve->n - SPARK : 0;
    double low = INFINITY, high = -INFINITY;
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = first; i < curve->n; i++) {
        low = fmin(low, value(curve, i, column));
        high = fmax(high, value(curve, i, column));
    }
    for (int64_t i = first; curve->n > 1 && i < curve->n; i++) {
        double v = value(curve, i, column), share = high > low ? (v - low) / (high - low) : 0;
        int level = isfinite(v) ? (int)(7.999 * share) : 0;
        used += (size_t)snprintf(text + used, TIN_SPARK_BYTES - used, "\xe2\x96%c", 0x81 + level);
    }
}
