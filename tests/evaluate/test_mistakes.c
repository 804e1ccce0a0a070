/* Mistakes on a hand-made person, of whom it is known what the device gets wrong; that there are as many as metrics.json
 * counts; which are kept when there are too many; damaged inputs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json_tools.h"
#include "base/memory.h"
#include "evaluate/mistakes.h"
#include "evaluate/report_mistakes.h"
#include "made_world.h"

/* A person whose signal shows `bursts` and whose labels are `labels`, with rest in between. */
static void add_scene(tin_dataset_builder *builder, const char *name, tin_role role, const tin_interval *bursts,
                      size_t n_bursts, const tin_interval *labels, size_t n_labels)
{
    static int16_t counts[N_FRAMES * N_CHANNELS];
    tin_interval intervals[32];
    tin_stream stream = {.id = (char *)(uintptr_t)name,
                         .subject = (char *)(uintptr_t)name,
                         .session = "",
                         .origin = "made",
                         .role = role,
                         .n_frames = N_FRAMES,
                         .counts = counts,
                         .intervals = intervals};
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i < n_bursts; i++) {
        for (int64_t t = bursts[i].start; t < bursts[i].end; t++) {
            counts[t * N_CHANNELS + bursts[i].class_index - 1] = 80;
        }
    }
    int64_t from = 0;
    for (size_t i = 0; i <= n_labels; i++) {
        int64_t to = i < n_labels ? labels[i].start : N_FRAMES;
        if (to > from) {
            intervals[stream.n_intervals++] = (tin_interval){from, to, 0};
        }
        if (i < n_labels) {
            intervals[stream.n_intervals++] = labels[i];
            from = labels[i].end;
        }
    }
    assert_int_equal(tin_dataset_builder_add(builder, &stream, NULL), TIN_OK);
}

enum { REST, WAVE, KNOCK };
static const tin_interval BURSTS[] = {{50, 70, WAVE},   {150, 170, KNOCK}, {250, 270, WAVE},
                                      {300, 320, WAVE}, {335, 355, WAVE},  {500, 520, KNOCK}};
static const tin_interval LABELS[] = {
    {50, 70, WAVE}, {100, 120, WAVE}, {150, 170, WAVE}, {300, 360, WAVE}, {500, 520, KNOCK}};

/* Right: the first and the last. 100: missed; 150: of the wrong class; 250: false; 335: again. */
static tin_dataset *make_run(const char *folder, const tin_class *classes)
{
    char path[TIN_PATH_MAX];
    tin_dataset_builder *builder = NULL;
    tin_dataset *dataset = NULL;
    tin_evaluate_options options = options_in(folder);
    const tin_dataset head = {.name = (char *)(uintptr_t) "made",
                              .rate_hz = RATE,
                              .n_channels = N_CHANNELS,
                              .n_classes = 3,
                              .channels = (tin_channel *)(uintptr_t)CHANNELS,
                              .classes = (tin_class *)(uintptr_t)classes,
                              .unlabelled = TIN_LABEL_IGNORE};
    assert_int_equal(tin_path_join(path, folder, "data.tind", NULL), TIN_OK);
    assert_int_equal(tin_dataset_builder_create(&builder, path, &head, NULL), TIN_OK);
    add_person(builder, "ann", TIN_ROLE_TRAIN, 1, false);
    add_person(builder, "cy", TIN_ROLE_VALIDATION, 3, false);
    add_person(builder, "dee", TIN_ROLE_VALIDATION, 4, false);
    add_scene(builder, "eve", TIN_ROLE_TEST, BURSTS, 6, LABELS, 5);
    add_scene(builder, "flo", TIN_ROLE_VALIDATION, BURSTS, 6, BURSTS, 6);
    assert_int_equal(tin_dataset_builder_finish(builder, NULL, NULL), TIN_OK);
    tin_dataset_builder_free(builder);
    assert_int_equal(tin_dataset_open(&dataset, path, NULL), TIN_OK);
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_summary s;
    options.settings.late_ms = 1000;
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &s, NULL), TIN_OK);
    return dataset;
}

