/* The device's kernels on the host against plain sums in 64 bits and the definition of the arithmetic (src/model). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/decision.h"
#include "model/qmodel.h"
#include "runtime_support.h"

#define TINK_SHORT_MULTIPLY 1 /* test_recurrent.c takes the other one */
#define tink_sigmoid_table tin_sigmoid_table
#include "runtime/add.h"
#include "runtime/avg_pool.h"
#include "runtime/book.h"

/* The decision layer with a rule that the test sets. */
static tin_decision_rule rule;
static int32_t rule_wait, rule_classes, rule_events;
static uint8_t tink_events_first[7];
static int32_t tink_events_on[7];
typedef struct tink_decision_t {
    int32_t active, wait, average[7];
    uint8_t candidates[TIN_RULE_OF_MAX];
} tink_decision_t;
#define TINK_CLASSES rule_classes
#define TINK_EVENTS rule_events
#define TINK_HYSTERESIS rule.hysteresis
#define TINK_LEAD rule.lead
#define TINK_SMOOTH_SHIFT rule.smooth_shift
#define TINK_NEEDED rule.needed
#define TINK_OF rule.of
#define TINK_MIN_LENGTH rule.min_length
#define TINK_WAIT rule_wait
#include "runtime/decision.h"
#include "runtime/depthwise.h"
#include "runtime/ema.h"
#include "runtime/lanes.h"
#include "runtime/linear.h"
#include "runtime/max_pool.h"
#include "runtime/max_row.h"
#include "runtime/multiply.h"
#include "runtime/n4.h"
#include "runtime/narrow.h"
#include "runtime/rescale.h"
#include "runtime/scale_input.h"
#include "runtime/scale_lanes.h"
#include "runtime/sparse.h"
#include "runtime/sum_pool.h"
#include "runtime/sum_row.h"
#include "runtime/sum_slide.h"
#include "runtime/t2.h"
#include "runtime/t43.h"
#include "runtime/widen_taps.h"

#define MAX_COLUMNS 70

static void test_requantize(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 1);
    assert_int_equal(tink_multiply_high(1, 0x40000000), 0);
    assert_int_equal(tink_multiply_high(2, 0x40000000), 1);  /* 0.5 up */
    assert_int_equal(tink_multiply_high(-2, 0x40000000), 0); /* -0.5 up */
    assert_int_equal(tink_multiply_high(-6, 0x40000000), -1);
    assert_int_equal(tink_multiply_high(INT32_MIN, INT32_MAX), -(1 << 30) + 1);
    for (int i = 0; i < 200000; i++) {
        const int shift = (int)tin_rng_below(&rng, 17);
        const int32_t acc = random_int32(&rng, 31 - shift), mult = random_int32(&rng, 32) & INT32_MAX;
        const int32_t expected = tin_requantize(acc, mult, shift);
        assert_int_equal(tink_requantize(acc, mult, shift), expected);
    }
}

static void test_sigmoid_everywhere(void **state)
{
    (void)state;
    for (int32_t t = -40000; t <= 40000; t++) {
        assert_int_equal(tink_sigmoid(t), tin_sigmoid_q28(t));
    }
    static const int32_t far[] = {INT32_MIN, INT32_MIN + 1, -70000, 65536, 70000, INT32_MAX};
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        assert_int_equal(tink_sigmoid(far[i]), tin_sigmoid_q28(far[i]));
    }
}

static void test_dot4_every_length(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 2);
    for (int n = 1; n <= MAX_COLUMNS; n++) {
        int8_t block[4 * MAX_COLUMNS], x[MAX_COLUMNS];
        int32_t acc[4], expected[4];
        for (int r = 0; r < 4; r++) {
            acc[r] = expected[r] = random_int32(&rng, 24);
        }
        for (int i = 0; i < n; i++) {
            x[i] = n % 3 == 0 ? -128 : random_int8(&rng);
        }
        for (int r = 0; r < 4; r++) {
            for (int i = 0; i < n; i++) {
                const int8_t w = n % 5 == 0 ? -127 : random_int8(&rng);
                put_weight(block, n, r, i, w);
                expected[r] += w * x[i];
            }
        }
        assert_ptr_equal(tink_dot4(block, x, n, acc), block + 4 * n);
        assert_memory_equal(acc, expected, sizeof acc);
    }
}

