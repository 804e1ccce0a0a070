/* The kernels of the encoding v16 on the host (their portable twins) against plain sums and the definition of the
 * arithmetic. With the vectors of Helium they run in tests/deploy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/qmodel.h"
#include "runtime_support.h"

#define tink_sigmoid_table tin_sigmoid_table

#include "runtime/v16.h"
#include "runtime/v32.h"

/* What the generator does with templates. */
#define tink_packed tink_v16
#define tink_packed_x tink_v16_x
#define tink_packed_open tink_v16_open

#include "runtime/vector_gru.h"
#include "runtime/vector_linear.h"

#define MOST 70 /* columns */
#define ROWS 11

typedef struct matrix {
    int rows, columns;
    int8_t w[ROWS + 1][MOST];
    int32_t bias[ROWS + 1], mult[ROWS + 1];
} matrix;

static void draw(tin_rng *rng, matrix *m, int rows, int columns)
{
    memset(m, 0, sizeof *m);
    m->rows = rows;
    m->columns = columns;
    for (int r = 0; r < rows; r++) {
        m->bias[r] = random_int32(rng, 20);
        m->mult[r] = random_int32(rng, 24) & 0x7fffff;
        for (int i = 0; i < columns; i++) {
            m->w[r][i] = random_int8(rng);
        }
    }
}

/* Four rows of the stream, by the words of its comment. The host is little-endian. */
static int32_t *put_rows(int32_t *to, const matrix *m, int row, bool with_bias)
{
    const int padded = (m->columns + 7) / 8 * 8;
    int8_t *bytes;
    for (int r = row; r < row + 4 && with_bias; r++) {
        *to++ = m->bias[r];
    }
    bytes = (int8_t *)to;
    for (int at = 0, width; at < padded; at += width) {
        width = padded - at >= 16 ? 16 : 8;
        for (int r = row; r < row + 4; r++) {
            for (int i = at; i < at + width; i++) {
                *bytes++ = i < m->columns ? m->w[r][i] : (int8_t)0;
            }
        }
    }
    to += padded; /* four rows of bytes */
    for (int r = row; r < row + 4; r++) {
        *to++ = m->mult[r];
    }
    return to;
}

static int32_t row_of(const matrix *m, int r, const int8_t *x, int shift, bool with_bias)
{
    int32_t sum = with_bias ? m->bias[r] : 0;
    for (int i = 0; i < m->columns; i++) {
        sum += m->w[r][i] * x[i];
    }
    return tin_requantize(sum, m->mult[r], shift);
}

static void test_every_length(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 5);
    for (int columns = 1; columns <= MOST; columns++) {
        for (int turn = 0; turn < 4; turn++) {
            matrix m;
            int32_t stream[8 + MOST + 8], lanes[MOST / 4 + 2];
            int8_t x[MOST];
            const int32_t *read = stream;
            const bool with_bias = turn % 2 == 0;
            const int shift = (int)tin_rng_below(&rng, 7);
            draw(&rng, &m, 4, columns);
            for (int i = 0; i < columns; i++) {
                x[i] = random_int8(&rng);
            }
            const int32_t *end = put_rows(stream, &m, 0, with_bias);
            memset(lanes, 0x55, sizeof lanes); /* what stands behind the columns has no effect */
            tink_move(lanes, x, columns);
            const int groups = (columns + 7) / 8;
            const int32_t *again = stream;
            const tink_quad got = tink_v16(&read, (const int8_t *)lanes, groups, shift, with_bias);
            assert_ptr_equal(read, end);
            if (columns > 16 && columns <= 32) {
                const tink_v32_x window = tink_v32_open(x, columns, (int8_t *)lanes);
                const tink_quad same = tink_v32(&again, window, groups, shift, with_bias);
                assert_memory_equal(&same, &got, sizeof got);
            }
            for (int r = 0; r < 4; r++) {
                assert_int_equal(got.v[r], row_of(&m, r, x, shift, with_bias));
            }
        }
    }
}