static const tin_mistake *find(const tin_mistakes *m, tin_mistake_kind kind)
{
    const tin_mistake *found = NULL;
    for (size_t i = 0; i < m->n; i++) {
        if (m->items[i].kind == kind) {
            assert_null(found);
            found = &m->items[i];
        }
    }
    assert_non_null(found);
    return found;
}

static void assert_interval(tin_interval got, int64_t start, int64_t end, int32_t class_index)
{
    assert_int_equal(got.start, start);
    assert_int_equal(got.end, end);
    assert_int_equal(got.class_index, class_index);
}

static int64_t count_of(const json_t *metrics, const char *role, const char *key)
{
    const json_t *result = json_object_get(json_object_get(metrics, role), "integer");
    const json_t *count = json_object_get(json_object_get(result, "events"), key);
    assert_true(json_is_integer(count));
    return json_integer_value(count);
}

static void each_mistake_is_named_with_what_would_mend_it(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/known";
    tin_dataset *dataset = make_run(folder, CLASSES);
    tin_mistakes m;
    json_t *metrics = NULL;
    assert_int_equal(tin_mistakes_load(&m, dataset, folder, NULL), TIN_OK);
    assert_int_equal(tin_json_load(&metrics, folder, "metrics.json", NULL), TIN_OK);
    assert_int_equal(m.n, 4);
    static const char *const roles[] = {NULL, "validation", "test"}, *const keys[] = {"missed", "wrong_class",
                                                                                      "false_triggers", "repeats",
                                                                                      "duplicates"};
    for (int role = TIN_ROLE_VALIDATION; role <= TIN_ROLE_TEST; role++) {
        for (int kind = 0; kind <= TIN_MISTAKE_DUPLICATE; kind++) {
            assert_int_equal(m.counts[role][kind], count_of(metrics, roles[role], keys[kind]));
        }
    }
    const tin_mistake *e = find(&m, TIN_MISTAKE_MISSED);
    assert_string_equal(dataset->streams[e->stream].id, "eve");
    assert_interval((tin_interval){e->start, e->end, e->truth}, 100, 120, WAVE);
    assert_int_equal(e->report, TIN_MISTAKE_NONE);
    assert_int_equal(e->said, REST);
    assert_true(e->confidence > 0);
    assert_interval(e->proposed, 100, 120, REST);

    e = find(&m, TIN_MISTAKE_WRONG);
    assert_interval((tin_interval){e->start, e->end, e->truth}, 150, 170, WAVE);
    assert_int_equal(e->said, KNOCK);
    assert_in_range(e->report, 150, 170);
    assert_interval(e->proposed, 150, 170, KNOCK);

    e = find(&m, TIN_MISTAKE_FALSE);
    assert_int_equal(e->truth, TIN_MISTAKE_NONE);
    assert_interval((tin_interval){e->start, e->end, e->said}, 250, 270, WAVE);
    assert_interval(e->proposed, 250, 270, WAVE);

    /* the label is there already: nothing to propose */
    e = find(&m, TIN_MISTAKE_REPEAT);
    assert_interval((tin_interval){e->start, e->end, e->said}, 335, 355, WAVE);
    assert_true(e->confidence > 0);
    assert_int_equal(e->proposed.end, 0);
    json_decref(metrics);
    tin_mistakes_free(&m);
    tin_dataset_close(dataset);
}

static void the_most_confident_come_first_and_are_kept(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/sorted";
    tin_dataset *dataset = make_run(folder, CLASSES);
    tin_mistakes m;
    assert_int_equal(tin_mistakes_load(&m, dataset, folder, NULL), TIN_OK);
    tin_mistakes_sort(&m, 300);
    assert_int_equal(m.n, 4);
    double greatest = m.items[0].confidence;
    for (size_t i = 1; i < m.n; i++) {
        assert_true(m.items[i].confidence <= m.items[i - 1].confidence);
    }
    /* as if the last two were of a validation person: each part keeps half */
    for (size_t i = 2; i < 4; i++) {
        m.items[i].stream = 1;
    }
    tin_mistakes_sort(&m, 2);
    assert_int_equal(m.n, 2);
    assert_true(m.items[0].confidence == greatest);
    assert_int_equal(m.items[1].stream, 1);
    tin_mistakes_sort(&m, 1);
    assert_int_equal(m.n, 1);
    tin_mistakes_sort(&m, 0);
    assert_int_equal(m.n, 0);
    tin_mistakes_free(&m);
    tin_dataset_close(dataset);
}

