/* Nearly the same signal in two places: shifted by parts of a frame, resampled, scaled, with noise on it. Energies twice a
 * second give the candidates: pieces of each recording whose energies rise and fall as those of another one. The
 * movement itself decides: normalised cross-correlation, over small shifts and speeds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "inspect/check_parts.h"

#define HOP_S 0.5            /* of the energies */
#define PIECE 40             /* energies of a piece, 20 s */
#define PIECES 4             /* of a recording, at most */
#define CANDIDATE 0.9        /* correlation of the energies */
#define ALIKE 0.9            /* of the movement */
#define MOST_CANDIDATES 1000 /* best ones by their energies */
#define MOST_PRODUCTS 4e10   /* of the search; beyond it fewer pieces are compared, and the page says so */
#define SHIFT_S 0.75         /* that the movement is shifted by, at most */
#define LEAST_CHANGE 0.3     /* standard deviation of a piece's energies (natural logarithm) */

static const double speeds[] = {1, 0.995, 1.005, 0.99, 1.01, 0.98, 1.02};

typedef struct energies {
    float *log_energy; /* [n] */
    double *power;     /* [n_channels] sum of the variances of all hops */
    int64_t n;
} energies;

typedef struct piece {
    size_t stream;
    int64_t hop;       /* first */
    float unit[PIECE]; /* mean 0, length 1 */
} piece;

typedef struct candidate {
    size_t piece, stream;
    int64_t hop;
    double alike;
} candidate;

typedef struct near_work {
    const tin_dataset *dataset;
    int64_t frames; /* of a hop */
    double *power;  /* [n_channels] mean variance of a hop */
    energies *of_stream;
    piece *pieces;
    size_t n_pieces;
    candidate *best; /* [n_pieces]: where anything is most like the piece */
    candidate *candidates;
    size_t n_candidates, capacity;
} near_work;

/* Variance of one channel over one hop. */
static double hop_variance(const near_work *w, const tin_stream *s, int64_t hop, int channel)
{
    int n_channels = w->dataset->n_channels;
    const int16_t *x = s->counts + hop * w->frames * n_channels + channel;
    double sum = 0, squares = 0;
    for (int64_t t = 0; t < w->frames; t++) {
        double v = x[t * n_channels];
        sum += v;
        squares += v * v;
    }
    double mean = sum / (double)w->frames;
    return fmax(0, squares / (double)w->frames - mean * mean);
}

static tin_status sum_power(void *context, size_t index, tin_findings *findings, tin_error *err)
{
    (void)findings;
    near_work *w = context;
    const tin_stream *s = &w->dataset->streams[index];
    energies *e = &w->of_stream[index];
    e->n = s->n_frames / w->frames;
    e->log_energy = tin_alloc((size_t)e->n, sizeof *e->log_energy, err);
    e->power = tin_alloc((size_t)w->dataset->n_channels, sizeof *e->power, err);
    if (!e->log_energy || !e->power) {
        return TIN_ERR_MEMORY;
    }
    for (int64_t hop = 0; hop < e->n; hop++) {
        for (int c = 0; c < w->dataset->n_channels; c++) {
            e->power[c] += hop_variance(w, s, hop, c);
        }
    }
    return TIN_OK;
}

static tin_status take_energies(void *context, size_t index, tin_findings *findings, tin_error *err)
{
    (void)findings;
    (void)err;
    near_work *w = context;
    energies *e = &w->of_stream[index];
    for (int64_t hop = 0; hop < e->n; hop++) {
        double sum = 0;
        for (int c = 0; c < w->dataset->n_channels; c++) {
            sum += w->power[c] > 0 ? hop_variance(w, &w->dataset->streams[index], hop, c) / w->power[c] : 0;
        }
        e->log_energy[hop] = (float)log(sum / w->dataset->n_channels + 1e-3);
    }
    return TIN_OK;
}

/* Mean 0 and length 1; returns the standard deviation before. */
static double make_unit(float unit[PIECE], const float *x)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < PIECE; i++) {
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
    }
    double mean = sum / PIECE, spread = squares / PIECE - mean * mean, size = sqrt(fmax(spread, 0) * PIECE);
    for (int i = 0; i < PIECE; i++) {
        unit[i] = size > 0 ? (float)(((double)x[i] - mean) / size) : 0;
    }
    return sqrt(fmax(spread, 0));
}

