/* What runs when, and where every row lives.
 *
 * Layers run sorted by their period, and among those of one period in the model's order. A layer's period is a multiple
 * of the periods of what it reads, so each still runs behind what it reads. Where a period divides all those that come
 * later, the step may end as soon as its layers are not due: a chain is a list of calls with early returns. */
#include <stdio.h>
#include <string.h>

#include "deploy/emit.h"
#include "model/feature.h"

#define LONG_HISTORY 128 /* bytes from which it pays to move rows seldom, for an eighth more memory */

static double layer_macs(const tin_qlayer *l)
{
    const double outputs = l->n_outputs;
    const tin_feature_shape feature = tin_feature_of_qlayer(l, 0);
    if (tin_op_reads_counts(l->op)) {
        return tin_feature_products(&feature);
    }
    switch (l->op) {
    case TIN_OP_CONV1D:
        return outputs * l->kernel * l->n_inputs / l->groups;
    case TIN_OP_MIN_GRU:
        return 2.0 * outputs * l->n_inputs;
    case TIN_OP_GRU:
    case TIN_OP_LSTM:
    case TIN_OP_MGU:
        return tin_qlayer_gates(l) * outputs * (l->n_inputs + outputs);
    case TIN_OP_DENSE:
        return outputs * l->n_inputs;
    default:
        return 0.0; /* the others only add, compare or scale */
    }
}

long tin_emit_span(const tin_qlayer *layer)
{
    return (long)(layer->kernel - 1) * layer->dilation + 1;
}

static tin_status check_layer(const tin_emit *e, int i, tin_error *err)
{
    const tin_qlayer *l = &e->model->layers[i];
    if (tin_emit_op_of(l->op) == NULL) {
        return tin_fail(err, TIN_ERR_MODEL, "layer %d: no kernel for \"%s\"; fold the model and convert it again",
                        i + 1, tin_op_name(l->op));
    }
    return TIN_OK;
}

void tin_emit_label(const tin_qmodel *model, int layer, char label[32])
{
    (void)snprintf(label, 32, "%s_%d", tin_op_name(model->layers[layer].op), layer + 1);
}

tin_emit_row *tin_emit_row_of(tin_emit *e, int layer)
{
    return &e->rows[layer - TIN_FROM_INPUT];
}

bool tin_emit_reads_input(tin_emit *e)
{
    return tin_emit_row_of(e, TIN_FROM_INPUT)->end >= 0;
}

static int period_of(const tin_emit *e, int layer)
{
    return layer == TIN_FROM_INPUT ? 1 : e->layers[layer].period;
}

/* ---- order ---- */

/* A pool keeps sums in place of rows where that costs less memory, or where windows overlap so much that it saves more
 * instructions than its memory is worth. */
static tin_pooling choose_pooling(const tin_emit *e, int i)
{
    const tin_qlayer *l = &e->model->layers[i];
    const bool avg = l->op == TIN_OP_AVG_POOL;
    if ((!avg && l->op != TIN_OP_MAX_POOL) || l->kernel == 1) {
        return TIN_POOLING_ROWS;
    }
    if (l->kernel == l->stride && (!avg || l->kernel >= 4)) {
        return TIN_POOLING_BLOCK;
    }
    return avg && l->kernel >= 8 && l->kernel >= 4 * l->stride ? TIN_POOLING_SLIDE : TIN_POOLING_ROWS;
}

static void add_run(tin_emit *e, tin_emit_run run)
{
    int at = e->n_order++;
    for (; at > 0 && e->order[at - 1].period > run.period; at--) {
        e->order[at] = e->order[at - 1];
    }
    e->order[at] = run;
}

static void sort_runs(tin_emit *e)
{
    for (int i = 0; i < e->model->n_layers; i++) {
        if (e->layers[i].pooling != TIN_POOLING_ROWS) {
            add_run(e, (tin_emit_run){
                           .layer = i, .period = period_of(e, e->model->layers[i].from[0]), .act = TIN_ACT_TAKE});
        }
        add_run(e, (tin_emit_run){.layer = i, .period = e->layers[i].period, .act = TIN_ACT_GIVE});
    }
}

