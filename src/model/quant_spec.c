#include "model/quant_spec.h"

#include <math.h>

/* Clips that 4 bits try, in sixteenths of the greatest weight. */
#define GREATEST_CLIP 16
#define LEAST_CLIP 11

double tin_power_of_two_up(double value)
{
    int exponent;
    double part = frexp(value, &exponent); /* in 1/2..1 */
    return ldexp(1.0, part > 0.5 ? exponent : exponent - 1);
}

/* Adding and taking away 1.5 * 2^52 rounds a double to an integer, ties to even; four sums so that it is done in
 * vectors. Trainers call this for every row in every step. */
static double squared_error(const float *w, int n, double scale, double most)
{
    const double magic = 6755399441055744.0;
    double sum[4] = {0}, inverse = 1.0 / scale;
    for (int i = 0; i < n; i += 4) {
        for (int k = 0; k < 4; k++) {
            double v = i + k < n ? (double)w[i + k] : 0.0;
            double q = v * inverse + magic - magic;
            q = q > most ? most : q;
            q = q < -most ? -most : q;
            sum[k] += (q * scale - v) * (q * scale - v);
        }
    }
    return sum[0] + sum[1] + (sum[2] + sum[3]);
}

double tin_weight_scale(const float *w, int n, int bits, bool power_of_two)
{
    float top = 0;
    for (int i = 0; i < n; i++) {
        float size = fabsf(w[i]);
        top = size > top ? size : top;
    }
    if (!(top > 0.0f))
        return 0.0;
    double most = bits == 4 ? 7.0 : 127.0, best = (double)top / most;
    if (power_of_two)
        best = tin_power_of_two_up(best);
    if (bits != 4)
        return best;
    double full = best, least = squared_error(w, n, best, most);
    for (int clip = GREATEST_CLIP - 1; clip >= LEAST_CLIP; clip--) {
        /* a power of two has one smaller neighbour that is worth trying */
        double scale = power_of_two ? full / 2 : full * clip / GREATEST_CLIP;
        double error = squared_error(w, n, scale, most);
        if (error < least) {
            least = error;
            best = scale;
        }
        if (power_of_two)
            break;
    }
    return best;
}
