/* Do the borders of labels stand where the signal changes? Around each border the instant is looked for that parts the
 * signal best into two pieces, each with a mean (posture) and a variance (movement) of its own per channel: the greatest
 * likelihood of one change of a normal distribution (Chen and Gupta, Parametric Statistical Change Point Analysis). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "inspect/check_parts.h"

#define SEARCH_S 1.0        /* to both sides of the border */
#define AROUND_S 2.0        /* of signal on both sides, up to the next border */
#define LEAST_S 0.2         /* on each side of a change */
#define FLOOR 0.01          /* share of a channel's mean variance that is added to every variance: silence is no news */
#define CLEAR_GAIN 0.3      /* logarithm of likelihood per frame and channel: a change that can be seen */
#define WRONG_SHARE 0.25    /* of that gain that the labelled border has at most, where the border is reported alone, */
#define WRONG_S 0.4         /* and its least distance */
#define MOST_WRONG 200      /* single borders, the worst */
#define FEWEST 12           /* borders of a class, or of one person in it, before their offsets are summed up */
#define STEADY_S 0.15       /* median distance of single offsets from their median */
#define OFFSET_S 0.15       /* median; at both ends in the same direction: the labels as a whole are shifted */
#define OFFSET_PERSON_S 0.3 /* likewise of one person, and away from the class */
#define CONSISTENT 2.5      /* how far early and late ones differ in number, in standard deviations of a fair coin */

typedef struct border {
    size_t stream, person;
    int64_t frame, found;
    int32_t class_index;
    bool is_end;
    double gain, labelled_gain; /* at `found` and at `frame` */
} border;

typedef struct border_work {
    const tin_dataset *dataset;
    double *floors; /* [n_channels] variance */
    struct {
        border *items;
        size_t n;
    } * of_stream; /* [n_streams] */
} border_work;

/* Sums over frames [from, from + i) of one channel: [2 * i] of values, [2 * i + 1] of squares. */
static void sum_up(const tin_dataset *d, const tin_stream *s, int channel, int64_t from, int64_t n, double *sums)
{
    double first = s->counts[from * d->n_channels + channel];
    sums[0] = sums[1] = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = s->counts[(from + i) * d->n_channels + channel] - first;
        sums[2 * i + 2] = sums[2 * i] + v;
        sums[2 * i + 3] = sums[2 * i + 1] + v * v;
    }
}

static double log_variance(const double *sums, int64_t from, int64_t to, double floor_)
{
    double n = (double)(to - from), mean = (sums[2 * to] - sums[2 * from]) / n;
    return log(fmax(0, (sums[2 * to + 1] - sums[2 * from + 1]) / n - mean * mean) + floor_);
}

/* Looks around b->frame in frames [left, right). gains and sums: memory for right - left + 1 frames. */
static bool find_change(const border_work *w, border *b, int64_t left, int64_t right, double *gains, double *sums)
{
    const tin_dataset *d = w->dataset;
    const tin_stream *s = &d->streams[b->stream];
    int64_t n = right - left, least = (int64_t)fmax(3, rint(LEAST_S * d->rate_hz));
    int64_t search = (int64_t)rint(SEARCH_S * d->rate_hz), at = b->frame - left;
    int64_t low = at - search > least ? at - search : least, high = at + search < n - least ? at + search : n - least;
    if (low > at || high < at) {
        return false;
    }
    memset(gains, 0, (size_t)(n + 1) * sizeof *gains);
    for (int c = 0; c < d->n_channels; c++) {
        sum_up(d, s, c, left, n, sums);
        double whole = (double)n * log_variance(sums, 0, n, w->floors[c]);
        for (int64_t t = low; t <= high; t++) {
            gains[t] += whole - (double)t * log_variance(sums, 0, t, w->floors[c]) -
                        (double)(n - t) * log_variance(sums, t, n, w->floors[c]);
        }
    }
    int64_t best = at;
    for (int64_t t = low; t <= high; t++) {
        best = gains[t] > gains[best] ? t : best;
    }
    double unit = 1 / (2.0 * (double)n * d->n_channels);
    b->found = left + best;
    b->gain = gains[best] * unit;
    b->labelled_gain = gains[at] * unit;
    return best > low && best < high; /* at an end of the search the change is elsewhere */
}

static bool takes_part(const tin_dataset *d, const tin_interval *v)
{
    bool any_event = false;
    for (int k = 0; k < d->n_classes; k++) {
        any_event = any_event || d->classes[k].event;
    }
    return v->class_index >= 0 && (d->classes[v->class_index].event || !any_event);
}