/* The streams of the packed kernels, written by the words of their comments. */
typedef enum packing { T2, T43, N4, BOOK, SPARSE, PACKINGS } packing;

static const int8_t book_values[16] = {-127, -99, -70, -41, -20, -11, -5, 0, 3, 9, 17, 30, 52, 77, 101, 127};

typedef int8_t rows_of_4[4][MAX_COLUMNS + 4];

static int32_t lane_pair(int low, int high)
{
    return (int32_t)(((uint32_t)high << 16) | ((uint32_t)low & 0xffff));
}

static int32_t *put_bias(int32_t *to, const int32_t *bias, packing kind)
{
    for (int i = 0; i < (kind == T43 ? 3 : 4); i++) {
        *to++ = kind == N4                  ? 4096 * bias[i]
                : kind == BOOK              ? bias[i]
                : kind == T43 || i % 2 == 0 ? 256 * bias[i] + bias[i + 1]
                                            : bias[i];
    }
    return to;
}

static int32_t *put_pairs(int32_t *to, rows_of_4 w, int column, bool t43)
{
    for (int c = column; c < column + 4; c += 2) {
        for (int row = 0; row < 3; row += t43 ? 1 : 2) {
            *to++ = lane_pair(256 * w[row][c] + w[row + 1][c], 256 * w[row][c + 1] + w[row + 1][c + 1]);
        }
    }
    return to;
}

static uint32_t book_place(int8_t w)
{
    uint32_t i = 0;
    while (book_values[i] != w) {
        i++;
    }
    return i;
}

static int32_t *put_nibbles(int32_t *to, rows_of_4 w, int column, packing kind)
{
    for (int c = column; c < column + 4; c += 2) {
        uint32_t word = 0;
        for (int r = 0; r < 4; r++) {
            if (kind == N4) {
                word |= ((uint32_t)w[r][c] & 15) << (12 - 4 * r) | ((uint32_t)w[r][c + 1] & 15) << (28 - 4 * r);
            } else {
                word |= book_place(w[r][c]) << 4 * r | book_place(w[r][c + 1]) << (16 + 4 * r);
            }
        }
        *to++ = (int32_t)word;
    }
    return to;
}

static bool is_zero(rows_of_4 w, int column)
{
    int any = 0;
    for (int i = 0; i < 16; i++) {
        any |= w[i / 4][column + i % 4];
    }
    return any == 0;
}

static int32_t *put_kept(int32_t *to, rows_of_4 w, int n)
{
    uint8_t kept[(MAX_COLUMNS + 7) / 4 * 4] = {0};
    int count = 0;
    for (int column = 0; column < n; column += 4) {
        if (!is_zero(w, column)) {
            kept[count++] = (uint8_t)(column / 4);
        }
    }
    count += count == 0; /* group 0 at least */
    kept[count - 1] |= 128;
    *to++ = (count + 3) / 4 * 256 + count;
    memcpy(to, kept, (size_t)(count + 3) / 4 * 4); /* the host is little-endian */
    to += (count + 3) / 4;
    for (int i = 0; i < count; i++) {
        to = put_pairs(to, w, (kept[i] & 127) * 4, false);
    }
    return to;
}

static int32_t *put_packed(int32_t *to, rows_of_4 w, int n, const int32_t *bias, const int32_t *mult, packing kind)
{
    to = bias != NULL ? put_bias(to, bias, kind) : to;
    if (kind == BOOK) {
        memcpy(to, book_values, sizeof book_values);
        to += 4;
    }
    for (int column = 0; column < n && kind != SPARSE; column += 4) {
        to = kind == T2 || kind == T43 ? put_pairs(to, w, column, kind == T43) : put_nibbles(to, w, column, kind);
    }
    to = kind == SPARSE ? put_kept(to, w, n) : to;
    memcpy(to, mult, 4 * sizeof *mult);
    return to + 4;
}

