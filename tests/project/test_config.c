/* tinamou.yaml: defaults, every kind of wrong value with its line and mend, hostile bytes, and failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "project/config.h"

#define MODEL "model:\n  layers:\n    - {op: gru, units: 24}\n    - {op: dense}\n"

static const char *const path = TEST_TEMPORARY "/tinamou.yaml";

static const char *const full =
    "# a comment\n"
    "project: my-gestures\n"
    "seed: 18446744073709551615\n"
    "threads: 3\n"
    "data:\n"
    "  source: import\n"
    "  path: \"../with space\"\n"
    "  rate_hz: 62.5\n"
    "  unlabelled: REST\n"
    "  classes:\n"
    "    - {name: REST}\n"
    "    - {name: WAVE, event: true, from: [wave, \"Wave 2\"]}\n"
    "  validation: [3, s07]\n"
    "  test: [2, 4]\n"
    "  import:\n"
    "    files:\n"
    "      - {path: \"*_sw.csv\", time_unit: ms, header: no, channels: [{columns: [ax, ay, az], unit: g}]}\n"
    "    labels: {column: label, match: [{column: 1, to: id}]}\n"
    "model:\n"
    "  layers:\n"
    "    - {op: conv1d, units: 16, kernel: 5, stride: 2}\n"
    "    - {op: batch_norm}\n"
    "    - {op: relu}\n"
    "    - {op: conv1d, kernel: 3, depthwise: true, dilation: 2}\n"
    "    - {op: dropout, rate: 0.25}\n"
    "    - {op: dense}\n"
    "train: {steps: 10, learning_rate: 1e-3, stateful: false,\n"
    "        augment: {gain: {probability: 0.5, db: [-3, 4.5]}, resolution: {bits: 9}, splice: {into: [rest]}}}\n"
    "deploy: {optimize: size}\n";

static tin_status load(tin_config **config, const char *text, tin_error *err)
{
    *err = (tin_error){0};
    FILE *file = fopen(path, "wb"); /* not tin_file_write, whose fsync would take the time of thousands of files */
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    return tin_config_load(config, path, err);
}

static void test_reads_every_kind(void **state)
{
    (void)state;
    tin_error err;
    tin_config *c = NULL;
    if (load(&c, full, &err))
        fail_msg("%s", tin_error_text(&err));
    assert_string_equal(c->project, "my-gestures");
    assert_true(c->seed == UINT64_MAX);
    assert_int_equal(c->threads, 3);
    assert_string_equal(c->data.path, "../with space");
    assert_true(c->data.rate_hz == 62.5);
    assert_int_equal(c->data.classes_count, 2);
    assert_false(c->data.classes[0].event);
    assert_true(c->data.classes[1].event);
    assert_string_equal(c->data.classes[1].from[1], "Wave 2");
    assert_string_equal(c->data.validation[0], "3");
    assert_string_equal(c->data.test[1], "4");
    assert_int_equal(c->data.import.files_count, 1);
    assert_false(c->data.import.files[0].text.header);
    assert_string_equal(c->data.import.files[0].text.separator, "auto");
    assert_int_equal(c->data.import.files[0].channels[0].columns_count, 3);
    assert_true(c->data.import.files[0].channels[0].factor == 1);
    assert_string_equal(c->data.import.labels.match[0].to, "id");
    assert_int_equal(c->layers_count, 6);
    assert_int_equal(c->layers[0].spec.op, TIN_OP_CONV1D);
    assert_int_equal(c->layers[0].spec.stride, 2);
    assert_true(c->layers[3].spec.depthwise);
    assert_int_equal(c->layers[3].spec.dilation, 2);
    assert_true(c->layers[4].spec.rate > 0.2499f && c->layers[4].spec.rate < 0.2501f);
    assert_int_equal(c->train.steps, 10);
    assert_false(c->train.stateful);
    assert_int_equal(c->train.batch, 32);
    assert_true(c->train.augment.gain.db[0] == -3 && c->train.augment.gain.db[1] == 4.5);
    assert_true(c->train.augment.resolution.bits[0] == 9 && c->train.augment.resolution.bits[1] == 9);
    assert_string_equal(c->train.augment.splice.into[0], "rest");
    assert_true(c->quantize.percentile == 0.999);
    assert_string_equal(c->deploy.name, "my_gestures");
    assert_string_equal(c->deploy.optimize, "size");
    tin_config_free(c);
}