const tin_emit_run *tin_emit_parts(const tin_emit *e, int layer, tin_emit_act act, int *n)
{
    const tin_emit_run *first = NULL;
    *n = 0;
    for (int at = 0; at < e->n_order; at++) {
        if (e->order[at].layer == layer && e->order[at].act == act) {
            first = first != NULL ? first : &e->order[at];
            (*n)++;
        }
    }
    return first;
}

/* A new group for each period of the sorted runs. */
static void make_groups(tin_emit *e)
{
    int base = 1;
    for (int at = 0; at < e->n_order; at++) {
        const int period = e->order[at].period;
        if (at == 0 || period != e->groups[e->n_groups - 1].period) {
            tin_emit_group *g = &e->groups[e->n_groups++];
            *g = (tin_emit_group){.period = period, .base = base, .ratio = period / base, .ends_step = true};
            for (int later = at; later < e->n_order; later++) {
                g->ends_step = g->ends_step && !e->spread && e->order[later].period % period == 0;
            }
            base = g->ends_step ? g->period : base;
        }
        e->order[at].group = e->n_groups - 1;
    }
}

/* ---- rows ---- */

/* Where a layer gives its row; -1 for the input. */
static int place_in_order(const tin_emit *e, int layer)
{
    int at = -1;
    for (int i = 0; layer != TIN_FROM_INPUT && i < e->n_order; i++) {
        at = e->order[i].layer == layer && e->order[i].act == TIN_ACT_GIVE ? i : at;
    }
    return at;
}

/* Whether the run reads the row of `layer`. Features read the frame itself. */
static bool reads(const tin_emit *e, const tin_emit_run *run, int layer)
{
    const tin_qlayer *l = &e->model->layers[run->layer];
    const bool keeps_sums = e->layers[run->layer].pooling != TIN_POOLING_ROWS;
    bool is_read = false;
    if (tin_op_reads_counts(l->op) || run->act == TIN_ACT_AHEAD || (run->act == TIN_ACT_GIVE && keeps_sums)) {
        return false;
    }
    for (int k = 0; k < l->n_from; k++) {
        const bool now = run->act == TIN_ACT_COPY ? k == run->first : !e->layers[run->layer].copied[k];
        is_read = is_read || (now && l->from[k] == layer);
    }
    return is_read;
}

/* Rows that the run looks at. */
static long span(const tin_emit *e, const tin_emit_run *run)
{
    return run->act == TIN_ACT_TAKE ? 1 : tin_emit_span(&e->model->layers[run->layer]);
}

/* Input k becomes columns of the concat's row where nothing is to be changed: it has the same scale and width, nobody
 * looks back at it, it is no recurrent layer's state, and nothing is written behind it. */
static void join(tin_emit *e, int concat)
{
    const tin_qlayer *l = &e->model->layers[concat];
    int column = 0;
    for (int k = 0; k < l->n_from; k++) {
        tin_emit_row *part = tin_emit_row_of(e, l->from[k]);
        if (part->place == TIN_PLACE_SCRATCH && l->mult[k] == (int32_t)1 << l->shift &&
            part->bits == tin_emit_row_of(e, concat)->bits && part->more == 0) {
            part->place = TIN_PLACE_JOINED;
            part->joined = concat;
            part->column = column;
        }
        column += part->width;
    }
}

bool tin_emit_is_joined(tin_emit *e, int layer, int k)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const tin_emit_row *part = tin_emit_row_of(e, l->from[k]);
    int column = 0;
    for (int before = 0; before < k; before++) {
        column += tin_emit_row_of(e, l->from[before])->width;
    }
    return part->place == TIN_PLACE_JOINED && part->joined == layer && part->column == column;
}

/* The layer in whose row `layer` stands; itself when it is not joined. */
static int root_of(tin_emit *e, int layer)
{
    while (tin_emit_row_of(e, layer)->place == TIN_PLACE_JOINED) {
        layer = tin_emit_row_of(e, layer)->joined;
    }
    return layer;
}