static const int32_t *run_packed(packing kind, const int32_t *stream, const int16_t *x, int32_t count, int32_t row[4])
{
    switch (kind) {
    case T2:
        return tink_t2(stream, x, count, row);
    case T43:
        return tink_t43(stream, x, count, row);
    case N4:
        return tink_n4(stream, x, count, row);
    case BOOK:
        return tink_book(stream, x, count, row);
    default:
        return tink_sparse(stream, x, count, row);
    }
}

/* values 0: the extremes, with x at -128; 1: all at the upper end; else random. */
static int8_t packed_weight(tin_rng *rng, packing kind, int values, int row)
{
    const int low = kind == N4 ? -8 : -127, high = kind == N4 ? 7 : 127;
    if (values < 2) {
        return (int8_t)(values == 0 && row % 2 == 0 ? low : high);
    }
    return kind == BOOK ? book_values[tin_rng_below(rng, 16)]
                        : (int8_t)((int)tin_rng_below(rng, (uint32_t)(high - low + 1)) + low);
}

static void check_packed(tin_rng *rng, int n, int values, packing kind, bool with_bias)
{
    rows_of_4 w = {{0}};
    int8_t x[MAX_COLUMNS + 4];
    int16_t lanes[MAX_COLUMNS + 4];
    int32_t stream[20 + 6 * MAX_COLUMNS], bias[4], mult[4];
    const int groups = (n + 3) / 4, scale = kind == N4 ? 4096 : 257; /* |row| * scale < 2^31 */
    const int shift = (int)tin_rng_below(rng, kind == N4 ? 13 : 9),
              most = INT32_MAX / scale - n * 128 * (kind == N4 ? 8 : 127);
    for (int i = 0; i < n; i++) {
        const bool kept = kind != SPARSE || values < 2 || (i / 4 * values * 7) % 3 == 1;
        x[i] = values == 0 ? -128 : random_int8(rng);
        for (int r = 0; r < 4; r++) {
            w[r][i] = kept ? packed_weight(rng, kind, values, r) : (int8_t)0;
        }
    }
    for (int r = 0; r < 4; r++) {
        bias[r] = values == 0 ? (r % 2 ? -most : most) : (int)tin_rng_below(rng, 2 * (uint32_t)most) - most;
        mult[r] = random_int32(rng, 32) & INT32_MAX;
    }
    int32_t *end = put_packed(stream, w, n, with_bias ? bias : NULL, mult, kind);
    memset(lanes, 0x55, sizeof lanes);
    assert_ptr_equal(tink_widen(x, n, lanes), lanes + groups * 4);
    for (int i = n; i < 4 * groups; i++) {
        lanes[i] = 0x5555;
    }
    const int32_t count = (groups - 1) * 256 + shift + (with_bias ? 0 : TINK_UNBIASED);
    int32_t rows[4];
    assert_ptr_equal(run_packed(kind, stream, lanes, count, rows), end);
    for (int r = 0; r < 4; r++) {
        int32_t sum = with_bias ? bias[r] : 0;
        for (int i = 0; i < n; i++) {
            sum += w[r][i] * x[i];
        }
        assert_int_equal(rows[r], tin_requantize(sum, mult[r], shift));
    }
}

static void test_packed_every_length(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 8);
    for (int n = 1; n <= MAX_COLUMNS; n++) {
        for (int values = 0; values < 8; values++) {
            for (int kind = 0; kind < PACKINGS; kind++) {
                check_packed(&rng, n, values, (packing)kind, true);
                check_packed(&rng, n, values, (packing)kind, false);
            }
        }
    }
}