static void test_defaults(void **state)
{
    (void)state;
    tin_error err;
    tin_config *c = NULL;
    if (load(&c, "project: 3 birds\n" MODEL, &err))
        fail_msg("%s", tin_error_text(&err));
    assert_true(c->seed == 1);
    assert_string_equal(c->data.source, "simulate");
    assert_int_equal(c->data.simulate.subjects, 12);
    assert_true(c->data.simulate.minutes == 8);
    assert_true(c->train.learning_rate == 4e-3);
    assert_true(c->train.stateful);
    assert_true(c->train.augment.rotate.degrees == 15 && c->train.augment.rotate.probability == 1);
    assert_true(c->train.augment.background.probability == 0 && c->train.augment.background.snr_db[0] == 5 &&
                c->train.augment.background.snr_db[1] == 25);
    assert_int_equal(c->evaluate.bootstrap, 2000);
    assert_string_equal(c->deploy.name, "m3_birds");
    tin_config_free(c);
}

static void test_names_of_the_code(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"my-gestures", "my_gestures"}, {"a - b", "a_b"}, {"-x-", "x"},   {"\xc3\xa4rger", "rger"}, {"9", "m9"},
        {"\xcf\x80", "model"},          {"__", "model"},  {"a__1", "a_1"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[400];
        tin_error err;
        tin_config *c = NULL;
        snprintf(text, sizeof text, "project: \"%s\"\n" MODEL, names[i][0]);
        if (load(&c, text, &err))
            fail_msg("%s", tin_error_text(&err));
        assert_string_equal(c->deploy.name, names[i][1]);
        tin_config_free(c);
    }
}