/* Longest window over a row. */
static long rows_needed(const tin_emit *e, int layer)
{
    long most = 1;
    for (int at = 0; at < e->n_order; at++) {
        const long rows = reads(e, &e->order[at], layer) ? span(e, &e->order[at]) : 0;
        most = rows > most ? rows : most;
    }
    return most;
}

static void size_rows(tin_emit *e)
{
    const tin_qmodel *m = e->model;
    for (int layer = TIN_FROM_INPUT; layer < m->n_layers; layer++) {
        tin_emit_row *row = tin_emit_row_of(e, layer);
        const tin_qlayer *l = layer == TIN_FROM_INPUT ? NULL : &m->layers[layer];
        row->width = l == NULL ? m->n_channels : l->n_outputs;
        row->bits = (l == NULL ? m->input_bits : l->output_bits) == 16 ? 16 : 8;
        if (layer < m->n_layers - 1) {
            e->wide = e->wide || row->bits == 16;
        }
    }
}

/* Whether a row (that of a concat and its parts) is written and read on one and the same frame. */
static bool on_one_frame(tin_emit *e, int root)
{
    int offset = -1;
    bool one = true;
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        for (int at = 0; root_of(e, layer) == root && at < e->n_order; at++) {
            const tin_emit_run *run = &e->order[at];
            if ((run->layer == layer && run->act == TIN_ACT_GIVE) || reads(e, run, layer)) {
                one = one && (offset < 0 || offset == run->offset);
                offset = run->offset;
            }
        }
    }
    return one && (root != TIN_FROM_INPUT || offset <= 0);
}

static void place_rows(tin_emit *e)
{
    const tin_qmodel *m = e->model;
    for (int layer = TIN_FROM_INPUT; layer < m->n_layers; layer++) {
        tin_emit_row *row = tin_emit_row_of(e, layer);
        const tin_qlayer *l = layer == TIN_FROM_INPUT ? NULL : &m->layers[layer];
        row->rows = rows_needed(e, layer);
        row->begin = row->end = place_in_order(e, layer);
        const bool state = l != NULL && tin_op_recurrent(l->op) && l->op != TIN_OP_MIN_GRU &&
                           (row->lanes || !tin_emit_is_packed(e, layer)); /* as its readers want it */
        row->place = layer == m->n_layers - 1 ? TIN_PLACE_SCORES
                     : row->rows > 1          ? TIN_PLACE_HISTORY
                     : state                  ? TIN_PLACE_STATE
                                              : TIN_PLACE_SCRATCH;
    }
    for (int i = 0; i < m->n_layers; i++) {
        if (m->layers[i].op == TIN_OP_CONCAT) {
            join(e, i);
        }
    }
    for (int layer = TIN_FROM_INPUT; e->spread && layer < m->n_layers; layer++) {
        tin_emit_row *row = tin_emit_row_of(e, layer);
        if ((row->place == TIN_PLACE_SCRATCH || row->place == TIN_PLACE_SCORES) && !on_one_frame(e, layer)) {
            row->place = TIN_PLACE_HELD;
        }
    }
}

/* Whether the entry at `a` runs before the one at `b`, both of one period or in one frame; -1 is the input. */
static bool is_before(const tin_emit *e, int a, int b)
{
    return a >= 0 && b >= 0 && e->order[a].offset != e->order[b].offset ? e->order[a].offset < e->order[b].offset
                                                                        : a < b;
}

/* The entry that first writes something of a layer's row. */
static int first_in_time(const tin_emit *e, int layer)
{
    int at = place_in_order(e, layer);
    while (at > 0 && e->order[at - 1].layer == layer && e->order[at - 1].act == TIN_ACT_GIVE) {
        at--;
    }
    return at;
}

/* From when to when the memory of each row holds something: from the first that writes to the last that reads, parts of
 * a joined row included. */