static void test_linear_rows_and_taps(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    for (int round = 0; round < 200; round++) {
        const int rows = 1 + (int)tin_rng_below(&rng, 9), taps = 1 + (int)tin_rng_below(&rng, 4);
        const int columns = 1 + (int)tin_rng_below(&rng, 11), jump = columns + (int)tin_rng_below(&rng, 20);
        const int padded = (rows + 3) / 4 * 4, shift = (int)tin_rng_below(&rng, 6);
        int8_t weight[12 * 4 * 11] = {0}, natural[12][4][11] = {{{0}}}, x[4 * 31], y8[12];
        int32_t bias[12] = {0}, mult[12] = {0};
        int16_t y16[12];
        for (int i = 0; i < 4 * 31; i++) {
            x[i] = random_int8(&rng);
        }
        for (int r = 0; r < rows; r++) {
            bias[r] = random_int32(&rng, 16);
            mult[r] = random_int32(&rng, 24) & 0x7fffff;
            for (int k = 0; k < taps; k++) {
                for (int i = 0; i < columns; i++) {
                    natural[r][k][i] = random_int8(&rng);
                }
            }
        }
        for (int r = 0; r < padded; r++) {
            for (int k = 0; k < taps; k++) {
                for (int i = 0; i < columns; i++) {
                    put_weight(weight + ((r / 4) * taps + k) * 4 * columns, columns, r % 4, i, natural[r][k][i]);
                }
            }
        }
        const tink_linear_t layer = {.weight = weight,
                                     .bias = bias,
                                     .mult = mult,
                                     .jump = jump,
                                     .columns = columns,
                                     .taps = (int16_t)taps,
                                     .rows = (int16_t)rows,
                                     .shift = (int16_t)shift,
                                     .low = 0};
        memset(y8, 99, sizeof y8);
        memset(y16, 99, sizeof y16);
        tink_linear_t scores = layer;
        scores.low = -32768;
        tink_linear(&layer, x, y8, NULL);
        tink_linear(&scores, x, NULL, y16);
        for (int r = 0; r < rows; r++) {
            int32_t acc = bias[r];
            for (int k = 0; k < taps; k++) {
                for (int i = 0; i < columns; i++) {
                    acc += natural[r][k][i] * x[k * jump + i];
                }
            }
            assert_int_equal(y8[r], clamp(tin_requantize(acc, mult[r], shift), 0, 127));
            assert_int_equal(y16[r], clamp(tin_requantize(acc, mult[r], shift), -32768, 32767));
        }
        assert_int_equal(y8[rows], 99); /* nothing behind the last row is written */
        assert_int_equal(y16[rows], 0x6363);
    }
}

static void test_depthwise(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 4);
    enum { INPUTS = 5, MULTIPLIER = 3, TAPS = 4, DILATION = 2, ROWS = (TAPS - 1) * DILATION + 1 };
    int8_t weight[INPUTS * MULTIPLIER * TAPS], x[ROWS * INPUTS], y[INPUTS * MULTIPLIER];
    int32_t bias[INPUTS * MULTIPLIER], mult[INPUTS * MULTIPLIER];
    const tink_depthwise_t layer = {weight, bias, mult, DILATION * INPUTS, INPUTS, MULTIPLIER, TAPS, 3, -127, 0, 0, 0};
    for (size_t i = 0; i < sizeof weight; i++) {
        weight[i] = random_int8(&rng);
    }
    for (size_t i = 0; i < sizeof x; i++) {
        x[i] = random_int8(&rng);
    }
    for (int o = 0; o < INPUTS * MULTIPLIER; o++) {
        bias[o] = random_int32(&rng, 15);
        mult[o] = random_int32(&rng, 24) & 0x7fffff;
    }
    tink_depthwise(&layer, x, y);
    for (int o = 0; o < INPUTS * MULTIPLIER; o++) {
        int32_t acc = bias[o];
        for (int k = 0; k < TAPS; k++) {
            acc += weight[o * TAPS + k] * x[k * DILATION * INPUTS + o / MULTIPLIER];
        }
        assert_int_equal(y[o], clamp(tin_requantize(acc, mult[o], 3), -127, 127));
    }
}