/* text, line of the complaint, a part of the message */
static const struct {
    const char *text;
    long line;
    const char *message;
} wrong[] = {
    {"project: a\ntrain:\n  stepps: 3\n" MODEL, 3, "unknown setting 'train.stepps'; did you mean 'steps'?"},
    {"project: a\nquux: 3\n" MODEL, 2, "known here: project, seed"},
    {"project: a\ntrain: {steps: many}\n" MODEL, 2, "train.steps is 'many'; write a whole number from 1 to 10000000"},
    {"project: a\ntrain: {steps: 1.5}\n" MODEL, 2, "train.steps is '1.5'"},
    {"project: a\ntrain: {steps: 0}\n" MODEL, 2, "train.steps is '0'"},
    {"project: a\ntrain:\n  batch: 8\n  clip: nan\n" MODEL, 4, "train.clip is 'nan'; write a number from 0"},
    {"project: a\ntrain: {clip: 1e999}\n" MODEL, 2, "train.clip is '1e999'"},
    {"project: a\ntrain:\n  warp: 0.1\n" MODEL, 3, "the setting 'train.warp' is now 'train.augment.speed.by'; move it"},
    {"project: a\ntrain: {augment: {room: {decay_ms: [9, 5]}}}\n" MODEL, 2,
     "train.augment.room.decay_ms is [9, 5]; write the least first"},
    {"project: a\ntrain: {augment: {room: {decay_ms: [5]}}}\n" MODEL, 2,
     "it must be a number or two, [least, greatest]"},
    {"project: a\ntrain: {augment: {room: {decay_ms: [5, [6]]}}}\n" MODEL, 2,
     "decay_ms is a list; it must be a single value"},
    {"project: a\ntrain: {augment: {room: {decay_ms: [5, x]}}}\n" MODEL, 2,
     "decay_ms is 'x'; write a number from 1 to"},
    {"project: a\ntrain: {augment: {rotated: {degrees: 3}}}\n" MODEL, 2, "did you mean 'rotate'?"},
    {"project: a\ntrain: {stateful: maybe}\n" MODEL, 2, "write true or false"},
    {"project: a\nseed: -1\n" MODEL, 2, "seed is '-1'"},
    {"project: a\nseed: 18446744073709551616\n" MODEL, 2, "seed is '18446744073709551616'"},
    {"project: a\nseed:\n" MODEL, 2, "seed has no value"},
    {"project: a\nseed: [1]\n" MODEL, 2, "seed is a list; it must be a single value"},
    {"project: a\ntrain: 3\n" MODEL, 2, "train is a single value; it must be a group"},
    {"project: a\ndata: {test: s01}\n" MODEL, 2, "data.test is a single value; it must be a list"},
    {"project: a\ndata: {test: [{a: 1}]}\n" MODEL, 2, "data.test[1] is a group"},
    {"project: a\ndata: {source: hpat}\n" MODEL, 2, "write one of: simulate import hapt spsw wisdm"},
    {"project: a\ndata: {source: ''}\n" MODEL, 2, "data.source is ''"},
    {"project: a\nproject: b\n" MODEL, 2, "project is written twice"},
    {"seed: 1\n" MODEL, 1, "project is missing"},
    {"project: ''\n" MODEL, 1, "project has 0 characters"},
    {"project: a\n", 1, "model.layers is missing"},
    {"project: a\nmodel:\n  layers:\n    - {op: gruu}\n", 4, "write one of: conv1d, gru"},
    {"project: a\nmodel:\n  layers:\n    - {units: 3}\n", 4, "model.layers[1].op is missing"},
    {"project: a\nmodel:\n  layers:\n    - {op: gru, units: 8}\n", 3, "must be dense"},
    {"project: a\ntrain:\n  steps: 9\n  chunk: 9\nmodel:\n  layers:\n    - {op: conv1d, stride: 4}\n    - {op: "
     "dense}\n",
     4, "write 12"},
    {"project: a\ndata:\n  test: [a]\n  validation: [b, a]\n" MODEL, 4, "both in data.validation and in data.test"},
    {"project: a\ndata: {test: [a, a]}\n" MODEL, 2, "names 'a' twice"},
    {"project: a\ndata:\n  classes: [{name: A}]\n" MODEL, 3, "needs two or more"},
    {"project: a\ndata:\n  classes: [{name: A}, {name: A}]\n" MODEL, 3, "has 'A' twice"},
    {"project: a\ndata:\n  classes: [{name: A, from: [x]}, {name: B, from: [x]}]\n" MODEL, 3, "label 'x' belongs to"},
    {"project: a\ndata:\n  classes: [{name: A}, {name: B}]\n  unlabelled: C\n" MODEL, 4, "which is no class"},
    {"project: a\ndata: {source: import}\n" MODEL, 2, "data.import.files is missing"},
    {"project: a\ndata: {source: import, import: {files: [{channels: []}]}}\n" MODEL, 2, "files[1].path is missing"},
    {"project: a\ndata: {source: import, import: {files: [{path: a}]}}\n" MODEL, 2, "files[1] has no channels"},
    {"project: a\ndata: {source: import, import: {files: [{path: a, channels: [{}]}]}}\n" MODEL, 2,
     "channels[1] has no columns"},
    {"project: a\ndata: {source: import, import: {files: [{path: a, row_end: ab, channels: [{columns: "
     "[a]}]}]}}\n" MODEL,
     2, "row_end is 'ab'; write one character"},
    {"project: a\ndata: {source: import, import: {files: [{path: a, channels: [{columns: [a]}]}]}}\n" MODEL, 2,
     "labels come from one place"},
    {"project: a\ndata:\n  source: import\n  import:\n    files: [{path: '{label}/a', channels: [{columns: [a]}]}]\n"
     "    labels: {column: b}\n" MODEL,
     6, "labels come from one place"},
    {"project: a\ndata: {source: spsw, mapping: m.yaml}\n" MODEL, 0, "say different things"},
    {"project: a\ndata: {source: spsw, import: {files: [{path: a}]}}\n" MODEL, 0, "say different things"},
    {"project: a\nevaluate:\n  window_frames: 128\n" MODEL, 2, "evaluate.window_step is 0"},
    {"project: a\ndata:\n  classes: [{name: A, event: true}, {name: B}]\nevaluate:\n  margins: [{class: C}]\n" MODEL, 5,
     "'C', which is no class; write"},
    {"project: a\ndata:\n  classes: [{name: A, event: true}, {name: B}]\nevaluate:\n  margins: [{class: B}]\n" MODEL, 5,
     "'B', which is no class with `event: true`"},
    {"project: a\nevaluate:\n  margins: [{class: C}, {class: C}]\n" MODEL, 3, "names 'C' twice"},
    {"project: a\nevaluate:\n  margins: [{class: C, late_ms: -1}]\n" MODEL, 3, "evaluate.margins[1].late_ms"},
    {"project: a\ncompress: [{keep: 0.5}]\n" MODEL, 2, "compress[1].method is missing"},
    {"project: a\ncompress: [{method: shrink}]\n" MODEL, 2, "write one of: prune sparse low_rank share distill"},
    {"project: a\ncompress:\n  - {method: prune}\n" MODEL, 2, "compress[1] (prune) needs keep"},
    {"project: a\ncompress: [{method: share, keep: 0.5}]\n" MODEL, 2, "compress[1] (share) has no use for keep"},
    {"project: a\ncompress: [{method: share, entries: 3}]\n" MODEL, 2, "from 4 to 16"},
    {"project: a\ncompress: [{method: sparse, keep: 0.5}, {method: prune, keep: 0.5}]\n" MODEL, 2,
     "compress[2] (prune) comes too late"},
    {"project: a\ncompress: [{method: distill, teacher: 0123456789ab, layers: [{op: dense}]}]\n" MODEL, 2,
     "compress[1] (distill) has both teacher, a run's ID, and layers"},
    {"project: a\ncompress: [{method: distill, teacher: 0123456789ab, teachers: 2}]\n" MODEL, 2,
     "asks for 2 teachers, but 0123456789ab is one"},
    {"project: a\ncompress: [{method: distill, teacher: ../x}]\n" MODEL, 2, "teacher is '../x'; write the 12 digits"},
    {"project: a\ncompress: [{method: share, teacher: 0123456789ab}]\n" MODEL, 2, "no use for teacher and layers"},
    {"project: a\ncompress: [{method: share}]\nquantize: {weight_bits: 4}\n" MODEL, 2,
     "or set quantize.weight_bits to 8"},
    {"project: a\ncompress: [{method: share}, {method: share}]\n" MODEL, 2, "compress[2] (share) comes too late"},
    {"project: [a\n", 2, "this is no YAML"},
    {"project: a\n\tseed: 1\n", 2, "this is no YAML"},
    {"- a\n- b\n", 1, "there are no settings"},
    {"", 1, "there are no settings"},
    {"[a, b]: 1\n", 1, "a key must be a name"},
    {"project: *nobody\n", 1, "this is no YAML"},
    {"project: \"a\\0b\"\n" MODEL, 1, "NUL character"},
};

