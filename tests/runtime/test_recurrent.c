/* The recurrent kernels of the device on the host against the definition of qmodel.h, unit by unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/qmodel.h"
#include "runtime_support.h"

#define TINK_FOLDED 1 /* test_kernels.c takes the whole table */
static uint32_t tink_sigmoid_table[160];

#include "runtime/gru.h"
#include "runtime/gru_before.h"
#include "runtime/lstm.h"
#include "runtime/mgu.h"
#include "runtime/min_gru.h"

/* One layer of any recurrent kind, its weights also in the order of the kernels. */
enum { CELL_I = 7, CELL_H = 6, CELL_BLOCKS = 2, CELL_SHIFT = 2, CELL_HIDDEN_SHIFT = 1 };

typedef struct cell {
    int gates;
    int8_t w[4 * CELL_H][CELL_I], u[4 * CELL_H][CELL_H];
    int32_t bias[4 * CELL_H], mult[4 * CELL_H], hidden_mult[4 * CELL_H], hidden_bias[CELL_H];
    int8_t blocks_w[CELL_BLOCKS * 4 * 4 * CELL_I], blocks_u[CELL_BLOCKS * 4 * 4 * CELL_H];
    int32_t unit[CELL_BLOCKS * 52];
} cell;

/* Gate `gate` of block `block` is number `at` of all; its constants begin at `record`. */
static void put_gate(cell *c, int gate, int block, int at, int32_t *record, bool hidden)
{
    for (int lane = 0; lane < 4 && 4 * block + lane < CELL_H; lane++) {
        const int row = gate * CELL_H + 4 * block + lane;
        record[lane] = c->bias[row];
        record[4 + lane] = c->mult[row];
        for (int i = 0; i < CELL_I; i++) {
            put_weight(c->blocks_w + at * 4 * CELL_I, CELL_I, lane, i, c->w[row][i]);
        }
        for (int i = 0; hidden && i < CELL_H; i++) {
            record[8 + lane] = c->hidden_mult[row];
            put_weight(c->blocks_u + at * 4 * CELL_H, CELL_H, lane, i, c->u[row][i]);
        }
    }
}

static void random_cell(cell *c, tin_rng *rng, int gates)
{
    memset(c, 0, sizeof *c);
    c->gates = gates;
    for (int row = 0; row < gates * CELL_H; row++) {
        c->bias[row] = random_int32(rng, 16);
        c->mult[row] = (1 << 27) + random_int32(rng, 26);
        c->hidden_mult[row] = (1 << 28) + random_int32(rng, 26);
        for (int i = 0; i < CELL_I; i++) {
            c->w[row][i] = random_int8(rng);
        }
        for (int i = 0; i < CELL_H; i++) {
            c->u[row][i] = random_int8(rng);
        }
    }
    for (int k = 0; k < CELL_H; k++) {
        c->hidden_bias[k] = random_int32(rng, 16);
    }
}

/* a and b of qmodel.h for one gate of one unit. */
static int32_t part_x(const cell *c, int gate, int unit, const int8_t *x)
{
    const int row = gate * CELL_H + unit;
    int32_t sum = c->bias[row];
    for (int i = 0; i < CELL_I; i++) {
        sum += c->w[row][i] * x[i];
    }
    return tin_requantize(sum, c->mult[row], CELL_SHIFT);
}

static int32_t part_h(const cell *c, int gate, int unit, const int8_t *h, int32_t bias)
{
    const int row = gate * CELL_H + unit;
    int32_t sum = bias;
    for (int i = 0; i < CELL_H; i++) {
        sum += c->u[row][i] * h[i];
    }
    return tin_requantize(sum, c->hidden_mult[row], CELL_HIDDEN_SHIFT);
}

static int32_t gate_of(const cell *c, int gate, int unit, const int8_t *x, const int8_t *h)
{
    return tin_sigmoid_q28(part_x(c, gate, unit, x) + part_h(c, gate, unit, h, 0));
}

