/* report.html from whole, missing, hostile and damaged inputs. What the page draws from it is checked in a browser by
 * check_page.sh. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json_tools.h"
#include "base/memory.h"
#include "evaluate/number_table.h"
#include "evaluate/positions.h"
#include "evaluate/report_words.h"
#include "evaluate/score_file.h"
#include "made_world.h"

static const char CURVE[] =
    "step,lr,loss,validation_accuracy,validation_macro_f1\n75,0.004,1.2,0.5,0.4\n150,0.003,0.8,0.7,nan\n";
static const char FOOTPRINT[] =
    "{\"flash_bytes\": 9000, \"compiler\": \"</script><b>gcc\", \"layers\": [{\"name\": \"gru_1\", \"insn\": 5}]}";

static const tin_class HOSTILE[] = {
    {"rest", false}, {"</script><script>alert(1)</script>", true}, {"<!-- \"knock\\", true}};

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[TIN_PATH_MAX];
    assert_int_equal(tin_path_join(path, folder, name, NULL), TIN_OK);
    assert_int_equal(tin_file_write(path, text, strlen(text), NULL), TIN_OK);
}

/* A run folder with an evaluation in it. */
static tin_dataset *make_run(const char *folder, const tin_class *classes)
{
    char path[TIN_PATH_MAX];
    tin_evaluate_options options = options_in(folder);
    assert_int_equal(tin_path_join(path, folder, "data.tind", NULL), TIN_OK);
    tin_dataset *dataset = make_dataset(path, classes, false);
    tiny t;
    make_tiny(&t, dataset);
    tin_evaluate_summary s;
    assert_int_equal(tin_evaluate(&t.model, NULL, dataset, &options, &s, NULL), TIN_OK);
    return dataset;
}

static tin_status write_report(const tin_dataset *dataset, const char *folder, const char *title, tin_error *err)
{
    const tin_report_options options = {
        .folder = folder, .title = title, .settings = options_in(folder).settings, .quiet = true};
    return tin_evaluate_report(dataset, &options, err);
}