static void test_says_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tin_error err;
        tin_config *c = (tin_config *)1;
        tin_status status = load(&c, wrong[i].text, &err);
        if (status != TIN_ERR_CONFIG || c || err.line != wrong[i].line || !strstr(err.message, wrong[i].message) ||
            strcmp(err.file, path) != 0)
            fail_msg("case %zu: wanted line %ld '%s', got %d: %s", i, wrong[i].line, wrong[i].message, (int)status,
                     tin_error_text(&err));
    }
}

static void test_missing_file(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_config *c = NULL;
    assert_int_equal(tin_config_load(&c, TEST_TEMPORARY "/none.yaml", &err), TIN_ERR_IO);
    assert_non_null(strstr(tin_error_text(&err), "none.yaml"));
}

/* Every prefix and many flipped bytes: an error or a config, never undefined behaviour (the sanitizers look on). */
static void test_hostile_bytes(void **state)
{
    (void)state;
    char text[2048];
    size_t n = strlen(full);
    tin_rng rng;
    tin_rng_seed(&rng, 7);
    for (size_t i = 0; i < n + 2000; i++) {
        tin_error err;
        tin_config *c = NULL;
        memcpy(text, full, n + 1);
        if (i < n) {
            text[i] = '\0';
        } else {
            for (int k = 0; k < 3; k++)
                text[tin_rng_below(&rng, (uint32_t)n)] = (char)(1 + tin_rng_below(&rng, 255));
        }
        tin_status status = load(&c, text, &err);
        assert_int_equal(status == TIN_OK, c != NULL);
        assert_true(status == TIN_OK || err.message[0]);
        tin_config_free(c);
    }
}

static void test_memory_fails_everywhere(void **state)
{
    (void)state;
    tin_error err;
    tin_config *c = NULL;
    assert_int_equal(load(&c, full, &err), TIN_OK);
    tin_config_free(c);
    size_t at = 0;
    tin_status status;
    do {
        err = (tin_error){0};
        tin_memory_fail_at(++at);
        status = tin_config_load(&c, path, &err);
        tin_memory_fail_at(0);
        if (status)
            assert_int_equal(status, TIN_ERR_MEMORY);
    } while (status);
    assert_true(at > 30);
    char *text = NULL;
    at = 0;
    do {
        tin_memory_fail_at(++at);
        status = tin_config_canonical(c, false, &text, NULL);
        tin_memory_fail_at(0);
        assert_true(status == TIN_OK || text == NULL);
    } while (status);
    tin_free(text);
    tin_config_free(c);
}