static void test_avg_pool_and_input(void **state)
{
    (void)state;
    static const int8_t x[6] = {127, -127, 127, -127, 125, -128};
    int8_t y[2];
    const tink_avg_pool_t pool = {(int32_t)(4294967296.0 / 3 / 4), 3, 2, 2, -127, 0, 0};
    tink_avg_pool(&pool, x, y);
    assert_int_equal(y[0], 126);
    assert_int_equal(y[1], -127);
    static const int16_t counts[3] = {-32768, 32767, 100}, offset[3] = {32767, -32768, 100};
    static const int32_t mult[3] = {INT32_MAX, INT32_MAX, INT32_MAX};
    int8_t q[3];
    tink_scale_input(counts, offset, mult, 15, 3, -127, q);
    assert_int_equal(q[0], -127);
    assert_int_equal(q[1], 127);
    assert_int_equal(q[2], 0);
}

/* The input for packed kernels: scaled at once, or widened from int8 tap by tap; and back. */
static void test_lanes(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 31);
    for (int round = 0; round < 2000; round++) {
        int16_t counts[4], y[4];
        int32_t unit[8];
        for (int c = 0; c < 4; c++) {
            counts[c] = (int16_t)(round % 3 == 0 ? (c % 2 ? 32767 : -32768) : random_int32(&rng, 16));
            unit[2 * c] = round % 3 == 0 ? (c % 2 ? 32768 : -32767) : random_int32(&rng, 15);
            unit[2 * c + 1] = round % 3 == 0 ? INT32_MAX : random_int32(&rng, 26) & INT32_MAX;
        }
        tink_scale_lanes(counts, unit, 4, y);
        for (int c = 0; c < 4; c++) {
            const int32_t v = tin_requantize(counts[c] + unit[2 * c], unit[2 * c + 1], 0);
            assert_int_equal(y[c], clamp(v, -127, 127));
            assert_true(v >= -32768 && v <= 32767); /* as the kernel in assembly takes for granted */
        }
    }
    static const int8_t x[9] = {-128, 127, 3, 4, 5, 6, 7, 8, 9};
    int16_t lanes[16];
    int8_t back[9];
    tink_widen_taps(x, 4, 2, 5, lanes);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(lanes[i], x[i]);
        assert_int_equal(lanes[8 + i], x[4 + i]);
    }
    tink_narrow(lanes, 5, back);
    assert_memory_equal(back, x, 5);
}

static void test_dot4_wide_every_length(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 12);
    for (int n = 1; n <= MAX_COLUMNS; n++) {
        int8_t block[4 * MAX_COLUMNS];
        int16_t x[MAX_COLUMNS];
        int32_t acc[4], expected[4];
        for (int r = 0; r < 4; r++) {
            acc[r] = expected[r] = random_int32(&rng, 24);
        }
        for (int i = 0; i < n; i++) {
            x[i] = (int16_t)(n % 3 == 0 ? -32767 : random_int32(&rng, 16));
        }
        for (int r = 0; r < 4; r++) {
            for (int i = 0; i < n; i++) {
                const int8_t w = n % 5 == 0 ? -127 : random_int8(&rng);
                put_weight(block, n, r, i, w);
                expected[r] += w * x[i];
            }
        }
        assert_ptr_equal(tink_dot4_wide(block, x, n, acc), block + 4 * n);
        assert_memory_equal(acc, expected, sizeof acc);
    }
}

/* sigmoid and tanh of a matrix's output, to 1/128. */
static void test_curves(void **state)
{
    (void)state;
    for (int32_t v = -70000; v <= 70000; v += 7) {
        assert_int_equal(tink_output8(tink_curve(v, 1), -128),
                         clamp(((int64_t)tin_sigmoid_q28(v) + (1 << 20)) >> 21, -128, 127));
        assert_int_equal(tink_output8(tink_curve(v, 2), -128),
                         clamp(((int64_t)tin_sigmoid_q28(v) - (1 << 27) + (1 << 19)) >> 20, -128, 127));
        assert_int_equal(tink_curve(v, 0), v);
    }
}