static char *read_report(const char *folder)
{
    char path[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    assert_int_equal(tin_path_join(path, folder, "report.html", NULL), TIN_OK);
    assert_int_equal(tin_file_read(path, &text, &size, NULL), TIN_OK);
    assert_int_equal(strlen(text), size);
    return text;
}

/* The JSON inside the page; fails when any `<` is in it. */
static json_t *data_of(const char *html)
{
    static const char open[] = "<script type=\"application/json\" id=\"data\">";
    const char *start = strstr(html, open);
    assert_non_null(start);
    start += strlen(open);
    const char *end = strchr(start, '<');
    assert_memory_equal(end, "</script>", 9);
    json_t *data = json_loadb(start, (size_t)(end - start), 0, NULL);
    assert_non_null(data);
    return data;
}

static void a_whole_run_gives_one_file_with_everything(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/whole";
    tin_dataset *dataset = make_run(folder, HOSTILE);
    write_file(folder, "train_curve.csv", CURVE);
    write_file(folder, "finetune_curve.csv", CURVE);
    write_file(folder, "footprint.json", FOOTPRINT);
    write_file(folder, "config.txt", "project: made </script>\n");
    assert_int_equal(write_report(dataset, folder, "a </script> title", NULL), TIN_OK);
    char *html = read_report(folder);
    json_t *data = data_of(html);
    static const char *const keys[] = {"metrics",  "thresholds", "train_curve", "finetune_curve", "footprint", "config",
                                       "channels", "timelines",  "calibration", "words",          "files"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_non_null(json_object_get(data, keys[i]));
    }
    assert_string_equal(json_string_value(json_object_get(data, "config")), "project: made </script>\n");
    const json_t *rows = json_object_get(json_object_get(data, "train_curve"), "rows");
    assert_int_equal(json_array_size(rows), 2);
    assert_true(json_is_null(json_array_get(json_array_get(rows, 1), 4)));
    /* 600 frames are fewer than the columns that a signal may have: every frame is its own least and greatest value */
    const json_t *timeline = json_array_get(json_object_get(data, "timelines"), 0);
    const json_t *first = json_array_get(json_object_get(timeline, "signals"), 0);
    assert_int_equal(json_array_size(json_array_get(first, 0)), N_FRAMES);
    assert_true(json_equal(json_array_get(first, 0), json_array_get(first, 1)));
    /* nothing is fetched, and nothing may be */
    assert_non_null(strstr(html, "default-src 'none'"));
    assert_null(strstr(html, "<script src"));
    assert_null(strstr(html, "<link"));
    assert_null(strstr(html, "/*SCRIPT*/"));
    json_decref(data);
    tin_free(html);
    tin_dataset_close(dataset);
}

/* What the device says in a stream under a rule, and what becomes of it, from the decision layer and the metrics alone. */
typedef struct told {
    tin_detection detection;
    tin_event_outcome outcomes[64];
    tin_trigger_kind kinds[N_FRAMES];
    tin_event_counts counts;
} told;

static void tell(told *t, const tin_dataset *dataset, const tin_scored_set *set, const tin_scored_stream *s,
                 const tin_decision_rule *rule, const tin_margins *margins)
{
    const tin_scene scene = {s->events, s->n_events, s->labels, s->stream->n_frames};
    memset(t, 0, sizeof *t);
    assert_int_equal(tin_detect(rule, dataset->classes, set->n_classes, set->timing, s->scores, s->n_decisions,
                                s->stream->n_frames, &t->detection, NULL),
                     TIN_OK);
    assert_int_equal(tin_event_count(&scene, &t->detection, margins, t->outcomes, t->kinds, &t->counts, NULL), TIN_OK);
}

static int64_t number_at(const json_t *list, size_t i)
{
    return (int64_t)json_integer_value(json_array_get(list, i));
}

/* The runs of one list that hold at position p are exactly what was said. */
static void expect_runs(const json_t *runs, size_t p, const told *t, const tin_scored_stream *s, const char *key)
{
    const json_t *run;
    size_t i, n = 0;
    json_array_foreach(runs, i, run)
    {
        if (number_at(run, 3) > (int64_t)p || number_at(run, 4) < (int64_t)p) {
            continue;
        }
        bool found = false;
        if (strcmp(key, "triggers") == 0) {
            for (size_t j = 0; j < t->detection.n_triggers; j++) {
                const tin_trigger *x = &t->detection.triggers[j];
                found = found || (x->frame == number_at(run, 0) && x->class_index == number_at(run, 1) &&
                                  (int64_t)t->kinds[j] == number_at(run, 2));
            }
        } else if (strcmp(key, "segments") == 0) {
            for (size_t j = 0; j < t->detection.n_segments; j++) {
                const tin_interval *x = &t->detection.segments[j];
                found = found || (x->start == number_at(run, 0) && x->end == number_at(run, 1) &&
                                  x->class_index == number_at(run, 2));
            }
        } else {
            const size_t e = (size_t)number_at(run, 0);
            assert_true(e < s->n_events);
            const tin_event_outcome *o = &t->outcomes[e];
            const bool reported = o->class_index != TIN_DECISION_NONE;
            found = number_at(run, 1) == (reported ? s->events[e].start + o->latency : -1) &&
                    number_at(run, 2) == o->class_index;
        }
        assert_true(found);
        n++;
    }
    assert_int_equal(n, strcmp(key, "triggers") == 0   ? t->detection.n_triggers
                        : strcmp(key, "segments") == 0 ? t->detection.n_segments
                                                       : s->n_events);
}

static void expect_figure(const json_t *position, const char *key, double value)
{
    const json_t *said = json_object_get(position, key);
    assert_true(isnan(value) ? json_is_null(said) : fabs(json_number_value(said) - value) <= 1e-8 * (1 + fabs(value)));
}

static int64_t count_kind(const told *t, tin_trigger_kind kind)
{
    int64_t n = 0;
    for (size_t j = 0; j < t->detection.n_triggers; j++) {
        n += t->kinds[j] == kind;
    }
    return n;
}

/* One line for the browser: what the page must say with the slider at p, of all and of the first recording. */
static void expect_in_page(tin_text *out, size_t p, const tin_event_counts *all, const told *first)
{
    const tin_event_figures f = tin_event_figures_of(all, RATE);
    const tin_event_counts *c = &first->counts;
    tin_text_printf(out, "%zu|%lld of %lld|%.1f\u00a0%%|%.1f\u00a0%%|(%lld)|", p, (long long)all->true_positives,
                    (long long)all->n_events, 100 * f.fnr, 100 * f.fcr, (long long)all->false_positives);
    tin_text_printf(out,
                    "%lld found, %lld reported as another class, %lld missed; %lld false report%s, %lld duplicate%s\n",
                    (long long)c->true_positives, (long long)c->wrong_class, (long long)c->missed,
                    (long long)c->false_triggers, c->false_triggers == 1 ? "" : "s",
                    (long long)(c->repeats + c->duplicates), c->repeats + c->duplicates == 1 ? "" : "s");
    assert_int_equal(count_kind(first, TIN_TRIGGER_FALSE), c->false_triggers);
}

/* At every position of the slider: counts, figures, reports, segments and events are those that the decision layer gives with
 * every threshold moved by the offset. Leaves what a browser must show for check_page.sh. */
static void every_position_is_what_the_device_does(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/positions";
    tin_dataset *dataset = make_run(folder, CLASSES);
    assert_int_equal(write_report(dataset, folder, "positions", NULL), TIN_OK);
    char *html = read_report(folder);
    json_t *data = data_of(html);
    const json_t *thresholds = json_object_get(data, "thresholds"), *offsets = json_object_get(thresholds, "offsets");
    const size_t n = json_array_size(offsets),
                 chosen = (size_t)json_integer_value(json_object_get(thresholds, "chosen"));
    assert_in_range(n, 20, TIN_MOST_POSITIONS);
    assert_int_equal(number_at(offsets, chosen), 0);
    tin_evaluate_summary summary;
    tin_margins margins;
    const tin_config_evaluate settings = options_in(folder).settings;
    assert_int_equal(tin_evaluate_load(folder, &summary, NULL), TIN_OK);
    assert_int_equal(tin_margins_create(&margins, &settings, dataset, NULL), TIN_OK);
    const char *const sets[] = {"validation", "test"};
    tin_text expected = {0};
    static told t, first;
    for (size_t s = 0; s < 2; s++) {
        tin_scored_set set;
        assert_int_equal(tin_scores_load(&set, folder, "scores.safetensors", dataset,
                                         s == 0 ? TIN_ROLE_VALIDATION : TIN_ROLE_TEST, (tin_timing){1, 0, 0}, NULL),
                         TIN_OK);
        for (size_t p = 0; p < n; p++) {
            assert_true(p == 0 || number_at(offsets, p) > number_at(offsets, p - 1));
            const tin_decision_rule rule = tin_rule_with_offset(&summary.rule, (int32_t)number_at(offsets, p));
            tin_event_counts counts = {0};
            for (size_t i = 0; i < set.n; i++) {
                tell(&t, dataset, &set, &set.items[i], &rule, &margins);
                tin_event_counts_add(&counts, &t.counts, 1);
                const json_t *runs = json_array_get(json_object_get(thresholds, "streams"), i);
                for (size_t k = 0; s == 1 && k < 3; k++) {
                    const char *key = k == 0 ? "triggers" : k == 1 ? "segments" : "events";
                    expect_runs(json_object_get(runs, key), p, &t, &set.items[i], key);
                }
                tin_detection_free(&t.detection);
                if (i == 0) {
                    tell(&first, dataset, &set, &set.items[0], &rule, &margins);
                }
            }
            const json_t *position = json_array_get(json_object_get(thresholds, sets[s]), p);
            const tin_event_figures f = tin_event_figures_of(&counts, RATE);
            expect_figure(position, "true_positives", (double)counts.true_positives);
            expect_figure(position, "wrong_class", (double)counts.wrong_class);
            expect_figure(position, "missed", (double)counts.missed);
            expect_figure(position, "false_positives", (double)counts.false_positives);
            expect_figure(position, "fnr", f.fnr);
            expect_figure(position, "fp_per_hour", f.fp_per_hour);
            expect_figure(position, "iou50_f1", f.iou50_f1);
            expect_figure(json_object_get(position, "latency"), "mean_s", f.latency_mean_s);
            expect_figure(position, "deadline_recall", f.deadline_recall);
            if (s == 1) {
                expect_in_page(&expected, p, &counts, &first);
            }
            tin_detection_free(&first.detection);
        }
        /* the chosen position says what metrics.json says */
        const json_t *metrics = json_object_get(json_object_get(data, "metrics"), sets[s]), *figure;
        const json_t *events = json_object_get(json_object_get(metrics, "integer"), "events");
        const char *key;
        json_object_foreach((json_t *)(uintptr_t)json_array_get(json_object_get(thresholds, sets[s]), chosen), key,
                            figure)
        {
            assert_true(json_equal(figure, json_object_get(events, key)));
        }
        tin_scored_set_free(&set);
    }
    /* both ends are there: nothing is said, and more is false than there are events */
    const json_t *test = json_object_get(thresholds, "test");
    expect_figure(json_array_get(test, n - 1), "true_positives", 0);
    write_file(folder, "expected.txt", expected.data);
    tin_text_free(&expected);
    json_decref(data);
    tin_free(html);
    tin_dataset_close(dataset);
}

/* The sentences of the head, with what few counts prove said with them. */
static void the_head_says_it_in_words(void **state)
{
    (void)state;
    static const char metrics[] =
        "{\"has_events\": true, \"rate_hz\": 50, \"test\": {\"integer\": {\"people\": [{\"name\": \"ann\", "
        "\"n_frames\": 45000,"
        " \"events\": {\"n_events\": 12, \"missed\": 1, \"wrong_class\": 2, \"false_positives\": 1}}, {\"name\": "
        "\"bob\","
        " \"n_frames\": 45000}], \"events\": {\"n_events\": 20, \"missed\": 1, \"wrong_class\": 2, "
        "\"false_positives\": %d,"
        " \"rejection_hours\": 0.15, \"fp_per_hour_below_95\": %s, \"fnr\": 0.05, \"fnr_exact_95\": [0.001, 0.249], "
        "\"fcr\": 0.1,"
        " \"fcr_exact_95\": [0.012, 0.317], \"latency\": {\"median_s\": 0.4, \"p95_s\": 0.9}, \"worst\": "
        "{\"fnr_plus_fcr\":"
        " {\"name\": \"ann\", \"value\": 0.25}}}}}, \"trivial\": [{\"name\": \"clock\", \"events\": {\"f1\": 0.1,"
        " \"recall\": 0.5, \"fp_per_hour\": 60}}]}";
    static const char *const lines[] = {
        "In 30 minutes of 2 people that the model never saw:\n",
        "1 of 20 events missed (5.0 %, likely between 0.1 % and 24.9 %), and 2 reported as another one (10.0 %, likely "
        "between"
        " 1.2 % and 31.7 %).\n",
        "Half of the events that are found are reported within 0.40 s of their start, 95 % within 0.90 s.\n",
        "It is worst for person ann: 3 of 12 events missed or taken for another one, 1 false alarm.\n",
        "Without looking at the signals, “clock” finds 50 % of the events, with 60 false alarms an hour.\n",
        "That is little to judge by: 2 people and 20 events; other people may fare differently.\n"};
    for (int n = 0; n < 3; n += 2) {
        char text[2048];
        tin_text words = {0};
        snprintf(text, sizeof text, metrics, n, n == 0 ? "19.97" : "41.97");
        json_t *root = json_loads(text, 0, NULL);
        assert_non_null(root);
        tin_report_words(&words, root);
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            assert_non_null(strstr(words.data, lines[i]));
        }
        assert_non_null(
            strstr(words.data, n == 0 ? "No false alarm in 9 minutes without an event, which proves only that there "
                                        "are fewer than 20 an hour.\n"
                                      : "One false alarm in 4.5 minutes without an event (2 in all; with 95 % "
                                        "confidence fewer than 42 an hour).\n"));
        tin_text_free(&words);
        json_decref(root);
    }
    for (int n = 0; n < 2; n++) {
        tin_text words = {0};
        json_t *root =
            json_loads(n == 0 ? "{\"summary\": {\"frame_accuracy\": 0.95, \"frame_accuracy_no_reset\": 0.8}}"
                              : "{\"summary\": {\"frame_accuracy\": 0.95, \"frame_accuracy_no_reset\": null}}",
                       0, NULL);
        tin_report_words(&words, root);
        const char *said = strstr(words.data, "the class is right 80.0 % of the time instead of 95.0 %.\n");
        assert_true((said != NULL) == (n == 0) && (strstr(words.data, "reset") != NULL) == (n == 0));
        tin_text_free(&words);
        json_decref(root);
    }
    json_t *nothing = json_object();
    tin_text words = {0};
    tin_report_words(&words, nothing); /* whatever stands in metrics.json, it does not fall */
    tin_text_free(&words);
    json_decref(nothing);
}