/* Without events it is stretches, and together they are all frames that the figures call wrong. */
static void wrong_frames_are_all_there(void **state)
{
    (void)state;
    static const tin_class states[] = {{"rest", false}, {"wave", false}, {"knock", false}};
    const char *folder = TEST_TEMPORARY "/states";
    tin_dataset *dataset = make_run(folder, states);
    tin_mistakes m;
    json_t *metrics = NULL;
    assert_int_equal(tin_mistakes_load(&m, dataset, folder, NULL), TIN_OK);
    assert_int_equal(tin_json_load(&metrics, folder, "metrics.json", NULL), TIN_OK);
    static const char *const roles[] = {NULL, "validation", "test"};
    for (int role = TIN_ROLE_VALIDATION; role <= TIN_ROLE_TEST; role++) {
        const json_t *result = json_object_get(json_object_get(metrics, roles[role]), "integer");
        const json_t *confusion = json_object_get(json_object_get(result, "frames"), "confusion");
        int64_t wrong = 0;
        for (size_t i = 0; i < 9; i++) {
            wrong += i / 3 == i % 3 ? 0 : json_integer_value(json_array_get(json_array_get(confusion, i / 3), i % 3));
        }
        assert_int_equal(m.frames[role], wrong);
    }
    tin_mistakes_sort(&m, 1);
    assert_int_equal(m.items[0].kind, TIN_MISTAKE_FRAMES); /* the longest */
    assert_interval((tin_interval){m.items[0].start, m.items[0].end, m.items[0].truth}, 100, 120, WAVE);
    json_decref(metrics);
    tin_mistakes_free(&m);
    tin_dataset_close(dataset);
}

/* check_mistakes.sh opens it, and compares what the page downloads with the list that was written here. */
static void the_page_and_the_list_have_them(void **state)
{
    (void)state;
    static const tin_class hostile[] = {{"rest", false}, {"</script>, \"wave\"", true}, {"<b>knock</b>", true}};
    const char *folder = TEST_TEMPORARY "/page";
    tin_dataset *dataset = make_run(folder, hostile);
    tin_relabel_count count;
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(tin_evaluate_report(
                         dataset,
                         &(tin_report_options){
                             .folder = folder, .title = "made", .settings = options_in(folder).settings, .quiet = true},
                         NULL),
                     TIN_OK);
    assert_int_equal(tin_evaluate_relabel(dataset, folder, TEST_TEMPORARY "/page/relabel.csv", &count, NULL), TIN_OK);
    assert_int_equal(count.rows, 3);
    assert_int_equal(count.test_rows, 3);
    assert_int_equal(tin_file_read(TEST_TEMPORARY "/page/relabel.csv", &text, &size, NULL), TIN_OK);
    assert_non_null(strstr(text, "stream,start,end,label,suggested,role,subject,kind,confidence\n"));
    assert_non_null(strstr(text, "\neve,10.000,12.000,\"</script>, \"\"wave\"\"\",rest,test,eve,missed,"));
    assert_non_null(strstr(text, "\neve,25.000,27.000,,\"</script>, \"\"wave\"\"\",test,eve,false,"));
    tin_free(text);

    tin_error err = {0};
    assert_int_equal(remove(TEST_TEMPORARY "/page/timelines.json"), 0);
    assert_int_equal(tin_evaluate_relabel(dataset, folder, TEST_TEMPORARY "/page/none.csv", &count, &err), TIN_ERR_IO);
    assert_false(tin_file_exists(TEST_TEMPORARY "/page/none.csv"));
    tin_dataset_close(dataset);
}

