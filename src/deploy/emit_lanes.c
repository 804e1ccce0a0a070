/* Rows of 8-bit values that are kept in 16 bits, as the packed kernels read them: so nothing is widened when a layer runs. */
#include <stdio.h>
#include <string.h>

#include "deploy/emit.h"

#define MAX_ONCE 8 /* groups of four columns in code without a loop */

bool tin_emit_is_packed(const tin_emit *e, int layer)
{
    const tin_encoding encoding = e->layers[layer].encoding;
    return encoding != TIN_ENCODING_PLAIN && encoding != TIN_ENCODING_CMSIS && !tin_encoding_is_vector(encoding);
}

long tin_emit_fours(long n)
{
    return (n + 3) / 4 * 4;
}

/* The kernel that scales the input takes two channels at a time, and has no shift. */
static bool scales_lanes(const tin_qmodel *m)
{
    bool can = m->input_bits != 16 && m->n_channels % 2 == 0;
    for (int c = 0; c < m->n_channels; c++) {
        can = can && ((int64_t)m->input_mult[c] << m->input_shift) <= INT32_MAX;
    }
    return can;
}

static bool writes_lanes(const tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    return tin_emit_is_packed(e, layer) && l->output_bits != 16 && tin_emit_curve(l) == 0;
}

static bool is_read_by(const tin_qlayer *l, int layer)
{
    bool is = false;
    for (int k = 0; k < l->n_from; k++) {
        is = is || l->from[k] == layer;
    }
    return is;
}

/* Whether the layer reads its window as it lies there, from a multiple of four bytes on. */
static bool reads_lanes(const tin_emit *e, int layer, int width)
{
    tin_emit_matrix m[6];
    return tin_emit_is_packed(e, layer) && tin_emit_matrices(&e->model->layers[layer], m) > 0 && m[0].taps == 1 &&
           (width % 2 == 0 || tin_emit_span(&e->model->layers[layer]) == 1);
}

/* Whether all who read the row are packed kernels, and there is one. Bytes: what the row takes more. */
static bool may_be_lanes(tin_emit *e, int layer, long *bytes)
{
    const tin_qmodel *m = e->model;
    const int width = tin_emit_row_of(e, layer)->width;
    bool may = layer == TIN_FROM_INPUT ? scales_lanes(m) : writes_lanes(e, layer), any = false;
    long rows = 1;
    for (int i = 0; i < m->n_layers; i++) {
        if (is_read_by(&m->layers[i], layer)) {
            const long span = tin_emit_span(&m->layers[i]);
            any = true;
            may = may && reads_lanes(e, i, width);
            rows = span > rows ? span : rows;
        }
    }
    *bytes =
        layer != TIN_FROM_INPUT && m->layers[layer].op == TIN_OP_GRU ? 0 : rows * width; /* a gru keeps them anyway */
    return may && any && layer != m->n_layers - 1;
}

/* Values of the widest input of a packed layer that is not in lanes. */
static long widest(tin_emit *e)
{
    long most = 0;
    for (int i = 0; i < e->model->n_layers; i++) {
        tin_emit_matrix m[6];
        if (tin_emit_is_packed(e, i) && !tin_emit_row_of(e, e->model->layers[i].from[0])->lanes &&
            tin_emit_matrices(&e->model->layers[i], m) > 0) {
            const long n = tin_packed_columns(&m[0]);
            most = n > most ? n : most;
        }
    }
    return most;
}

static int up_to_four(long n)
{
    return (int)(tin_emit_fours(n) - n);
}

static int more_of(tin_emit *e, int layer)
{
    const tin_emit_row *row = tin_emit_row_of(e, layer);
    int more = layer != TIN_FROM_INPUT && row->bits == 16 && tin_emit_is_packed(e, layer) ? up_to_four(row->width) : 0;
    for (int i = 0; row->lanes && i < e->model->n_layers; i++) {
        if (is_read_by(&e->model->layers[i], layer)) {
            const int one = up_to_four(tin_emit_span(&e->model->layers[i]) * row->width);
            more = one > more ? one : more;
        }
    }
    return more;
}

/* All rows that may, but not so many that they take more memory than the room for widening that they save. */
void tin_emit_choose_lanes(tin_emit *e)
{
    const long before = 2 * widest(e);
    long bytes, most, sum;
    int dearest;
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        tin_emit_row_of(e, layer)->lanes = may_be_lanes(e, layer, &bytes);
    }
    do {
        sum = most = 0;
        dearest = TIN_FROM_INPUT;
        for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
            (void)may_be_lanes(e, layer, &bytes);
            bytes = tin_emit_row_of(e, layer)->lanes ? bytes : 0;
            sum += bytes;
            dearest = bytes > most ? layer : dearest;
            most = bytes > most ? bytes : most;
        }
        if (sum + 2 * widest(e) > before && most > 0) {
            tin_emit_row_of(e, dearest)->lanes = false;
        }
    } while (sum + 2 * widest(e) > before && most > 0);
    for (int layer = TIN_FROM_INPUT; layer < e->model->n_layers; layer++) {
        tin_emit_row *row = tin_emit_row_of(e, layer);
        row->bits = row->lanes ? 16 : row->bits;
        row->more = more_of(e, layer);
    }
    e->widened = widest(e);
}