static size_t rows_that_hold(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        n++;
    }
    return n;
}

static void read_whole(const char *path, char **data, size_t *size)
{
    assert_int_equal(tin_file_read(path, data, size, NULL), TIN_OK);
}

/* Pictures are pictures and the same again; every event and every report that is no event's is a row; the JSON is the page's. */
static void other_programs_get_what_the_page_shows(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/exported";
    tin_dataset *dataset = make_run(folder, HOSTILE);
    const tin_report_options options = {
        .folder = folder, .title = "a </script> title", .settings = options_in(folder).settings, .quiet = true};
    const tin_export_paths paths = {TEST_TEMPORARY "/exported/f.png", TEST_TEMPORARY "/exported/f.svg",
                                    TEST_TEMPORARY "/exported/f.csv", TEST_TEMPORARY "/exported/f.json"};
    assert_int_equal(tin_evaluate_report(dataset, &options, NULL), TIN_OK);
    assert_int_equal(tin_evaluate_export(dataset, &options, &paths, NULL), TIN_OK);
    size_t size, again;
    char *png, *svg, *second, *csv, *json;
    read_whole(paths.png, &png, &size);
    static const uint8_t head[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a,      '\n',       0, 0, 0,         13,
                                   'I',  'H', 'D', 'R', 0,    0,    1600 >> 8, 1600 & 255, 0, 0, 1180 >> 8, 1180 & 255};
    assert_true(size > 20000);
    assert_memory_equal(png, head, sizeof head);
    read_whole(paths.svg, &svg, &again);
    assert_non_null(strstr(svg, "<svg"));
    assert_non_null(strstr(svg, "</svg>"));
    assert_int_equal(tin_evaluate_export(dataset, &options, &(tin_export_paths){.png = paths.png}, NULL), TIN_OK);
    read_whole(paths.png, &second, &again);
    assert_int_equal(again, size);
    assert_memory_equal(png, second, size);
    char *html = read_report(folder);
    read_whole(paths.csv, &csv, &size);
    read_whole(paths.json, &json, &size);
    json_t *data = json_loads(json, 0, NULL), *page = data_of(html);
    assert_true(json_equal(data, page));
    static const char *const sets[] = {"validation", "test"};
    for (size_t s = 0; s < 2; s++) {
        const json_t *metrics = json_object_get(json_object_get(json_object_get(data, "metrics"), sets[s]), "integer");
        const json_t *events = json_object_get(metrics, "events");
        static const char *const keys[] = {"true_positives", "wrong_class", "missed",
                                           "false_triggers", "repeats",     "duplicates"};
        static const char *const words[] = {"found", "wrong", "missed", "false", "repeat", "duplicate"};
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            char what[32];
            snprintf(what, sizeof what, ",%s,%s,", sets[s], words[k]);
            assert_int_equal(rows_that_hold(csv, what), json_integer_value(json_object_get(events, keys[k])));
        }
    }
    assert_memory_equal(csv, "recording,person,role,what,start_s,end_s,class,reported_class,reported_s,latency_s\n",
                        80);
    assert_non_null(strstr(csv, "\"<!-- \"\"knock\\\"")); /* a name with quotes is one field */
    json_decref(data);
    json_decref(page);
    tin_free(png);
    tin_free(svg);
    tin_free(second);
    tin_free(csv);
    tin_free(json);
    tin_free(html);
    tin_dataset_close(dataset);
}

