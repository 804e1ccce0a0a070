/* The schedule "spread": no frame of the device has much more work than the others.
 *
 * A layer of period P may run on any of the P frames from the one that completes what it reads on: its offset, 0 to P - 1.
 * Large layers are cut into parts of whole blocks of four rows, each with an offset of its own; the products of a gru with
 * its state, which need no new row, run behind the last run and ahead of the next one. The result is the same, as each
 * part computes what it always computed: it starts when all that it reads is there, and what a later frame would write
 * over is copied. Decisions come `latency` frames later, the offset of the last part of the last layer.
 *
 * Layers are placed in the order of their periods, each as early as no frame gets more than `most` instructions. `most` is
 * LEVEL times the average where that works, so that decisions come early, else the least that works. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "deploy/emit.h"

#define LEVEL 1.2
#define SEARCH_STEPS 24

/* `n` values from `first` on, `offset` frames behind the one that completes what is read; 2 P - 1 at most. */
typedef struct part {
    int offset, first, n;
} part;

typedef struct parts {
    part list[TIN_MAX_PARTS];
    int n;
} parts;

typedef struct plan {
    tin_emit *e;
    double *load; /* [hop] instructions of each frame of a decision; 0: the one that completes it */
    double most;
    tin_emit_run base[2 * TIN_MAX_LAYERS]; /* the order in which every layer runs at once */
    int n_base;
    parts give[TIN_MAX_LAYERS], ahead[TIN_MAX_LAYERS];
    tin_emit_cost costs[TIN_MAX_LAYERS];
} plan;

static int period_of(const plan *p, int layer)
{
    return layer == TIN_FROM_INPUT ? 1 : p->e->layers[layer].period;
}

/* The offsets at which a row begins to be written, and is complete. A concat's parts may stand in its row. */
static int first_of(const plan *p, int layer)
{
    int first = layer == TIN_FROM_INPUT ? 0 : p->give[layer].list[0].offset;
    for (int k = 0; layer != TIN_FROM_INPUT && p->e->model->layers[layer].op == TIN_OP_CONCAT &&
                    k < p->e->model->layers[layer].n_from;
         k++) {
        const int of_part = first_of(p, p->e->model->layers[layer].from[k]);
        first = of_part < first ? of_part : first;
    }
    return first;
}

static int complete(const plan *p, int layer)
{
    return layer == TIN_FROM_INPUT ? 0 : p->give[layer].list[p->give[layer].n - 1].offset;
}

static void add_load(plan *p, int period, int offset, double insn)
{
    for (int frame = offset % period; frame < p->e->model->hop; frame += period) {
        p->load[frame] += insn;
    }
}

/* What is left on the fullest of the frames at this offset. */
static double room(const plan *p, int period, int offset)
{
    double most = 0.0;
    for (int frame = offset % period; frame < p->e->model->hop; frame += period) {
        most = p->load[frame] > most ? p->load[frame] : most;
    }
    return p->most - most;
}

/* `blocks` of four of n values from offset `from` to `to`, as early as there is room; false when it is too little. */
static bool cut(plan *p, parts *out, int period, int from, int to, double fixed, double per_block, int blocks, int n)
{
    const int least = (blocks + TIN_MAX_PARTS - 1) / TIN_MAX_PARTS;
    int done = 0;
    out->n = 0;
    for (int offset = from; offset <= to && done < blocks; offset++) {
        const double fit = floor((room(p, period, offset) - fixed) / per_block);
        const int left = blocks - done, now = fit < left ? (int)fit : left;
        if (now < 1 || (now < least && now < left) || out->n == TIN_MAX_PARTS) {
            continue;
        }
        const int first = 4 * done, end = 4 * (done + now);
        out->list[out->n++] = (part){offset, first, (end < n ? end : n) - first};
        add_load(p, period, offset, fixed + now * per_block);
        done += now;
    }
    return done == blocks;
}

/* Pools that take rows in must give theirs before the next one comes, and features belong to the frame. */
static bool is_pinned(const plan *p, int layer)
{
    return p->e->layers[layer].pooling != TIN_POOLING_ROWS || tin_op_reads_counts(p->e->model->layers[layer].op);
}

