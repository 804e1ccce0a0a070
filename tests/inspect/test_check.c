/* Each check on recordings with a planted fault, which it must find, and on clean ones, where it must be silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "inspect/check.h"
#include "made_data.h"

static world w;
static tin_findings findings;

static int setup(void **state)
{
    (void)state;
    make_world(&w);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tin_findings_free(&findings);
    return 0;
}

static void run(void)
{
    tin_error err = {0};
    tin_findings_free(&findings);
    if (tin_check_dataset(&findings, &w.d, &(tin_check_options){.quiet = true}, &err) != TIN_OK) {
        fail_msg("%s", tin_error_text(&err));
    }
}

static void print_all(void)
{
    for (size_t i = 0; i < findings.n; i++) {
        print_message("%s %s: %s\n", tin_severity_name(findings.items[i].severity),
                      tin_check_name(findings.items[i].check), findings.items[i].text);
    }
}

/* The only finding of a check, of that severity. */
static const tin_finding *only(tin_check check, tin_severity severity)
{
    const tin_finding *found = NULL;
    for (size_t i = 0; i < findings.n; i++) {
        if (findings.items[i].check == check) {
            if (found) {
                print_all();
                fail_msg("more than one finding of %s", tin_check_name(check));
            }
            found = &findings.items[i];
        }
    }
    if (!found || found->severity != severity) {
        print_all();
        fail_msg("no %s of %s", tin_severity_name(severity), tin_check_name(check));
    }
    return found;
}

static void nothing_but(tin_check check)
{
    for (size_t i = 0; i < findings.n; i++) {
        if (findings.items[i].check != check) {
            print_all();
            fail_msg("something else was found");
        }
    }
}

static void clean(void **state)
{
    (void)state;
    run();
    print_all();
    assert_int_equal(findings.n, 0);
}

static void one_person_in_two_roles(void **state)
{
    (void)state;
    strcpy(w.subjects[5], "s01");
    run();
    const tin_finding *f = only(TIN_CHECK_SUBJECT, TIN_FAULT);
    assert_int_equal(f->stream, 5);
    assert_int_equal(f->other, 0);
    nothing_but(TIN_CHECK_SUBJECT);
}

