/* Segments against events: scenes worked out by hand, and sed_eval's figures (scripts/golden/segment_metrics.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/memory.h"
#include "metrics/span_metrics.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define N_CLASSES 6
#define MOST 64

/* What is counted of one scene: of all, and of each class. */
typedef struct counted {
    tin_event_counts all, of_class[N_CLASSES];
    tin_border borders[MOST];
    size_t n_borders;
} counted;

static counted count(const tin_interval *events, size_t n_events, const tin_interval *segments, size_t n_segments,
                     int64_t n_frames, double unit, double collar)
{
    counted c = {.n_borders = 0};
    tin_interval own[MOST];
    assert_true(n_events <= MOST && n_segments <= MOST);
    for (size_t j = 0; j < n_segments; j++) {
        own[j] = segments[j];
    }
    const tin_scene scene = {events, n_events, NULL, n_frames};
    const tin_detection detection = {NULL, own, 0, n_segments};
    tin_margins margins = tin_margins_common(2, 5, false);
    margins.unit = unit;
    margins.collar = collar;
    c.all.n_events = (int64_t)n_events;
    c.all.n_segments = (int64_t)n_segments;
    assert_int_equal(tin_span_count(&scene, &detection, &margins, &c.all, c.of_class, c.borders, &c.n_borders, NULL),
                     TIN_OK);
    c.all.overlap50 = (int64_t)c.n_borders;
    for (size_t i = 0; i < n_events; i++) {
        c.of_class[events[i].class_index].n_events++;
    }
    for (size_t j = 0; j < n_segments; j++) {
        c.of_class[segments[j].class_index].n_segments++;
    }
    return c;
}

static void close_to(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-12);
}

/* Units of 10 frames, 45 frames: 5 units. Events A = class 1 [5, 12): units 0, 1; B = class 2 [12, 20): unit 1; C = class 1
 * [30, 41): units 3, 4. Segments 1 [8, 20): units 0, 1; 3 [30, 35): unit 3.
 *   unit    0     1        2   3    4
 *   true    1     1, 2     -   1    1      5
 *   said    1     1        -   3    -      3
 *   right   1     1                        2
 *   in 1 one is deleted, in 3 one is substituted, in 4 one is deleted: F1 = 4 / 8, error rate 3 / 5. */
static void units_by_hand(void **state)
{
    (void)state;
    const tin_interval events[] = {{5, 12, 1}, {12, 20, 2}, {30, 41, 1}}, segments[] = {{8, 20, 1}, {30, 35, 3}};
    counted c = count(events, 3, segments, 2, 45, 10, 0);
    assert_int_equal(c.all.units_true, 5);
    assert_int_equal(c.all.units_said, 3);
    assert_int_equal(c.all.units_right, 2);
    assert_int_equal(c.all.units_substituted, 1);
    assert_int_equal(c.all.units_deleted, 2);
    assert_int_equal(c.all.units_inserted, 0);
    close_to(tin_event_figures_of(&c.all, 10).segment_f1, 0.5);
    close_to(tin_event_figures_of(&c.all, 10).segment_error_rate, 0.6);
    assert_int_equal(c.of_class[1].units_deleted, 2);
    assert_int_equal(c.of_class[2].units_deleted, 1);
    assert_int_equal(c.of_class[3].units_inserted, 1);
    assert_int_equal(c.of_class[3].units_true, 0);
}

/* Collar 3. A = class 1 [10, 30), segment 1 [13, 41): the start fits at the limit; the end may be half the length off, 10, and
 * is 11. B = class 2 [50, 54), segment 2 [47, 57): both fit at the limit, for the collar is more than half of 4. C = class 1
 * [70, 90), segment 2 [70, 90): substituted. D = class 1 [100, 110), segment 1 [104, 110): the start is 4 off.
 * Onset: 2 right, 1 substituted, F1 = 4 / 8, error rate (4 + 4 - 4 - 1) / 4. Both: 1 right, 1 substituted. IoU of at least
 * 0.5: A 17 / 31, D 6 / 10; B has 4 / 10. Their borders: 3 and 11, 4 and 0 frames late. */