/* Rows that are no multiple of four, taps apart, and both widths of output. */
static void test_linear(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 6);
    for (int round = 0; round < 200; round++) {
        const int rows = 1 + (int)tin_rng_below(&rng, ROWS), taps = 1 + (int)tin_rng_below(&rng, 4);
        const int columns = 1 + (int)tin_rng_below(&rng, MOST / 4), jump = columns + (int)tin_rng_below(&rng, 9);
        matrix m;
        int32_t stream[(8 + MOST + 8) * 3], *to = stream, lanes[MOST / 4 + 2];
        int8_t x[4 * MOST], window[MOST], y8[ROWS + 1];
        int16_t y16[ROWS + 1];
        draw(&rng, &m, rows, taps * columns);
        for (int i = 0; i < 4 * MOST; i++) {
            x[i] = random_int8(&rng);
        }
        for (int i = 0; i < taps * columns; i++) {
            window[i] = x[i / columns * jump + i % columns];
        }
        for (int row = 0; row < rows; row += 4) {
            to = put_rows(to, &m, row, true);
        }
        tink_packed_linear_t layer = {.weight = stream,
                                      .jump = jump,
                                      .taps = taps,
                                      .columns = columns,
                                      .groups = (taps * columns + 7) / 8,
                                      .shift = round % 5,
                                      .rows = (int16_t)rows,
                                      .low = round % 2 ? -127 : 0,
                                      .curve = (int16_t)(round % 3)};
        memset(y8, 99, sizeof y8);
        memset(y16, 99, sizeof y16);
        tink_packed_linear(&layer, x, lanes, y8, NULL);
        layer.low = -32768;
        tink_packed_linear(&layer, x, lanes, NULL, y16);
        for (int r = 0; r < rows; r++) {
            int32_t v = row_of(&m, r, window, layer.shift, true);
            if (layer.curve == 1) {
                v = (tin_sigmoid_q28(v) + (1 << 20)) >> 21;
            } else if (layer.curve == 2) {
                v = (tin_sigmoid_q28(v) - (1 << 27) + (1 << 19)) >> 20;
            }
            assert_int_equal(y8[r], clamp(v, round % 2 ? -127 : 0, 127));
            assert_int_equal(y16[r], clamp(v, -32768, 32767));
        }
        assert_int_equal(y8[rows], 99); /* nothing behind the rows */
        assert_int_equal(y16[rows], 99 * 257);
    }
}

/* The formulas of gru in src/model/qmodel.h. */
static void test_gru(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 7);
    for (int round = 0; round < 40; round++) {
        const int units = 1 + (int)tin_rng_below(&rng, ROWS), inputs = 1 + (int)tin_rng_below(&rng, MOST - 1);
        static matrix x_of[3], h_of[3]; /* r, z, n */
        int32_t stream[6 * 3 * (8 + MOST + 8)], *to = stream, lanes[2 * (MOST / 4 + 2)];
        int16_t h[ROWS + 1] = {0}, expected[ROWS + 1] = {0};
        int8_t h8[ROWS + 1] = {0}, old[ROWS + 1] = {0}, x[MOST];
        for (int gate = 0; gate < 3; gate++) {
            draw(&rng, &x_of[gate], units, inputs);
            draw(&rng, &h_of[gate], units, units);
        }
        for (int u = 0; u < units; u += 4) {
            to = put_rows(to, &x_of[0], u, true);
            to = put_rows(to, &h_of[0], u, false);
            to = put_rows(to, &x_of[2], u, true);
            to = put_rows(to, &h_of[2], u, true);
            to = put_rows(to, &x_of[1], u, true);
            to = put_rows(to, &h_of[1], u, false);
        }
        const tink_packed_gru_t layer = {stream, inputs, units, (inputs + 7) / 8, 1, (units + 7) / 8, 2};
        for (int t = 0; t < 20; t++) {
            for (int i = 0; i < inputs; i++) {
                x[i] = random_int8(&rng);
            }
            tink_packed_gru(&layer, x, h, h8, lanes);
            for (int u = 0; u < units; u++) {
                const int32_t r = tin_sigmoid_q28(row_of(&x_of[0], u, x, 1, true) + row_of(&h_of[0], u, old, 2, false));
                const int32_t z = tin_sigmoid_q28(row_of(&x_of[1], u, x, 1, true) + row_of(&h_of[1], u, old, 2, false));
                const int32_t product = tin_multiply_high(row_of(&h_of[2], u, old, 2, true), r);
                const int32_t n = tin_sigmoid_q28(row_of(&x_of[2], u, x, 1, true) + product) - (1 << 27);
                expected[u] = (int16_t)((n + tin_multiply_high(expected[u] * 4096 - n, z) * 16 + 2048) >> 12);
                assert_int_equal(h[u], expected[u]);
                assert_int_equal(h8[u], clamp((expected[u] + 128) >> 8, -128, 127));
            }
            memcpy(old, h8, sizeof old);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_gru),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