static tin_status check_stream(void *context, size_t index, tin_findings *findings, tin_error *err)
{
    (void)findings;
    border_work *w = context;
    const tin_dataset *d = w->dataset;
    const tin_stream *s = &d->streams[index];
    int64_t around = (int64_t)rint(AROUND_S * d->rate_hz);
    double *gains = tin_alloc((size_t)(2 * around + 1), sizeof *gains, err);
    double *sums = tin_alloc((size_t)(2 * (2 * around + 1)), sizeof *sums, err);
    border *items = tin_alloc(2 * s->n_intervals, sizeof *items, err);
    size_t n = 0;
    for (size_t i = 0; i < 2 * s->n_intervals && gains && sums && items; i++) {
        const tin_interval *v = &s->intervals[i / 2];
        bool is_end = i % 2 == 1;
        int64_t before = i / 2 > 0 ? v[-1].end : 0, after = i / 2 + 1 < s->n_intervals ? v[1].start : s->n_frames;
        border b = {
            .stream = index, .frame = is_end ? v->end : v->start, .class_index = v->class_index, .is_end = is_end};
        int64_t left = is_end ? v->start : before == v->start && i > 0 ? v[-1].start : before;
        int64_t right = !is_end ? v->end : after == v->end && i / 2 + 1 < s->n_intervals ? v[1].end : after;
        left = left < b.frame - around ? b.frame - around : left;
        right = right > b.frame + around ? b.frame + around : right;
        if (takes_part(d, v) && find_change(w, &b, left, right, gains, sums) && b.gain >= CLEAR_GAIN) {
            items[n++] = b;
        }
    }
    w->of_stream[index].items = items;
    w->of_stream[index].n = n;
    bool done = gains && sums && items;
    tin_free(gains);
    tin_free(sums);
    return done ? TIN_OK : TIN_ERR_MEMORY;
}

/* Mean variance over seconds, which a channel's floor is a share of. */
static void take_floors(border_work *w)
{
    const tin_dataset *d = w->dataset;
    int64_t second = (int64_t)fmax(2, rint(d->rate_hz)), n = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *s = &d->streams[i];
        int64_t every = s->n_frames / second / 200 + 1; /* at most about 200 seconds of a stream */
        for (int64_t from = 0; from + second <= s->n_frames; from += every * second, n++) {
            for (int c = 0; c < d->n_channels; c++) {
                double sum = 0, squares = 0;
                for (int64_t t = from; t < from + second; t++) {
                    double v = s->counts[t * d->n_channels + c];
                    sum += v;
                    squares += v * v;
                }
                w->floors[c] += squares / (double)second - sum / (double)second * (sum / (double)second);
            }
        }
    }
    for (int c = 0; c < d->n_channels; c++) {
        w->floors[c] = FLOOR * w->floors[c] / (double)(n > 0 ? n : 1) + 1;
    }
}

static double offset_s(const tin_dataset *d, const border *b)
{
    return tin_seconds(d, b->frame - b->found);
}

static int by_group(const void *left, const void *right)
{
    const border *a = left, *b = right;
    if (a->class_index != b->class_index) {
        return a->class_index - b->class_index;
    }
    if (a->is_end != b->is_end) {
        return a->is_end - b->is_end;
    }
    if (a->person != b->person) {
        return a->person < b->person ? -1 : 1;
    }
    return a->stream != b->stream ? (a->stream < b->stream ? -1 : 1) : (a->frame > b->frame) - (a->frame < b->frame);
}

/* Borders of one class and side, and of one person or of all. */
typedef struct offsets {
    const border *borders;
    size_t n;
    double median;
    bool sure; /* many agree, in direction and size */
} offsets;

static offsets sum_offsets(const tin_dataset *d, const border *borders, size_t n, double *memory)
{
    offsets o = {borders, n, 0, false};
    int balance = 0;
    for (size_t i = 0; i < n; i++) {
        memory[i] = offset_s(d, &borders[i]);
        balance += (memory[i] > 0) - (memory[i] < 0);
    }
    o.median = n > 0 ? tin_median(memory, n) : 0;
    for (size_t i = 0; i < n; i++) {
        memory[i] = fabs(memory[i] - o.median);
    }
    o.sure = n >= FEWEST && abs(balance) >= CONSISTENT * sqrt((double)n) && tin_median(memory, n) <= STEADY_S;
    return o;
}

/* both: the other side is shifted likewise. */
static tin_status add_offset(tin_checking *c, const offsets *o, bool both, const char *whose, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    const border *example = o->borders;
    for (size_t i = 0; i < o->n; i++) { /* the picture: the one that is nearest to the median */
        if (fabs(offset_s(d, &o->borders[i]) - o->median) < fabs(offset_s(d, example) - o->median)) {
            example = &o->borders[i];
        }
    }
    tin_finding f = tin_finding_of(TIN_CHECK_BORDER_OFFSET, both ? TIN_WARNING : TIN_NOTE);
    f.stream = (int64_t)example->stream;
    f.start = example->frame < example->found ? example->frame : example->found;
    f.end = example->frame < example->found ? example->found : example->frame;
    f.class_index = example->class_index;
    f.value = o->median;
    f.limit = OFFSET_S;
    f.rank = fabs(o->median);
    return tin_findings_add(c->findings, f, err, "labels '%s'%s %s %.2f s %s (median of %zu borders)%s",
                            d->classes[example->class_index].name, whose, example->is_end ? "end" : "begin",
                            fabs(o->median), o->median > 0 ? "late" : "early", o->n,
                            both ? "; both ends are shifted alike" : "");
}

