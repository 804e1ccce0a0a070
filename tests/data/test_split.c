/* Who trains and who tests: units, folds, what is remembered, and the same signal on both sides. Recordings are made by
 * hand; only their names, lengths and labels matter. */
#include "data_test.h"

#include <math.h>

#include "base/rng.h"
#include "data/leaks.h"
#include "data/split.h"

#define MOST 40
#define FILE_NAME TEST_TEMPORARY "/split.json"

static tin_recording recordings[MOST];
static char names[MOST][16];
static tin_piece piece = {.start = 0, .n_frames = 1000};
static tin_source source;
static tin_class_map map = {.n_classes = 2, .unlabelled = 0};
static tin_config_data settings;
static tin_split split;

/* n people called p1, p2, ... with `sessions` recordings each, of 100 s. */
static void make_people(int n, int sessions)
{
    memset(recordings, 0, sizeof recordings);
    for (int i = 0; i < n * sessions; i++) {
        static char *const session_names[3] = {"a", "b", "c"};
        (void)snprintf(names[i], sizeof names[i], "p%d", i / sessions + 1);
        recordings[i] = (tin_recording){.id = names[i],
                                        .subject = names[i],
                                        .session = session_names[i % sessions],
                                        .origin = names[i],
                                        .pieces = &piece,
                                        .n_pieces = 1};
    }
    source = (tin_source){.recordings = recordings, .n_recordings = (size_t)(n * sessions)};
    settings = (tin_config_data){.rate_hz = 10};
}

static tin_status make(const char *frozen, tin_error *err)
{
    tin_split_free(&split);
    return tin_split_make(&split, &settings, &source, &map, frozen, err);
}

static void make_well(const char *frozen)
{
    tin_error err = {0};
    if (make(frozen, &err) != TIN_OK)
        fail_msg("%s", tin_error_text(&err));
}

/* Roles of the recordings in order, as letters. */
static void expect(const char *roles)
{
    char got[MOST + 1] = "";
    for (size_t i = 0; i < source.n_recordings; i++)
        got[i] = "rvt"[split.roles[i]];
    assert_string_equal(got, roles);
}

static void fails(const char *words)
{
    tin_error err = {0};
    assert_int_not_equal(make(NULL, &err), TIN_OK);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
}

static int teardown(void **state)
{
    (void)state;
    tin_split_free(&split);
    (void)remove(FILE_NAME);
    return 0;
}

static void every_fifth(void **state)
{
    (void)state;
    make_people(11, 1);
    make_well(NULL);
    expect("rrrvtrrrvtr");
    char *listed[1] = {"p1"};
    settings.test = listed;
    settings.test_count = 1;
    make_well(NULL);
    expect("trrrvrrrrvr"); /* of the others every fifth */
}

static void folds(void **state)
{
    (void)state;
    make_people(7, 1);
    settings.split = (tin_config_split){.folds = "3", .fold = 1};
    make_well(NULL);
    expect("trvtrvt");
    settings.split.fold = 2;
    make_well(NULL);
    expect("vtrvtrv");
    settings.split = (tin_config_split){.folds = "all", .fold = 3};
    make_well(NULL);
    expect("rvtvrrr"); /* p2 is one before, p4 six before, round by p7 */
    settings.split.fold = 8;
    fails("data.split.fold is 8; there are 7 folds");
    settings.split = (tin_config_split){.folds = "2"};
    fails("data.split.folds is '2'");
    settings.split.folds = "3x";
    fails("data.split.folds is '3x'");
    char *listed[1] = {"p1"};
    settings.split.folds = "3";
    settings.test = listed;
    settings.test_count = 1;
    fails("give one of them");
}

