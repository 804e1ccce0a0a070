/* What differs between two datasets, by hand-made pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "dataset/dataset_diff.h"

#define FRAMES 100
#define RATE 10.0

static tin_channel channels[2] = {{"ax", "g", 0.25}, {"gx", "rad/s", 0.5}};
static tin_class classes[3] = {{"none", false}, {"walk", false}, {"shake", true}};

/* A dataset in memory: two streams, the first with three labels. Everything may be changed before the comparison. */
typedef struct world {
    tin_dataset d;
    tin_channel channels[2];
    tin_class classes[3];
    tin_stream streams[3];
    tin_interval intervals[3][4];
    int16_t counts[3][FRAMES * 2];
} world;

static void make_world(world *w)
{
    memset(w, 0, sizeof *w);
    memcpy(w->channels, channels, sizeof channels);
    memcpy(w->classes, classes, sizeof classes);
    static const char *const ids[3] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < FRAMES * 2; k++)
            w->counts[i][k] = (int16_t)(i * 1000 + k);
        w->streams[i] = (tin_stream){.id = (char *)(uintptr_t)ids[i],
                                     .subject = (char *)(uintptr_t) "p1",
                                     .session = (char *)(uintptr_t) "",
                                     .origin = (char *)(uintptr_t) "a.csv",
                                     .n_frames = FRAMES,
                                     .counts = w->counts[i],
                                     .intervals = w->intervals[i]};
    }
    w->intervals[0][0] = (tin_interval){10, 20, 1};
    w->intervals[0][1] = (tin_interval){30, 40, 2};
    w->intervals[0][2] = (tin_interval){50, 60, 2};
    w->streams[0].n_intervals = 3;
    w->d = (tin_dataset){.name = (char *)(uintptr_t) "unit",
                         .rate_hz = RATE,
                         .n_channels = 2,
                         .n_classes = 3,
                         .channels = w->channels,
                         .classes = w->classes,
                         .streams = w->streams,
                         .n_streams = 2};
}

static world before, after;
static tin_dataset_diff diff;

static void compare(void)
{
    tin_error err = {0};
    tin_dataset_diff_free(&diff);
    assert_int_equal(tin_dataset_compare(&diff, &before.d, &after.d, &err), TIN_OK);
}

static void expect(size_t i, const char *stream, const char *what, const char *old_text, const char *new_text)
{
    assert_true(i < diff.n);
    const tin_dataset_change *c = &diff.changes[i];
    assert_string_equal(c->stream ? c->stream : "", stream);
    assert_string_equal(c->what, what);
    assert_string_equal(c->before ? c->before : "", old_text);
    assert_string_equal(c->after ? c->after : "", new_text);
}

static int setup(void **state)
{
    (void)state;
    make_world(&before);
    make_world(&after);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tin_dataset_diff_free(&diff);
    return 0;
}

static void equal_content(void **state)
{
    (void)state;
    compare();
    assert_int_equal(diff.n, 0);
    assert_int_equal(diff.streams_equal, 2);
}

static void streams_come_and_go(void **state)
{
    (void)state;
    after.d.n_streams = 3;
    after.streams[1].id = (char *)(uintptr_t) "new";
    compare();
    assert_int_equal(diff.streams_removed, 1);
    assert_int_equal(diff.streams_added, 2);
    assert_int_equal(diff.streams_equal, 1);
    expect(0, "b", "stream", "10.000 s of p1, train", "");
    expect(1, "new", "stream", "", "10.000 s of p1, train");
    expect(2, "c", "stream", "", "10.000 s of p1, train");
}

static void order_of_streams(void **state)
{
    (void)state;
    tin_stream first = after.streams[0];
    after.streams[0] = after.streams[1];
    after.streams[1] = first;
    compare();
    assert_int_equal(diff.n, 1);
    expect(0, "", "order of streams", "as it was", "another");
}

