/* Recurrent layers: the loops over time, forward and backward, and what gate gradients give to weights and input. The
 * cells themselves are in kernel_cell.h.
 *
 * Saved: rows of the cell [T][saved][H], then exact states [T+1][H]; where nothing is rounded and there is no c, those
 * are the output rows, which have one more row before the chunk. */
#ifndef TIN_KERNEL_RECURRENT_H
#define TIN_KERNEL_RECURRENT_H

#include "train/kernel/kernel_cell.h"
#include "train/kernel/kernel_conv.h"

#define CHAIN_ROWS OUTER_TIMES /* decisions of the backward chain whose gate gradients are kept */

/* Parts of the packed weights. */
typedef struct recurrent_packed {
    const real *forward; /* per part and block of units: [I][gates][units], [H][gates][units]; min_gru: for project; on
                            * tiles: of x and then h, rows as saved */
    const real *later;   /* of PART_CANDIDATE */
    const real *bias; /* per part and block of units, as cell_units wants it; min_gru: [2H]; on tiles: rows as saved */
    const real *hidden;    /* weight_hh of the gates that read h, transposed for project */
    const real *candidate; /* of those that read r * h */
    const real *input;     /* weight_ih, transposed, in order of the gradients */
    const real *rounded;   /* weight_ih and weight_hh as they are, but rounded */
} recurrent_packed;

static size_t input_weights(const tin_node *node)
{
    return (size_t)shape_of(node).gates * (size_t)node->n_outputs * (size_t)node->n_inputs;
}

static size_t hidden_weights(const tin_node *node)
{
    cell_shape c = shape_of(node);
    return (size_t)(c.hidden_gates + c.reset_gates) * (size_t)node->n_outputs * (size_t)node->n_outputs;
}

#if TIN_KERNEL_TILES
/* Rows of sums of a decision over H: the gates, and the state's part of the last one where it is apart. */
static int summed_gates(const tin_node *node)
{
    return shape_of(node).gates + part_product(first_part(node->kind));
}
#endif

/* Reals of packed weights of the decisions, without PART_CANDIDATE where that is apart. */
static size_t forward_size(const tin_node *node)
{
#if TIN_KERNEL_TILES
    if (tiled_state(node)) {
        return tile_weights(summed_gates(node) * node->n_outputs,
                            pair_blocks(node->n_inputs) + pair_blocks(node->n_outputs));
    }
#endif
    if (node->kind == TIN_NODE_MIN_GRU) {
        return product_size(2 * node->n_outputs, 1, node->n_inputs);
    }
    return (size_t)(shape_of(node).hidden_gates * node->n_outputs) * (size_t)(node->n_inputs + node->n_outputs);
}

static size_t later_size(const tin_node *node)
{
    size_t n = (size_t)(shape_of(node).reset_gates * node->n_outputs);
#if TIN_KERNEL_TILES
    if (tiled_state(node)) {
        return n > 0 ? tile_weights(node->n_outputs, pair_blocks(node->n_outputs)) : 0;
    }
#endif
    return n * (size_t)(node->n_inputs + node->n_outputs);
}

/* Of the transposed weight_hh of n gates. */
static size_t transposed_size(const tin_node *node, int n_gates)
{
#if TIN_KERNEL_TILES
    if (tiled_state(node)) {
        return tile_weights(node->n_outputs, pair_blocks(n_gates * node->n_outputs));
    }
#endif
    return (size_t)n_gates * (size_t)node->n_outputs * (size_t)node->n_outputs;
}

static recurrent_packed recurrent_parts(const tin_node *node, const real *packed)
{
    cell_shape c = shape_of(node);
    recurrent_packed p;
    p.forward = packed;
    p.later = p.forward + forward_size(node); /* right behind */
    p.bias = p.forward + tin_whole_rows(forward_size(node) + later_size(node));
    p.hidden = p.bias + tin_whole_rows((size_t)(5 * node->n_outputs));
    p.candidate = p.hidden + tin_whole_rows(transposed_size(node, c.hidden_gates));
    p.input = p.candidate + tin_whole_rows(transposed_size(node, c.reset_gates));
    p.rounded = p.input + tin_whole_rows(product_size(node->n_inputs, 1, c.gates * node->n_outputs));
    return p;
}