static void add_many(tin_text *text, const char *id, int n)
{
    tin_text_printf(text,
                    "[{\"id\": \"%s\", \"subject\": \"%s\", \"n_frames\": 600, \"intervals\": [], \"events\": [], "
                    "\"segments\": [], \"predicted\": [[0, 600, 0]], \"triggers\": [",
                    id, id);
    for (int i = 0; i < n; i++) {
        tin_text_printf(text, "%s[%d, %d, \"false\"]", i > 0 ? "," : "", i % N_FRAMES, 1 + i % 2);
    }
    tin_text_add(text, "]}]");
}

/* check_mistakes.sh opens this one too. */
static void too_many_are_cut_and_said(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/many";
    tin_dataset *dataset = make_run(folder, CLASSES);
    tin_text text = {0};
    tin_text_printf(&text, "{\"data_hash\": \"%s\", \"validation\": ", dataset->hash);
    add_many(&text, "cy", 100);
    tin_text_add(&text, ", \"streams\": ");
    add_many(&text, "eve", 1500);
    tin_text_add(&text, "}");
    assert_int_equal(tin_file_write(TEST_TEMPORARY "/many/timelines.json", text.data, text.size, NULL), TIN_OK);
    tin_text out = {0};
    assert_int_equal(tin_report_mistakes(&out, dataset, folder, NULL), TIN_OK);
    json_t *mistakes = json_loads(out.data + strlen(",\"mistakes\":"), 0, NULL);
    assert_non_null(mistakes);
    const json_t *found = json_object_get(mistakes, "found"), *list = json_object_get(mistakes, "list"), *item;
    assert_int_equal(json_integer_value(json_object_get(json_object_get(found, "validation"), "false")), 100);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(found, "test"), "false")), 1500);
    assert_int_equal(json_array_size(list), 300);
    assert_true(out.size < 5 << 20);
    size_t i, of_validation = 0;
    json_array_foreach(list, i, item)
    {
        of_validation += strcmp(json_string_value(json_object_get(item, "role")), "validation") == 0;
    }
    assert_int_equal(of_validation, 100);
    json_decref(mistakes);
    tin_text_free(&out);
    assert_int_equal(tin_evaluate_report(
                         dataset,
                         &(tin_report_options){
                             .folder = folder, .title = "many", .settings = options_in(folder).settings, .quiet = true},
                         NULL),
                     TIN_OK);
    assert_int_equal(remove(TEST_TEMPORARY "/many/metrics.json"), 0);
    assert_int_equal(tin_report_mistakes(&out, dataset, folder, NULL), TIN_ERR_IO);
    tin_text_free(&out);
    tin_text_free(&text);
    tin_dataset_close(dataset);
}

static void two_reports_of_one_stretch_propose_one_label(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/twice";
    tin_dataset *dataset = make_run(folder, CLASSES);
    char text[512];
    tin_mistakes m;
    snprintf(text, sizeof text,
             "{\"data_hash\": \"%s\", \"streams\": [{\"id\": \"eve\", \"predicted\": [[240, 270, 1], [270, 290, 0]], "
             "\"segments\": [[272, 276, 1]], \"triggers\": [[251, 1, \"false\"], [265, 1, \"false\"], "
             "[273, 1, \"false\"], [281, 2, \"false\"], [45, 1, \"false\"]]}]}",
             dataset->hash);
    assert_int_equal(tin_file_write(TEST_TEMPORARY "/twice/timelines.json", text, strlen(text), NULL), TIN_OK);
    assert_int_equal(tin_mistakes_load(&m, dataset, folder, NULL), TIN_OK);
    assert_int_equal(m.n, 5);
    for (size_t i = 0; i < 2; i++) {
        assert_interval((tin_interval){m.items[i].start, m.items[i].end, m.items[i].said}, 240, 270, WAVE);
    }
    assert_interval(m.items[0].proposed, 240, 270, WAVE);
    assert_int_equal(m.items[1].proposed.end, 0);
    /* the model did not prefer it: as long as the device held it, else one decision */
    assert_interval((tin_interval){m.items[2].start, m.items[2].end, m.items[2].said}, 272, 276, WAVE);
    assert_interval((tin_interval){m.items[3].start, m.items[3].end, m.items[3].said}, 281, 282, KNOCK);
    assert_true(m.items[3].confidence < 0);
    assert_int_equal(m.items[3].proposed.end, 0);
    tin_mistakes_free(&m);
    tin_dataset_close(dataset);
}