static void fields_of_a_stream(void **state)
{
    (void)state;
    after.streams[1].role = TIN_ROLE_TEST;
    after.streams[1].subject = (char *)(uintptr_t) "p2";
    after.streams[1].session = (char *)(uintptr_t) "evening";
    after.streams[1].origin = (char *)(uintptr_t) "b.csv";
    after.streams[1].n_clipped = 7;
    after.counts[1][3]++;
    after.counts[1][199]--;
    after.streams[1].counts_hash[0] = 'f'; /* equal hashes are not looked behind */
    compare();
    assert_int_equal(diff.n, 6);
    assert_int_equal(diff.streams_changed, 1);
    expect(0, "b", "role", "train", "test");
    expect(1, "b", "subject", "p1", "p2");
    expect(2, "b", "session", "", "evening");
    expect(3, "b", "origin", "a.csv", "b.csv");
    expect(4, "b", "counts", "200 values", "2 of them differ");
    expect(5, "b", "clipped", "0", "7");
    after.streams[1].n_frames = 90;
    compare();
    expect(4, "b", "frames", "100", "90");
}

/* One label moves, one changes its class, one goes, one comes. Seconds by hand: 1 + 1 + 1 + 0.5. */
static void labels(void **state)
{
    (void)state;
    tin_interval *v = after.intervals[0];
    v[0] = (tin_interval){15, 25, 1};
    v[1] = (tin_interval){30, 40, 1};
    v[2] = (tin_interval){80, 85, TIN_LABEL_IGNORE};
    compare();
    assert_int_equal(diff.labels_changed, 4);
    expect(0, "a", "label", "walk 1.000..2.000", "walk 1.500..2.500");
    expect(1, "a", "label", "shake 3.000..4.000", "walk 3.000..4.000");
    expect(2, "a", "label", "shake 5.000..6.000", "");
    expect(3, "a", "label", "", "ignore 8.000..8.500");
    assert_float_equal(diff.changes[0].start_s, 1.0, 1e-12);
    assert_float_equal(diff.changes[0].end_s, 2.5, 1e-12);
    assert_float_equal(diff.label_seconds, 3.5, 1e-12);
}

/* Labels are compared by the names of their classes, whatever order these have. */
static void classes_by_name(void **state)
{
    (void)state;
    after.classes[1] = classes[2];
    after.classes[2] = classes[1];
    for (int i = 0; i < 3; i++)
        after.intervals[0][i].class_index = i == 0 ? 2 : 1;
    compare();
    assert_int_equal(diff.labels_changed, 0);
    assert_float_equal(diff.label_seconds, 0, 0);
    expect(0, "", "class", "2: walk", "3: walk");
    expect(1, "", "class", "3: shake (event)", "2: shake (event)");
}

static void head(void **state)
{
    (void)state;
    after.d.name = (char *)(uintptr_t) "other";
    after.d.rate_hz = 20;
    after.channels[0].scale = 0.125;
    after.channels[1].name = (char *)(uintptr_t) "gy";
    after.classes[1].event = true;
    after.d.unlabelled = TIN_LABEL_IGNORE;
    after.d.n_streams = before.d.n_streams = 0;
    compare();
    assert_int_equal(diff.n, 7);
    expect(0, "", "name", "unit", "other");
    expect(1, "", "rate_hz", "10", "20");
    expect(2, "", "channel", "1: ax [g] x 0.25", "1: ax [g] x 0.125");
    expect(3, "", "channel", "2: gx [rad/s] x 0.5", "");
    expect(4, "", "channel", "", "2: gy [rad/s] x 0.5");
    expect(5, "", "class", "2: walk", "2: walk (event)");
    expect(6, "", "unlabelled", "none", "ignore");
}

static void every_allocation(void **state)
{
    (void)state;
    after.d.n_streams = 3;
    after.d.rate_hz = 20;
    size_t n = 1;
    for (;; n++) {
        tin_error err = {0};
        (void)tin_memory_fail_at(n);
        tin_status status = tin_dataset_compare(&diff, &before.d, &after.d, &err);
        (void)tin_memory_fail_at(0);
        if (status == TIN_OK)
            break;
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_int_equal(diff.n, 0);
    }
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_content, setup, teardown),
        cmocka_unit_test_setup_teardown(streams_come_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(order_of_streams, setup, teardown),
        cmocka_unit_test_setup_teardown(fields_of_a_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(labels, setup, teardown),
        cmocka_unit_test_setup_teardown(classes_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(head, setup, teardown),
        cmocka_unit_test_setup_teardown(every_allocation, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