static size_t recurrent_packed_size(const tin_node *node)
{
    cell_shape c = shape_of(node);
    return tin_whole_rows(forward_size(node) + later_size(node)) + tin_whole_rows((size_t)(5 * node->n_outputs)) +
           tin_whole_rows(transposed_size(node, c.hidden_gates)) +
           tin_whole_rows(transposed_size(node, c.reset_gates)) +
           tin_whole_rows(product_size(node->n_inputs, 1, c.gates * node->n_outputs)) + input_weights(node) +
           hidden_weights(node);
}

/* The transpose of gates, for products in blocks of `most` rows: row j of the product is column j of weight
 * [..][n_columns]. Gates first, first + 1, ..., and from 0 again after the last of `gates`. */
static void pack_transposed(const real *weight, int n_h, int n_columns, int first, int n_gates, int gates, int most,
                            real *packed)
{
    real *to = packed;
    for (int row = 0, rows; row < n_columns; row += rows) {
        rows = part_size(n_columns, most, row);
        for (int g = 0; g < n_gates; g++) {
            for (int u = 0; u < n_h; u++) {
                for (int r = 0; r < rows; r++) {
                    *to++ = weight[((first + g) % gates * n_h + u) * n_columns + row + r];
                }
            }
        }
    }
}

static real *pack_units(const real *weight, const tin_node *node, int n_columns, const int range[2], int unit,
                        int units, real *packed)
{
    for (int k = 0; k < n_columns; k++) {
        for (int g = range[0]; g < range[1]; g++) {
            for (int j = 0; j < units; j++) {
                *packed++ = weight[(g * node->n_outputs + unit + j) * n_columns + k];
            }
        }
    }
    return packed;
}

/* Gates range[0]..range[1]-1 in blocks of units. b: biases of gate g of unit u at b[..][g * H + u]. */
static void pack_part(cell_part part, const tin_node *node, const float *params, const real *rounded,
                      const int range[2], real **forward, real **bias)
{
    int n_h = node->n_outputs;
    const real *w_hh = rounded + input_weights(node);
    const float *b_ih = params + node->bias, *b_hh = params + node->bias_hh;
    for (int unit = 0, units; unit < n_h; unit += units) {
        units = part_size(n_h, part_units(part), unit);
        *forward = pack_units(rounded, node, node->n_inputs, range, unit, units, *forward);
        *forward = pack_units(w_hh, node, n_h, range, unit, units, *forward);
        for (int g = range[0]; g < range[1]; g++) {
            bool apart = part_product(part) && g == range[1] - 1;
            for (int j = 0; j < units; j++) {
                real hidden = apart ? 0 : (real)b_hh[g * n_h + unit + j];
                *(*bias)++ = (real)b_ih[g * n_h + unit + j] + hidden;
            }
        }
        for (int j = 0; part_product(part) && j < units; j++) {
            *(*bias)++ = (real)b_hh[(range[1] - 1) * n_h + unit + j];
        }
    }
}

/* For project: weight [n_rows][n_columns] in blocks of rows. */
static void pack_projection(const real *weight, int n_rows, int n_columns, real *packed)
{
    real *to = packed;
    for (int row = 0, rows; row < n_rows; row += rows) {
        rows = part_size(n_rows, ROWS_MOST, row);
        for (int k = 0; k < n_columns; k++) {
            for (int r = 0; r < rows; r++) {
                *to++ = weight[(row + r) * n_columns + k];
            }
        }
    }
    product_done(packed, n_rows, ROWS_MOST, 1, n_columns);
}