static void exports_that_cannot_be_say_why(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/unexported";
    static const tin_class states[] = {{"rest", false}, {"wave", false}, {"knock", false}};
    tin_dataset *dataset = make_run(folder, states);
    const tin_report_options options = {
        .folder = folder, .title = "t", .settings = options_in(folder).settings, .quiet = true};
    tin_error err = {0};
    const tin_export_paths picture = {.png = TEST_TEMPORARY "/unexported/f.png"};
    assert_int_equal(tin_evaluate_export(dataset, &options, &picture, &err), TIN_ERR_USAGE);
    assert_non_null(strstr(err.message, "no class of this model is an event"));
    assert_false(tin_file_exists(picture.png));
    tin_dataset_close(dataset);
    dataset = make_run(folder, CLASSES);
    err = (tin_error){0};
    const tin_export_paths nowhere = {.svg = TEST_TEMPORARY "/unexported/no/such/f.svg"};
    assert_int_equal(tin_evaluate_export(dataset, &options, &nowhere, &err), TIN_ERR_IO);
    err = (tin_error){0};
    assert_int_equal(remove(TEST_TEMPORARY "/unexported/scores.safetensors"), 0);
    assert_int_equal(tin_evaluate_export(dataset, &options, &picture, &err), TIN_ERR_IO);
    assert_non_null(strstr(tin_error_text(&err), "scores.safetensors"));
    tin_dataset_close(dataset);
}