static char *canonical(const char *yaml)
{
    tin_error err;
    tin_config *c = NULL;
    char *text = NULL;
    if (load(&c, yaml, &err) || tin_config_canonical(c, false, &text, &err))
        fail_msg("%s", tin_error_text(&err));
    tin_config_free(c);
    return text;
}

/* Order, comments, spelling of numbers, threads and the place of the data change nothing; anything else does. */
static void test_canonical(void **state)
{
    (void)state;
    char *a = canonical("project: a\nthreads: 1\ntrain: {steps: 7, clip: 0.5}\ndata: {path: x}\n" MODEL);
    char *b = canonical(MODEL "# else\ntrain: {clip: 5e-1, steps: 7}\nproject: \"a\"\ndata: {path: y}\nthreads: 2\n");
    assert_string_equal(a, b);
    const char *const others[] = {
        "project: a\ntrain: {steps: 8, clip: 0.5}\n" MODEL,
        "project: a\ntrain: {steps: 7, clip: 0.50000000000000011}\n" MODEL,
        "project: a\nseed: 2\ntrain: {steps: 7, clip: 0.5}\n" MODEL,
        "project: a\ntrain: {steps: 7, clip: 0.5}\ndata: {test: ['b']}\n" MODEL,
        "project: a\ntrain: {steps: 7, clip: 0.5}\nmodel: {layers: [{op: gru, units: 25}, {op: dense}]}\n",
        "project: a\ntrain: {steps: 7, clip: 0.5, stateful: false}\n" MODEL,
        "project: a\ntrain: {steps: 7, clip: 0.5, augment: {background: {snr_db: [5, 24]}}}\n" MODEL,
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char *c = canonical(others[i]);
        assert_string_not_equal(a, c);
        tin_free(c);
    }
    tin_free(a);
    tin_free(b);
}

static const char *item(const tin_config_item *items, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(items[i].key, key) == 0)
            return items[i].value;
    fail_msg("no setting %s", key);
    return "";
}

static void test_items_of_the_canonical_text(void **state)
{
    (void)state;
    tin_config_item *items = NULL;
    size_t n = 0;
    tin_error err = {0};
    char *text = canonical("project: \"a\\n]b=3\"\ntrain: {steps: 7, clip: 0.1}\ndata: {test: ['s1', '2:x']}\n"
                           "model: {layers: [{op: gru, units: 25}, {op: dense}]}\n");
    assert_int_equal(tin_config_items(text, &items, &n, &err), TIN_OK);
    assert_string_equal(item(items, n, "project"), "a\n]b=3");
    assert_string_equal(item(items, n, "train.steps"), "7");
    assert_string_equal(item(items, n, "train.clip"), "0.1");
    assert_string_equal(item(items, n, "train.stateful"), "true");
    assert_string_equal(item(items, n, "data.test"), "s1, 2:x");
    assert_string_equal(item(items, n, "data.validation"), "");
    assert_string_equal(item(items, n, "model.layers.0.op"), "gru");
    assert_string_equal(item(items, n, "model.layers.0.units"), "25");
    assert_string_equal(item(items, n, "model.layers.1.op"), "dense");
    tin_config_items_free(items, n);
    for (size_t cut = strlen(text); cut-- > 0;) { /* every truncation; whole settings may be left */
        text[cut] = '\0';
        tin_status status = tin_config_items(text, &items, &n, NULL);
        assert_true(status == TIN_ERR_FORMAT || (status == TIN_OK && (cut == 0 || text[cut - 1] == '\n')));
        tin_config_items_free(items, n);
    }
    tin_free(text);
    text = canonical("project: a\n" MODEL);
    tin_status status = TIN_ERR_MEMORY;
    size_t at = 0;
    while (status) {
        tin_memory_fail_at(++at);
        status = tin_config_items(text, &items, &n, NULL);
        tin_memory_fail_at(0);
        assert_int_equal(status, status ? TIN_ERR_MEMORY : TIN_OK);
        tin_config_items_free(items, n);
    }
    tin_free(text);
    assert_int_equal(
        tin_config_items("a={\na={\na={\na={\na={\na={\na={\na={\na={\na={\na={\na={\na={\na={\na={\na={\na={\na={\n",
                         &items, &n, NULL),
        TIN_ERR_FORMAT);
    tin_config_items_free(items, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_kind),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_names_of_the_code),
        cmocka_unit_test(test_says_what_is_wrong),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_memory_fails_everywhere),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_items_of_the_canonical_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