static void decisions_speak_of_frames(void **state)
{
    (void)state;
    tin_said said = {.n_decisions = 10};
    tin_mistakes m = {.said = &said, .timing = {.hop = 4, .delay = 8, .latency = 2}};
    assert_int_equal(tin_mistakes_frame(&m, 0), 3 - 8);
    assert_int_equal(tin_mistakes_frame(&m, 9), 39 - 8);
    for (int64_t t = 0; t < 100; t++) {
        int64_t j = tin_mistakes_decision(&m, 0, t);
        assert_in_range(j, 0, 9);
        assert_true(j == 9 || tin_mistakes_frame(&m, j + 1) > t);
        assert_true(j == 0 || tin_mistakes_frame(&m, j) <= t);
    }
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"id\": \"eve\", \"events\": [[1, 2, 3, 0, 0]]}", "events"},
        {"{\"id\": \"eve\", \"events\": [[5, 2, 1, 0, 0]]}", "events"},
        {"{\"id\": \"eve\", \"events\": [[5, 601, 1, 0, 0]]}", "events"},
        {"{\"id\": \"eve\", \"events\": [[5, 60, 1, 2, 600]]}", "events"},
        {"{\"id\": \"eve\", \"events\": [[5, \"9\", 1, 0, 0]]}", "events"},
        {"{\"id\": \"eve\", \"events\": [[5]]}", "events"},
        {"{\"id\": \"eve\", \"triggers\": [[5, 1]]}", "triggers"},
        {"{\"id\": \"eve\", \"triggers\": [[5, 1, 2]]}", "triggers"},
        {"{\"id\": \"eve\", \"triggers\": [[5, 7, \"false\"]]}", "triggers"},
        {"{\"id\": \"eve\", \"triggers\": [[600, 1, \"false\"]]}", "triggers"},
        {"{\"id\": \"eve\"}, {\"id\": \"eve\"}", "stream 2"},
        {"{\"id\": \"cy\"}", "stream 1"},
        {"{\"id\": 7}", "stream 1"},
    };
    const char *folder = TEST_TEMPORARY "/hostile";
    tin_dataset *dataset = make_run(folder, CLASSES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        tin_error err = {0};
        tin_mistakes m;
        snprintf(text, sizeof text, "{\"data_hash\": \"%s\", \"streams\": [%s]}", dataset->hash, cases[i].text);
        assert_int_equal(tin_file_write(TEST_TEMPORARY "/hostile/timelines.json", text, strlen(text), NULL), TIN_OK);
        assert_int_equal(tin_mistakes_load(&m, dataset, folder, &err), TIN_ERR_FORMAT);
        assert_non_null(strstr(err.message, cases[i].says));
        tin_mistakes_free(&m);
    }
    /* a run of before: events without the frame of the report, no validation people */
    char text[256];
    tin_mistakes m;
    snprintf(text, sizeof text,
             "{\"data_hash\": \"%s\", \"streams\": [{\"id\": \"eve\", \"events\": [[5, 60, 1, 2]]}]}", dataset->hash);
    assert_int_equal(tin_file_write(TEST_TEMPORARY "/hostile/timelines.json", text, strlen(text), NULL), TIN_OK);
    assert_int_equal(tin_mistakes_load(&m, dataset, folder, NULL), TIN_OK);
    assert_int_equal(find(&m, TIN_MISTAKE_WRONG)->report, TIN_MISTAKE_NONE);
    tin_mistakes_free(&m);
    tin_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_named_with_what_would_mend_it),
        cmocka_unit_test(the_most_confident_come_first_and_are_kept),
        cmocka_unit_test(wrong_frames_are_all_there),
        cmocka_unit_test(the_page_and_the_list_have_them),
        cmocka_unit_test(too_many_are_cut_and_said),
        cmocka_unit_test(two_reports_of_one_stretch_propose_one_label),
        cmocka_unit_test(decisions_speak_of_frames),
        cmocka_unit_test(damaged_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