tin_store tin_emit_store(tin_emit *e, int layer)
{
    const tin_qlayer *l = &e->model->layers[layer];
    const tin_emit_row *row = tin_emit_row_of(e, layer);
    const tin_emit_matrix m = tin_emit_window(l);
    const bool small = e->facts->optimize != NULL && strcmp(e->facts->optimize, "size") == 0; /* one kernel fewer */
    if (l->op == TIN_OP_GRU) {
        return TIN_STORE_STATE;
    }
    if (layer + 1 < e->model->n_layers && row->bits != 16) {
        return TIN_STORE_BYTES;
    }
    const bool relu = row->lanes && l->activation == TIN_ACTIVATION_RELU && tin_packed_bound(&m) <= INT16_MAX;
    return relu && !small ? TIN_STORE_RELU : TIN_STORE_WIDE;
}

/* The one number of groups of four columns that all matrices have whose kernels store so; 0: they differ, or there are so many
 * that code without a loop is long. */
static long same_groups(tin_emit *e, tin_store store)
{
    long groups = 0;
    for (int i = 0; i < e->model->n_layers; i++) {
        const tin_encoding encoding = e->layers[i].encoding;
        const bool can = encoding == TIN_ENCODING_T2 || encoding == TIN_ENCODING_T43 || encoding == TIN_ENCODING_N4;
        tin_emit_matrix m[6];
        const bool has = tin_emit_is_packed(e, i) && !e->layers[i].ahead && tin_emit_store(e, i) == store;
        const int n = has ? tin_emit_matrices(&e->model->layers[i], m) : 0;
        for (int k = 0; k < n; k++) {
            const long one = tin_packed_columns(&m[k]) / 4;
            if (one > MAX_ONCE || !can || (groups > 0 && groups != one)) {
                return 0;
            }
            groups = one;
        }
    }
    return groups;
}

static void choose_once(tin_emit *e)
{
    static const tin_store stores[] = {TIN_STORE_STATE, TIN_STORE_WIDE, TIN_STORE_RELU};
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        const long groups = same_groups(e, stores[i]);
        e->once_groups = e->once_groups > 0 ? e->once_groups : groups;
        e->once[stores[i]] = groups > 0 && groups == e->once_groups;
    }
}

/* Whether sums need a shift: in code without a loop there is no room for it. */
static bool is_shifted(const tin_emit *e)
{
    bool shifted = false;
    for (int i = 0; i < e->model->n_layers; i++) {
        tin_emit_matrix m[6];
        const bool packed = tin_emit_is_packed(e, i), vector = tin_encoding_is_vector(e->layers[i].encoding);
        const int n = packed || vector ? tin_emit_matrices(&e->model->layers[i], m) : 0;
        for (int k = 0; k < n; k++) {
            shifted = shifted || (tin_packed_shift(&m[k]) > 0 && !(packed && k == 5)); /* 5: gate n, see packed_gru.h */
        }
    }
    return shifted;
}

/* Whether some matrix in a loop has a number of groups of four columns that `unit` groups do not go into evenly. */
static bool is_odd(tin_emit *e, int unit)
{
    bool odd = false;
    for (int i = 0; i < e->model->n_layers; i++) {
        tin_emit_matrix m[6];
        const bool loop = tin_emit_is_packed(e, i) && (e->layers[i].ahead || !e->once[tin_emit_store(e, i)]);
        const int n = loop ? tin_emit_matrices(&e->model->layers[i], m) : 0;
        for (int k = 0; k < n; k++) {
            odd = odd || tin_packed_columns(&m[k]) / 4 % unit != 0;
        }
    }
    return odd;
}

void tin_emit_choose_units(tin_emit *e)
{
    e->shifted = is_shifted(e);
    if (!e->shifted) {
        choose_once(e);
    }
    e->unit = is_odd(e, 2) ? 1 : 2;
    e->odd_units = is_odd(e, 2 * e->unit);
}

void tin_emit_widening(tin_emit *e, int layer)
{
    tin_emit_matrix m[6];
    (void)tin_emit_matrices(&e->model->layers[layer], m);
    if (!tin_emit_row_of(e, e->model->layers[layer].from[0])->lanes) {
        tin_emit_kernel(e, m[0].taps > 1 ? "widen_taps" : "lanes");
    }
}

const char *tin_emit_packed_input(tin_emit *e, int layer, char text[TIN_EXPRESSION])
{
    const tin_qlayer *l = &e->model->layers[layer];
    char input[TIN_EXPRESSION];
    tin_emit_matrix m[6];
    if (tin_emit_row_of(e, l->from[0])->lanes) {
        return tin_emit_input(e, layer, 0, text);
    }
    (void)tin_emit_matrices(l, m);
    tin_emit_input(e, layer, 0, input);
    if (m[0].taps > 1) {
        tin_emit_statement(e, "%s_widen_taps(%s, %d, %d, %d, s->widened);", e->name, input, l->dilation * l->n_inputs,
                           m[0].taps, m[0].width);
    } else {
        tin_emit_statement(e, "(void)%s_widen(%s, %d, s->widened);", e->name, input, m[0].width);
    }
    (void)snprintf(text, TIN_EXPRESSION, "s->widened");
    return text;
}
