/* The general CSV importer: what it makes of good files, and the place and words for each bad one. */
#include "data_test.h"

static const char good[] = "t,ax,gx,label\n0,0.5,1,\n20,0.25,2,shake\n40,-1,3,shake\n60,1,4,\n80,8,5,nod\n";

static tin_config *loaded; /* of the running test */

/* Labels in their column, or in tables; `files`: more lines of the files, `more`: of the import. */
static tin_config_data settings_with(const char *label_column, const char *label_file, const char *files,
                                     const char *more)
{
    char text[2000];
    (void)snprintf(text, sizeof text,
                   "  source: import\n  rate_hz: 50\n  import:\n    files:\n      - path: \"*.csv\"\n"
                   "        time_column: t\n        time_unit: ms\n%s"
                   "        channels: [{columns: [ax], unit: g}, {columns: [gx], unit: rad/s}]\n"
                   "    labels: {column: \"%s\", files: \"%s\", clock: recording}\n%s",
                   files, label_column, label_file, more);
    tin_config_free(loaded);
    loaded = load_settings(text);
    return loaded->data;
}

static tin_config_data settings_of(const char *label_column, const char *label_file)
{
    return settings_with(label_column, label_file, "", "");
}

static int free_settings(void **state)
{
    (void)state;
    tin_config_free(loaded);
    loaded = NULL;
    return 0;
}

/* Five people, so that the default split has somebody for each role. */
static void write_people(const char *folder, const char *text)
{
    char name[32];
    for (int i = 1; i <= 5; i++) {
        (void)snprintf(name, sizeof name, "p%d_a.csv", i);
        write_text(folder, name, text);
    }
}