#if TIN_KERNEL_TILES
/* Weights of x and h for all rows of sums, of r * h, and the transposed ones. */
static void pack_state_tiles(const tin_node *node, const float *params, const real *rounded, real *packed)
{
    cell_shape c = shape_of(node);
    recurrent_packed p = recurrent_parts(node, packed);
    int n_i = node->n_inputs, n_h = node->n_outputs, n_rows = summed_gates(node) * n_h;
    int apart = summed_gates(node) > c.gates ? (c.gates - 1) * n_h : c.gates * n_h; /* rows from there meet only x, */
    int of_x = pair_blocks(n_i), of_h = pair_blocks(n_h), later = c.hidden_gates * n_h;
    const real *w_hh = rounded + input_weights(node);
    const float *b_ih = params + node->bias, *b_hh = params + node->bias_hh;
    real *bias = packed + (p.bias - packed), *forward = packed;
    memset(forward, 0, (size_t)(p.bias - packed) * sizeof *packed);
    for (int row = 0; row < n_rows; row++) {
        bool meets_x = row < c.gates * n_h, meets_h = row < c.gates * n_h ? row < apart && row < later : true;
        int of_gate = meets_x ? row : row - n_h; /* and those after the gates only h */
        if (meets_x) {
            pack_row(rounded + of_gate * n_i, 1, n_i, row, 0, of_x + of_h, forward);
        }
        if (meets_h) {
            pack_row(w_hh + of_gate * n_h, 1, n_h, row, of_x, of_x + of_h, forward);
        }
        bias[row] = (meets_x ? (real)b_ih[of_gate] : 0) + (meets_h || row >= later ? (real)b_hh[of_gate] : 0);
    }
    for (int row = 0; row < c.reset_gates * n_h; row++) {
        pack_row(w_hh + (later + row) * n_h, 1, n_h, row, 0, of_h, packed + (p.later - packed));
    }
    memset(packed + (p.hidden - packed), 0, (size_t)(p.input - p.hidden) * sizeof *packed);
    for (int row = 0; row < n_h; row++) {
        pack_row(w_hh + row, n_h, later, row, 0, pair_blocks(later), packed + (p.hidden - packed));
        pack_row(w_hh + later * n_h + row, n_h, c.reset_gates * n_h, row, 0, of_h, packed + (p.candidate - packed));
    }
}
#endif

static void recurrent_pack(const tin_node *node, const float *params, real *packed)
{
    cell_shape c = shape_of(node);
    recurrent_packed p = recurrent_parts(node, packed);
    int n_i = node->n_inputs, n_h = node->n_outputs, n_rows = c.gates * n_h;
    real *forward = packed, *bias = packed + (p.bias - packed), *rounded = packed + (p.rounded - packed);
    real *w_hh = rounded + input_weights(node);
    for (int row = 0; row < n_rows; row++) {
        round_row(params + node->weight + (size_t)(row * n_i), n_i, node->weight_bits, node->power_of_two,
                  rounded + row * n_i);
    }
    real *input = packed + (p.input - packed);
    pack_transposed(rounded, n_h, n_i, c.shift, c.gates, c.gates, ROWS_MOST, input);
    product_done(input, n_i, ROWS_MOST, 1, n_rows);
    if (node->kind == TIN_NODE_MIN_GRU) {
        pack_projection(rounded, n_rows, n_i, forward);
        for (int row = 0; row < n_rows; row++) {
            bias[row] = (real)params[node->bias + (size_t)row];
        }
        return;
    }
    for (int row = 0; row < n_rows; row++) {
        round_row(params + node->weight_hh + (size_t)(row * n_h), n_h, node->weight_bits, node->power_of_two,
                  w_hh + row * n_h);
    }
#if TIN_KERNEL_TILES
    if (tiled_state(node)) {
        pack_state_tiles(node, params, rounded, packed);
        return;
    }
#endif
    const int all[2] = {0, c.hidden_gates}, reset[2] = {c.hidden_gates, c.gates};
    pack_part(first_part(node->kind), node, params, rounded, all, &forward, &bias);
    pack_part(PART_CANDIDATE, node, params, rounded, reset, &forward, &bias);
    pack_transposed(w_hh, n_h, n_h, 0, c.hidden_gates, c.gates, SUMS_MOST, packed + (p.hidden - packed));
    pack_transposed(w_hh, n_h, n_h, c.hidden_gates, c.reset_gates, c.gates, SUMS_MOST, packed + (p.candidate - packed));
}

static size_t recurrent_saved_size(const tin_node *node)
{
    return (size_t)((shape_of(node).saved + 1) * node->rows_out + 1) * (size_t)node->n_outputs * TIN_LANES;
}

