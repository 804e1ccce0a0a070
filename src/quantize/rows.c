#include "quantize/rows.h"

#include <math.h>

#include "model/quant_spec.h"

static tin_status not_finite(const tin_rows *m, int row, tin_error *err)
{
    return tin_fail(err, TIN_ERR_MODEL, "layer %d, row %d: a weight or bias is NaN or infinite; train the model again",
                    m->layer + 1, row);
}

/* A row of zeros takes the smallest scale of the others, so that it does not set the layer's shift. A row of tiny
 * weights with a bias would have a scale so small that the bias overflows; the row's weights then do not matter, so
 * its scale is raised until the bias fits. */
static tin_status choose_scales(tin_rows *m, const float *weight, tin_error *err)
{
    double smallest = HUGE_VAL;
    for (int r = 0; r < m->n_rows; r++) {
        const float *row = weight + (size_t)r * (size_t)m->n;
        for (int i = 0; i < m->n; i++) {
            if (!isfinite(row[i]))
                return not_finite(m, r, err);
        }
        m->scale[r] = tin_weight_scale(row, m->n, m->bits, m->power_of_two);
        if (m->scale[r] > 0.0 && m->scale[r] < smallest)
            smallest = m->scale[r];
    }
    for (int r = 0; r < m->n_rows; r++) {
        if (!isfinite(m->bias[r]))
            return not_finite(m, r, err);
        if (m->scale[r] == 0.0)
            m->scale[r] = isfinite(smallest) ? smallest : 1.0;
        double needed = fabs(m->bias[r]) / (m->bias_limit * m->input_unit);
        if (m->scale[r] < needed)
            m->scale[r] = m->power_of_two ? tin_power_of_two_up(needed) : needed;
    }
    return TIN_OK;
}

tin_status tin_multipliers(const double *real, int n, int32_t *mult, int *shift, int most, const char *what, int layer,
                           tin_error *err)
{
    double greatest = 0;
    int at = 0;
    for (int r = 0; r < n; r++) {
        if (!(real[r] <= greatest)) {
            greatest = real[r];
            at = r;
        }
    }
    int s = 0;
    while (s <= most && !(rint(ldexp(greatest, 32 - s)) < 2147483648.0))
        s++;
    if (s > most)
        return tin_fail(err, TIN_ERR_MODEL,
                        "layer %d, %s %d: its multiplier %g is 2^%d or more; its values are far larger than what "
                        "follows, check the scaling",
                        layer + 1, what, at, greatest, most - 1);
    for (int r = 0; r < n; r++)
        mult[r] = (int32_t)rint(ldexp(real[r], 32 - s));
    *shift = s;
    return TIN_OK;
}

static int8_t round_weight(float w, double scale, double most)
{
    double q = rint((double)w / scale);
    return (int8_t)(q > most ? most : q < -most ? -most : q);
}

tin_status tin_rows_convert(tin_rows *rows, const float *from, int8_t *weight, int32_t *bias, int32_t *mult, int *shift,
                            tin_error *err)
{
    double real[TIN_MAX_ROWS], most = rows->bits == 4 ? 7.0 : 127.0;
    tin_status status = choose_scales(rows, from, err);
    if (status)
        return status;
    for (int r = 0; r < rows->n_rows; r++) {
        double unit = rows->scale[r] * rows->input_unit; /* value of one unit of the accumulator */
        for (int i = 0; i < rows->n; i++) {
            size_t at = (size_t)r * (size_t)rows->n + (size_t)i;
            weight[at] = round_weight(from[at], rows->scale[r], most);
        }
        bias[r] = (int32_t)rint(rows->bias[r] / unit); /* |.| <= bias_limit by choose_scales */
        real[r] = unit * rows->output[r];
    }
    return tin_multipliers(real, rows->n_rows, mult, shift, 16, "row", rows->layer, err);
}