/* The liveliest piece of each part of each recording. */
static void choose_pieces(near_work *w, int pieces)
{
    for (size_t i = 0; i < w->dataset->n_streams; i++) {
        const energies *e = &w->of_stream[i];
        int64_t parts = e->n / PIECE < pieces ? e->n / PIECE : pieces;
        for (int64_t part = 0; part < parts; part++) {
            piece *p = &w->pieces[w->n_pieces], now;
            double most = LEAST_CHANGE;
            bool found = false;
            for (int64_t hop = part * e->n / parts; hop + PIECE <= (part + 1) * e->n / parts; hop += PIECE / 8) {
                double spread = make_unit(now.unit, e->log_energy + hop);
                if (spread > most) {
                    most = spread;
                    *p = now;
                    p->stream = i;
                    p->hop = hop;
                    found = true;
                }
            }
            w->n_pieces += found;
        }
    }
}

static tin_status keep(near_work *w, candidate c, tin_error *err)
{
    if (w->n_candidates == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 256;
        candidate *grown = w->candidates ? tin_grow(w->candidates, w->capacity, capacity, sizeof *grown, err)
                                         : tin_alloc(capacity, sizeof *grown, err);
        if (!grown) {
            return TIN_ERR_MEMORY;
        }
        w->candidates = grown;
        w->capacity = capacity;
    }
    w->candidates[w->n_candidates++] = c;
    return TIN_OK;
}

static tin_status search_piece(void *context, size_t index, tin_findings *findings, tin_error *err)
{
    (void)findings;
    (void)err;
    near_work *w = context;
    const piece *p = &w->pieces[index];
    candidate *top = &w->best[index];
    *top = (candidate){.piece = index, .alike = CANDIDATE};
    for (size_t i = 0; i < w->dataset->n_streams; i++) {
        const energies *e = &w->of_stream[i];
        double sum = 0, squares = 0;
        for (int64_t hop = 0; hop < e->n; hop++) { /* sums over the last PIECE energies */
            double in = (double)e->log_energy[hop], out = hop >= PIECE ? (double)e->log_energy[hop - PIECE] : 0;
            sum += in - out;
            squares += in * in - out * out;
            int64_t first = hop - PIECE + 1;
            double spread = squares / PIECE - sum / PIECE * (sum / PIECE);
            if (first < 0 || spread < LEAST_CHANGE * LEAST_CHANGE / 4 ||
                (i == p->stream && llabs(first - p->hop) < PIECE)) {
                continue;
            }
            float dot = 0;
            for (int k = 0; k < PIECE; k++) {
                dot += p->unit[k] * e->log_energy[first + k];
            }
            double alike = (double)dot / sqrt(spread * PIECE);
            if (alike > top->alike) {
                *top = (candidate){index, i, first, alike};
            }
        }
    }
    return TIN_OK;
}

static int by_alike(const void *left, const void *right)
{
    const candidate *a = left, *b = right;
    if (a->alike != b->alike) {
        return a->alike > b->alike ? -1 : 1;
    }
    return a->piece != b->piece ? (a->piece < b->piece ? -1 : 1) : 0;
}

/* Movement: one channel without its mean over a second around, so that posture does not count. out[n], frame `from` on, at
 * `speed` frames a step. */
static void take_movement(const near_work *w, const tin_stream *s, int channel, double from, double speed, double *out,
                          int64_t n, double *memory)
{
    const tin_dataset *d = w->dataset;
    int64_t half = w->frames; /* half a second to both sides */
    for (int64_t i = 0; i < n + 2 * half; i++) {
        double at = from + speed * (double)(i - half);
        at = at < 0 ? 0 : at > (double)(s->n_frames - 1) ? (double)(s->n_frames - 1) : at;
        int64_t t = (int64_t)at, next = t + 1 < s->n_frames ? t + 1 : t;
        double part = at - (double)t;
        memory[i] =
            (1 - part) * s->counts[t * d->n_channels + channel] + part * s->counts[next * d->n_channels + channel];
    }
    double sum = 0;
    for (int64_t i = 0; i < 2 * half; i++) {
        sum += memory[i];
    }
    for (int64_t i = 0; i < n; i++) {
        sum += memory[i + 2 * half];
        out[i] = memory[i + half] - sum / (double)(2 * half + 1);
        sum -= memory[i];
    }
}