/* add, multiply, concat's rescale and ema against their formulas in 64 bits. */
static void test_value_by_value(void **state)
{
    (void)state;
    enum { N = 9 };
    tin_rng rng;
    tin_rng_seed(&rng, 13);
    int32_t mean[N] = {0};
    int64_t expected_mean[N] = {0};
    for (int round = 0; round < 2000; round++) {
        int8_t a[N], b[N], y[N];
        int16_t wide[N], y_wide[N];
        for (int i = 0; i < N; i++) {
            a[i] = random_int8(&rng);
            b[i] = random_int8(&rng);
            wide[i] = (int16_t)random_int32(&rng, 16);
        }
        const int32_t mult[3] = {random_int32(&rng, 15) & 0x3fff, 32767, random_int32(&rng, 12) & 0x7ff};
        const int shift = 1 + (int)tin_rng_below(&rng, 20), low = round % 2 ? 0 : -127;
        const tink_add_t add = {mult, 3, N, (int16_t)shift, (int16_t)low, 4, 0};
        const tink_add_t add_wide = {mult, 2, N, (int16_t)shift, -32767, 0, 1};
        const tink_row *rows[3] = {a, b, wide};
        tink_add(&add, rows, y);
        tink_add(&add_wide, rows, y_wide);
        for (int i = 0; i < N; i++) {
            const int64_t two = (int64_t)a[i] * mult[0] + (int64_t)b[i] * mult[1], half = (int64_t)1 << (shift - 1);
            assert_int_equal(y[i], clamp((two + (int64_t)wide[i] * mult[2] + half) >> shift, low, 127));
            assert_int_equal(y_wide[i], clamp((two + half) >> shift, -32767, 32767));
        }
        const tink_rescale_t rescale = {mult[1], N, (int16_t)shift, -128, 1, 0};
        tink_rescale(&rescale, wide, y);
        for (int i = 0; i < N; i++) {
            const int64_t half = (int64_t)1 << (shift - 1);
            assert_int_equal(y[i], clamp(((int64_t)wide[i] * mult[1] + half) >> shift, -128, 127));
        }
        tink_multiply(a, b, N, 1 << 27, 3, y);
        for (int i = 0; i < N; i++) {
            assert_int_equal(y[i], clamp(tin_requantize(a[i] * b[i], 1 << 27, 3), -127, 127));
        }
        tink_ema(a, mean, N, 5, 1 << 24, 2, y);
        for (int i = 0; i < N; i++) {
            expected_mean[i] += (int64_t)a[i] * 256 - ((expected_mean[i] + 16) >> 5);
            assert_int_equal(mean[i], expected_mean[i]);
            assert_int_equal(y[i], clamp(tin_requantize((int32_t)expected_mean[i], 1 << 24, 2), -127, 127));
        }
    }
}

/* Sums and maxima that rows go into give what the whole window gives. */
static void test_pools_row_by_row(void **state)
{
    (void)state;
    enum { N = 3, K = 5, ROWS = 40 };
    tin_rng rng;
    tin_rng_seed(&rng, 14);
    int8_t x[K + ROWS][N] = {{0}}, ring[K][N] = {{0}}, y[N], expected[N], most[N];
    int32_t slide[N] = {0};
    const tink_avg_pool_t pool = {(int32_t)(4294967296.0 / K / 2), K, N, 1, -127, 0, 0};
    for (int t = 0; t < ROWS; t++) {
        int32_t sum[N] = {0};
        for (int i = 0; i < N; i++) {
            x[K + t][i] = random_int8(&rng);
        }
        tink_sum_slide(x[K + t], 0, N, slide, ring[t % K]);
        tink_sum_pool(&pool, slide, y);
        tink_avg_pool(&pool, x[t + 1], expected);
        assert_memory_equal(y, expected, N);
        memset(most, -128, sizeof most);
        for (int k = 1; k <= K; k++) {
            tink_sum_row(x[t + k], 0, N, sum);
            tink_max_row(x[t + k], N, most);
        }
        assert_memory_equal(sum, slide, sizeof sum);
        tink_max_pool(x[t + 1], K, N, expected);
        assert_memory_equal(most, expected, N);
    }
}