static void spellings_of_a_person(void **state)
{
    (void)state;
    static const char *const same[][2] = {{"s071", "S71"},
                                          {"Subject 7", "s_07"},
                                          {"anna", "Anna "},
                                          {"user12", "U12"},
                                          {"P3-left", "p03 Left"}},
                             *const other[][2] = {{"s11", "s110"}, {"p1", "c1"}, {"anna", "anne"}, {"s1a", "s1b"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        snprintf(w.subjects[4], sizeof w.subjects[4], "%s", same[i][0]);
        snprintf(w.subjects[5], sizeof w.subjects[5], "%s", same[i][1]);
        run();
        only(TIN_CHECK_SUBJECT, TIN_WARNING);
        w.streams[5].role = TIN_ROLE_TRAIN;
        run();
        only(TIN_CHECK_SUBJECT, TIN_FAULT);
        w.streams[5].role = TIN_ROLE_TEST;
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        snprintf(w.subjects[4], sizeof w.subjects[4], "%s", other[i][0]);
        snprintf(w.subjects[5], sizeof w.subjects[5], "%s", other[i][1]);
        run();
        assert_int_equal(findings.n, 0);
    }
}

static void a_copied_stretch(void **state)
{
    (void)state;
    memcpy(w.counts[5] + 137 * N_CHANNELS, w.counts[2] + 3000 * N_CHANNELS, 400 * N_CHANNELS * sizeof(int16_t));
    run();
    const tin_finding *f = only(TIN_CHECK_DUPLICATE, TIN_FAULT); /* on both sides of the split */
    assert_int_equal(f->stream, 2);
    assert_int_equal(f->other, 5);
    assert_int_equal(f->start, 3000);
    assert_int_equal(f->end, 3400);
    assert_int_equal(f->other_start, 137);
    assert_true(fabs(f->value - (8.0)) <= 1e-9);
}

static void a_recording_twice(void **state)
{
    (void)state;
    memcpy(w.counts[6], w.counts[0], sizeof w.counts[6]);
    memcpy(w.intervals[6], w.intervals[0], sizeof w.intervals[6]);
    w.streams[6].n_intervals = w.streams[0].n_intervals;
    w.d.n_streams = 7;
    run();
    const tin_finding *f = only(TIN_CHECK_DUPLICATE, TIN_FAULT);
    assert_true(fabs(f->value - (N_FRAMES / RATE)) <= 1e-9);
    nothing_but(TIN_CHECK_DUPLICATE); /* and not nearly once more */
}

/* Recorded by another device: a third of a frame later, half a percent faster, weaker, with noise. */
static void a_recording_nearly_twice(void **state)
{
    (void)state;
    tin_rng rng;
    tin_rng_seed(&rng, 99);
    for (int64_t t = 0; t < N_FRAMES; t++) {
        double at = 40.33 + 0.995 * (double)t;
        int64_t before = (int64_t)at;
        double part = at - (double)before;
        for (int c = 0; c < N_CHANNELS; c++) {
            const int16_t *x = w.counts[1] + before * N_CHANNELS + c;
            double v = before + 1 < N_FRAMES ? (1 - part) * x[0] + part * x[N_CHANNELS] : 0;
            w.counts[6][t * N_CHANNELS + c] = (int16_t)rint(0.97 * v + 10 * bell(&rng));
        }
    }
    w.streams[6].n_intervals = 0;
    w.d.n_streams = 7;
    run();
    const tin_finding *f = only(TIN_CHECK_NEAR_DUPLICATE, TIN_WARNING);
    assert_true((f->stream == 1 && f->other == 6) || (f->stream == 6 && f->other == 1));
    double a = (double)f->start, b = (double)f->other_start;
    double expected = f->stream == 1 ? (a - 40.33) / 0.995 : 40.33 + 0.995 * a;
    assert_true(fabs(b - expected) < 10);
}

static void classes_of_the_split(void **state)
{
    (void)state;
    for (size_t k = 0; k < w.streams[3].n_intervals; k++) {
        w.intervals[3][k].class_index = 1;
    }
    run();
    assert_int_equal(only(TIN_CHECK_CLASS, TIN_WARNING)->class_index, 2); /* validation has no tap */
    make_world(&w);
    for (int i = 0; i < N_PEOPLE; i++) {
        for (size_t k = 0; k < w.streams[i].n_intervals; k++) {
            w.intervals[i][k].class_index = i < 5 ? 1 : w.intervals[i][k].class_index;
        }
    }
    run();
    bool train = false, rare = false, single = false;
    for (size_t i = 0; i < findings.n; i++) {
        const tin_finding *f = &findings.items[i];
        assert_int_equal(f->class_index, 2);
        train = train || (f->check == TIN_CHECK_CLASS && f->severity == TIN_FAULT);
        rare = rare || (f->check == TIN_CHECK_BALANCE && strstr(f->text, "there are only"));
        single = single || (f->check == TIN_CHECK_BALANCE && strstr(f->text, "only one person"));
    }
    if (!train || !rare || !single) {
        print_all();
        fail();
    }
}

/* All recordings at 100 Hz, a little uneven, with a few slips of the clock as loggers have them. */
static void good_clocks(void)
{
    for (int i = 0; i < N_STREAMS; i++) {
        w.streams[i].lineage = (tin_lineage){.rate_hz = 100 + i, .jitter_s = 0.0015, .n_duplicates = 100, .n_gaps = 2};
    }
}

static void clocks_of_the_sources(void **state)
{
    (void)state;
    good_clocks();
    run();
    print_all();
    assert_int_equal(findings.n, 0);

    w.streams[1].lineage.rate_hz = 115;
    run();
    const tin_finding *f = only(TIN_CHECK_RATE, TIN_WARNING);
    assert_int_equal(f->stream, 1);
    assert_true(f->value == 115 && f->limit > 102 && f->limit < 104);
    nothing_but(TIN_CHECK_RATE);
    for (int i = 0; i < N_PEOPLE; i++) {
        w.streams[i].lineage.rate_hz = i == 2 ? 47 : 48; /* all but one near enough to the project's 50 */
    }
    run();
    assert_int_equal(only(TIN_CHECK_RATE, TIN_WARNING)->stream, 2);

    good_clocks();
    w.streams[0].lineage.jitter_s = 0.003;
    run();
    only(TIN_CHECK_JITTER, TIN_NOTE);
    w.streams[0].lineage.jitter_s = 0.006;
    run();
    only(TIN_CHECK_JITTER, TIN_WARNING);
    nothing_but(TIN_CHECK_JITTER);

    good_clocks();
    w.streams[4].lineage.n_duplicates = 130; /* 12480 samples are in 120 s */
    run();
    f = only(TIN_CHECK_REPEATED_TIME, TIN_WARNING);
    assert_int_equal(f->stream, 4);
    assert_true(fabs(f->value - 130 / 12610.0) < 1e-9);
    nothing_but(TIN_CHECK_REPEATED_TIME);

    good_clocks();
    w.streams[3].lineage.n_gaps = 3;
    run();
    assert_int_equal(only(TIN_CHECK_GAPS, TIN_WARNING)->stream, 3);
    nothing_but(TIN_CHECK_GAPS);
    for (int i = 0; i < N_STREAMS; i++) { /* no clock: nothing to say */
        w.streams[i].lineage.rate_hz = 0;
    }
    run();
    assert_int_equal(findings.n, 0);
}

/* What was split at its gaps is one recording: one finding, and the gaps are held against all of its time. */
static void clocks_of_a_split_recording(void **state)
{
    (void)state;
    good_clocks();
    snprintf(w.ids[1], sizeof w.ids[1], "r1-2");
    snprintf(w.ids[2], sizeof w.ids[2], "r1-3");
    for (int i = 0; i < 3; i++) {
        w.streams[i].subject = w.subjects[0];
        w.streams[i].lineage = w.streams[0].lineage;
        w.streams[i].lineage.n_gaps = 6; /* in six minutes */
    }
    run();
    assert_int_equal(findings.found[TIN_CHECK_GAPS], 0);
    w.streams[0].lineage.n_gaps = w.streams[1].lineage.n_gaps = w.streams[2].lineage.n_gaps = 7;
    run();
    const tin_finding *f = only(TIN_CHECK_GAPS, TIN_WARNING);
    assert_int_equal(f->stream, 0);
    assert_true(fabs(f->value - 7 / 6.0) < 1e-9);
    memset(&w.streams[3].lineage, 0, sizeof w.streams[3].lineage);
    w.streams[2].lineage.rate_hz = 99.5; /* another recording: too many gaps, each by itself */
    run();
    assert_int_equal(findings.found[TIN_CHECK_GAPS], 2);
}

/* What nearly all have in common is said once, at the worst. */
static void clocks_that_are_all_alike(void **state)
{
    (void)state;
    tin_stream many[12];
    char ids[12][8];
    good_clocks();
    for (int i = 0; i < 12; i++) {
        snprintf(ids[i], sizeof ids[i], "m%d", i);
        many[i] = w.streams[i % N_PEOPLE];
        many[i].id = ids[i];
        many[i].n_frames = 1000 + 10 * i;
        many[i].n_intervals = 0;
        many[i].lineage.jitter_s = i < 9 ? 0.003 + 0.0001 * i : 0;
        many[i].lineage.rate_hz = 100;
        many[i].lineage.n_duplicates = 0;
    }
    w.d.streams = many;
    w.d.n_streams = 12;
    run();
    const tin_finding *f = only(TIN_CHECK_JITTER, TIN_NOTE);
    assert_int_equal(f->stream, 8);
    assert_non_null(strstr(f->text, "it is so in 9 of 12 recordings"));
    many[8].lineage.jitter_s = 0; /* eight are named one by one */
    run();
    assert_int_equal(findings.found[TIN_CHECK_JITTER], 8);
}

static void what_the_import_mended(void **state)
{
    (void)state;
    static char cut[] = "r1.csv: line 9: the label ends at 130 s of 120; cut",
                rows[] = "r1.csv: 2 broken rows; left out";
    char *notes[2] = {cut, rows};
    w.streams[1].lineage.notes = notes;
    w.streams[1].lineage.n_notes = 2;
    run();
    nothing_but(TIN_CHECK_IMPORT);
    assert_int_equal(findings.n, 2);
    assert_int_equal(findings.items[1].stream, 1);
    assert_string_equal(findings.items[0].text, cut);
    assert_string_equal(findings.items[1].text, rows);
    snprintf(w.ids[2], sizeof w.ids[2], "r2-2"); /* a recording in two streams is told of once */
    w.streams[2].subject = w.subjects[1];
    w.streams[2].lineage = w.streams[1].lineage;
    run();
    assert_int_equal(findings.n, 2);
}

static void sensors_that_stand_still(void **state)
{
    (void)state;
    for (int64_t t = 1000; t < 1200; t++) { /* one channel for 4 s */
        w.counts[1][t * N_CHANNELS + 4] = 2000;
    }
    run();
    const tin_finding *f = only(TIN_CHECK_SENSOR_FROZEN, TIN_WARNING);
    assert_int_equal(f->channel, 4);
    assert_int_equal(f->start, 1000);
    assert_int_equal(f->end, 1200);
    for (int64_t t = 1000; t < 1200; t++) { /* all of them */
        memcpy(w.counts[1] + t * N_CHANNELS, w.counts[1] + 999 * N_CHANNELS, N_CHANNELS * sizeof(int16_t));
    }
    w.counts[1][998 * N_CHANNELS] = (int16_t)(w.counts[1][999 * N_CHANNELS] + 300);
    run();
    f = only(TIN_CHECK_SENSOR_FROZEN, TIN_WARNING);
    assert_int_equal(f->channel, -1);
    assert_true(fabs(f->value - (201 / RATE)) <= 0.05);
    make_world(&w);
    for (int64_t t = 0; t < N_FRAMES; t++) {
        w.counts[2][t * N_CHANNELS + 5] = 7;
    }
    run();
    assert_int_equal(only(TIN_CHECK_SENSOR_FROZEN, TIN_FAULT)->channel, 5);
}

/* A sensor of few bits repeats values; that is no fault. */
static void coarse_sensors(void **state)
{
    (void)state;
    for (int i = 0; i < N_PEOPLE; i++) {
        for (int64_t t = 0; t < N_FRAMES * N_CHANNELS; t++) {
            w.counts[i][t] = (int16_t)(w.counts[i][t] / 256 * 256);
        }
    }
    run();
    for (size_t i = 0; i < findings.n; i++) {
        if (findings.items[i].severity != TIN_NOTE) {
            print_all();
            fail();
        }
    }
}

static void clipped_signals(void **state)
{
    (void)state;
    for (int64_t t = 0; t < N_FRAMES; t++) {
        int16_t *x = &w.counts[3][t * N_CHANNELS + 2];
        *x = *x > 5000 ? 5000 : *x;
    }
    run();
    const tin_finding *f = only(TIN_CHECK_SENSOR_CLIPPED, TIN_WARNING);
    assert_int_equal(f->stream, 3);
    assert_int_equal(f->channel, 2);
    make_world(&w);
    w.counts[3][3000 * N_CHANNELS] = INT16_MIN; /* one value at the end of the counts */
    run();
    assert_int_equal(only(TIN_CHECK_SENSOR_CLIPPED, TIN_NOTE)->channel, 0);
}

static void multiply(int person, int first, double factor)
{
    for (int64_t t = 0; t < N_FRAMES; t++) {
        for (int c = first; c < first + 3; c++) {
            double v = rint(w.counts[person][t * N_CHANNELS + c] * factor);
            w.counts[person][t * N_CHANNELS + c] = (int16_t)(v > 32766 ? 32766 : v < -32767 ? -32767 : v);
        }
    }
}

static void wrong_units(void **state)
{
    (void)state;
    multiply(2, 0, 1 / 9.80665);
    run();
    const tin_finding *f = only(TIN_CHECK_UNIT, TIN_WARNING);
    assert_int_equal(f->stream, 2);
    assert_non_null(strstr(f->text, "as if g were taken for m/s^2"));
    assert_true(fabs(f->value - (1 / 9.80665)) <= 0.005);
    make_world(&w);
    multiply(1, 3, 1 / 57.29578); /* too few counts for good precision, as it would be */
    run();
    assert_true(findings.found[TIN_CHECK_UNIT] >= 1);
    bool named = false;
    for (size_t i = 0; i < findings.n; i++) {
        named = named || (findings.items[i].stream == 1 && strstr(findings.items[i].text, "as if radians were taken"));
    }
    if (!named) {
        print_all();
        fail();
    }
}

static void gravity_taken_out(void **state)
{
    (void)state;
    for (int i = 0; i < N_PEOPLE; i++) {
        multiply(i, 0, 0.02);
        for (int64_t t = 0; t < N_FRAMES * N_CHANNELS; t += N_CHANNELS) {
            w.counts[i][t + 2] = (int16_t)(w.counts[i][t + 2] - 70);
        }
    }
    run();
    assert_non_null(strstr(only(TIN_CHECK_UNIT, TIN_NOTE)->text, "no gravity"));
}

static void axes(void **state)
{
    (void)state;
    for (int64_t t = 0; t < N_FRAMES; t++) { /* accelerometer and gyroscope turned as one: x to z */
        for (int c = 0; c < 6; c += 3) {
            int16_t *v = &w.counts[4][t * N_CHANNELS + c], x = v[0];
            v[0] = v[2];
            v[2] = (int16_t)-x;
        }
    }
    run();
    const tin_finding *f = only(TIN_CHECK_AXES, TIN_WARNING);
    assert_int_equal(f->stream, 4);
    assert_true(f->value > 75 && f->value < 105);
    make_world(&w);
    for (int64_t t = 0; t < N_FRAMES; t++) { /* the gyroscope alone: one sign */
        w.counts[4][t * N_CHANNELS + 4] = (int16_t)-w.counts[4][t * N_CHANNELS + 4];
    }
    run();
    f = only(TIN_CHECK_AXES, TIN_WARNING);
    assert_int_equal(f->stream, 4);
    assert_non_null(strstr(f->text, "(x, -y, z)"));
}

static void durations(void **state)
{
    (void)state;
    w.intervals[0][3].end = w.intervals[0][3].start + 1;
    run();
    bool found = false;
    for (size_t i = 0; i < findings.n; i++) {
        const tin_finding *f = &findings.items[i];
        found = found || (f->check == TIN_CHECK_DURATION && f->severity == TIN_WARNING && f->stream == 0 &&
                          f->start == w.intervals[0][3].start && strstr(f->text, "1 frame"));
    }
    assert_true(found);
    make_world(&w);
    w.streams[0].n_intervals -= 5;
    tin_interval *last = &w.intervals[0][w.streams[0].n_intervals - 1];
    last->end = last->start + 600;
    run();
    const tin_finding *f = only(TIN_CHECK_DURATION, TIN_WARNING);
    assert_true(fabs(f->value - (12)) <= 1e-9);
    assert_true(fabs(f->limit - (1.2 * 3)) <= 0.01);
}

static void unlabelled(void **state)
{
    (void)state;
    w.streams[1].n_intervals = 0;
    run();
    const tin_finding *f = only(TIN_CHECK_UNLABELLED, TIN_WARNING);
    assert_int_equal(f->stream, 1);
    make_world(&w);
    w.d.unlabelled = TIN_LABEL_IGNORE;
    w.streams[1].n_intervals = 4; /* broken off */
    run();
    bool share = false, gap = false;
    for (size_t i = 0; i < findings.n; i++) {
        share = share || strstr(findings.items[i].text, "of all frames have no label");
        gap = gap || (findings.items[i].stream == 1 && strstr(findings.items[i].text, "without a label"));
    }
    if (!share || !gap) {
        print_all();
        fail();
    }
}

static void labels_that_are_late(void **state)
{
    (void)state;
    for (int i = 0; i < N_PEOPLE; i++) {
        for (size_t k = 0; k < w.streams[i].n_intervals; k++) {
            if (w.intervals[i][k].class_index == 2) {
                w.intervals[i][k].start += 12;
                w.intervals[i][k].end += 12;
            }
        }
    }
    run();
    int late = 0;
    for (size_t i = 0; i < findings.n; i++) {
        const tin_finding *f = &findings.items[i];
        if (f->check == TIN_CHECK_BORDER_OFFSET) {
            assert_int_equal(f->class_index, 2);
            assert_int_equal(f->severity, TIN_WARNING);
            assert_true(fabs(f->value - (12 / RATE)) <= 0.03);
            late++;
        }
    }
    if (late != 2) { /* begin and end */
        print_all();
        fail();
    }
}

/* A label that is 0.8 s early: its end lies in the burst, which goes on. */
static void a_single_border(void **state)
{
    (void)state;
    tin_interval *v = &w.intervals[4][6];
    v->start -= 40;
    v->end -= 40;
    run();
    assert_true(findings.n > 0);
    for (size_t i = 0; i < findings.n; i++) {
        const tin_finding *f = &findings.items[i];
        assert_int_equal(f->check, TIN_CHECK_BORDER);
        assert_int_equal(f->stream, 4);
        assert_true(llabs(f->start - v->start) <= 1 || llabs(f->start - v->end) <= 1);
        assert_true(fabs(f->value + 0.8) <= 0.05);
    }
}

static void every_allocation(void **state)
{
    (void)state;
    memcpy(w.counts[5], w.counts[2], 3000 * N_CHANNELS * sizeof(int16_t));
    strcpy(w.subjects[5], "s01");
    good_clocks();
    w.streams[3].lineage.n_gaps = 30;
    for (int i = 0; i < N_PEOPLE; i++) {
        w.streams[i].n_frames = 2500;
        w.streams[i].n_intervals = 3;
    }
    size_t n = 1;
    for (;; n++) {
        tin_error err = {0};
        (void)tin_memory_fail_at(n);
        tin_status status = tin_check_dataset(&findings, &w.d, &(tin_check_options){.quiet = true}, &err);
        (void)tin_memory_fail_at(0);
        tin_findings_free(&findings);
        if (status == TIN_OK) {
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    assert_true(n > 60);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    strcpy(w.subjects[5], "s01");
    multiply(2, 0, 1 / 9.80665);
    w.intervals[4][6].start -= 40;
    tin_pool *pool = NULL;
    tin_findings other = {0};
    assert_int_equal(tin_pool_create(&pool, 3, NULL), TIN_OK);
    run();
    assert_int_equal(tin_check_dataset(&other, &w.d, &(tin_check_options){.pool = pool, .quiet = true}, NULL), TIN_OK);
    assert_int_equal(findings.n, other.n);
    for (size_t i = 0; i < findings.n; i++) {
        assert_string_equal(findings.items[i].text, other.items[i].text);
        assert_int_equal(findings.items[i].start, other.items[i].start);
    }
    tin_findings_free(&other);
    tin_pool_destroy(pool);
}

static void empty(void **state)
{
    (void)state;
    w.d.n_streams = 0;
    run();
    assert_int_equal(findings.found[TIN_CHECK_CLASS],
                     6); /* three parts without recordings, three classes without labels */
    w.d.n_streams = 2;
    w.streams[0].n_frames = w.streams[1].n_frames = 1;
    w.streams[0].n_intervals = w.streams[1].n_intervals = 0;
    run();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(clean, setup, teardown),
        cmocka_unit_test_setup_teardown(one_person_in_two_roles, setup, teardown),
        cmocka_unit_test_setup_teardown(spellings_of_a_person, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copied_stretch, setup, teardown),
        cmocka_unit_test_setup_teardown(a_recording_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(a_recording_nearly_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(classes_of_the_split, setup, teardown),
        cmocka_unit_test_setup_teardown(clocks_of_the_sources, setup, teardown),
        cmocka_unit_test_setup_teardown(clocks_of_a_split_recording, setup, teardown),
        cmocka_unit_test_setup_teardown(clocks_that_are_all_alike, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_import_mended, setup, teardown),
        cmocka_unit_test_setup_teardown(sensors_that_stand_still, setup, teardown),
        cmocka_unit_test_setup_teardown(coarse_sensors, setup, teardown),
        cmocka_unit_test_setup_teardown(clipped_signals, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_units, setup, teardown),
        cmocka_unit_test_setup_teardown(gravity_taken_out, setup, teardown),
        cmocka_unit_test_setup_teardown(axes, setup, teardown),
        cmocka_unit_test_setup_teardown(durations, setup, teardown),
        cmocka_unit_test_setup_teardown(unlabelled, setup, teardown),
        cmocka_unit_test_setup_teardown(labels_that_are_late, setup, teardown),
        cmocka_unit_test_setup_teardown(a_single_border, setup, teardown),
        cmocka_unit_test_setup_teardown(every_allocation, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_change_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(empty, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
