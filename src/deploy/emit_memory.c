/* The memory that rows share within a step, and the table in the generated code that says why that is safe. */
#include <stdio.h>
#include <string.h>

#include "deploy/emit.h"

typedef struct interval {
    int begin, end; /* places in the order; both belong to it */
    long size, at;
} interval;

/* The lowest place in which `x` meets no interval that is alive with it. Returns the end of the memory that it takes. */
static long first_fit(const interval *others, int n, interval *x)
{
    x->at = 0;
    for (int i = 0; i < n; i++) {
        const interval *o = &others[i];
        if (x->begin <= o->end && o->begin <= x->end && x->at < o->at + o->size && o->at < x->at + x->size) {
            x->at = o->at + o->size;
            i = -1; /* from the start: another one may lie there */
        }
    }
    return x->at + x->size;
}

static long multiple_of_4(long n)
{
    return (n + 3) / 4 * 4;
}

/* The place in the order where a layer gives its row. */
static int call_of(const tin_emit *e, int layer)
{
    int n;
    return (int)(tin_emit_parts(e, layer, TIN_ACT_GIVE, &n) - e->order);
}

/* Rows of one width of values. Rows of 8 bits share their memory with the room that layers need while they run. */
static long place_scratch(tin_emit *e, int bits)
{
    interval taken[2 * TIN_MAX_LAYERS + 1];
    long size = 0;
    int n = 0;
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        tin_emit_row *row = tin_emit_row_of(e, layer);
        if (row->place == TIN_PLACE_SCRATCH && row->bits == bits && row->end > row->begin) {
            taken[n] = (interval){row->begin, row->end, multiple_of_4(row->width), 0};
            const long end = first_fit(taken, n, &taken[n]);
            row->at = taken[n++].at;
            size = end > size ? end : size;
        }
    }
    for (int i = 0; i < e->model->n_layers && bits == 8; i++) {
        const tin_qlayer *l = &e->model->layers[i];
        if (l->op == TIN_OP_LSTM || (l->op == TIN_OP_GRU && l->reset_before)) {
            const int now = call_of(e, i);
            taken[n] = (interval){now, now, multiple_of_4(l->n_outputs), 0};
            const long end = first_fit(taken, n, &taken[n]);
            e->layers[i].work_at = taken[n++].at;
            size = end > size ? end : size;
        }
    }
    return size;
}

void tin_emit_place_scratch(tin_emit *e)
{
    e->scratch_bytes = place_scratch(e, 8);
    e->scratch_words = place_scratch(e, 16);
}

/* ---- the table ---- */

/* "1 conv1d_1, 2 gru_2": what a step calls, in its order. */
static void list_calls(tin_emit *e)
{
    tin_text *t = &e->source;
    size_t column = 44;
    tin_text_add(t, "/* Memory plan. What a step calls: 0 input");
    for (int at = 0; at < e->n_order; at++) {
        char call[64];
        const int n = snprintf(call, sizeof call, "%d %s", at + 1, e->layers[e->order[at].layer].label);
        const bool fits = column + 2 + (size_t)n < TIN_EMIT_COLUMNS;
        tin_text_printf(t, ",%s%s", fits ? " " : "\n * ", call);
        column = (fits ? column + 2 : 3) + (size_t)n;
    }
    tin_text_add(t, "\n");
}

static void list_row(tin_emit *e, const char *what, long at, long size, const char *of, const char *label, int begin,
                     int end)
{
    tin_text_printf(&e->source, " *   %s %ld to %ld: %s%s, calls %d to %d\n", what, at, at + size - 1, of, label,
                    begin + 1, end + 1);
}

void tin_emit_memory_plan(tin_emit *e)
{
    if (e->scratch_bytes + e->scratch_words == 0) {
        return;
    }
    list_calls(e);
    tin_text_add(&e->source,
                 " * In scratch a row is alive from the call that first writes into it to the call that last reads it,"
                 " both included.\n"
                 " * Rows that share memory are alive at different calls, and none is from one step to the"
                 " next:\n");
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        const tin_emit_row *row = tin_emit_row_of(e, layer);
        const char *label = layer == TIN_FROM_INPUT ? "input" : e->layers[layer].label;
        if (row->place == TIN_PLACE_SCRATCH && row->end > row->begin) {
            list_row(e, row->bits == 16 ? "values of scratch16" : "bytes of scratch", row->at, row->width, "", label,
                     row->begin, row->end);
        }
        if (layer != TIN_FROM_INPUT && e->layers[layer].work_at >= 0) {
            list_row(e, "bytes of scratch", e->layers[layer].work_at, e->model->layers[layer].n_outputs, "work of ",
                     label, call_of(e, layer), call_of(e, layer));
        }
    }
    tin_text_add(&e->source, " */\n\n");
}