static int16_t blend(int32_t h, int32_t n, int32_t z)
{
    return (int16_t)((n + tin_multiply_high(h * 4096 - n, z) * 16 + 2048) >> 12);
}

static void round_state(const int16_t *h, int8_t *h8)
{
    for (int k = 0; k < CELL_H; k++) {
        h8[k] = (int8_t)clamp((h[k] + 128) >> 8, -128, 127);
    }
}

static void random_row(tin_rng *rng, int8_t *x)
{
    for (int i = 0; i < CELL_I; i++) {
        x[i] = random_int8(rng);
    }
}

static void test_mgu(void **state)
{
    (void)state;
    tin_rng rng;
    cell c;
    tin_rng_seed(&rng, 15);
    random_cell(&c, &rng, 2);
    for (int block = 0; block < CELL_BLOCKS; block++) {
        put_gate(&c, 0, block, 2 * block, c.unit + 28 * block, true);
        put_gate(&c, 1, block, 2 * block + 1, c.unit + 28 * block + 12, true);
        for (int lane = 0; lane < 4 && 4 * block + lane < CELL_H; lane++) {
            c.unit[28 * block + 24 + lane] = c.hidden_bias[4 * block + lane];
        }
    }
    const tink_recurrent_t layer = {c.blocks_w, c.blocks_u, c.unit, CELL_I, CELL_H, CELL_SHIFT, CELL_HIDDEN_SHIFT, 0};
    int16_t h[CELL_H] = {0}, expected[CELL_H] = {0};
    int8_t h8[CELL_H] = {0}, expected8[CELL_H] = {0}, x[CELL_I];
    for (int step = 0; step < 200; step++) {
        random_row(&rng, x);
        for (int k = 0; k < CELL_H; k++) {
            const int32_t f = gate_of(&c, 0, k, x, expected8);
            const int32_t b = part_h(&c, 1, k, expected8, c.hidden_bias[k]);
            const int32_t n = tin_sigmoid_q28(part_x(&c, 1, k, x) + tin_multiply_high(b, f)) - (1 << 27);
            expected[k] = blend(expected[k], n, (1 << 28) - f);
        }
        round_state(expected, expected8);
        tink_mgu(&layer, x, h, h8);
        assert_memory_equal(h, expected, sizeof h);
        assert_memory_equal(h8, expected8, sizeof h8);
    }
}

static void test_min_gru(void **state)
{
    (void)state;
    tin_rng rng;
    cell c;
    tin_rng_seed(&rng, 16);
    random_cell(&c, &rng, 2);
    for (int at = 0; at < 2 * CELL_BLOCKS; at++) {
        put_gate(&c, at % 2, at / 2, at, c.unit + 8 * at, false);
    }
    const tink_min_gru_t layer = {c.blocks_w, c.unit, CELL_I, CELL_H, CELL_SHIFT, 0};
    int16_t h[CELL_H] = {0}, expected[CELL_H] = {0};
    int8_t y[CELL_H], expected8[CELL_H], x[CELL_I];
    for (int step = 0; step < 200; step++) {
        random_row(&rng, x);
        for (int k = 0; k < CELL_H; k++) {
            const int32_t z = tin_sigmoid_q28(part_x(&c, 0, k, x));
            expected[k] = blend(expected[k], tin_sigmoid_q28(part_x(&c, 1, k, x)) - (1 << 27), z);
        }
        round_state(expected, expected8);
        tink_min_gru(&layer, x, h, y);
        assert_memory_equal(h, expected, sizeof h);
        assert_memory_equal(y, expected8, sizeof y);
    }
}