static void collars_by_hand(void **state)
{
    (void)state;
    const tin_interval events[] = {{10, 30, 1}, {50, 54, 2}, {70, 90, 1}, {100, 110, 1}};
    const tin_interval segments[] = {{13, 41, 1}, {47, 57, 2}, {70, 90, 2}, {104, 110, 1}};
    counted c = count(events, 4, segments, 4, 200, 10, 3);
    assert_int_equal(c.all.onset_right, 2);
    assert_int_equal(c.all.onset_substituted, 1);
    assert_int_equal(c.all.borders_right, 1);
    assert_int_equal(c.all.borders_substituted, 1);
    assert_int_equal(c.of_class[1].onset_right, 1);
    assert_int_equal(c.of_class[2].borders_right, 1);
    tin_event_figures f = tin_event_figures_of(&c.all, 10);
    close_to(f.onset_f1, 0.5);
    close_to(f.onset_error_rate, 0.75);
    close_to(f.onset_offset_f1, 0.25);
    close_to(f.onset_offset_error_rate, 1.25);
    assert_int_equal(c.n_borders, 2);
    assert_int_equal(c.all.start_error, 7);
    assert_int_equal(c.all.end_error, 11);
    close_to(f.start_error_s, 0.35);
    close_to(f.end_error_s, 0.55);
    assert_int_equal(c.of_class[1].start_error, 7);
    assert_int_equal(c.of_class[2].start_error, 0);
    assert_true(c.borders[0].start + c.borders[1].start == 7 && c.borders[0].end + c.borders[1].end == 11);
}

/* A segment that begins early has a negative error; the sum takes its size. */
static void early_borders_are_negative(void **state)
{
    (void)state;
    const tin_interval event = {10, 20, 1}, segment = {8, 19, 1};
    counted c = count(&event, 1, &segment, 1, 40, 10, 0);
    assert_true(c.n_borders == 1 && c.borders[0].start == -2 && c.borders[0].end == -1);
    assert_true(c.all.start_error == 2 && c.all.end_error == 1);
}

/* Starts at 0, 4, 8 against 4, 8, 12 and a collar of 4: event 0 can only have the first segment, and every event may have to
 * pass on what it took: all three are matched. With segments at -, 4, 8 alone two. */
static void as_many_as_can_be_are_matched(void **state)
{
    (void)state;
    const tin_interval events[] = {{0, 2, 1}, {4, 6, 1}, {8, 10, 1}}, segments[] = {{4, 5, 1}, {8, 9, 1}, {12, 13, 1}};
    assert_int_equal(count(events, 3, segments, 3, 20, 10, 4).all.onset_right, 3);
    assert_int_equal(count(events, 3, segments, 2, 20, 10, 4).all.onset_right, 2);
}

static void nothing_there(void **state)
{
    (void)state;
    const tin_interval one = {3, 9, 1};
    counted none = count(NULL, 0, NULL, 0, 0, 10, 2), silent = count(&one, 1, NULL, 0, 20, 10, 2),
            noisy = count(NULL, 0, &one, 1, 20, 10, 2);
    tin_event_figures f = tin_event_figures_of(&none.all, 10);
    assert_true(isnan(f.segment_f1) && isnan(f.onset_f1) && isnan(f.onset_offset_error_rate) && isnan(f.start_error_s));
    f = tin_event_figures_of(&silent.all, 10);
    assert_true(f.segment_f1 == 0 && f.segment_error_rate == 1 && f.onset_f1 == 0 && f.onset_error_rate == 1);
    f = tin_event_figures_of(&noisy.all, 10);
    assert_true(f.segment_f1 == 0 && isnan(f.segment_error_rate) && f.onset_f1 == 0 && isnan(f.onset_error_rate));
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const tin_interval event = {3, 9, 1};
    tin_interval segment = {3, 9, 1};
    const tin_scene scene = {&event, 1, NULL, 20};
    const tin_detection detection = {NULL, &segment, 0, 1};
    const tin_margins margins = tin_margins_common(0, 0, false);
    bool done = false;
    for (size_t n = 1; !done; n++) {
        tin_event_counts all = {0}, of_class[N_CLASSES] = {{0}};
        tin_border borders[1];
        size_t n_borders = 0;
        tin_memory_fail_at(n);
        tin_status status = tin_span_count(&scene, &detection, &margins, &all, of_class, borders, &n_borders, NULL);
        done = tin_memory_fail_at(0) < n;
        assert_int_equal(status, done ? TIN_OK : TIN_ERR_MEMORY);
    }
}

