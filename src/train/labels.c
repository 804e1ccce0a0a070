#include "train/labels.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define GAUSSIAN_REACH 2   /* half-widths: beyond them the share is below 4e-5 */
#define GAUSSIAN_SIGMA 0.5 /* half-widths: 95 % of the borders lie within one */
#define RAMP "ramp"

static tin_border_kind kind_of(const char *name)
{
    static const char *const names[] = {
#define X(kind, name) name,
        TIN_BORDER_LIST(X)
#undef X
    };
    int kind = 0;
    while (kind < TIN_BORDER_COUNT - 1 && strcmp(name, names[kind]) != 0) {
        kind++;
    }
    return (tin_border_kind)kind;
}

static float share_beyond(tin_border_kind kind, double distance, double width)
{
    return (float)(kind == TIN_BORDER_RAMP ? 0.5 * (1 - distance / width)
                                           : 0.5 * erfc(distance / (GAUSSIAN_SIGMA * width) / sqrt(2)));
}

static tin_status make_border(tin_border *border, tin_border_kind kind, double width, bool listed, tin_error *err)
{
    double end = kind == TIN_BORDER_GAUSSIAN ? GAUSSIAN_REACH * width : width;
    tin_free(border->share);
    *border = (tin_border){.width = width, .listed = listed};
    if (kind == TIN_BORDER_HARD) {
        return TIN_OK;
    }
    while ((double)border->reach + 0.5 < end) {
        border->reach++;
    }
    if (kind == TIN_BORDER_IGNORED || border->reach == 0) {
        return TIN_OK;
    }
    border->share = tin_alloc((size_t)border->reach, sizeof *border->share, err);
    for (int64_t i = 0; border->share && i < border->reach; i++) {
        border->share[i] = share_beyond(kind, (double)i + 0.5, width);
    }
    return border->share ? TIN_OK : TIN_ERR_MEMORY;
}

tin_status tin_borders_create(tin_borders *borders, const tin_dataset *dataset, const tin_config_train *train,
                              tin_error *err)
{
    const double frames = 1e-3 * dataset->rate_hz;
    tin_border_kind kind = kind_of(train->border ? train->border : RAMP);
    tin_status status = TIN_OK;
    for (int c = 0; c < dataset->n_classes; c++) {
        for (int side = 0; side < 2 && status == TIN_OK; side++) {
            status = make_border(&borders->of[c][side], kind, train->border_ms * frames, false, err);
        }
    }
    for (unsigned i = 0; i < train->borders_count && status == TIN_OK; i++) {
        const tin_config_border *given = &train->borders[i];
        int c = 0;
        while (c < dataset->n_classes && strcmp(dataset->classes[c].name, given->class) != 0) {
            c++;
        }
        if (c == dataset->n_classes) {
            return tin_fail(err, TIN_ERR_CONFIG,
                            "train.borders names the class '%s', which is not there; write a name of data.classes",
                            given->class);
        }
        const double widths[2] = {given->early_ms * frames, given->late_ms * frames};
        for (int side = 0; side < 2 && status == TIN_OK; side++) {
            status = make_border(&borders->of[c][side], kind_of(given->border), widths[side], true, err);
        }
    }
    return status;
}

void tin_borders_free(tin_borders *borders)
{
    for (int c = 0; c < TIN_MAX_CLASSES; c++) {
        tin_free(borders->of[c][0].share);
        tin_free(borders->of[c][1].share);
    }
    memset(borders, 0, sizeof *borders);
}

/* Of the end of one class and the start of the next: the one that is listed, then the wider, then that of the start. */
static const tin_border *choose_border(const tin_borders *borders, int32_t before, int32_t after)
{
    if (!borders || before < 0 || after < 0) {
        return NULL;
    }
    const tin_border *end = &borders->of[before][1], *start = &borders->of[after][0];
    bool takes_end = end->listed != start->listed ? end->listed : end->width > start->width;
    const tin_border *chosen = takes_end ? end : start;
    return chosen->reach > 0 ? chosen : NULL;
}

/* The next run begins where this one ends. Equal labels side by side are one run. */
static void add_run(tin_labels *labels, int64_t end, int32_t label)
{
    tin_label_run *last = labels->n_runs > 0 ? &labels->runs[labels->n_runs - 1] : NULL;
    int64_t start = last ? last->end : 0;
    if (last && last->label == label) {
        last->end = end;
    } else if (end > start) {
        labels->runs[labels->n_runs++] = (tin_label_run){.start = start, .end = end, .label = label, .factor = 1};
    }
}

tin_status tin_labels_create(tin_labels *labels, const tin_dataset *dataset, const tin_stream *stream,
                             const tin_borders *borders, tin_error *err)
{
    *labels = (tin_labels){.n_frames = stream->n_frames};
    labels->runs = tin_alloc(2 * stream->n_intervals + 1, sizeof *labels->runs, err);
    if (!labels->runs) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < stream->n_intervals; i++) {
        add_run(labels, stream->intervals[i].start, dataset->unlabelled);
        add_run(labels, stream->intervals[i].end, stream->intervals[i].class_index);
    }
    add_run(labels, stream->n_frames, dataset->unlabelled);
    for (size_t r = 1; r < labels->n_runs; r++) {
        const tin_border *border = choose_border(borders, labels->runs[r - 1].label, labels->runs[r].label);
        labels->runs[r - 1].border[1] = labels->runs[r].border[0] = border;
        labels->weighed = labels->weighed || (border && !border->share);
    }
    return TIN_OK;
}

