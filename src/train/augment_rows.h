/* Private to src/train: the inner loop of tin_augment_apply. augment.c includes it once per instruction set, with ROWS the
 * name of the function, because the compiler makes its vectors for the instructions of the function that they stand in. No
 * multiplication is fused with an addition, so that all of them give the same bytes.
 *
 * Eight channels from `c` on of frames from .. to - 1: `x` gets eight values per frame, `stride` floats apart. */
static void ROWS(const tin_augment *a, const signal *in, int c, int from, int to, noise_state *state, float *x,
                 int stride)
{
    const int_8 self = {0, 1, 2, 3, 4, 5, 6, 7}, axis_0 = c ? self : a->axis[0], axis_1 = c ? self : a->axis[1];
    const int_8 axis_2 = c ? self : a->axis[2];
    const double speed = in->speed, start = in->start;
    const int64_t last = in->n_counts - 1, n_channels = in->n_channels;
    const int16_t *const counts = in->counts + c - in->first_row * n_channels;
    const bool noisy = in->noisy;
    float_8 m0, m1, m2, shift, deviation;
    memcpy(&m0, &a->matrix[0][c], sizeof m0);
    memcpy(&m1, &a->matrix[1][c], sizeof m1);
    memcpy(&m2, &a->matrix[2][c], sizeof m2);
    memcpy(&shift, &a->shift[c], sizeof shift);
    memcpy(&deviation, &a->noise[c], sizeof deviation);
    deviation *= NOISE_SCALE;
    uint_8 s0 = state->s[0], s1 = state->s[1], s2 = state->s[2], s3 = state->s[3];
    enum { PLACES = 16 }; /* whose positions are computed side by side */
    for (int i = from; i < to; i += PLACES) {
        int n = to - i < PLACES ? to - i : PLACES, whole[PLACES];
        float share[PLACES];
        double left[PLACES], begin = floor(start + i * speed);
        for (int j = 0; j < PLACES; j++) {
            left[j] = start + (i + j) * speed - begin;
            whole[j] = (int)left[j];
            share[j] = (float)(left[j] - whole[j]);
        }
        int64_t first_row = (int64_t)begin;
        for (int j = 0; j < n; j++, x += stride) {
            int64_t k = first_row + whole[j];
            float_8 y = {0};
            if (k >= 0 && (k < last || (k == last && share[j] <= 0))) {
                short_8 now, next;
                memcpy(&now, counts + k * n_channels, sizeof now);
                memcpy(&next, counts + (k < last ? k + 1 : k) * n_channels, sizeof next);
                int_8 this = WIDEN(now), other = WIDEN(next);
                float_8 v =
                    __builtin_convertvector(this, float_8) + share[j] * __builtin_convertvector(other - this, float_8);
                y = m0 * __builtin_shuffle(v, axis_0) + m1 * __builtin_shuffle(v, axis_1) +
                    m2 * __builtin_shuffle(v, axis_2) + shift;
                if (noisy) { /* xoshiro128+ in eight lanes; the sum of the four bytes of a word is nearly normal */
                    uint_8 word = s0 + s3, t = s1 << 9;
                    s2 ^= s0;
                    s3 ^= s1;
                    s1 ^= s2;
                    s0 ^= s3;
                    s2 ^= t;
                    s3 = s3 << 11 | s3 >> 21;
                    y += deviation * (__builtin_convertvector((int_8)BYTES(word), float_8) - 510);
                }
            }
            memcpy(x, &y, sizeof y);
        }
    }
    *state = (noise_state){{s0, s1, s2, s3}};
}