/* h, exact; lstm: c, then h as it was given out. */
static size_t recurrent_state_size(const tin_node *node)
{
    return (size_t)(node->kind == TIN_NODE_LSTM ? 2 : 1) * (size_t)node->n_outputs * TIN_LANES;
}

/* Row 0 is the state before the chunk. */
static real *exact_states(const tin_pass *pass, const tin_node *node)
{
    real *work = pass->work;
    size_t row = (size_t)node->n_outputs * TIN_LANES;
    bool apart = node->quantised || node->kind == TIN_NODE_LSTM;
    return apart ? work + node->saved + (size_t)(shape_of(node).saved * node->rows_out) * row : work + node->y - row;
}

/* The gates of min_gru do not read the state: one product for all decisions, into the saved rows. */
static void min_gru_gates(const tin_pass *pass, const tin_node *node, const recurrent_packed *packed)
{
    real *work = pass->work;
    segments whole = {.n = 1, .length = node->n_inputs};
    projection p = {.n_times = node->rows_out,
                    .n_rows = 2 * node->n_outputs,
                    .weights = packed->forward,
                    .bias = packed->bias,
                    .x = work + node->in[0].x,
                    .x_step = node->n_inputs,
                    .segments = &whole,
                    .y = work + node->saved,
                    .y_step = 2 * node->n_outputs};
    project(&p);
}

/* Channels from the gate gradients of one decision to the next: so many that they do not share the sets of a cache, and
 * even, for pairs. Those between hold zeros. */
static int gate_step(const tin_node *node)
{
    return (shape_of(node).gradients * node->n_outputs + 2) & ~1;
}

typedef struct recurrent_scratch {
    real *gates;                                              /* gradients [CHAIN_ROWS][gate_step] */
    real *carry, *direct, *cell;                              /* rows of [H] */
    real *dy;                                                 /* [CHAIN_ROWS][H], from the head */
    real *hidden_sums, *candidate_sums, *input_sums, *turned; /* of `outer` */
    real *bias_sums;                                          /* a vec each */
#if TIN_KERNEL_TILES
    real *x_pairs, *pairs; /* whole_pairs_of_rows: of x, and of h or of what gives it its gradient */
    real *bias;            /* rows as saved, in every lane */
#endif
} recurrent_scratch;

/* Reals of the parts together. scratch NULL: nothing else is wanted. */
static size_t recurrent_scratch_parts(const tin_node *node, real *scratch, recurrent_scratch *s)
{
    cell_shape c = shape_of(node);
    int n_i = node->n_inputs, n_h = node->n_outputs;
    size_t row = (size_t)n_h * TIN_LANES, input = outer_turned(c.gates * n_h, n_i, n_i),
           hidden = outer_turned(c.hidden_gates * n_h, n_h, c.saved * n_h);
    size_t hidden_sums = outer_sums(c.hidden_gates * n_h, n_h), candidate_sums = outer_sums(c.reset_gates * n_h, n_h);
    size_t input_sums = outer_sums(c.gates * n_h, n_i), turned = input > hidden ? input : hidden;
#if TIN_KERNEL_TILES
    if (tiled_state(node)) {
        hidden_sums = outer_tile_sums(c.first_hidden * n_h, (c.first_hidden + c.hidden_gates) * n_h, n_h);
        candidate_sums = outer_tile_sums(2 * n_h, (2 + c.reset_gates) * n_h, n_h);
        input_sums = outer_tile_sums(0, c.gates * n_h, n_i);
        turned = 2 * outer_tile_turned(n_h) + outer_tile_turned(n_i);
    }
#endif
    const struct {
        real **part;
        size_t size;
    } parts[] = {
        {&s->gates, (size_t)(gate_step(node) * CHAIN_ROWS) * TIN_LANES},
        {&s->carry, row},
        {&s->direct, row},
        {&s->cell, row},
        {&s->dy, CHAIN_ROWS * row},
        {&s->hidden_sums, hidden_sums},
        {&s->candidate_sums, candidate_sums},
        {&s->input_sums, input_sums},
        {&s->bias_sums, (size_t)(c.gradients * n_h * VL)},
#if TIN_KERNEL_TILES
        {&s->x_pairs, (size_t)pairs_size(n_i) * PARTS},
        {&s->pairs, (size_t)pairs_size(c.gates * n_h) * PARTS},
        {&s->bias, (size_t)summed_gates(node) * row},
#endif
        {&s->turned, turned}
    };
    size_t at = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i].part = scratch ? scratch + at : NULL;
        at += parts[i].size;
    }
    return at;
}