/* With one left out, a fifth of the others validates, and everybody does so equally often. */
static void leave_one_out(void **state)
{
    (void)state;
    static const int sizes[] = {3, 5, 6, 18, 30}, validating[] = {1, 1, 1, 4, 6};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        int n = sizes[k], tested[MOST] = {0}, validated[MOST] = {0};
        make_people(n, 1);
        for (int fold = 1; fold <= n; fold++) {
            settings.split = (tin_config_split){.folds = "all", .fold = fold};
            make_well(NULL);
            for (int i = 0; i < n; i++) {
                tested[i] += split.roles[i] == TIN_ROLE_TEST;
                validated[i] += split.roles[i] == TIN_ROLE_VALIDATION;
            }
        }
        for (int i = 0; i < n; i++) {
            assert_int_equal(tested[i], 1);
            assert_int_equal(validated[i], validating[k]);
        }
    }
    /* p1 alone would validate for p2, but only p3 and p5 ever show class 1: the nearer one helps, unless training would be
     * left without */
    static tin_span spans[1] = {{0, 90, "x"}};
    static char *labels[1] = {"x"};
    static int32_t targets[1] = {1};
    make_people(5, 1);
    map = (tin_class_map){.n_classes = 2, .labels = labels, .targets = targets, .n_labels = 1};
    for (int i = 2; i <= 4; i += 2) {
        recordings[i].spans = spans;
        recordings[i].n_spans = 1;
    }
    settings.split = (tin_config_split){.folds = "all", .fold = 2};
    make_well(NULL);
    expect("vtrrv");
    settings.split.fold = 5;
    make_well(NULL);
    expect("rrrvt");
    map = (tin_class_map){.n_classes = 2};
    make_people(2, 1);
    settings.split = (tin_config_split){.folds = "all", .fold = 1};
    fails("of 2 people; one each is needed");
}

static tin_stream made[MOST];

/* The streams that a dataset of the recordings would have. */
static tin_dataset dataset_of_recordings(void)
{
    for (size_t i = 0; i < source.n_recordings; i++)
        made[i] = (tin_stream){.id = recordings[i].id,
                               .subject = recordings[i].subject,
                               .session = recordings[i].session,
                               .n_frames = 1000};
    return (tin_dataset){.streams = made, .n_streams = source.n_recordings};
}

/* "2: p2, p5; " for every fold. */
static void expect_folds(const char *frozen, const char *wanted)
{
    const tin_dataset dataset = dataset_of_recordings();
    tin_data_fold *list = NULL;
    size_t n = 0;
    char got[400] = "";
    assert_int_equal(tin_data_folds(&settings, &dataset, frozen, &list, &n, NULL), TIN_OK);
    for (size_t i = 0; i < n; i++)
        (void)sprintf(got + strlen(got), "%d: %s; ", list[i].fold, list[i].units);
    tin_data_folds_free(list, n);
    assert_string_equal(got, wanted);
}