/* The best normalised cross-correlation of the candidate over shifts and speeds. *frame: place in the other stream. */
static tin_status compare_movement(const near_work *w, const candidate *c, double *alike, int64_t *frame,
                                   tin_error *err)
{
    const tin_dataset *d = w->dataset;
    const piece *p = &w->pieces[c->piece];
    int64_t n = PIECE * w->frames, most = (int64_t)ceil(SHIFT_S * d->rate_hz), wide = n + 2 * most;
    size_t n_speeds = sizeof speeds / sizeof *speeds, n_shifts = (size_t)(2 * most + 1);
    double *a = tin_alloc((size_t)(n + wide + wide + 4 * w->frames), sizeof *a, err);
    double *sums = tin_alloc(n_speeds * n_shifts, sizeof *sums, err), *sizes = tin_alloc(n_shifts, sizeof *sizes, err);
    tin_status status = a && sums && sizes ? TIN_OK : TIN_ERR_MEMORY;
    double size_a = 0;
    *alike = 0;
    for (size_t v = 0; v < n_speeds && !status; v++) {
        double *b = a + n, *memory = b + wide;
        memset(sizes, 0, n_shifts * sizeof *sizes);
        size_a = 0;
        for (int channel = 0; channel < d->n_channels; channel++) {
            double weight = w->power[channel] > 0 ? 1 / w->power[channel] : 0;
            double centre = (double)(c->hop * w->frames) + (double)n / 2;
            take_movement(w, &d->streams[p->stream], channel, (double)(p->hop * w->frames), 1, a, n, memory);
            take_movement(w, &d->streams[c->stream], channel, centre - speeds[v] * (double)wide / 2, speeds[v], b, wide,
                          memory);
            double square = 0;
            for (int64_t i = 0; i < n; i++) {
                size_a += weight * a[i] * a[i];
                square += weight * b[i] * b[i];
            }
            for (size_t k = 0; k < n_shifts; k++) {
                double dot = 0;
                for (int64_t i = 0; i < n; i++) {
                    dot += a[i] * b[k + (size_t)i];
                }
                sums[v * n_shifts + k] += weight * dot;
                sizes[k] += square;
                square += k + 1 < n_shifts ? weight * (b[k + (size_t)n] * b[k + (size_t)n] - b[k] * b[k]) : 0;
            }
        }
        for (size_t k = 0; k < n_shifts; k++) {
            double r = size_a > 0 && sizes[k] > 0 ? sums[v * n_shifts + k] / sqrt(size_a * sizes[k]) : 0;
            if (r > *alike) {
                *alike = r;
                *frame = c->hop * w->frames + (int64_t)k - most;
            }
        }
    }
    tin_free(a);
    tin_free(sums);
    tin_free(sizes);
    return status;
}

static bool known_copy(const tin_findings *findings, size_t a, size_t b)
{
    for (size_t i = 0; i < findings->n; i++) {
        const tin_finding *f = &findings->items[i];
        if ((f->check == TIN_CHECK_DUPLICATE || f->check == TIN_CHECK_NEAR_DUPLICATE) &&
            ((f->stream == (int64_t)a && f->other == (int64_t)b) ||
             (f->stream == (int64_t)b && f->other == (int64_t)a))) {
            return true;
        }
    }
    return false;
}

static tin_status judge_candidate(void *context, size_t index, tin_findings *findings, tin_error *err)
{
    near_work *w = context;
    const tin_dataset *d = w->dataset;
    const candidate *c = &w->candidates[index];
    const piece *p = &w->pieces[c->piece];
    double alike = 0;
    int64_t frame = 0;
    tin_status status = compare_movement(w, c, &alike, &frame, err);
    if (status || alike < ALIKE) {
        return status;
    }
    const tin_stream *a = &d->streams[p->stream], *b = &d->streams[c->stream];
    bool apart = a->role != b->role;
    tin_finding f = tin_finding_of(TIN_CHECK_NEAR_DUPLICATE, TIN_WARNING);
    f.stream = (int64_t)p->stream;
    f.other = (int64_t)c->stream;
    f.start = p->hop * w->frames;
    f.end = f.start + PIECE * w->frames;
    f.other_start = frame < 0 ? 0 : frame;
    f.value = alike;
    f.limit = ALIKE;
    f.rank = alike + apart;
    return tin_findings_add(findings, f, err, "%.0f s of %s move as a part of %s, correlation %.3f%s", PIECE * HOP_S,
                            a->id, p->stream == c->stream ? "it elsewhere" : b->id, alike,
                            apart ? ", on the other side of the split" : "");
}