static int arrival(const plan *p, int layer)
{
    const tin_qlayer *l = &p->e->model->layers[layer];
    int last = 0;
    for (int k = 0; k < l->n_from; k++) {
        const int one = complete(p, l->from[k]);
        last = one > last ? one : last;
    }
    return last;
}

static bool place_layer(plan *p, int layer)
{
    const tin_emit_cost *c = &p->costs[layer];
    const int period = p->e->layers[layer].period, from = arrival(p, layer);
    const int to = is_pinned(p, layer) ? from : period - 1, n = p->e->model->layers[layer].n_outputs;
    if (c->per_block > 0 && !is_pinned(p, layer)) {
        return cut(p, &p->give[layer], period, from, to, c->fixed, c->per_block, c->blocks, n);
    }
    return cut(p, &p->give[layer], period, from, to, 0.0, c->fixed + c->per_block * c->blocks, 1, n);
}

/* Whether input k of a layer is written over before the layer has read it for the last time. */
static bool must_copy(const plan *p, int layer, int k)
{
    const int from = p->e->model->layers[layer].from[k], period = period_of(p, from);
    return p->e->layers[layer].period > period && !is_pinned(p, layer) &&
           complete(p, layer) >= period + first_of(p, from);
}

static long copied_bytes(const plan *p, int layer, int k)
{
    const tin_emit_row *row = tin_emit_row_of(p->e, p->e->model->layers[layer].from[k]);
    return tin_emit_span(&p->e->model->layers[layer]) * row->width * row->bits / 8;
}

static void add_copies(plan *p, int layer)
{
    const tin_qlayer *l = &p->e->model->layers[layer];
    for (int k = 0; k < l->n_from; k++) {
        if (must_copy(p, layer, k)) {
            add_load(p, p->e->layers[layer].period, complete(p, l->from[k]),
                     20 + (double)copied_bytes(p, layer, k) / 2);
        }
    }
}

static bool place_all(plan *p)
{
    tin_emit *e = p->e;
    for (int frame = 0; frame < e->model->hop; frame++) {
        p->load[frame] = 50 + 16 * e->model->n_channels; /* the input's row */
    }
    for (int at = 0; at < p->n_base; at++) {
        const tin_emit_run *run = &p->base[at];
        const int from = e->model->layers[run->layer].from[0];
        if (run->act == TIN_ACT_TAKE) {
            add_load(p, run->period, complete(p, from), 30 + 8 * e->model->layers[run->layer].n_inputs);
        } else if (!place_layer(p, run->layer)) {
            return false;
        } else {
            add_copies(p, run->layer);
        }
    }
    for (int at = 0; at < p->n_base; at++) {
        const int layer = p->base[at].layer, period = p->base[at].period;
        const tin_emit_cost *c = &p->costs[layer];
        if (e->layers[layer].ahead &&
            !cut(p, &p->ahead[layer], period, complete(p, layer), period + first_of(p, layer) - 1, c->ahead_fixed,
                 c->ahead_per_block, c->blocks, e->model->layers[layer].n_outputs)) {
            return false;
        }
    }
    return true;
}

static void find_costs(plan *p)
{
    tin_emit *e = p->e;
    for (int i = 0; i < e->model->n_layers; i++) {
        tin_emit_cost c = tin_emit_layer_cost(e, i);
        if (tin_emit_op_at(e, i)->part == NULL) { /* no kernel for parts of it */
            c = (tin_emit_cost){.fixed = c.fixed + c.ahead_fixed + c.blocks * (c.per_block + c.ahead_per_block)};
        }
        e->layers[i].ahead = c.ahead_per_block > 0 && e->layers[i].period > 1;
        p->costs[i] = c;
    }
}