static size_t recurrent_scratch_size(const tin_node *node)
{
    recurrent_scratch unused;
    return recurrent_scratch_parts(node, NULL, &unused);
}

static void recurrent_decision(const tin_node *node, cell_rows *rows, const recurrent_packed *packed)
{
    ptrdiff_t row = (ptrdiff_t)rows->n_units * TIN_LANES;
    switch (node->kind) {
    case TIN_NODE_GRU:
        cell_decision(PART_GRU, rows, packed->forward, packed->bias);
        break;
    case TIN_NODE_LSTM:
        cell_decision(PART_LSTM, rows, packed->forward, packed->bias);
        break;
    case TIN_NODE_MGU:
        cell_decision(PART_MGU, rows, packed->forward, packed->bias);
        break;
    case TIN_NODE_GRU_RESET_BEFORE:
        cell_decision(PART_RESET, rows, packed->forward, packed->bias);
        rows->h = rows->saved + 3 * row;
        cell_decision(PART_CANDIDATE, rows, packed->later, packed->bias + 2 * rows->n_units);
        break;
    default: /* min_gru_gates has done the sums */
        cell_activations(PART_MIN_GRU, rows);
        break;
    }
}

#if TIN_KERNEL_TILES
/* As recurrent_decision; the tiles are set up for the rows of sums. */
static void tiled_decision(const tin_node *node, const cell_rows *rows, const recurrent_packed *packed,
                           const recurrent_scratch *s)
{
    cell_shape c = shape_of(node);
    int n_h = node->n_outputs, n_gates = c.gates * n_h, n_rows = summed_gates(node) * n_h;
    ptrdiff_t row = (ptrdiff_t)n_h * TIN_LANES;
    whole_pairs_of_rows(rows->x, node->n_inputs, s->x_pairs);
    whole_pairs_of_rows(rows->h, n_h, s->pairs);
    int alone = n_rows > n_gates ? n_gates - n_h : c.hidden_gates * n_h; /* gates from there on do not meet h itself */
    const tile_run read[2] = {{s->x_pairs, pairs_size(node->n_inputs), pair_blocks(node->n_inputs), {n_gates, n_rows}},
                              {s->pairs, pairs_size(n_h), pair_blocks(n_h), {alone, n_gates}}};
    tile_product(packed->forward, 0, n_rows, n_rows, read, 2, s->bias, rows->saved);
    switch (node->kind) {
    case TIN_NODE_GRU:
        cell_activations(PART_GRU, rows);
        break;
    case TIN_NODE_LSTM:
        cell_activations(PART_LSTM, rows);
        break;
    case TIN_NODE_MGU:
        cell_activations(PART_MGU, rows);
        break;
    default: {
        cell_activations(PART_RESET, rows);
        whole_pairs_of_rows(rows->saved + 3 * row, n_h, s->pairs);
        tiles_for(n_h);
        const tile_run again = {s->pairs, pairs_size(n_h), pair_blocks(n_h), {n_h, n_h}};
        tile_product(packed->later, 0, n_h, n_h, &again, 1, rows->saved + 2 * row, rows->saved + 2 * row);
        tiles_for(n_rows);
        cell_activations(PART_CANDIDATE, rows);
        break;
    }
    }
}
#endif