/* One finding per pair of recordings, none where counts are equal. */
static tin_status confirm(tin_checking *c, near_work *w, tin_error *err)
{
    tin_findings found = {0};
    tin_checking own = {c->dataset, c->options, &found};
    if (w->n_candidates > 0) {
        qsort(w->candidates, w->n_candidates, sizeof *w->candidates, by_alike);
    }
    w->n_candidates = w->n_candidates < MOST_CANDIDATES ? w->n_candidates : MOST_CANDIDATES;
    tin_status status = tin_check_parallel(&own, "check near copies", w->n_candidates, judge_candidate, w, err);
    for (size_t i = 0; i < found.n && !status; i++) {
        const tin_finding *f = &found.items[i];
        if (!known_copy(c->findings, (size_t)f->stream, (size_t)f->other)) {
            status = tin_findings_add(c->findings, *f, err, "%s", f->text);
        }
    }
    tin_findings_free(&found);
    return status;
}

static tin_status search(tin_checking *c, near_work *w, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    int64_t hops = 0, parts = 0;
    for (int channel = 0; channel < d->n_channels; channel++) {
        for (size_t i = 0; i < d->n_streams; i++) {
            w->power[channel] += w->of_stream[i].power[channel];
        }
    }
    for (size_t i = 0; i < d->n_streams; i++) {
        hops += w->of_stream[i].n;
        parts += w->of_stream[i].n / PIECE < PIECES ? w->of_stream[i].n / PIECE : PIECES;
    }
    for (int channel = 0; channel < d->n_channels; channel++) {
        w->power[channel] /= hops > 0 ? (double)hops : 1;
    }
    tin_status status = tin_check_parallel(c, "check energies", d->n_streams, take_energies, w, err);
    w->pieces = tin_alloc((size_t)parts, sizeof *w->pieces, err);
    w->best = tin_alloc((size_t)parts, sizeof *w->best, err);
    if (status || !w->pieces || !w->best) {
        return status ? status : TIN_ERR_MEMORY;
    }
    choose_pieces(w, PIECES);
    size_t all = w->n_pieces, every = (size_t)((double)all * (double)hops * PIECE / MOST_PRODUCTS) + 1;
    for (size_t i = 0; i * every < all; i++) {
        w->pieces[i] = w->pieces[i * every];
        w->n_pieces = i + 1;
    }
    status = tin_check_parallel(c, "check near copies", w->n_pieces, search_piece, w, err);
    for (size_t i = 0; i < w->n_pieces && !status; i++) {
        if (w->best[i].alike > CANDIDATE) {
            status = keep(w, w->best[i], err);
        }
    }
    if (!status && every > 1) {
        tin_finding f = tin_finding_of(TIN_CHECK_NEAR_DUPLICATE, TIN_NOTE);
        f.value = 1 / (double)every;
        status = tin_findings_add(
            c->findings, f, err,
            "there is so much data that only %zu of %zu pieces were looked for in other recordings", w->n_pieces, all);
    }
    return status ? status : confirm(c, w, err);
}

tin_status tin_check_near_copies(tin_checking *c, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    near_work w = {.dataset = d, .frames = (int64_t)fmax(2, rint(HOP_S * d->rate_hz))};
    w.of_stream = tin_alloc(d->n_streams, sizeof *w.of_stream, err);
    w.power = tin_alloc((size_t)d->n_channels, sizeof *w.power, err);
    tin_status status = w.of_stream && w.power ? TIN_OK : TIN_ERR_MEMORY;
    status = status ? status : tin_check_parallel(c, "check energies", d->n_streams, sum_power, &w, err);
    status = status ? status : search(c, &w, err);
    for (size_t i = 0; w.of_stream && i < d->n_streams; i++) {
        tin_free(w.of_stream[i].log_energy);
        tin_free(w.of_stream[i].power);
    }
    tin_free(w.of_stream);
    tin_free(w.power);
    tin_free(w.pieces);
    tin_free(w.best);
    tin_free(w.candidates);
    return status;
}