static void find_lives(tin_emit *e)
{
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        tin_emit_row *root = tin_emit_row_of(e, root_of(e, layer));
        const int written = first_in_time(e, layer);
        root->begin = is_before(e, written, root->begin) ? written : root->begin;
        for (int at = 0; at < e->n_order; at++) {
            if (reads(e, &e->order[at], layer) && at > root->end) {
                root->end = at;
            }
        }
    }
}

/* The rows of a history move on once for all `step` rows that come between two runs of those who look back, if everyone
 * who reads it runs with every row or with every `step` rows; else before each row. */
static void plan_history(tin_emit *e, int history)
{
    tin_emit_row *row = tin_emit_row_of(e, history);
    const int period = period_of(e, history);
    bool together = !e->spread; /* else rows move on before each row, so that they lie still until then */
    row->step = 0;
    for (int pass = 0; pass < 2; pass++) { /* those who look back, then all */
        for (int at = 0; at < e->n_order; at++) {
            const tin_emit_run *run = &e->order[at];
            const int ratio = run->period / period;
            bool is_reader = reads(e, run, history);
            if (pass == 0 && is_reader && span(e, run) > 1) {
                together = together && (row->step == 0 || row->step == ratio);
                row->step = ratio;
                row->group = run->group;
            }
            for (int part = TIN_FROM_INPUT; part < history; part++) {
                is_reader = is_reader || (root_of(e, part) == history && reads(e, run, part));
            }
            if (pass == 1 && is_reader) {
                together = together && (ratio <= 1 || ratio == row->step);
                row->last_reader = at;
            }
        }
    }
    together = together && (row->step == 1 || e->groups[row->group].base == period);
    if (!together) {
        row->step = 1;
        row->last_reader = -1;
    }
    if (row->step == 1 && (row->rows - 1) * row->width * row->bits / 8 >= LONG_HISTORY) {
        row->slack = (row->rows + 7) / 8;
    }
}

/* Multiply-accumulates of the frame on which every layer runs. */
static double all_macs(const tin_emit *e)
{
    double sum = 0;
    for (int i = 0; i < e->model->n_layers; i++) {
        const tin_qlayer *l = &e->model->layers[i];
        sum += l->op == TIN_OP_LOG_ENERGY ? l->n_outputs : e->layers[i].macs; /* one detail of each level */
    }
    return sum;
}

tin_status tin_emit_plan(tin_emit *e, tin_error *err)
{
    for (int i = 0; i < e->model->n_layers; i++) {
        const tin_qlayer *l = &e->model->layers[i];
        tin_emit_layer *out = &e->layers[i];
        const tin_status status = check_layer(e, i, err);
        if (status) {
            return status;
        }
        tin_emit_label(e->model, i, out->label);
        out->period = period_of(e, l->from[0]) * l->stride;
        out->runs = e->model->hop / out->period;
        out->macs = layer_macs(l);
        out->work_at = -1;
        out->pooling = choose_pooling(e, i);
        e->curves = e->curves || l->activation == TIN_ACTIVATION_SIGMOID || l->activation == TIN_ACTIVATION_TANH;
    }
    size_rows(e);
    for (int i = 0; i < e->model->n_layers; i++) {
        const tin_qlayer *l = &e->model->layers[i];
        tin_emit_choose_encoding(e, i);
        if (l->op == TIN_OP_LOG_MEL) { /* its transform */
            const long points = 1L << (tin_log_mel_log2_points(l->kernel) - 1);
            e->lanes = points > e->lanes ? points : e->lanes;
        }
    }
    tin_emit_choose_lanes(e);
    sort_runs(e);
    e->worst_mac = all_macs(e);
    if (e->spread) {
        const tin_status status = tin_emit_spread(e, err);
        if (status) {
            return status;
        }
    }
    tin_emit_choose_units(e);
    make_groups(e);
    place_rows(e);
    find_lives(e);
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        if (tin_emit_row_of(e, layer)->place == TIN_PLACE_HISTORY) {
            plan_history(e, layer);
        }
    }
    tin_emit_place_scratch(e);
    return TIN_OK;
}