static void recurrent_forward(const tin_pass *pass, const tin_node *node, real *state)
{
    real *work = pass->work, *states = exact_states(pass, node);
    recurrent_packed packed = recurrent_parts(node, (const real *)pass->packed + node->packed);
    bool has_cell = node->kind == TIN_NODE_LSTM;
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    for (ptrdiff_t i = 0; i < row; i += VL) {
        vec h = load(state + i);
        store(work + node->y - row + i, has_cell ? load(state + row + i) : state_read(h, node->quantised));
        store(states + i, h);
    }
    if (node->kind == TIN_NODE_MIN_GRU) {
        min_gru_gates(pass, node, &packed);
    }
#if TIN_KERNEL_TILES
    recurrent_scratch s;
    recurrent_scratch_parts(node, work + node->scratch, &s);
    if (tiled_state(node)) {
        for (int i = 0; i < summed_gates(node) * node->n_outputs; i++) {
            store(s.bias + i * TIN_LANES, splat(packed.bias[i]));
        }
        tiles_for(summed_gates(node) * node->n_outputs);
    }
#endif
    for (int t = 0; t < node->rows_out; t++) {
        cell_rows rows = {.n_inputs = node->n_inputs,
                          .n_units = node->n_outputs,
                          .x = work + node->in[0].x + (ptrdiff_t)t * node->n_inputs * TIN_LANES,
                          .h = work + node->y + (t - 1) * row,
                          .old = states + t * row,
                          .next = states + (t + 1) * row,
                          .y = work + node->y + t * row,
                          .saved = work + node->saved + shape_of(node).saved * t * row,
                          .quantised = node->quantised};
#if TIN_KERNEL_TILES
        if (tiled_state(node)) {
            tiled_decision(node, &rows, &packed, &s);
            continue;
        }
#endif
        recurrent_decision(node, &rows, &packed);
    }
#if TIN_KERNEL_TILES
    tiles_done();
#endif
    memcpy(state, states + node->rows_out * row, (size_t)row * sizeof(real));
    if (has_cell) {
        memcpy(state + row, work + node->y + (node->rows_out - 1) * row, (size_t)row * sizeof(real));
    }
}

INLINE const real *state_rows(int rows, int n, const real *w, const real *x, const real *start, const real *ahead,
                              real *y)
{
    const real *next_w = w;
    for (int v = 0; v < TIN_LANES; v += VL) {
        vec sums[SUMS_MOST];
        UNROLL
        for (int r = 0; r < rows; r++) {
            sums[r] = start ? load(start + r * TIN_LANES + v) : splat(0);
        }
        next_w = gate_sums(rows, n, w, x + v, v == 0 ? ahead : NULL, sums);
        UNROLL
        for (int r = 0; r < rows; r++) {
            store(y + r * TIN_LANES + v, sums[r]);
        }
    }
    return next_w;
}

#define STATE_CASE(rows)                                                                                               \
    case rows:                                                                                                         \
        w = state_rows(rows, n, w, gates, start, row == 0 ? ahead : NULL, y);                                          \
        break;
#define FOUR_STATE_CASES(first) STATE_CASE(first) STATE_CASE(first + 1) STATE_CASE(first + 2) STATE_CASE(first + 3)

/* y = start + transposed weights * gates: one place in time, so that as many rows as the registers take are summed at
 * once. `ahead`: rows that come to the cache meanwhile, or NULL. */
static void state_gradient(const tin_node *node, const real *w, int n_gates, const real *gates, const real *start,
                           const real *ahead, real *y, const recurrent_scratch *s)
{
    int n = n_gates * node->n_outputs;
#if TIN_KERNEL_TILES
    if (tiled_state(node)) {
        for (int i = 0; ahead && i < shape_of(node).saved * node->n_outputs; i++) {
            __builtin_prefetch(ahead + i * TIN_LANES);
        }
        whole_pairs_of_rows(gates, n, s->pairs);
        const tile_run read = {s->pairs, pairs_size(n), pair_blocks(n), {node->n_outputs, node->n_outputs}};
        tile_product(w, 0, node->n_outputs, node->n_outputs, &read, 1, start, y);
        return;
    }
#endif
    (void)s;
    for (int row = 0, rows; row < node->n_outputs; row += rows, y += rows * TIN_LANES) {
        rows = part_size(node->n_outputs, SUMS_MOST, row);
        switch (rows) {
            FOUR_STATE_CASES(1)
            FOUR_STATE_CASES(5)
            FOUR_STATE_CASES(9)
#if SUMS_MOST == 24
            FOUR_STATE_CASES(13)
            FOUR_STATE_CASES(17)
            FOUR_STATE_CASES(21)
#endif
        }
        start = start ? start + rows * TIN_LANES : NULL;
    }
}