/* The least `most`, from LEVEL times the average on. */
static void level(plan *p)
{
    const int hop = p->e->model->hop;
    double sum = 0, high = 0;
    p->most = HUGE_VAL;
    (void)place_all(p);
    for (int frame = 0; frame < hop; frame++) {
        sum += p->load[frame];
        high = p->load[frame] > high ? p->load[frame] : high;
    }
    double low = LEVEL * sum / hop;
    p->most = low;
    if (place_all(p)) {
        return;
    }
    for (int step = 0; step < SEARCH_STEPS && low < high; step++) {
        p->most = (low + high) / 2;
        *(place_all(p) ? &high : &low) = p->most;
    }
    p->most = high;
    if (!place_all(p)) { /* rounding at the very end of the search */
        p->most = HUGE_VAL;
        (void)place_all(p);
    }
}

static void add_run(tin_emit *e, const tin_emit_run *base, tin_emit_act act, int offset, int first, int n)
{
    tin_emit_run *run = &e->order[e->n_order++];
    *run = *base;
    run->act = act;
    run->offset = offset % base->period;
    run->first = first;
    run->n = n;
}

/* The order again, with the parts in place of the layers. */
static void write_order(plan *p)
{
    tin_emit *e = p->e;
    e->n_order = 0;
    for (int at = 0; at < p->n_base; at++) {
        const tin_emit_run *run = &p->base[at];
        const tin_qlayer *l = &e->model->layers[run->layer];
        const parts *give = &p->give[run->layer], *ahead = &p->ahead[run->layer];
        if (run->act == TIN_ACT_TAKE) {
            add_run(e, run, TIN_ACT_TAKE, complete(p, l->from[0]), 0, 0);
            continue;
        }
        for (int k = 0; k < l->n_from; k++) {
            e->layers[run->layer].copied[k] = must_copy(p, run->layer, k);
            if (e->layers[run->layer].copied[k]) {
                add_run(e, run, TIN_ACT_COPY, complete(p, l->from[k]), k, 0);
            }
        }
        const bool whole = give->n == 1 && !e->layers[run->layer].ahead;
        for (int i = 0; i < give->n; i++) {
            add_run(e, run, TIN_ACT_GIVE, give->list[i].offset, give->list[i].first, whole ? 0 : give->list[i].n);
        }
        for (int i = 0; e->layers[run->layer].ahead && i < ahead->n; i++) {
            add_run(e, run, TIN_ACT_AHEAD, ahead->list[i].offset, ahead->list[i].first, ahead->list[i].n);
        }
    }
}

/* Multiply-accumulates of the fullest frame. */
static double worst_macs(plan *p)
{
    const tin_emit *e = p->e;
    double most = 0;
    memset(p->load, 0, (size_t)e->model->hop * sizeof *p->load);
    for (int at = 0; at < e->n_order; at++) {
        const tin_emit_run *run = &e->order[at];
        const tin_qlayer *l = &e->model->layers[run->layer];
        double macs = e->layers[run->layer].macs;
        if (e->layers[run->layer].ahead) {
            macs *= run->act == TIN_ACT_AHEAD ? (double)l->n_outputs / (l->n_inputs + l->n_outputs)
                                              : (double)l->n_inputs / (l->n_inputs + l->n_outputs);
        }
        if (run->act == TIN_ACT_GIVE || run->act == TIN_ACT_AHEAD) {
            add_load(p, run->period, run->offset, run->n > 0 ? macs * run->n / l->n_outputs : macs);
        }
    }
    for (int frame = 0; frame < e->model->hop; frame++) {
        most = p->load[frame] > most ? p->load[frame] : most;
    }
    return most;
}

tin_status tin_emit_spread(tin_emit *e, tin_error *err)
{
    tin_status status = TIN_ERR_MEMORY;
    plan *p = tin_alloc(1, sizeof *p, err);
    if (p != NULL) {
        p->e = e;
        p->load = tin_alloc((size_t)e->model->hop, sizeof *p->load, err);
    }
    if (p != NULL && p->load != NULL) {
        p->n_base = e->n_order;
        memcpy(p->base, e->order, (size_t)e->n_order * sizeof *p->base);
        find_costs(p);
        level(p);
        write_order(p);
        e->latency = complete(p, e->model->n_layers - 1);
        e->worst_mac = worst_macs(p);
        status = TIN_OK;
    }
    if (p != NULL) {
        tin_free(p->load);
    }
    tin_free(p);
    return status;
}
