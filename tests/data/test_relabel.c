/* The list of data.relabel on hand-made streams of 100 frames at 10 Hz, and in a dataset; and what is no such list. */
#include "data_test.h"

#include "data/relabel.h"

#define FRAMES 100
#define NONE 0
#define A 1
#define B 2
#define HEAD "stream,start,end,label,suggested\n"
#define FILE_NAME "list.csv"

static const tin_class classes[3] = {{"none", false}, {"A", true}, {"B, b", true}};
static const char list[] = TEST_TEMPORARY "/" FILE_NAME;
static char stream_name[] = "s1";

#define LABELS(...) ((const tin_interval[]){__VA_ARGS__, {0, 0, 0}})

/* Reads the list and applies it to the labels of s1, which end with an interval of length 0. Memory as large as was
 * promised, so that a write behind it is seen. */
static tin_status apply(const char *text, size_t size, const tin_interval *before, tin_interval **after, size_t *n,
                        tin_relabel *relabel, tin_error *err)
{
    tin_stream s = {.id = stream_name, .n_frames = FRAMES};
    FILE *file = fopen(list, "wb"); /* there are too many of them to sync each, as tin_file_write does */
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    tin_status status = tin_relabel_read(relabel, list, 10, classes, 3, err);
    for (; before[s.n_intervals].end > 0; s.n_intervals++) {
    }
    *after = malloc((s.n_intervals + tin_relabel_room(relabel, s.id)) * sizeof **after + 1);
    assert_non_null(*after);
    memcpy(*after, before, s.n_intervals * sizeof **after);
    s.intervals = *after;
    if (status == TIN_OK)
        status = tin_relabel_apply(relabel, &s, *after, err);
    if (status == TIN_OK)
        status = tin_relabel_finish(relabel, err);
    *n = s.n_intervals;
    return status;
}

static void check(const char *text, size_t n_changed, const tin_interval *before, const tin_interval *after)
{
    tin_relabel relabel;
    tin_interval *got = NULL;
    tin_error err = {0};
    size_t n = 0, i = 0;
    if (apply(text, strlen(text), before, &got, &n, &relabel, &err) != TIN_OK)
        fail_msg("%s", tin_error_text(&err));
    for (; after[i].end > 0; i++) {
        assert_true(i < n);
        assert_int_equal(got[i].start, after[i].start);
        assert_int_equal(got[i].end, after[i].end);
        assert_int_equal(got[i].class_index, after[i].class_index);
    }
    assert_int_equal(n, i);
    assert_int_equal(relabel.n_labels, n_changed);
    free(got);
    tin_relabel_free(&relabel);
}

static const tin_interval some[] = {{10, 20, A}, {30, 60, NONE}, {70, 80, B}, {80, 90, TIN_LABEL_IGNORE}, {0, 0, 0}};

static void fails(const char *text, long line, const char *words)
{
    tin_relabel relabel;
    tin_interval *got = NULL;
    tin_error err = {0};
    size_t n = 0;
    assert_int_equal(apply(text, strlen(text), some, &got, &n, &relabel, &err), TIN_ERR_DATA);
    if (strstr(err.message, words) == NULL || err.line != line)
        fail_msg("'%s' is not in line %ld, or does not say '%s'", tin_error_text(&err), line, words);
    assert_string_equal(err.file, list);
    free(got);
    tin_relabel_free(&relabel);
}

static void labels_change(void **state)
{
    (void)state;
    check(HEAD, 0, some, some);
    check(HEAD "s1,1.000,2.000,A,\nnobody,1,2,nothing,\n", 0, some, some); /* nothing is suggested */
    check(HEAD "s1,1.000,2.000,A,\"B, b\"\ns1,7,8,\"B, b\",ignore\n", 2, some,
          LABELS({10, 20, B}, {30, 60, NONE}, {70, 80, TIN_LABEL_IGNORE}, {80, 90, TIN_LABEL_IGNORE}));
    check(HEAD "s1,8,9,ignore,A\n", 1, some, LABELS({10, 20, A}, {30, 60, NONE}, {70, 80, B}, {80, 90, A}));
    check(HEAD "s1,1,2,A,A\n", 0, some, some);
    /* as a spreadsheet may save it: other columns and order, to half a frame, with a byte order mark */
    check("\xEF\xBB\xBFsuggested;why;label;end;start;stream\r\nnone;sure;A;2.04;0.96;s1\r\n", 1, some,
          LABELS({10, 20, NONE}, {30, 60, NONE}, {70, 80, B}, {80, 90, TIN_LABEL_IGNORE}));
    /* one after another */
    check(HEAD "s1,1,2,A,none\ns1,1,2,none,ignore\n", 2, some,
          LABELS({10, 20, TIN_LABEL_IGNORE}, {30, 60, NONE}, {70, 80, B}, {80, 90, TIN_LABEL_IGNORE}));
}