/* Decisions t0..t1-1, backwards: fills s->gates and moves s->carry to t0. */
static void recurrent_chain(const tin_pass *pass, const tin_node *node, int t0, int t1, const recurrent_scratch *s,
                            const recurrent_packed *packed)
{
    const real *work = pass->work, *states = exact_states(pass, node);
    cell_shape c = shape_of(node);
    ptrdiff_t row = (ptrdiff_t)node->n_outputs * TIN_LANES;
    if (node->head > 0) {
        dense_input_gradient(pass, &pass->nodes[node->head], t0, t1 - t0, s->dy);
    }
#if TIN_KERNEL_TILES
    if (tiled_state(node)) {
        tiles_for(node->n_outputs);
    }
#endif
    for (int t = t1 - 1; t >= t0; t--) {
        real *gates = s->gates + (ptrdiff_t)gate_step(node) * (t - t0) * TIN_LANES;
        cell_back b = {.row = row,
                       .saved = work + node->saved + c.saved * t * row,
                       .old = states + t * row,
                       .next = states + (t + 1) * row,
                       .dy = node->head > 0 ? s->dy + (t - t0) * row : work + node->dy + t * row,
                       .carry = s->carry,
                       .gradients = gates,
                       .direct = c.hidden_gates > 0 ? s->direct : s->carry,
                       .cell = s->cell,
                       .quantised = node->quantised};
        cell_gradient(node->kind, &b);
        if (c.reset_gates > 0) {
            state_gradient(node, packed->candidate, 1, gates + 2 * row, NULL, NULL, s->cell, s);
            cell_reset_gradient(&b);
        }
        if (c.hidden_gates > 0) {
            state_gradient(node, packed->hidden, c.hidden_gates, gates + c.first_hidden * row, s->direct,
                           t > 0 ? b.saved - c.saved * row : NULL, s->carry, s);
        }
    }
#if TIN_KERNEL_TILES
    tiles_done();
#endif
}

/* What gate gradients of decisions t0..t0+n-1 give to weights. */
static void weight_gradients(const tin_pass *pass, const tin_node *node, int t0, int n, bool first,
                             const recurrent_scratch *s)
{
    const real *work = pass->work;
    cell_shape c = shape_of(node);
    int n_i = node->n_inputs, n_h = node->n_outputs;
    ptrdiff_t row = (ptrdiff_t)n_h * TIN_LANES;
    add_rows(n, c.gradients * n_h, s->gates, gate_step(node), first, s->bias_sums);
#if TIN_KERNEL_TILES
    if (tiled_state(node)) {
        const outer_factor factors[] = {
            {work + node->y + (t0 - 1) * row, n_h, n_h, c.first_hidden * n_h, (c.first_hidden + c.hidden_gates) * n_h,
             s->hidden_sums},
            {work + node->in[0].x + (ptrdiff_t)t0 * n_i * TIN_LANES, n_i, n_i, 0, c.gates * n_h, s->input_sums},
            {work + node->saved + (c.saved * t0 + 3) * row, c.saved * n_h, n_h, 2 * n_h, 3 * n_h, s->candidate_sums}};
        outer_tiles(n, c.gradients * n_h, s->gates, gate_step(node), factors, 2 + c.reset_gates, first, s->turned);
        return;
    }
#endif
    outer_product p = {.n_times = n, .first = first, .a_step = gate_step(node), .turned = s->turned};
    p.n_rows = c.hidden_gates * n_h;
    p.n_columns = n_h;
    p.a = s->gates + c.first_hidden * row;
    p.b = work + node->y + (t0 - 1) * row;
    p.b_step = n_h;
    p.sums = s->hidden_sums;
    outer(&p);
    p.n_rows = c.reset_gates * n_h;
    p.a = s->gates + 2 * row;
    p.b = work + node->saved + (c.saved * t0 + 3) * row;
    p.b_step = c.saved * n_h;
    p.sums = s->candidate_sums;
    outer(&p);
    p.n_rows = c.gates * n_h;
    p.n_columns = n_i;
    p.a = s->gates;
    p.b = work + node->in[0].x + (ptrdiff_t)t0 * n_i * TIN_LANES;
    p.b_step = n_i;
    p.sums = s->input_sums;
    outer(&p);
}