static void threads_change_no_byte(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/threads";
    tin_dataset *dataset = make_run(folder, CLASSES);
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, 3, NULL), TIN_OK);
    assert_int_equal(write_report(dataset, folder, "threads", NULL), TIN_OK);
    char *one = read_report(folder);
    const tin_report_options options = {
        .folder = folder, .title = "threads", .settings = options_in(folder).settings, .pool = pool, .quiet = true};
    assert_int_equal(tin_evaluate_report(dataset, &options, NULL), TIN_OK);
    char *three = read_report(folder);
    assert_string_equal(one, three);
    tin_free(one);
    tin_free(three);
    tin_pool_destroy(pool);
    tin_dataset_close(dataset);
}

static void missing_inputs_leave_their_keys_out(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/bare";
    static const tin_class states[] = {{"rest", false}, {"wave", false}, {"knock", false}};
    tin_dataset *dataset = make_run(folder, states);
    assert_int_equal(remove(TEST_TEMPORARY "/bare/timelines.json"), 0);
    assert_int_equal(write_report(dataset, folder, "a </script> title", NULL), TIN_OK);
    char *html = read_report(folder);
    json_t *data = data_of(html);
    assert_null(json_object_get(data, "thresholds"));
    assert_null(json_object_get(data, "train_curve"));
    assert_null(json_object_get(data, "footprint"));
    assert_null(json_object_get(data, "timelines"));
    assert_non_null(json_object_get(data, "metrics"));
    json_decref(data);
    tin_free(html);
    tin_dataset_close(dataset);
}

