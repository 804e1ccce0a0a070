#include "quantize/histogram.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define LEVELS 127.0
#define MSE_CANDIDATES 256
#define MSE_PER_OCTAVE 32
#define KL_BINS 2048
#define KL_STEPS 128

tin_status tin_histogram_open(tin_histogram *h, tin_error *err)
{
    *h = (tin_histogram){.bins = tin_alloc(TIN_HISTOGRAM_BINS, sizeof *h->bins, err)};
    return h->bins ? TIN_OK : TIN_ERR_MEMORY;
}

void tin_histogram_close(tin_histogram *h)
{
    tin_free(h->bins);
    h->bins = NULL;
}

void tin_histogram_add(tin_histogram *h, float x)
{
    uint32_t bits;
    float size = fabsf(x);
    memcpy(&bits, &size, sizeof bits);
    h->bins[bits >> (23 - TIN_HISTOGRAM_FRACTION_BITS)]++;
    h->n++;
    if (size > h->greatest)
        h->greatest = size;
}

/* Where bin `bin` begins and the one before it ends. */
static double edge(uint32_t bin)
{
    uint32_t bits = bin << (23 - TIN_HISTOGRAM_FRACTION_BITS);
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static uint32_t last_bin(const tin_histogram *h)
{
    uint32_t bits;
    memcpy(&bits, &h->greatest, sizeof bits);
    return bits >> (23 - TIN_HISTOGRAM_FRACTION_BITS);
}

double tin_histogram_percentile(const tin_histogram *h, double share)
{
    double want = share * (double)h->n;
    uint64_t seen = 0;
    for (uint32_t bin = 0, last = last_bin(h); bin <= last; bin++) {
        seen += h->bins[bin];
        if ((double)seen >= want)
            return fmin(edge(bin + 1), (double)h->greatest);
    }
    return (double)h->greatest;
}

/* ---- mean squared error ---- */

typedef struct weighed {
    double x, count;
} weighed;

static double squared_error(const weighed *values, size_t n, double scale)
{
    double sum = 0, inverse = 1.0 / scale;
    for (size_t i = 0; i < n; i++) {
        double q = fmin(LEVELS, rint(values[i].x * inverse));
        double e = q * scale - values[i].x;
        sum += values[i].count * e * e;
    }
    return sum;
}

tin_status tin_histogram_mse(const tin_histogram *h, double *range, tin_error *err)
{
    uint32_t last = last_bin(h);
    size_t n = 0;
    double least = HUGE_VAL;
    *range = 0.0;
    if (!(h->greatest > 0.0f))
        return TIN_OK;
    weighed *values = tin_alloc((size_t)last + 1, sizeof *values, err);
    if (!values)
        return TIN_ERR_MEMORY;
    for (uint32_t bin = 0; bin <= last; bin++) {
        if (h->bins[bin] > 0)
            values[n++] = (weighed){(edge(bin) + edge(bin + 1)) / 2, h->bins[bin]};
    }
    for (int j = 0; j < MSE_CANDIDATES; j++) {
        double candidate = (double)h->greatest * exp2(-(double)j / MSE_PER_OCTAVE);
        double error = squared_error(values, n, candidate / LEVELS);
        if (error < least) {
            least = error;
            *range = candidate;
        }
    }
    tin_free(values);
    return TIN_OK;
}

/* ---- Kullback-Leibler ---- */

/* Bins of equal width up to the greatest value; a bin of the histogram reaches into two of them at most. */
static void equal_bins(const tin_histogram *h, double bins[KL_BINS])
{
    double width = (double)h->greatest / KL_BINS;
    memset(bins, 0, KL_BINS * sizeof *bins);
    for (uint32_t bin = 0, last = last_bin(h); bin <= last; bin++) {
        if (h->bins[bin] == 0)
            continue;
        double low = edge(bin), high = edge(bin + 1), count = h->bins[bin];
        int at = (int)fmin(low / width, KL_BINS - 1), next = at + 1;
        double share = next < KL_BINS && high > next * width ? (high - next * width) / (high - low) : 0.0;
        share = fmin(share, 1.0);
        bins[at] += count * (1.0 - share);
        if (share > 0.0)
            bins[next] += count * share;
    }
    bins[0] = bins[1];
}

/* Divergence of the first n bins, with all beyond them saturated into the last one, from those n bins in 128 steps. */
static double divergence(const double bins[KL_BINS], int n, double beyond, double total)
{
    double kept = total - beyond, sum = 0;
    int per_step = n / KL_STEPS;
    for (int step = 0; step < KL_STEPS; step++) {
        int start = step * per_step, end = step == KL_STEPS - 1 ? n : start + per_step, filled = 0;
        double inside = 0;
        for (int i = start; i < end; i++) {
            inside += bins[i];
            filled += bins[i] > 0.0 || (i == n - 1 && beyond > 0.0);
        }
        if (filled == 0)
            continue;
        double q = inside / filled / kept; /* each bin that holds something gets its part of the step */
        for (int i = start; i < end; i++) {
            double p = (bins[i] + (i == n - 1 ? beyond : 0.0)) / total;
            if (p > 0.0)
                sum += q > 0.0 ? p * log(p / q) : HUGE_VAL;
        }
    }
    return sum;
}

tin_status tin_histogram_kl(const tin_histogram *h, double *range, tin_error *err)
{
    double total = 0, beyond = 0, least = HUGE_VAL;
    *range = 0.0;
    if (!(h->greatest > 0.0f))
        return TIN_OK;
    double *bins = tin_alloc(KL_BINS, sizeof *bins, err);
    if (!bins)
        return TIN_ERR_MEMORY;
    equal_bins(h, bins);
    for (int i = 0; i < KL_BINS; i++)
        total += bins[i];
    *range = (double)h->greatest; /* a constant has no distribution to keep */
    for (int n = KL_BINS; n >= KL_STEPS; n--) {
        double d = divergence(bins, n, beyond, total);
        if (d < least) {
            least = d;
            *range = (double)h->greatest * n / KL_BINS;
        }
        beyond += bins[n - 1];
    }
    tin_free(bins);
    return TIN_OK;
}