static int64_t integer(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

static size_t read_intervals(const json_t *list, tin_interval intervals[MOST])
{
    size_t i;
    const json_t *one;
    assert_true(json_array_size(list) <= MOST);
    json_array_foreach(list, i, one)
    {
        intervals[i] =
            (tin_interval){json_integer_value(json_array_get(one, 0)), json_integer_value(json_array_get(one, 1)),
                           (int32_t)json_integer_value(json_array_get(one, 2))};
    }
    return json_array_size(list);
}

/* null: sed_eval has no figure where there is nothing to divide by. */
static void same(double value, const json_t *object, const char *key)
{
    const json_t *expected = json_object_get(object, key);
    assert_non_null(expected);
    if (json_is_null(expected)) {
        assert_true(isnan(value) || value == 0);
    } else {
        assert_true(fabs(value - json_number_value(expected)) < 1e-12);
    }
}

static void check_case(const json_t *one)
{
    tin_interval events[MOST], segments[MOST];
    size_t n_events = read_intervals(json_object_get(one, "events"), events);
    size_t n_segments = read_intervals(json_object_get(one, "segments"), segments);
    counted c = count(events, n_events, segments, n_segments, integer(one, "n_frames"), 64, 16);
    const json_t *units = json_object_get(one, "units"), *onset = json_object_get(one, "onset"),
                 *both = json_object_get(one, "onset_offset"), *classes = json_object_get(one, "classes");
    tin_event_figures f = tin_event_figures_of(&c.all, 64);
    same(f.segment_f1, units, "f1");
    same(f.segment_error_rate, units, "error_rate");
    assert_int_equal(c.all.units_substituted, integer(units, "substituted"));
    same(f.onset_f1, onset, "f1");
    same(f.onset_error_rate, onset, "error_rate");
    same(f.onset_offset_f1, both, "f1");
    same(f.onset_offset_error_rate, both, "error_rate");
    for (size_t i = 0; i < json_array_size(classes); i++) {
        int64_t k = json_integer_value(json_array_get(classes, i));
        const tin_event_counts *own = &c.of_class[k];
        const json_t *u = json_array_get(json_object_get(units, "classes"), i),
                     *o = json_array_get(json_object_get(onset, "classes"), i),
                     *b = json_array_get(json_object_get(both, "classes"), i);
        f = tin_event_figures_of(own, 64);
        assert_int_equal(own->units_true, integer(u, "true"));
        assert_int_equal(own->units_said, integer(u, "said"));
        assert_int_equal(own->units_right, integer(u, "right"));
        assert_int_equal(own->onset_right, integer(o, "right"));
        assert_int_equal(own->borders_right, integer(b, "right"));
        same(f.segment_f1, u, "f1");
        same(f.segment_error_rate, u, "error_rate");
        same(f.onset_f1, o, "f1");
        same(f.onset_error_rate, o, "error_rate");
        same(f.onset_offset_f1, b, "f1");
    }
}

static void figures_equal_sed_eval(void **state)
{
    (void)state;
    size_t i;
    const json_t *one;
    json_t *cases = json_load_file(TEST_FILES "/segments.json", 0, NULL);
    assert_true(json_array_size(cases) > 40);
    json_array_foreach(cases, i, one)
    {
        check_case(one);
    }
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_by_hand),
        cmocka_unit_test(collars_by_hand),
        cmocka_unit_test(early_borders_are_negative),
        cmocka_unit_test(as_many_as_can_be_are_matched),
        cmocka_unit_test(nothing_there),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(figures_equal_sed_eval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
