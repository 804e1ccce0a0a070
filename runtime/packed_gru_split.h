/* gru with packed weights in two halves, so that its work can be spread over frames: the products with the state
 * need no new row and may run ahead of it. A template: tink_packed is the kernel of an encoding (t2.h, t43.h),
 * whose name the generator puts in. */
#include "runtime/blend.h"
#include "runtime/multiply_high.h"
#include "runtime/packed_rows.h"
#include "runtime/sigmoid.h"
#include "runtime/state_lanes.h"

/* [fragment] */
/* Of some of the units. ahead: per four of them n, r, z of h; the other half: r, n, z of x. */
typedef struct tink_packed_half_t {
    const int32_t *weight;  /* as tink_packed reads them */
    int32_t units;          /* that are computed */
    int32_t count, n_count; /* see tink_packed; of the state in gate n */
} tink_packed_half_t;

/* ahead [3 * units]: per four units what the state adds to n, r and z. */
TINK_KERNEL void tink_packed_gru_ahead(const tink_packed_half_t *c, const int16_t *h8, int32_t *ahead)
{
    const int32_t *w = c->weight;
    int32_t left, gate;
    for (left = c->units; left > 0; left -= 4) {
        for (gate = 0; gate < 3; gate++, ahead += 4) {
            w = tink_packed_rows(w, h8, gate == 0 ? c->n_count : c->count + TINK_UNBIASED, ahead);
        }
    }
}

/* h, h8, ahead: from the first of the units on; see tink_packed_gru. */
TINK_KERNEL void tink_packed_gru_now(const tink_packed_half_t *c, const int16_t *x, const int32_t *ahead, int16_t *h,
                                     int16_t *h8)
{
    const int32_t *w = c->weight;
    int32_t left;
    for (left = c->units; left > 0; left -= 4, ahead += 12) {
        int32_t sum[12], i; /* r, n, z */
        w = tink_packed_rows(w, x, c->count, sum);
        w = tink_packed_rows(w, x, c->count, sum + 4);
        w = tink_packed_rows(w, x, c->count, sum + 8);
        for (i = 0; i < 4; i++) {
            const int32_t r = tink_sigmoid(sum[i] + ahead[4 + i]), z = tink_sigmoid(sum[8 + i] + ahead[8 + i]);
            const int32_t n = tink_sigmoid(sum[4 + i] + tink_multiply_high(ahead[i], r));
            h[i] = tink_blend(h[i], n - ((int32_t)1 << 27), z);
        }
        tink_state_lanes(h, 4, h8);
        h += 4;
        h8 += 4;
    }
}
/* [end] */
