/* The threshold table: test streams may come in any parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "evaluate/sweep_table.h"

#define N_STREAMS 5
#define N_DECISIONS 90
#define EVENTS 4

static const tin_class classes[] = {{"rest", false}, {"wave", true}, {"knock", true}};

typedef struct world {
    int16_t scores[N_STREAMS][N_DECISIONS * 3];
    tin_interval events[N_STREAMS][EVENTS];
    tin_sweep_stream streams[N_STREAMS];
} world;

static void make_world(world *w)
{
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    for (int s = 0; s < N_STREAMS; s++) {
        for (int i = 0; i < N_DECISIONS * 3; i++) {
            w->scores[s][i] = (int16_t)((int)tin_rng_below(&rng, 400) - 200);
        }
        for (int i = 0; i < EVENTS; i++) {
            w->events[s][i] = (tin_interval){20 * i + 5, 20 * i + 15, 1 + (int32_t)tin_rng_below(&rng, 2)};
        }
        w->streams[s] = (tin_sweep_stream){
            .scene = {w->events[s], EVENTS, NULL, N_DECISIONS}, .scores = w->scores[s], .n_decisions = N_DECISIONS};
    }
}

static void test_streams_in_parts_are_those_at_once(void **state)
{
    (void)state;
    static world w;
    make_world(&w);
    const tin_decision_rule rule = {.smooth_shift = 1, .hysteresis = 30, .needed = 2, .of = 2};
    tin_sweep_input input = {.streams = w.streams,
                             .n_streams = N_STREAMS,
                             .n_people = 1,
                             .classes = classes,
                             .n_classes = 3,
                             .timing = {.hop = 1},
                             .margins = tin_margins_common(2, 4, false)};
    tin_sweep_table at_once, parts;
    assert_int_equal(tin_sweep_table_make(&at_once, &input, &rule, NULL), TIN_OK);
    assert_int_equal(tin_sweep_table_make(&parts, &input, &rule, NULL), TIN_OK);
    assert_int_equal(tin_sweep_table_add_test(&at_once, &input, &rule, NULL), TIN_OK);
    static const size_t sizes[] = {1, 0, 3, 1};
    for (size_t i = 0, at = 0; i < 4; at += sizes[i++]) {
        input.streams = w.streams + at;
        input.n_streams = sizes[i];
        assert_int_equal(tin_sweep_table_add_test(&parts, &input, &rule, NULL), TIN_OK);
    }
    assert_true(at_once.n_rows > 50 && parts.n_rows == at_once.n_rows);
    for (size_t i = 0; i < at_once.n_rows; i++) {
        const tin_sweep_row *row = &at_once.rows[i];
        assert_memory_equal(&row->test, &parts.rows[i].test, sizeof row->test);
        assert_memory_equal(&row->test, &row->validation, sizeof row->test); /* the same streams */
    }
    assert_true(at_once.rows[0].test.counts.true_positives > 0);
    tin_sweep_table_free(&at_once);
    tin_sweep_table_free(&parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_streams_in_parts_are_those_at_once)};
    return cmocka_run_group_tests_name("sweep_table", tests, NULL, NULL);
}