static void test_gru_before(void **state)
{
    (void)state;
    tin_rng rng;
    cell c;
    tin_rng_seed(&rng, 17);
    random_cell(&c, &rng, 3);
    for (int block = 0; block < CELL_BLOCKS; block++) { /* r of all units, then z and n */
        const int second = CELL_BLOCKS + 2 * block;
        put_gate(&c, 0, block, block, c.unit + 12 * block, true);
        put_gate(&c, 1, block, second, c.unit + 12 * second, true);
        put_gate(&c, 2, block, second + 1, c.unit + 12 * (second + 1), true);
    }
    const tink_recurrent_t layer = {c.blocks_w, c.blocks_u, c.unit, CELL_I, CELL_H, CELL_SHIFT, CELL_HIDDEN_SHIFT, 0};
    int16_t h[CELL_H] = {0}, expected[CELL_H] = {0};
    int8_t h8[CELL_H] = {0}, expected8[CELL_H] = {0}, rh8[CELL_H], room[CELL_H], x[CELL_I];
    for (int step = 0; step < 200; step++) {
        random_row(&rng, x);
        for (int k = 0; k < CELL_H; k++) {
            const int32_t r = gate_of(&c, 0, k, x, expected8);
            rh8[k] = (int8_t)clamp((tin_multiply_high(expected[k] * 4096, r) + (1 << 15)) >> 16, -128, 127);
        }
        for (int k = 0; k < CELL_H; k++) {
            expected[k] = blend(expected[k], gate_of(&c, 2, k, x, rh8) - (1 << 27), gate_of(&c, 1, k, x, expected8));
        }
        round_state(expected, expected8);
        tink_gru_before(&layer, x, h, h8, room);
        assert_memory_equal(h, expected, sizeof h);
        assert_memory_equal(h8, expected8, sizeof h8);
    }
}

static void test_lstm(void **state)
{
    (void)state;
    tin_rng rng;
    cell c;
    tin_rng_seed(&rng, 18);
    random_cell(&c, &rng, 4);
    for (int at = 0; at < 4 * CELL_BLOCKS; at++) {
        put_gate(&c, at % 4, at / 4, at, c.unit + 12 * at, true);
    }
    const tink_recurrent_t layer = {c.blocks_w, c.blocks_u, c.unit, CELL_I, CELL_H, CELL_SHIFT, CELL_HIDDEN_SHIFT, 0};
    int32_t memory[CELL_H] = {0}, expected[CELL_H] = {0};
    int8_t h8[CELL_H] = {0}, old[CELL_H] = {0}, expected8[CELL_H] = {0}, room[CELL_H], x[CELL_I];
    for (int step = 0; step < 200; step++) {
        random_row(&rng, x);
        memcpy(old, expected8, sizeof old);
        for (int k = 0; k < CELL_H; k++) {
            const int32_t i = gate_of(&c, 0, k, x, old), f = gate_of(&c, 1, k, x, old);
            const int32_t g = gate_of(&c, 2, k, x, old) - (1 << 27), o = gate_of(&c, 3, k, x, old);
            expected[k] = clamp((int64_t)tin_multiply_high(expected[k] * 16, f) + tin_multiply_high(g, i), -(1 << 27),
                                (1 << 27) - 1);
            const int32_t t = tin_sigmoid_q28((expected[k] + 512) >> 10) - (1 << 27);
            expected8[k] = (int8_t)clamp((tin_multiply_high(t, o) + (1 << 15)) >> 16, -128, 127);
        }
        tink_lstm(&layer, x, memory, h8, room);
        assert_memory_equal(memory, expected, sizeof memory);
        assert_memory_equal(h8, expected8, sizeof h8);
    }
}

