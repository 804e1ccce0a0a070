/* report.html from whole, missing, hostile and damaged inputs. What the page draws from it is checked in a browser by
 * check_page.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json_tools.h"
#include "base/memory.h"
#include "evaluate/number_table.h"
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
    assert_int_equal(tin_evaluate_report(dataset, folder, "a </script> title", NULL), TIN_OK);
    char *html = read_report(folder);
    json_t *data = data_of(html);
    static const char *const keys[] = {"metrics",   "sweep",  "train_curve", "finetune_curve",
                                       "footprint", "config", "channels",    "timelines"};
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

static void missing_inputs_leave_their_keys_out(void **state)
{
    (void)state;
    const char *folder = TEST_TEMPORARY "/bare";
    static const tin_class states[] = {{"rest", false}, {"wave", false}, {"knock", false}};
    tin_dataset *dataset = make_run(folder, states);
    assert_int_equal(remove(TEST_TEMPORARY "/bare/timelines.json"), 0);
    assert_int_equal(tin_evaluate_report(dataset, folder, "a </script> title", NULL), TIN_OK);
    char *html = read_report(folder);
    json_t *data = data_of(html);
    assert_null(json_object_get(data, "sweep"));
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
    assert_int_equal(tin_evaluate_report(dataset, folder, "states", NULL), TIN_OK);
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
    assert_int_equal(tin_evaluate_report(dataset, folder, "a </script> title", NULL), TIN_OK);
    char *one = read_report(folder);
    assert_int_equal(tin_evaluate_report(dataset, folder, "a </script> title", NULL), TIN_OK);
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
        {"sweep.csv", "on,on_logit\n1,2\n,\"x\"\n", 3, "not a number"},
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
        assert_int_equal(tin_evaluate_report(dataset, folder, "a </script> title", &err), TIN_ERR_FORMAT);
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
    assert_int_equal(tin_evaluate_report(dataset, folder, "a </script> title", &err), TIN_ERR_FORMAT);
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
    for (size_t n = 1; !done && n < 500; n++) {
        tin_error err = {0};
        tin_memory_fail_at(n);
        tin_status status = tin_evaluate_report(dataset, folder, "a </script> title", &err);
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