/* What the gate gradients of decisions t0..t1-1 give to weights and input. */
static void recurrent_spread(const tin_pass *pass, const tin_node *node, int t0, int t1, const recurrent_scratch *s,
                             const recurrent_packed *packed)
{
    real *work = pass->work;
    int n_i = node->n_inputs, n = t1 - t0;
    weight_gradients(pass, node, t0, n, t1 == node->rows_out, s);
    if (node->in[0].gradient) {
        segments whole = {.n = 1, .length = shape_of(node).gates * node->n_outputs};
        projection p = {.n_times = n,
                        .n_rows = n_i,
                        .weights = packed->input,
                        .x = s->gates,
                        .x_step = gate_step(node),
                        .segments = &whole,
                        .y = work + node->in[0].dx + (ptrdiff_t)t0 * n_i * TIN_LANES,
                        .y_step = n_i,
                        .add = node->in[0].add};
        project(&p);
    }
}

static void recurrent_reduce(const tin_pass *pass, const tin_node *node, const recurrent_scratch *s)
{
    real *gradient = pass->gradient;
    cell_shape c = shape_of(node);
    int n_i = node->n_inputs, n_h = node->n_outputs, n_all = c.hidden_gates * n_h, n_reset = c.reset_gates * n_h;
    weight_map hidden = {n_all, n_h, 1, 0, 0, false}, candidate = {n_reset, n_h, 1, 0, 0, false};
    weight_map input = {c.gates * n_h, n_i, 1, 0, c.shift * n_h, false};
#if TIN_KERNEL_TILES
    if (tiled_state(node)) {
        outer_tile_reduce(s->hidden_sums, c.first_hidden * n_h % TILE_ROWS, n_all, n_h, gradient + node->weight_hh,
                          hidden);
        outer_tile_reduce(s->candidate_sums, 2 * n_h % TILE_ROWS, n_reset, n_h,
                          gradient + node->weight_hh + n_all * n_h, candidate);
        outer_tile_reduce(s->input_sums, 0, c.gates * n_h, n_i, gradient + node->weight, input);
    } else
#endif
    {
        outer_reduce(s->hidden_sums, n_all, n_h, gradient + node->weight_hh, hidden);
        outer_reduce(s->candidate_sums, n_reset, n_h, gradient + node->weight_hh + n_all * n_h, candidate);
        outer_reduce(s->input_sums, c.gates * n_h, n_i, gradient + node->weight, input);
    }
    for (int g = 0; g < c.gates; g++) {
        const real *of_input = s->bias_sums + (g + c.gates - c.shift) % c.gates * n_h * VL;
        const real *of_hidden = s->bias_sums + (c.first_hidden + g) * n_h * VL;
        for (int u = 0; u < n_h; u++) {
            size_t at = (size_t)(g * n_h + u);
            gradient[node->bias + at] += vec_sum(load(of_input + u * VL));
            if (c.hidden_gates > 0) {
                gradient[node->bias_hh + at] += vec_sum(load(of_hidden + u * VL));
            }
        }
    }
}

static void recurrent_backward(const tin_pass *pass, const tin_node *node)
{
    recurrent_packed packed = recurrent_parts(node, (const real *)pass->packed + node->packed);
    recurrent_scratch s;
    recurrent_scratch_parts(node, (real *)pass->work + node->scratch, &s);
    memset(s.gates, 0, (size_t)(s.carry - s.gates) * sizeof(real)); /* for what lies between decisions */
    memset(s.carry, 0, (size_t)(s.dy - s.carry) * sizeof(real));    /* the rest is written before it is read */
    for (int t1 = node->rows_out; t1 > 0; t1 -= CHAIN_ROWS) {
        int t0 = t1 > CHAIN_ROWS ? t1 - CHAIN_ROWS : 0;
        recurrent_chain(pass, node, t0, t1, &s, &packed);
        recurrent_spread(pass, node, t0, t1, &s, &packed);
    }
    recurrent_reduce(pass, node, &s);
}

#endif