/* The list of the report has more columns, and moves a label by two rows. */
static void labels_move(void **state)
{
    (void)state;
    static const char head[] = "stream,start,end,label,suggested,role,subject,kind,confidence\n";
    char text[256];
    snprintf(text, sizeof text,
             "%ss1,1.000,2.000,A,none,test,\"p, 1\",missed,1.234\ns1,1.500,2.600,,A,test,\"p, 1\",missed,1.234\n",
             head);
    check(text, 2, LABELS({10, 20, A}, {20, 40, NONE}), LABELS({10, 15, NONE}, {15, 26, A}, {26, 40, NONE}));
    snprintf(text, sizeof text,
             "%ss1,1.000,2.000,A,ignore,test,p,missed,-0.5\ns1,1.200,1.800,,\"B, b\",test,p,missed,-0.5\n", head);
    check(text, 2, some,
          LABELS({10, 12, TIN_LABEL_IGNORE}, {12, 18, B}, {18, 20, TIN_LABEL_IGNORE}, {30, 60, NONE}, {70, 80, B},
                 {80, 90, TIN_LABEL_IGNORE}));
}

static void labels_are_made(void **state)
{
    (void)state;
    check(HEAD "s1,0,1,,A\n", 1, LABELS({10, 20, A}), LABELS({0, 10, A}, {10, 20, A}));
    check(HEAD "s1,9,10,,A\n", 1, some,
          LABELS({10, 20, A}, {30, 60, NONE}, {70, 80, B}, {80, 90, TIN_LABEL_IGNORE}, {90, 100, A}));
    check(HEAD "s1,4,5,,A\n", 1, LABELS({30, 60, NONE}), LABELS({30, 40, NONE}, {40, 50, A}, {50, 60, NONE}));
    check(HEAD "s1,3,6,,A\n", 1, LABELS({30, 60, NONE}), LABELS({30, 60, A}));
    check(HEAD "s1,2,5,,A\n", 1, LABELS({30, 60, NONE}), LABELS({20, 50, A}, {50, 60, NONE}));
    check(HEAD "s1,1,9,,A\n", 1, LABELS({20, 30, NONE}, {30, 40, TIN_LABEL_IGNORE}, {80, 95, NONE}),
          LABELS({10, 90, A}, {90, 95, NONE}));
    check(HEAD "s1,3.2,3.4,,A\ns1,3.6,3.8,,A\ns1,3.2,3.4,A,ignore\n", 3, LABELS({30, 40, NONE}),
          LABELS({30, 32, NONE}, {32, 34, TIN_LABEL_IGNORE}, {34, 36, NONE}, {36, 38, A}, {38, 40, NONE}));
}

static void wrong_rows(void **state)
{
    (void)state;
    fails("", 0, "the file is empty");
    fails("stream,start,end,label\ns1,1,2,A\n", 1, "no column 'suggested'");
    fails(HEAD "\ns1,1,2,A\n", 3, "4 ");
    fails(HEAD "s1,1,2,A,C\n", 2, "column 'suggested': there is no class 'C'");
    fails(HEAD "s1,1,2,C,A\n", 2, "column 'label': there is no class 'C'");
    fails(HEAD "s1,x,2,A,none\n", 2, "'x' is not a number");
    fails(HEAD "s1,2,1,A,none\n", 2, "is no time");
    fails(HEAD "s1,-1,1,A,none\n", 2, "is no time");
    fails(HEAD "s1,1,1e300,A,none\n", 2, "is no time");
    fails(HEAD "s1,9,10.1,,A\n", 2, "which lasts 10 s");
    fails(HEAD "s1,1.01,1.02,,A\n", 2, "no frames");
    fails(HEAD "s1,1,2.1,A,none\n", 2, "has no label from 1 to 2.1 s");
    fails(HEAD "s1,1,2,A,none\ns1,1,2,A,none\n", 3, "is 'none', not 'A'");
    fails(HEAD "s1,8,9,none,A\n", 2, "is 'ignore', not 'none'");
    fails(HEAD "s1,1.5,2.5,,none\n", 2, "has the label 'A'");
    fails(HEAD "s1,1,2,A,none\ns2,1,2,A,none\ns0,1,2,A,none\n", 3, "no recording 's2'");
    fails(HEAD "s1,1,2,\"A,none\n", 2, "never closed");
}

static const char whole[] = HEAD "s1,1.000,2.000,A,\"B, b\"\r\n\"s1\",4,5,,A\ns1,7,8,\"B, b\",ignore\n";

/* Whatever is cut off or damaged: a shorter list, or an error with its place. */
static void hostile(const char *text, size_t size)
{
    tin_relabel relabel;
    tin_interval *got = NULL;
    tin_error err = {0};
    size_t n = 0;
    tin_status status = apply(text, size, some, &got, &n, &relabel, &err);
    assert_true(status == TIN_OK || (status == TIN_ERR_DATA && err.message[0] != '\0' && strcmp(err.file, list) == 0));
    for (size_t i = 0; i < n && status == TIN_OK; i++)
        assert_true(got[i].start < got[i].end && got[i].start >= (i > 0 ? got[i - 1].end : 0) && got[i].end <= FRAMES);
    assert_true(status != TIN_OK || n <= 6);
    free(got);
    tin_relabel_free(&relabel);
}