static void good_files(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/good";
    tin_config_data s = settings_of("label", "");
    tin_data_report report;
    write_people(folder, good);
    tin_dataset *d = build_well(&s, folder, &report);
    assert_int_equal(d->n_streams, 5);
    assert_int_equal(d->n_classes, 2);
    assert_string_equal(d->classes[0].name, "shake");
    assert_int_equal(d->unlabelled, TIN_LABEL_IGNORE);
    assert_true(d->channels[0].scale == 8.0 / 32768);
    const tin_stream *p = stream_by_id(d, "p1_a");
    assert_string_equal(p->subject, "p1");
    assert_string_equal(p->origin, "p1_a.csv");
    assert_int_equal(p->n_frames, 5);
    static const int16_t ax[5] = {2048, 1024, -4096, 4096, 32767};
    for (int t = 0; t < 5; t++)
        assert_int_equal(p->counts[2 * t], ax[t]);
    assert_int_equal(p->n_clipped, 1); /* 8 g is one count too much */
    assert_int_equal(report.n_clipped, 5);
    assert_true(warns(&report, "clipped"));
    assert_false(warns(&report, "has no frames"));
    assert_int_equal(p->n_intervals, 2);
    assert_int_equal(p->intervals[0].start, 1);
    assert_int_equal(p->intervals[0].end, 3);
    assert_int_equal(p->intervals[1].start, 4);
    assert_int_equal(p->intervals[1].end, 5);
    assert_int_equal(p->intervals[1].class_index, 1);
    assert_int_equal(stream_by_id(d, "p4_a")->role, TIN_ROLE_VALIDATION);
    assert_int_equal(stream_by_id(d, "p5_a")->role, TIN_ROLE_TEST);
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

/* Semicolons, CRLF, BOM, quotes, another order of columns and a subject column give the same data. */
static void other_dialect(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/dialect";
    tin_config_data s = settings_with("label", "", "", "    subject_column: who\n");
    tin_data_report report;
    char text[400];
    for (int i = 1; i <= 5; i++) {
        char name[32];
        (void)snprintf(
            text, sizeof text,
            "\xEF\xBB\xBF\"gx\";who;label;ax;t\r\n1;x%d;;\"0.5\";0\r\n2;x%d;shake;0.25;20\r\n3;x%d;nod;1;40\r\n", i, i,
            i);
        (void)snprintf(name, sizeof name, "%d.csv", i);
        write_text(folder, name, text);
    }
    tin_dataset *d = build_well(&s, folder, &report);
    const tin_stream *p = stream_by_id(d, "2");
    assert_string_equal(p->subject, "x2");
    assert_int_equal(p->counts[0], 2048);
    assert_int_equal(p->counts[2], 1024);
    assert_int_equal(p->intervals[0].start, 1);
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

static void bad_file(const char *name, const char *text, long line, const char *words)
{
    char folder[TIN_PATH_MAX];
    tin_config_data s = settings_of("label", "");
    (void)snprintf(folder, sizeof folder, "%s/bad_%s", TEST_TEMPORARY, name);
    write_people(folder, good);
    write_text(folder, "p3_a.csv", text);
    build_fails(&s, folder, TIN_ERR_DATA, "p3_a.csv", line, words);
}

static void bad_files(void **state)
{
    (void)state;
    bad_file("fields", "t,ax,gx,label\n0,1,1,\n20,1,1\n", 3, "3 fields where the first line names 4 columns");
    bad_file("number", "t,ax,gx,label\n0,1,1,\n20,1,one,\n", 3, "column 'gx': 'one' is not a number");
    bad_file("empty", "t,ax,gx,label\n0,,1,\n", 2, "column 'ax': '' is not a number");
    bad_file("nan", "t,ax,gx,label\n0,1,1,\n20,NaN,1,\n", 3, "column 'ax': 'NaN' is not finite");
    bad_file("inf", "t,ax,gx,label\n0,1,-inf,\n", 2, "column 'gx': '-inf' is not finite");
    bad_file("back", "t,ax,gx,label\n0,1,1,\n20,1,1,\n10,1,1,\n", 4, "column 't': time 10 comes after 20");
    bad_file("column", "t,ax,gy,label\n0,1,1,\n", 1, "no column 'gx'; the file has: t, ax, gy, label");
    bad_file("rows", "t,ax,gx,label\n", 0, "no rows");
    bad_file("nothing", "", 0, "the file is empty");
    bad_file("endless", "t,ax,gx,label\n-1e308,1,1,\n0,1,1,\n1e308,1,1,\n", 3,
             "column 't': 0 is more than 30 years after the row before");
    bad_file("latin1", "t,ax,gx,label\n0,1,1,\n20,1,1,h\xf6ren\n", 3, "column 'label': the label is not valid UTF-8");
    bad_file("quote", "t,ax,gx,label\n0,1,1,\"shake\n", 2, "never closed");
}

/* A column of numbers taken for labels ends in words, not in a thousand classes or a long wait. */
static void too_many_labels(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/many";
    static char text[60000];
    size_t used = (size_t)snprintf(text, sizeof text, "t,ax,gx,label\n");
    tin_config_data s = settings_of("label", "");
    write_people(folder, good);
    for (int i = 0; i < 201; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,1,1,%d\n", 20 * i, i);
    write_text(folder, "p2_a.csv", text);
    build_fails(&s, folder, TIN_ERR_DATA, NULL, 0, "203 labels, 200 classes are possible");
    for (int i = 201; i < 2001; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,1,1,%d\n", 20 * i, i);
    write_text(folder, "p2_a.csv", text);
    build_fails(&s, folder, TIN_ERR_DATA, NULL, 0, "more than 2000 different labels");
}

static void unknown_label(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/unknown";
    char *none[1] = {"nod"};
    tin_config_class classes[3] = {{.name = "shake", .event = true}, {.name = "none", .from = none, .from_count = 1}};
    tin_config_data s = settings_of("label", "");
    s.classes = classes;
    s.classes_count = 2;
    tin_data_report report;
    write_people(folder, good);
    tin_dataset *d = build_well(&s, folder, &report);
    assert_true(d->classes[0].event);
    assert_int_equal(d->streams[0].intervals[1].class_index, 1);
    tin_dataset_close(d);
    tin_data_report_free(&report);
    write_text(folder, "p2_a.csv", "t,ax,gx,label\n0,1,1,\n20,1,1,shaek\n");
    build_fails(&s, folder, TIN_ERR_DATA, "p2_a.csv", 3,
                "column 'label': label 'shaek' is unknown; known are: shake, nod");
    char *ignored[1] = {"shaek"}; /* on purpose: a class called ignore */
    classes[2] = (tin_config_class){.name = "ignore", .from = ignored, .from_count = 1};
    s.classes_count = 3;
    d = build_well(&s, folder, &report);
    assert_int_equal(d->n_classes, 2);
    assert_int_equal(stream_by_id(d, "p2_a")->intervals[0].class_index, TIN_LABEL_IGNORE);
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

/* Between two frames no label can be: it is said, and kept in the lineage. */
static void labels_without_a_frame(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/short";
    tin_config_data s = settings_of("", "labels.csv");
    tin_data_report report;
    write_people(folder, good);
    write_text(folder, "labels.csv", "stream,start,end,label\np1_a,0.021,0.039,nod\np1_a,0.041,0.07,shake\n");
    tin_dataset *d = build_well(&s, folder, &report);
    const tin_stream *p = stream_by_id(d, "p1_a");
    assert_int_equal(p->n_intervals, 1);
    assert_int_equal(p->intervals[0].start, 3);
    assert_int_equal(p->lineage.n_notes, 1);
    assert_string_equal(p->lineage.notes[0], "p1_a.csv: 1 labels hold no frame (they lie between two, or in a gap) and "
                                             "are left out; the first is nod at 0.021 s");
    assert_true(warns(&report, p->lineage.notes[0]));
    assert_int_equal(stream_by_id(d, "p2_a")->lineage.n_notes, 0);
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

static void interval_tables(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/tables";
    tin_config_data s = settings_of("", "labels.csv");
    tin_data_report report;
    write_people(folder, good);
    write_text(folder, "labels.csv",
               "stream,start,end,label\np1_a,0.06,0.08,nod\np1_a,0.02,0.06,shake\np3_a,0.04,0.12,nod\np9_a,1,2,nod\n");
    tin_dataset *d = build_well(&s, folder, &report);
    assert_int_equal(d->n_streams, 5);
    const tin_stream *p = stream_by_id(d, "p1_a");
    assert_int_equal(p->n_intervals, 2);
    assert_int_equal(p->intervals[0].start, 1);
    assert_int_equal(p->intervals[0].end, 3);
    assert_string_equal(d->classes[p->intervals[0].class_index].name, "shake");
    assert_true(warns(&report, "p3_a.csv: line 4: nod ends at 0.12 s of 0.1; cut"));
    assert_true(warns(&report, "1 rows (line 5 the first) belong to no recording"));
    assert_int_equal(stream_by_id(d, "p3_a")->intervals[0].end, 5);
    assert_true(warns(&report, "3 of 5 recordings have no row in the label files, p2_a.csv the first"));
    assert_true(warns(&report, "class 'shake' has no frames in test"));
    tin_dataset_close(d);
    tin_data_report_free(&report);
    static const struct {
        const char *text, *words;
        long line;
    } bad[] = {
        {"stream,start,end,label\np1_a,0.02,0.06,shake\np1_a,0.04,0.08,nod\n",
         "nod from 0.04 s overlaps the label before it, which ends at 0.06", 3},
        {"stream,start,end,label\np1_a,0.02,0.02,shake\n", "has no length", 2},
        {"stream,start,end,label\np1_a,0.04,0.02,shake\n", "has no length", 2},
        {"stream,start,end,label\np1_a,0.12,0.14,shake\n",
         "shake from 0.12 s lies outside p1_a.csv, which goes from 0 to 0.1", 2},
        {"stream,start,end,label\np1_a,-0.02,0.04,shake\n", "lies outside p1_a.csv", 2},
        {"stream,start,end,label\np9_a,0.02,0.04,shake\n", "no row of this table belongs to a recording", 2},
        {"stream,start,end,label\np1_a,0.02,soon,shake\n", "column 'end': 'soon' is not a number", 2},
        {"stream,start,stop,label\np1_a,0.02,0.04,shake\n", "no column 'end'", 1},
        {"stream,start,end,label\np1_a,0.02,0.04,\n", "empty", 2},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text(folder, "labels.csv", bad[i].text);
        build_fails(&s, folder, TIN_ERR_DATA, "labels.csv", bad[i].line, bad[i].words);
    }
    tin_config_class classes[2] = {{.name = "shake", .event = true}, {.name = "none"}};
    s.classes = classes;
    s.classes_count = 2;
    s.unlabelled = "none";
    write_text(folder, "labels.csv", "stream,start,end,label\np1_a,0.02,0.04,shake\np1_a,0.04,0.06,snooze\n");
    build_fails(&s, folder, TIN_ERR_DATA, "labels.csv", 3, "label 'snooze' is unknown");
}

static void wrong_settings(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/settings";
    write_people(folder, good);
    tin_config_data s;
    s = settings_of("", "x.csv");
    build_fails(&s, folder, TIN_ERR_DATA, NULL, 0, "no file 'x.csv'");
    s = settings_of("label", "");
    s.import.files[0].path[1] = '!';
    build_fails(&s, folder, TIN_ERR_DATA, NULL, 0, "no file '*!csv'");
    char *from[1] = {"jump"};
    tin_config_class classes[2] = {{.name = "shake"}, {.name = "leap", .from = from, .from_count = 1}};
    s = settings_of("label", "");
    s.classes = classes;
    s.classes_count = 2;
    build_fails(&s, folder, TIN_ERR_DATA, NULL, 6, "label 'nod' is unknown; known are: shake, jump");
    write_text(folder, "p3_a.csv", "t,ax,gx,label\n0,1,1,\n20000,1,1,\n40000,1,1,\n");
    s = settings_of("label", "");
    build_fails(&s, folder, TIN_ERR_DATA, NULL, 0, "samples come 20 s apart, more than 100 times slower than 50 Hz");
    s.path = "nowhere";
    build_fails(&s, folder, TIN_ERR_IO, NULL, 0, "folder");
    s = settings_of("label", "");
    write_text(TEST_TEMPORARY "/alone", "p1_a.csv", good);
    build_fails(&s, TEST_TEMPORARY "/alone", TIN_ERR_DATA, NULL, 0, "of 1 person; one each is needed for training");
    write_people(TEST_TEMPORARY "/same", "t,ax,gx,label\n0,1,1,shake\n20,1,1,shake\n");
    build_fails(&s, TEST_TEMPORARY "/same", TIN_ERR_DATA, NULL, 0, "the one class 'shake'; a classifier needs two");
    s = settings_with("label", "", "", "    subject_column: who\n");
    write_text(TEST_TEMPORARY "/who", "p1_a.csv", "t,ax,gx,label,who\n0,1,1,,a\xff\n");
    build_fails(&s, TEST_TEMPORARY "/who", TIN_ERR_DATA, "p1_a.csv", 0, "the person's name is not valid UTF-8");
}

/* Units without a known full scale: the greatest value becomes the greatest count. */
static void other_units(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/units";
    tin_config_data s = settings_of("label", "");
    tin_data_report report;
    s.import.files[0].channels[0].unit[0] = 'V';
    s.import.files[0].channels[1].unit[0] = 'V';
    s.import.files[0].channels[1].unit[1] = '\0';
    write_people(folder, good);
    tin_dataset *d = build_well(&s, folder, &report);
    assert_true(d->channels[0].scale == 8.0 / 32767);
    assert_true(d->channels[1].scale == 5.0 / 32767);
    assert_int_equal(report.n_clipped, 0);
    assert_int_equal(d->streams[0].counts[8], 32767);
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

static void every_allocation(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/memory";
    tin_config_data s = settings_of("", "labels.csv");
    write_people(folder, good);
    write_text(folder, "labels.csv", "stream,start,end,label\np1_a,0.02,0.06,shake\np2_a,0.02,0.06,nod\n");
    size_t n = 1;
    for (;; n++) {
        tin_error err = {0};
        tin_data_report report;
        tin_dataset *d = NULL;
        (void)tin_memory_fail_at(n);
        tin_status status = build_threads(&s, folder, 1, &report, &d, &err);
        (void)tin_memory_fail_at(0);
        tin_dataset_close(d);
        tin_data_report_free(&report);
        if (status == TIN_OK)
            break;
        if (status != TIN_ERR_MEMORY)
            fail_msg("allocation %zu: %s", n, tin_error_text(&err));
    }
    assert_true(n > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files),
        cmocka_unit_test(other_dialect),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(unknown_label),
        cmocka_unit_test(too_many_labels),
        cmocka_unit_test(interval_tables),
        cmocka_unit_test(labels_without_a_frame),
        cmocka_unit_test(wrong_settings),
        cmocka_unit_test(other_units),
        cmocka_unit_test(every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, free_settings);
}