/* Who is in which fold; a person who left takes the fold along, and the next one validates. */
static void folds_of_a_dataset(void **state)
{
    (void)state;
    make_people(5, 1);
    settings.split = (tin_config_split){.folds = "3"};
    make_well(FILE_NAME);
    expect_folds(FILE_NAME, "1: p1, p4; 2: p2, p5; 3: p3; ");
    (void)remove(FILE_NAME);
    settings.split = (tin_config_split){.folds = "all"};
    make_well(FILE_NAME);
    make_people(3, 1);
    (void)snprintf(names[1], sizeof names[1], "p5");
    settings.split = (tin_config_split){.folds = "all", .fold = 5};
    make_well(FILE_NAME);
    expect("rtv");
    expect_folds(FILE_NAME, "1: p1; 3: p3; 5: p5; ");
    settings.split.fold = 2;
    tin_error err = {0};
    assert_int_equal(make(FILE_NAME, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(err.message, "none is left for test"));
    (void)remove(FILE_NAME);
    make_people(2, 2);
    (void)snprintf(names[1], sizeof names[1], "a/b, \"ü\"");
    recordings[2].session = recordings[3].session = "";
    settings.split = (tin_config_split){.by = "session", .folds = "all", .fold = 1};
    make_well(FILE_NAME);
    expect_folds(FILE_NAME, "1: a/b, \"ü\"/b; 2: p1/a; 3: p2; ");
    settings.split = (tin_config_split){.by = "time", .folds = "3"};
    expect_folds(NULL, "1: ; 2: ; 3: ; ");
    const tin_dataset dataset = dataset_of_recordings();
    settings.split = (tin_config_split){.by = "session", .folds = "all"};
    size_t n = 1;
    for (;; n++) {
        tin_data_fold *list = NULL;
        size_t n_folds = 0;
        tin_error why = {0};
        (void)tin_memory_fail_at(n);
        tin_status status = tin_data_folds(&settings, &dataset, FILE_NAME, &list, &n_folds, &why);
        (void)tin_memory_fail_at(0);
        tin_data_folds_free(list, n_folds);
        if (status == TIN_OK)
            break;
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    assert_true(n > 10);
}

static void sessions(void **state)
{
    (void)state;
    make_people(2, 3);
    settings.split = (tin_config_split){.by = "session", .folds = "3"};
    make_well(NULL);
    expect("rvtrvt");
}

static void published(void **state)
{
    (void)state;
    make_people(6, 1);
    for (int i = 0; i < 6; i++) {
        recordings[i].has_role = true;
        recordings[i].role = i == 2 ? TIN_ROLE_TEST : i == 4 ? TIN_ROLE_VALIDATION : TIN_ROLE_TRAIN;
    }
    make_well(FILE_NAME);
    expect("rrtrvr");
    assert_false(tin_file_exists(FILE_NAME));
    settings.split.by = "subject";
    make_well(NULL);
    expect("rrrvtr");
    settings.split.by = "published";
    recordings[5].has_role = false;
    fails("publishes no split");
    recordings[5].has_role = true;
    recordings[2].role = TIN_ROLE_TRAIN;
    fails("leaves nobody");
}

/* Recordings that come later take no one's place; what was edited by hand holds. */
static void a_split_stays(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    make_people(6, 1);
    settings.split = (tin_config_split){.folds = "3"};
    make_well(FILE_NAME);
    expect("rvtrvt");
    make_people(8, 1);
    names[6][1] = '0'; /* p0 and p8: one stands before the others by name */
    settings.split = (tin_config_split){.folds = "3"};
    make_well(FILE_NAME);
    expect("rvtrvtrv");
    assert_int_equal(tin_file_read(FILE_NAME, &text, &size, NULL), TIN_OK);
    char *at = strstr(text, "\"p1\": 1");
    assert_non_null(at);
    at[6] = '3';
    assert_int_equal(tin_file_write(FILE_NAME, text, size, NULL), TIN_OK);
    make_well(FILE_NAME);
    expect("tvtrvtrv");
    at[6] = '4';
    assert_int_equal(tin_file_write(FILE_NAME, text, size, NULL), TIN_OK);
    tin_error err = {0};
    assert_int_equal(make(FILE_NAME, &err), TIN_ERR_CONFIG);
    assert_non_null(strstr(err.message, "the fold of 'p1' is 4"));
    for (size_t n = 0; n < size; n++) { /* every truncation */
        assert_int_equal(tin_file_write(FILE_NAME, text, n, NULL), TIN_OK);
        err = (tin_error){0};
        assert_int_equal(make(FILE_NAME, &err), TIN_ERR_CONFIG);
        assert_string_equal(err.file, FILE_NAME);
    }
    tin_free(text);
}

/* Only p1, p2 and p3 ever show class 1: one of them in each fold, where counting by turns puts two in one. */
static void stratified(void **state)
{
    (void)state;
    static tin_span spans[3] = {{0, 90, "x"}, {0, 80, "x"}, {0, 70, "x"}};
    static char *labels[1] = {"x"};
    static int32_t targets[1] = {1};
    make_people(9, 1);
    map.labels = labels;
    map.targets = targets;
    map.n_labels = 1;
    int who[3] = {0, 3, 6}; /* all of fold 1 by turns */
    for (int i = 0; i < 3; i++) {
        recordings[who[i]].spans = &spans[i];
        recordings[who[i]].n_spans = 1;
    }
    settings.split = (tin_config_split){.folds = "3", .stratify = true};
    make_well(NULL);
    int in_role[3] = {0}, people[3] = {0};
    for (int i = 0; i < 9; i++) {
        people[split.roles[i]]++;
        in_role[split.roles[i]] += i % 3 == 0;
    }
    for (int r = 0; r < 3; r++) {
        assert_int_equal(in_role[r], 1);
        assert_int_equal(people[r], 3);
    }
    map.n_labels = 0;
}

static void by_time(void **state)
{
    (void)state;
    tin_split_segment segments[TIN_SPLIT_MOST_FOLDS];
    make_people(1, 1);
    settings.split = (tin_config_split){.by = "time", .guard_s = 4};
    make_well(NULL);
    assert_int_equal(tin_split_segments(&split, 0, 100, segments), 3);
    assert_true(segments[0].start == 0 && segments[0].end == 58 && segments[0].role == TIN_ROLE_TRAIN);
    assert_true(segments[1].start == 62 && segments[1].end == 78 && segments[1].role == TIN_ROLE_VALIDATION);
    assert_true(segments[2].start == 82 && isinf(segments[2].end) && segments[2].role == TIN_ROLE_TEST);
    settings.split.fold = 2;
    make_well(NULL);
    assert_int_equal(tin_split_segments(&split, 0, 100, segments), 3);
    assert_true(segments[0].role == TIN_ROLE_VALIDATION && segments[0].end == 18);
    assert_true(segments[1].role == TIN_ROLE_TEST && segments[1].start == 22 && segments[1].end == 38);
    assert_true(segments[2].role == TIN_ROLE_TRAIN && segments[2].start == 42);
    settings.split.folds = "all";
    fails("write how many blocks");
}

/* A recording's streams by time: contiguous parts of one signal, without the guards, each with its labels. */
static void dataset_by_time(void **state)
{
    (void)state;
    tin_data_report report;
    tin_config_data s = {.source = "simulate",
                         .rate_hz = 50,
                         .simulate = {.subjects = 5, .minutes = 2},
                         .split = {.by = "time", .guard_s = 2}};
    tin_dataset *d = build_well(&s, TEST_TEMPORARY "/by_time", &report);
    assert_int_equal(d->n_streams, 15);
    const tin_stream *first = stream_by_id(d, "p01"), *third = stream_by_id(d, "p01-3");
    assert_int_equal(first->n_frames, 71 * 50);
    assert_int_equal(stream_by_id(d, "p01-2")->n_frames, 22 * 50);
    assert_int_equal(third->n_frames, 23 * 50);
    assert_int_equal(third->role, TIN_ROLE_TEST);
    assert_string_equal(third->subject, first->subject);
    s.split = (tin_config_split){0};
    tin_data_report whole_report;
    tin_dataset *whole = build_well(&s, TEST_TEMPORARY "/whole", &whole_report);
    const tin_stream *all = stream_by_id(whole, "p01");
    assert_memory_equal(third->counts, all->counts + (size_t)97 * 50 * 6, (size_t)third->n_frames * 12);
    for (size_t i = 0, k = 0; i < third->n_intervals; i++) {
        while (all->intervals[k].end <= third->intervals[i].start + 97 * 50)
            k++;
        assert_int_equal(third->intervals[i].class_index, all->intervals[k].class_index);
        assert_int_equal(third->intervals[i].end + 97 * 50, all->intervals[k].end);
    }
    bool said = false;
    for (size_t i = 0; i < report.n_warnings; i++)
        said = said || strstr(report.warnings[i], "the split is by time") != NULL;
    assert_true(said);
    tin_data_report_free(&report);
    tin_data_report_free(&whole_report);
    tin_dataset_close(d);
    tin_dataset_close(whole);
}

static int16_t noise[2][4000];

static void find(const tin_stream *streams, int n, tin_leak *leak, tin_leaks **leaks)
{
    assert_int_equal(tin_leaks_create(leaks, 2, NULL), TIN_OK);
    for (int i = 0; i < n; i++)
        assert_int_equal(tin_leaks_add(*leaks, &streams[i], NULL), TIN_OK);
    assert_int_equal(tin_leaks_find(*leaks, leak, NULL), TIN_OK);
}

static void leaks(void **state)
{
    (void)state;
    tin_leaks *found = NULL;
    tin_leak leak;
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    for (int i = 0; i < 8000; i++)
        noise[i / 4000][i % 4000] = (int16_t)tin_rng_below(&rng, 2000);
    tin_stream s[3] = {{.id = "one", .role = TIN_ROLE_TRAIN, .n_frames = 2000, .counts = noise[0]},
                       {.id = "two", .role = TIN_ROLE_TEST, .n_frames = 2000, .counts = noise[1]},
                       {.id = "part", .role = TIN_ROLE_TEST, .n_frames = 900, .counts = noise[0] + 2 * 777}};
    find(s, 2, &leak, &found);
    assert_int_equal(leak.n_pairs, 0);
    assert_null(leak.first);
    tin_leaks_free(found);
    find(s, 3, &leak, &found); /* a part that starts anywhere */
    assert_int_equal(leak.n_pairs, 1);
    assert_string_equal(leak.first, "one");
    assert_string_equal(leak.second, "part");
    assert_true(leak.share > 0.99);
    tin_leaks_free(found);
    s[2].role = TIN_ROLE_TRAIN; /* on one side it may be twice */
    find(s, 3, &leak, &found);
    assert_int_equal(leak.n_pairs, 0);
    tin_leaks_free(found);
    memset(noise, 0, sizeof noise); /* a sensor that lies still is the same everywhere */
    s[2].role = TIN_ROLE_TEST;
    find(s, 3, &leak, &found);
    assert_int_equal(leak.n_pairs, 0);
    tin_leaks_free(found);
    tin_leaks_free(NULL);
}

static void leaking_datasets(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/leaking";
    char text[40000], *at = text;
    tin_rng rng;
    tin_rng_seed(&rng, 4);
    at += sprintf(at, "x,l\n");
    for (int i = 0; i < 1500; i++)
        at += sprintf(at, "%u,%s\n", tin_rng_below(&rng, 30000), i % 100 < 50 ? "a" : "b");
    tin_config *loaded =
        load_settings("  source: import\n  rate_hz: 50\n  range_accel: 32768\n  validation: [p2]\n  test: [p3]\n"
                      "  import:\n    files: [{path: \"*.csv\", rate_hz: 50, channels: [{columns: [x], unit: mg}]}]\n"
                      "    labels: {column: l}\n");
    tin_config_data s = loaded->data;
    write_text(folder, "p1_x.csv", text);
    write_text(folder, "p3_x.csv", text);
    memcpy(text + 4, "77777,a\n", 8);
    char *second = strchr(text, '\n') + 1; /* the validation recording is another one */
    for (char *c = second; *c; c++)
        *c = *c >= '0' && *c <= '8' ? (char)(*c + 1) : *c;
    write_text(folder, "p2_x.csv", text);
    build_fails(&s, folder, TIN_ERR_DATA, NULL, 0, "100 % of 'p1_x' (training) and 'p3_x' (test)");
    s.split.allow_leak = true;
    tin_data_report report;
    tin_dataset *d = build_well(&s, folder, &report);
    assert_int_equal(d->n_streams, 3);
    assert_non_null(strstr(report.warnings[0], "hold the same signal"));
    tin_data_report_free(&report);
    tin_dataset_close(d);
    tin_config_free(loaded);
}

static void every_allocation(void **state)
{
    (void)state;
    make_people(6, 2);
    settings.split = (tin_config_split){.by = "session", .folds = "3", .stratify = true};
    size_t n = 1;
    for (;; n++) {
        tin_error err = {0};
        (void)remove(FILE_NAME);
        (void)tin_memory_fail_at(n);
        tin_status status = make(FILE_NAME, &err);
        (void)tin_memory_fail_at(0);
        if (status == TIN_OK)
            break;
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_fifth, teardown),
        cmocka_unit_test_teardown(folds, teardown),
        cmocka_unit_test_teardown(leave_one_out, teardown),
        cmocka_unit_test_teardown(folds_of_a_dataset, teardown),
        cmocka_unit_test_teardown(sessions, teardown),
        cmocka_unit_test_teardown(published, teardown),
        cmocka_unit_test_teardown(a_split_stays, teardown),
        cmocka_unit_test_teardown(stratified, teardown),
        cmocka_unit_test_teardown(by_time, teardown),
        cmocka_unit_test(dataset_by_time),
        cmocka_unit_test(leaks),
        cmocka_unit_test(leaking_datasets),
        cmocka_unit_test_teardown(every_allocation, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