static int32_t any_up_to(tin_rng *rng, int32_t least, int32_t most)
{
    return least + (int32_t)tin_rng_below(rng, (uint32_t)(most - least + 1));
}

/* Any rule; each of its elements is neutral now and then. */
static void draw_rule(tin_rng *rng)
{
    rule = (tin_decision_rule){.smooth_shift = tin_rng_below(rng, 2) ? any_up_to(rng, 0, 8) : 0,
                               .hysteresis = any_up_to(rng, 0, 3000),
                               .lead = tin_rng_below(rng, 2) ? any_up_to(rng, 0, 3000) : 0,
                               .of = any_up_to(rng, 1, tin_rng_below(rng, 3) ? 4 : TIN_RULE_OF_MAX),
                               .min_length = any_up_to(rng, 0, 6),
                               .refractory = any_up_to(rng, 0, 6)};
    rule.needed = any_up_to(rng, 1, rule.of);
    for (int k = 0; k < 7; k++) {
        rule.on[k] = random_int32(rng, 12);
    }
    rule_wait = rule.refractory > rule.min_length - 1 ? rule.refractory : rule.min_length - 1;
}

/* Random scores through kernel and definition, every kind of rule. What the generator makes of it, with less in it, is in
 * tests/deploy/test_generate.c. */
static void test_decision(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 6);
    char name[] = "x";
    int triggers = 0;
    for (int round = 0; round < 600; round++) {
        const int n = 2 + (int)tin_rng_below(&rng, 6);
        tin_class classes[7];
        int events = 0, others = n;
        for (int k = 0; k < n; k++) {
            const bool event = k == round % 2 || (k > 1 && tin_rng_below(&rng, 2) == 0); /* there are both kinds */
            classes[k] = (tin_class){.name = name, .event = event};
            events += event;
        }
        draw_rule(&rng);
        rule_classes = n;
        rule_events = events;
        for (int k = n - 1, place = events; k >= 0; k--) {
            tink_events_first[classes[k].event ? --place : --others] = (uint8_t)k;
            tink_events_on[classes[k].event ? place : others] = rule.on[k];
        }
        tin_decision_state expected;
        tink_decision_t got = {.active = -1};
        tin_decision_reset(&expected);
        for (int step = 0; step < 60; step++) {
            int16_t score[7];
            for (int k = 0; k < n; k++) {
                score[k] =
                    (int16_t)(round % 5 == 0 ? (tin_rng_below(&rng, 2) ? 32767 : -32768) : random_int32(&rng, 13));
            }
            const int trigger = tin_decision_step(&expected, &rule, classes, n, score);
            int16_t greatest = -1;
            int k = 0;
            for (int other = 1; other < n; other++) {
                k = score[other] > score[k] ? other : k;
            }
            assert_int_equal(tink_decide(&got, score, &greatest), trigger);
            assert_int_equal(greatest, k);
            assert_int_equal(got.active, expected.active);
            triggers += trigger >= 0;
        }
    }
    assert_true(triggers > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requantize),
        cmocka_unit_test(test_sigmoid_everywhere),
        cmocka_unit_test(test_dot4_every_length),
        cmocka_unit_test(test_packed_every_length),
        cmocka_unit_test(test_linear_rows_and_taps),
        cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_avg_pool_and_input),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_dot4_wide_every_length),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_value_by_value),
        cmocka_unit_test(test_pools_row_by_row),
        cmocka_unit_test(test_decision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