static tin_status check_people(tin_checking *c, const offsets *of_class, double *memory, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0, end; i < of_class->n && !status; i = end) {
        const border *b = of_class->borders + i;
        for (end = i + 1; end < of_class->n && of_class->borders[end].person == b->person; end++) {
        }
        const offsets o = sum_offsets(c->dataset, b, end - i, memory);
        if (o.sure && o.n < of_class->n && fabs(o.median) >= OFFSET_PERSON_S &&
            fabs(o.median - of_class->median) >= OFFSET_PERSON_S) {
            char whose[160];
            snprintf(whose, sizeof whose, " of %.100s, unlike those of others,",
                     c->dataset->streams[b->stream].subject);
            status = add_offset(c, &o, false, whose, err);
        }
    }
    return status;
}

static tin_status check_offsets(tin_checking *c, border *borders, size_t n, double *memory, tin_error *err)
{
    tin_status status = TIN_OK;
    qsort(borders, n, sizeof *borders, by_group);
    for (size_t i = 0; i < n && !status;) {
        offsets sides[2];
        int32_t class_index = borders[i].class_index;
        for (int side = 0; side < 2; side++) {
            size_t first = i;
            while (i < n && borders[i].class_index == class_index && borders[i].is_end == side) {
                i++;
            }
            sides[side] = sum_offsets(c->dataset, borders + first, i - first, memory);
        }
        bool found[2];
        for (int side = 0; side < 2; side++) {
            found[side] = sides[side].sure && fabs(sides[side].median) >= OFFSET_S;
        }
        bool both = found[0] && found[1] && (sides[0].median > 0) == (sides[1].median > 0);
        for (int side = 0; side < 2 && !status; side++) {
            status = found[side] ? add_offset(c, &sides[side], both, "", err) : TIN_OK;
            status = status ? status : check_people(c, &sides[side], memory, err);
        }
    }
    return status;
}

static double wrongness(const border *b)
{
    return b->gain - b->labelled_gain;
}

static int by_wrongness(const void *left, const void *right)
{
    double a = wrongness(left), b = wrongness(right);
    return a != b ? (a > b ? -1 : 1) : by_group(left, right);
}

static tin_status check_single(tin_checking *c, border *borders, size_t n, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    tin_status status = TIN_OK;
    size_t told = 0;
    qsort(borders, n, sizeof *borders, by_wrongness);
    for (size_t i = 0; i < n && told < MOST_WRONG && !status; i++) {
        const border *b = &borders[i];
        double offset = offset_s(d, b);
        if (fabs(offset) < WRONG_S || b->labelled_gain > WRONG_SHARE * b->gain) {
            continue;
        }
        tin_finding f = tin_finding_of(TIN_CHECK_BORDER, TIN_NOTE);
        f.stream = (int64_t)b->stream;
        f.start = b->frame < b->found ? b->frame : b->found;
        f.end = b->frame < b->found ? b->found : b->frame;
        f.class_index = b->class_index;
        f.value = offset;
        f.limit = WRONG_S;
        f.rank = wrongness(b);
        told++;
        status = tin_findings_add(c->findings, f, err, "'%s' %s at %.2f s, but the signal changes %.2f s %s",
                                  d->classes[b->class_index].name, b->is_end ? "ends" : "begins",
                                  tin_seconds(d, b->frame), fabs(offset), offset > 0 ? "earlier" : "later");
    }
    return status;
}

static tin_status judge(tin_checking *c, border_work *w, tin_error *err)
{
    size_t n = 0, at = 0;
    tin_people people;
    tin_status status = tin_people_find(&people, c->dataset, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < c->dataset->n_streams; i++) {
        n += w->of_stream[i].n;
    }
    border *borders = tin_alloc(n, sizeof *borders, err);
    double *memory = tin_alloc(n, sizeof *memory, err);
    status = borders && memory ? TIN_OK : TIN_ERR_MEMORY;
    for (size_t i = 0; i < c->dataset->n_streams && !status; i++) {
        for (size_t k = 0; k < w->of_stream[i].n; k++) {
            borders[at] = w->of_stream[i].items[k];
            borders[at++].person = people.of_stream[i];
        }
    }
    if (!status && n > 0) {
        status = check_offsets(c, borders, n, memory, err);
        status = status ? status : check_single(c, borders, n, err);
    }
    tin_free(borders);
    tin_free(memory);
    tin_people_free(&people);
    return status;
}

tin_status tin_check_borders(tin_checking *c, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    border_work w = {.dataset = d};
    w.floors = tin_alloc((size_t)d->n_channels, sizeof *w.floors, err);
    w.of_stream = tin_alloc(d->n_streams, sizeof *w.of_stream, err);
    tin_status status = w.floors && w.of_stream ? TIN_OK : TIN_ERR_MEMORY;
    if (!status) {
        take_floors(&w);
        status = tin_check_parallel(c, "check borders", d->n_streams, check_stream, &w, err);
    }
    status = status ? status : judge(c, &w, err);
    for (size_t i = 0; w.of_stream && i < d->n_streams; i++) {
        tin_free(w.of_stream[i].items);
    }
    tin_free(w.of_stream);
    tin_free(w.floors);
    return status;
}
