/* Private to src/model: recurrent layers. What reads the input is one product for the whole block; then row after row,
 * units in lanes. Formulas: qmodel.h. */
#ifndef TIN_REPLAY_RECURRENT_H
#define TIN_REPLAY_RECURRENT_H

#include "model/replay/replay_product.h"

/* One step: where its parts lie. Gate g of unit j is at g * units + j of a and b. */
typedef struct cell {
    const tin_replay_layer *l;
    int units; /* padded */
    const int32_t *a, *b;
    const int16_t *before; /* h8 of the step before */
    int16_t *h8;
} cell;

/* b of the gates first..last-1, which read x: h8 or r * h8. */
INLINE void hidden(const cell *c, const int16_t *x, int first, int last)
{
    const sink to = {.sums = c->l->hidden};
    const walk in = {.x = x};
    const int units = whole_vectors(c->l->layer->n_outputs);
    /* all gates at once where there are no vectors of padding between them */
    const int gates = units == c->units ? 1 : last - first,
              outputs = units == c->units ? (last - first) * units : units;
    for (int g = 0; g < gates; g++) {
        const int at = (first + g) * c->units;
        int o = at;
        for (; o + 3 * VL < at + outputs; o += 4 * VL)
            tile_to(&c->l->on_state, in, 0, o, 1, 4, to);
        for (; o + VL < at + outputs; o += 2 * VL)
            tile_to(&c->l->on_state, in, 0, o, 1, 2, to);
        if (o < at + outputs)
            tile_to(&c->l->on_state, in, 0, o, 1, 1, to);
    }
}

INLINE vec a_of(const cell *c, int gate, int j)
{
    return load(c->a + (ptrdiff_t)gate * c->units + j);
}

INLINE vec b_of(const cell *c, int gate, int j)
{
    return load(c->b + (ptrdiff_t)gate * c->units + j);
}

INLINE vec gate(const cell *c, int which, int j)
{
    return sigmoid(a_of(c, which, j) + b_of(c, which, j));
}

/* The new h of units j.., and h8. */
INLINE void blend(const cell *c, int j, vec n, vec z)
{
    int32_t *state = c->l->state + j;
    const vec h = (n + multiply_high(load(state) * 4096 - n, z) * 16 + 2048) >> 12;
    store(state, h);
    store_s16(c->h8 + j, clamp((h + 128) >> 8, splat(-128), splat(127)));
}

INLINE void gru_step(const cell *c)
{
    hidden(c, c->before, 0, 3);
    for (int j = 0; j < c->l->layer->n_outputs; j += VL) {
        const vec b = multiply_high(b_of(c, 2, j), gate(c, 0, j));
        blend(c, j, hyperbolic_tangent(a_of(c, 2, j) + b), gate(c, 1, j));
    }
}

INLINE void gru_reset_before_step(const cell *c)
{
    hidden(c, c->before, 0, 2);
    for (int j = 0; j < c->l->layer->n_outputs; j += VL) {
        const vec kept = multiply_high(load(c->l->state + j) * 4096, gate(c, 0, j));
        store_s16(c->l->kept + j, clamp((kept + (1 << 15)) >> 16, splat(-128), splat(127)));
    }
    hidden(c, c->l->kept, 2, 3);
    for (int j = 0; j < c->l->layer->n_outputs; j += VL)
        blend(c, j, hyperbolic_tangent(a_of(c, 2, j) + b_of(c, 2, j)), gate(c, 1, j));
}

INLINE void mgu_step(const cell *c)
{
    hidden(c, c->before, 0, 2);
    for (int j = 0; j < c->l->layer->n_outputs; j += VL) {
        const vec f = gate(c, 0, j), b = multiply_high(b_of(c, 1, j), f);
        blend(c, j, hyperbolic_tangent(a_of(c, 1, j) + b), 2 * HALF - f);
    }
}

INLINE void min_gru_step(const cell *c)
{
    for (int j = 0; j < c->l->layer->n_outputs; j += VL)
        blend(c, j, hyperbolic_tangent(a_of(c, 1, j)), sigmoid(a_of(c, 0, j)));
}

INLINE void lstm_step(const cell *c)
{
    hidden(c, c->before, 0, 4);
    for (int j = 0; j < c->l->layer->n_outputs; j += VL) {
        int32_t *state = c->l->state + j;
        const vec i = gate(c, 0, j), f = gate(c, 1, j), o = gate(c, 3, j);
        const vec g = hyperbolic_tangent(a_of(c, 2, j) + b_of(c, 2, j));
        const vec sum = multiply_high(load(state) * 16, f) + multiply_high(g, i);
        const vec new = clamp(sum, splat(-HALF), splat(HALF - 1));
        store(state, new);
        const vec h = multiply_high(hyperbolic_tangent((new + (1 << 9)) >> 10), o); /* Q23 */
        store_s16(c->h8 + j, clamp((h + (1 << 15)) >> 16, splat(-128), splat(127)));
    }
}

static void run_recurrent(tin_replay_layer *l, walk in, int n_rows)
{
    const tin_replay_matrix *m = &l->on_input;
    product(m, in, n_rows, 0, m->outputs, (sink){.sums = l->sums, .stride = m->outputs});
    cell c = {.l = l, .units = l->out.stride, .b = l->hidden};
    for (int t = 0; t < n_rows; t++) {
        c.a = l->sums + (ptrdiff_t)t * m->outputs;
        c.h8 = l->out.rows + (ptrdiff_t)t * l->out.stride;
        c.before = c.h8 - l->out.stride;
        switch (l->layer->op) {
        case TIN_OP_LSTM:
            lstm_step(&c);
            break;
        case TIN_OP_MGU:
            mgu_step(&c);
            break;
        case TIN_OP_MIN_GRU:
            min_gru_step(&c);
            break;
        default:
            if (l->layer->reset_before)
                gru_reset_before_step(&c);
            else
                gru_step(&c);
            break;
        }
    }
}

#endif