/* The definition of qmodel.h, unit by unit, from the old state. */
static void test_gru(void **state)
{
    (void)state;
    enum { I = 7, H = 6, BLOCKS = 2, SHIFT = 2, HIDDEN_SHIFT = 1 };
    tin_rng rng;
    tin_rng_seed(&rng, 5);
    int8_t w[3 * H][I], u[3 * H][H], blocks_w[BLOCKS * 3 * 4 * I] = {0}, blocks_u[BLOCKS * 3 * 4 * H] = {0};
    int32_t bias[3 * H], mult[3 * H], hidden_mult[3 * H], hidden_bias[H], unit[BLOCKS * 40] = {0};
    for (int row = 0; row < 3 * H; row++) {
        const int gate = row / H, unit_index = row % H, block = unit_index / 4, lane = unit_index % 4;
        int32_t *record = unit + block * 40 + gate * 12 + lane;
        record[0] = bias[row] = random_int32(&rng, 16);
        record[4] = mult[row] = (1 << 27) + random_int32(&rng, 26);
        record[8] = hidden_mult[row] = (1 << 28) + random_int32(&rng, 26);
        for (int i = 0; i < I; i++) {
            w[row][i] = random_int8(&rng);
            put_weight(blocks_w + (block * 3 + gate) * 4 * I, I, lane, i, w[row][i]);
        }
        for (int i = 0; i < H; i++) {
            u[row][i] = random_int8(&rng);
            put_weight(blocks_u + (block * 3 + gate) * 4 * H, H, lane, i, u[row][i]);
        }
    }
    for (int k = 0; k < H; k++) {
        unit[k / 4 * 40 + 36 + k % 4] = hidden_bias[k] = random_int32(&rng, 16);
    }
    const tink_recurrent_t layer = {blocks_w, blocks_u, unit, I, H, SHIFT, HIDDEN_SHIFT, 0};
    int16_t h[H] = {0}, expected[H] = {0};
    int8_t h8[H] = {0}, expected8[H] = {0};
    for (int step = 0; step < 300; step++) {
        int8_t x[I];
        int32_t a[3 * H], b[3 * H];
        for (int i = 0; i < I; i++) {
            x[i] = random_int8(&rng);
        }
        for (int row = 0; row < 3 * H; row++) {
            a[row] = bias[row];
            b[row] = row >= 2 * H ? hidden_bias[row - 2 * H] : 0;
            for (int i = 0; i < I; i++) {
                a[row] += w[row][i] * x[i];
            }
            for (int i = 0; i < H; i++) {
                b[row] += u[row][i] * expected8[i];
            }
            a[row] = tin_requantize(a[row], mult[row], SHIFT);
            b[row] = tin_requantize(b[row], hidden_mult[row], HIDDEN_SHIFT);
        }
        for (int k = 0; k < H; k++) {
            const int32_t r = tin_sigmoid_q28(a[k] + b[k]), z = tin_sigmoid_q28(a[H + k] + b[H + k]);
            const int32_t n = tin_sigmoid_q28(a[2 * H + k] + tin_multiply_high(b[2 * H + k], r)) - (1 << 27);
            expected[k] = (int16_t)((n + tin_multiply_high(expected[k] * 4096 - n, z) * 16 + 2048) >> 12);
            expected8[k] = (int8_t)clamp((expected[k] + 128) >> 8, -128, 127);
        }
        tink_gru(&layer, x, h, h8);
        assert_memory_equal(h, expected, sizeof h);
        assert_memory_equal(h8, expected8, sizeof h8);
    }
}

/* As the generator folds it. */
static int fold_table(void **state)
{
    (void)state;
    for (int j = 0; j < 128; j++) {
        const int32_t below = (int16_t)tin_sigmoid_table[127 - j] - (int16_t)tin_sigmoid_table[128 + j];
        tink_sigmoid_table[j] = tin_sigmoid_table[128 + j];
        tink_sigmoid_table[128 + j / 4] |= (uint32_t)(below + 50) << (8 * (j % 4));
    }
    return 0;
}

static void test_folded_sigmoid_everywhere(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gru),     cmocka_unit_test(test_mgu),
        cmocka_unit_test(test_min_gru), cmocka_unit_test(test_gru_before),
        cmocka_unit_test(test_lstm),    cmocka_unit_test(test_folded_sigmoid_everywhere),
    };
    return cmocka_run_group_tests(tests, fold_table, NULL);
}