void tin_labels_free(tin_labels *labels)
{
    tin_free(labels->runs);
    memset(labels, 0, sizeof *labels);
}

size_t tin_labels_find(const tin_labels *labels, int64_t frame)
{
    size_t low = 0, high = labels->n_runs;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (labels->runs[middle].start <= frame) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t tin_labels_step(const tin_labels *labels, size_t run, int64_t frame)
{
    while (frame >= labels->runs[run].end) {
        run++;
    }
    while (frame < labels->runs[run].start) {
        run--;
    }
    return run;
}

void tin_labels_plain(const tin_labels *labels, size_t run, int64_t *start, int64_t *end)
{
    const tin_label_run *r = &labels->runs[run];
    *start = r->start + (r->border[0] ? r->border[0]->reach : 0);
    *end = labels->margin > 0 || r->factor != 1 ? *start : r->end - (r->border[1] ? r->border[1]->reach : 0);
}

void tin_labels_weigh_margins(tin_labels *labels, double margin, double least)
{
    labels->margin = margin;
    labels->least = least;
    labels->weighed = true;
}

/* Frames from `frame` to the nearest border between two labels at or before the start of the run (side 0), or at or
 * behind its end (side 1); not below `most` when there is none so near. */
static int64_t to_border(const tin_labels *labels, size_t run, int64_t frame, int side, double most)
{
    for (;;) {
        const tin_label_run *r = &labels->runs[run];
        int64_t distance = side ? r->end - 1 - frame : frame - r->start;
        if ((side ? run + 1 == labels->n_runs : run == 0) || (double)distance + 0.5 >= most) {
            return INT64_MAX;
        }
        run = side ? run + 1 : run - 1;
        if (r->label >= 0 && labels->runs[run].label >= 0) {
            return distance;
        }
    }
}

float tin_labels_weight(const tin_labels *labels, size_t run, int64_t frame)
{
    float weight = 1;
    const tin_label_run *r = &labels->runs[run];
    for (int side = 0; side < 2; side++) {
        const tin_border *border = r->border[side];
        if (border && !border->share && (side ? r->end - 1 - frame : frame - r->start) < border->reach) {
            return 0;
        }
        if (labels->margin <= 0) {
            continue;
        }
        int64_t distance = to_border(labels, run, frame, side, labels->margin);
        double place = ((double)distance + 0.5) / labels->margin;
        if (place < 1) {
            weight = fminf(weight, (float)(labels->least + (1 - labels->least) * place));
        }
    }
    return weight * r->factor;
}

static bool is_event(const tin_label_run *run, const tin_class *classes)
{
    return run->label >= 0 && classes[run->label].event;
}

static double sum_weights(const tin_labels *labels, size_t run)
{
    double sum = 0;
    for (int64_t t = labels->runs[run].start; t < labels->runs[run].end; t++) {
        sum += (double)tin_labels_weight(labels, run, t);
    }
    return sum;
}

double tin_labels_event_weight(const tin_labels *labels, const tin_class *classes, int64_t *n_events)
{
    double sum = 0;
    for (size_t r = 0; r < labels->n_runs; r++) {
        if (is_event(&labels->runs[r], classes)) {
            sum += sum_weights(labels, r);
            ++*n_events;
        }
    }
    return sum;
}

void tin_labels_balance_events(tin_labels *labels, const tin_class *classes, double mean, double power)
{
    for (size_t r = 0; r < labels->n_runs; r++) {
        double sum = is_event(&labels->runs[r], classes) ? sum_weights(labels, r) : 0;
        labels->runs[r].factor *= sum > 0 ? (float)pow(mean / sum, power) : 1;
    }
}

double tin_labels_add(const tin_labels *labels, size_t *run, int64_t frame, double weight, float *target)
{
    if (frame < 0 || frame >= labels->n_frames) {
        return 0;
    }
    *run = tin_labels_step(labels, *run, frame);
    const tin_label_run *r = &labels->runs[*run];
    const int64_t distance[2] = {frame - r->start, r->end - 1 - frame};
    float share = 0;
    int32_t beyond = 0;
    if (r->label < 0) {
        return 0;
    }
    for (int side = 0; side < 2; side++) {
        const tin_border *border = r->border[side];
        if (border && border->share && distance[side] < border->reach && border->share[distance[side]] > share) {
            share = border->share[distance[side]];
            beyond = (side ? r + 1 : r - 1)->label;
        }
    }
    weight *= labels->weighed ? (double)tin_labels_weight(labels, *run, frame) : 1;
    double other = weight * (double)share;
    target[r->label] += (float)(weight - other);
    if (other > 0) {
        target[beyond] += (float)other;
    }
    return weight;
}