/* check_page.sh opens this one too: labels that are no class must not stop the drawing. */
static void a_run_without_events_has_its_timelines(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/states";
    static const tin_class states[] = {{"rest", false}, {"wave", false}, {"knock", false}};
    tin_dataset *dataset = make_run(folder, states);
    assert_int_equal(write_report(dataset, folder, "states", NULL), TIN_OK);
    char *html = read_report(folder);
    json_t *data = data_of(html);
    assert_int_equal(json_integer_value(json_object_get(data, "unlabelled")), TIN_LABEL_IGNORE);
    const json_t *is = json_object_get(json_array_get(json_object_get(data, "timelines"), 0), "is");
    const json_t *first = json_array_get(json_object_get(is, "intervals"), 0);
    assert_int_equal(json_integer_value(json_array_get(first, 2)), TIN_LABEL_IGNORE);
    json_decref(data);
    tin_free(html);
    tin_dataset_close(dataset);
}

static void same_inputs_same_bytes(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/same";
    tin_dataset *dataset = make_run(folder, CLASSES);
    assert_int_equal(write_report(dataset, folder, "a </script> title", NULL), TIN_OK);
    char *one = read_report(folder);
    assert_int_equal(write_report(dataset, folder, "a </script> title", NULL), TIN_OK);
    char *two = read_report(folder);
    assert_string_equal(one, two);
    tin_free(one);
    tin_free(two);
    tin_dataset_close(dataset);
}