static void every_truncation(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof whole; size++)
        hostile(whole, size);
}

static void every_byte_damaged(void **state)
{
    (void)state;
    static const char bytes[] = {'\0', '"', ',', '\n', '\xff', '9', '-'};
    char text[sizeof whole];
    for (size_t i = 0; i + 1 < sizeof whole; i++)
        for (size_t b = 0; b < sizeof bytes; b++) {
            memcpy(text, whole, sizeof whole);
            text[i] = bytes[b];
            hostile(text, sizeof whole - 1);
        }
}

static void every_allocation(void **state)
{
    (void)state;
    size_t n = 1;
    assert_int_equal(tin_file_write(list, whole, sizeof whole - 1, NULL), TIN_OK);
    for (;; n++) {
        tin_relabel relabel;
        (void)tin_memory_fail_at(n);
        tin_status status = tin_relabel_read(&relabel, list, 10, classes, 3, NULL);
        (void)tin_memory_fail_at(0);
        tin_relabel_free(&relabel);
        if (status == TIN_OK)
            break;
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    assert_true(n > 10);
}

static tin_config *settings_of(const char *relabel)
{
    char text[600];
    (void)snprintf(text, sizeof text,
                   "  source: import\n  rate_hz: 10\n  labels: [{rule: merge, gap_ms: 100}]\n  relabel: %s\n  import:\n"
                   "    files: [{path: \"**/{subject}.csv\", channels: [{columns: [x], unit: g}]}]\n"
                   "    labels: {column: label}\n",
                   relabel);
    return load_settings(text);
}

/* Of the labels that the rules left, where the project is the folder of the recordings, too: neither the list nor the one that
 * `data check` wrote is a recording. */
static void in_a_dataset(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/project";
    char name[16];
    tin_data_report report;
    (void)remove(TEST_TEMPORARY "/project/mended/by_me.csv"); /* of a run that failed */
    for (int i = 1; i <= 5; i++) {
        (void)snprintf(name, sizeof name, "p%d.csv", i);
        write_text(folder, name, "x,label\n0,\n1,A\n2,A\n3,\n4,A\n5,B\n6,\n7,B\n");
    }
    write_text(folder, "data/relabel.csv", HEAD);
    tin_config *c = settings_of("\"\"");
    tin_dataset *d = build_well(&c->data, folder, &report);
    assert_int_equal(d->n_streams, 5);
    assert_int_equal(stream_by_id(d, "p2")->n_intervals, 2);
    assert_false(warns(&report, "data.relabel"));
    char before[65];
    memcpy(before, d->hash, sizeof before);
    tin_data_report_free(&report);
    tin_dataset_close(d);
    tin_config_free(c);

    c = settings_of("mended/by_me.csv");
    write_text(folder, "mended/by_me.csv", HEAD "p2,0.1,0.5,A,B\np4,0.5,0.8,B,ignore\n");
    d = build_well(&c->data, folder, &report);
    assert_int_equal(d->n_streams, 5);
    const tin_stream *p2 = stream_by_id(d, "p2"), *p4 = stream_by_id(d, "p4");
    assert_int_equal(p2->n_intervals, 2);
    assert_int_equal(p2->intervals[0].start, 1);
    assert_int_equal(p2->intervals[0].end, 5);
    assert_int_equal(p2->intervals[0].class_index, p2->intervals[1].class_index);
    assert_int_equal(p4->intervals[1].class_index, TIN_LABEL_IGNORE);
    assert_true(warns(&report, "data.relabel (mended/by_me.csv) changed 2 labels"));
    assert_string_not_equal(before, d->hash);
    tin_data_report_free(&report);
    tin_dataset_close(d);

    write_text(folder, "mended/by_me.csv", HEAD "p2,0.1,0.5,A,B\np9,0.5,0.8,B,A\n");
    build_fails(&c->data, folder, TIN_ERR_DATA, "mended/by_me.csv", 3, "no recording 'p9'");
    write_text(folder, "mended/by_me.csv", HEAD "p2,0.1,0.3,A,B\n"); /* as it was before the rule */
    build_fails(&c->data, folder, TIN_ERR_DATA, "mended/by_me.csv", 2, "has no label from 0.1 to 0.3 s");
    tin_config_free(c);
    assert_int_equal(remove(TEST_TEMPORARY "/project/mended/by_me.csv"), 0);
    c = settings_of("nothing.csv");
    build_fails(&c->data, folder, TIN_ERR_IO, "nothing.csv", 0, "");
    tin_config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_change),    cmocka_unit_test(labels_move),      cmocka_unit_test(labels_are_made),
        cmocka_unit_test(wrong_rows),       cmocka_unit_test(every_truncation), cmocka_unit_test(every_byte_damaged),
        cmocka_unit_test(every_allocation), cmocka_unit_test(in_a_dataset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