/* A damaged input is an error that names the file, and the earlier report stays. */
static void damaged_inputs_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text;
        long line;
        const char *says;
    } cases[] = {
        {"train_curve.csv", "step,loss\n1,0.5\n2,fast\n", 3, "\"fast\""},
        {"train_curve.csv", "step,loss\n1\n", 2, "1 fields"},
        {"train_curve.csv", "step,loss\n1,2,3\n", 2, "more than 2"},
        {"train_curve.csv", "step,,loss\n", 1, "empty name"},
        {"finetune_curve.csv", "", 0, "empty"},
        {"footprint.json", "{\"flash_bytes\": 12", 1, "JSON"},
        {"footprint.json", "[1, 2]", 1, "object"},
        {"metrics.json", "{", 1, "JSON"},
        {"timelines.json", "{\"streams\": []}", 0, "another dataset"},
        {"scores.safetensors", "12345678", 0, "header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = TEST_TEMPORARY "/damaged";
        tin_dataset *dataset = make_run(folder, CLASSES);
        write_file(folder, "train_curve.csv", CURVE);
        write_file(folder, "finetune_curve.csv", CURVE);
        write_file(folder, "footprint.json", FOOTPRINT);
        write_file(folder, "report.html", "the earlier one");
        write_file(folder, cases[i].file, cases[i].text);
        tin_error err = {0};
        assert_int_equal(write_report(dataset, folder, "a </script> title", &err), TIN_ERR_FORMAT);
        assert_non_null(strstr(tin_error_text(&err), cases[i].file));
        assert_non_null(strstr(err.message, cases[i].says));
        assert_int_equal(err.line, cases[i].line);
        char *report = read_report(folder);
        assert_string_equal(report, "the earlier one");
        tin_free(report);
        tin_dataset_close(dataset);
    }
}

static void timelines_of_an_unknown_stream_are_refused(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/unknown";
    tin_dataset *dataset = make_run(folder, CLASSES);
    char text[256];
    snprintf(text, sizeof text, "{\"data_hash\": \"%s\", \"streams\": [{\"id\": \"nobody\"}]}", dataset->hash);
    write_file(folder, "timelines.json", text);
    tin_error err = {0};
    assert_int_equal(write_report(dataset, folder, "a </script> title", &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "stream 1"));
    tin_dataset_close(dataset);
}

static void every_truncation_of_a_table_is_refused_or_whole(void **state)
{
    (void)state;
    const char *path = TEST_TEMPORARY "/cut.csv";
    size_t size = strlen(CURVE);
    for (size_t n = 0; n <= size; n++) {
        tin_number_table table;
        assert_int_equal(tin_file_write(path, CURVE, n, NULL), TIN_OK);
        tin_status status = tin_number_table_read(&table, path, NULL);
        assert_true(status == TIN_OK || status == TIN_ERR_FORMAT);
        if (status == TIN_OK) {
            assert_true(table.n_rows <= 2 && table.n_columns >= 1);
            tin_number_table_free(&table);
        }
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/alloc";
    tin_dataset *dataset = make_run(folder, CLASSES);
    write_file(folder, "train_curve.csv", CURVE);
    bool done = false;
    tin_memory_fail_at(0);
    /* the positions allocate alike: past the first hundred, every 211th */
    for (size_t n = 1; !done && n < 100000; n += n < 100 ? 1 : 211) {
        tin_error err = {0};
        tin_memory_fail_at(n);
        tin_status status = write_report(dataset, folder, "a </script> title", &err);
        size_t made = tin_memory_fail_at(0);
        done = status == TIN_OK;
        assert_true(done ? made < n : status == TIN_ERR_MEMORY);
    }
    assert_true(done);
    tin_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_run_gives_one_file_with_everything),
        cmocka_unit_test(every_position_is_what_the_device_does),
        cmocka_unit_test(the_head_says_it_in_words),
        cmocka_unit_test(other_programs_get_what_the_page_shows),
        cmocka_unit_test(exports_that_cannot_be_say_why),
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(missing_inputs_leave_their_keys_out),
        cmocka_unit_test(a_run_without_events_has_its_timelines),
        cmocka_unit_test(same_inputs_same_bytes),
        cmocka_unit_test(damaged_inputs_are_refused_by_name),
        cmocka_unit_test(timelines_of_an_unknown_stream_are_refused),
        cmocka_unit_test(every_truncation_of_a_table_is_refused_or_whole),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
