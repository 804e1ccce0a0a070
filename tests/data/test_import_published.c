/* HAPT and SPSW in their publishers' exact layout, written here in small; what occurs in such files and what must be
 * refused. */
#include "data_test.h"

static const char activities[] = "1 WALKING           \n2 SITTING\n7 STAND_TO_SIT      \n\n";

/* Lines of three numbers: sample number / 1000 + the column. */
static void write_axes(const char *folder, const char *name, int n, const char *extra)
{
    char text[4000] = "";
    size_t used = 0;
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%.3f %.3f %.3f \n", i / 1000.0, 1 + i / 1000.0,
                                 -i / 1000.0);
    (void)snprintf(text + used, sizeof text - used, "%s", extra);
    write_text(folder, name, text);
}

static void write_hapt(const char *folder, const char *labels)
{
    char name[64];
    write_text(folder, "activity_labels.txt", activities);
    write_text(folder, "RawData/labels.txt", labels);
    for (int i = 1; i <= 5; i++) {
        (void)snprintf(name, sizeof name, "RawData/acc_exp%02d_user%02d.txt", i, i);
        write_axes(folder, name, 40, "");
        (void)snprintf(name, sizeof name, "RawData/gyro_exp%02d_user%02d.txt", i, i);
        write_axes(folder, name, 40, "");
    }
}

/* Of the running test: the settings of a ready mapping. */
static tin_config *loaded;

static tin_config_data ready(const char *source)
{
    char text[200];
    (void)snprintf(text, sizeof text, "  source: %s\n  rate_hz: 50\n  resample: linear\n", source);
    tin_config_free(loaded);
    loaded = load_settings(text);
    return loaded->data;
}

static tin_config_data hapt_settings(void)
{
    return ready("hapt");
}

static int free_settings(void **state)
{
    (void)state;
    tin_config_free(loaded);
    loaded = NULL;
    return 0;
}

static void hapt_good(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/hapt_good";
    tin_config_data s = hapt_settings();
    tin_data_report report;
    write_hapt(folder, "1 1 2 1 10\n1 1 7 11 15\n2 2 1 40 40\n");
    tin_dataset *d = build_well(&s, folder, &report);
    assert_int_equal(report.n_streams, 5);
    assert_int_equal(report.n_subjects, 5);
    assert_int_equal(
        report.n_warnings,
        1 + 6); /* three recordings have no labels; each class is missing in validation and test, no other */
    assert_true(warns(&report, "class 'SITTING' has no frames in test"));
    assert_int_equal(d->n_classes, 3);
    assert_string_equal(d->classes[0].name, "WALKING"); /* blanks cut */
    assert_string_equal(d->classes[2].name, "STAND_TO_SIT");
    assert_true(d->classes[2].event && !d->classes[0].event);
    assert_string_equal(d->channels[0].unit, "g");
    assert_string_equal(d->channels[5].name, "gz");
    const tin_stream *one = stream_by_id(d, "exp01_user01");
    assert_string_equal(one->subject, "1");
    assert_int_equal(one->n_frames, 40);
    assert_int_equal(one->n_intervals, 2);
    assert_int_equal(one->intervals[0].start, 0); /* labels count from 1, both ends included */
    assert_int_equal(one->intervals[0].end, 10);
    assert_int_equal(one->intervals[1].start, 10);
    assert_int_equal(one->intervals[1].end, 15);
    assert_int_equal(one->counts[6 * 39 + 1], 4256); /* 1.039 g * 4096 */
    assert_int_equal(one->counts[6 * 39 + 5], -37);  /* -0.039 rad/s / (2000 degrees / 32768) */
    const tin_stream *two = stream_by_id(d, "exp02_user02");
    assert_int_equal(two->intervals[0].start, 39);
    assert_int_equal(two->intervals[0].end, 40);
    int16_t labels[40];
    tin_dataset_labels(d, one, labels);
    assert_int_equal(labels[15], TIN_LABEL_IGNORE);
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

static void hapt_mended(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/hapt_mended";
    tin_config_data s = hapt_settings();
    tin_data_report report;
    write_hapt(folder, "1 1 2 1 10\n1 1 7 8 15\n2 2 1 30 41\n9 9 1 1 5\n");
    write_axes(folder, "RawData/gyro_exp03_user03.txt", 37, "");
    tin_dataset *d = build_well(&s, folder, &report);
    assert_int_equal(report.n_warnings, 5 + 6); /* three classes without frames in validation and test */
    assert_true(warns(&report, "line 2: STAND_TO_SIT shares 3 samples"));
    size_t kept = 0; /* in the dataset, for data check */
    for (size_t i = 0; i < d->n_streams; i++)
        for (size_t k = 0; k < d->streams[i].lineage.n_notes; k++)
            kept += strstr(d->streams[i].lineage.notes[k], "line 2: STAND_TO_SIT shares 3 samples") != NULL;
    assert_int_equal(kept, 1);
    assert_true(warns(&report, "line 3: WALKING ends at 41 samples of 40; cut"));
    assert_true(warns(&report, "RawData/acc_exp03_user03.txt and RawData/gyro_exp03_user03.txt differ by 3 samples"));
    assert_true(warns(&report, "1 rows (line 4 the first) belong to no recording"));
    assert_int_equal(stream_by_id(d, "exp01_user01")->intervals[1].start, 10);
    assert_int_equal(stream_by_id(d, "exp02_user02")->intervals[0].end, 40);
    assert_int_equal(stream_by_id(d, "exp03_user03")->n_frames, 37);
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

static void hapt_refused(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/hapt_bad";
    static const struct {
        const char *labels, *words;
        long line;
    } bad[] = {
        {"1 1 2 1 10\n1 1 9 11 20\n", "column 3: label '9' is unknown; known are: 1, 2, 7", 2},
        {"1 1 2 10 8\n", "from 10 to 8 samples has no length", 1},
        {"1 1 2 0 9\n", "samples 0 to 9; the first sample is 1", 1},
        {"1 1 2 41 50\n", "from 40 samples lies outside RawData/acc_exp01_user01.txt, which goes from 0 to 40", 1},
        {"1 1 2 1 35\n1 1 1 5 40\n", "overlaps the label before it, which ends at 35", 2},
        {"1 1 2 1 35\n1 1 1 5 20\n", "overlaps", 2},
        {"1 1 2 1\n", "there is no column '5'; the file names no columns and has 4", 1},
        {"1 1 2 1 5\n1 1 2 6 7 8\n", "6 fields where the first line has 5", 2},
        {"1 1 2 1 5.5\n", "column 5: 5.5 is no whole number", 1},
        {"1 1 2 1 5\n\n1 1 2 six 7\n", "column 4: 'six' is not a number", 3},
        {"1 1 two 1 5\n", "label 'two' is unknown", 1},
        {"9 9 2 1 5\n", "no row of this table belongs to a recording; the id of the first recording is 'exp01_user01'",
         1},
    };
    tin_config_data s = hapt_settings();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_hapt(folder, bad[i].labels);
        build_fails(&s, folder, TIN_ERR_DATA, "RawData/labels.txt", bad[i].line, bad[i].words);
    }
    write_hapt(folder, "1 1 2 1 10\n");
    write_axes(folder, "RawData/acc_exp02_user02.txt", 3, "1.0 nan 2.0\n");
    build_fails(&s, folder, TIN_ERR_DATA, "RawData/acc_exp02_user02.txt", 4, "column 2: 'nan' is not finite");
    write_axes(folder, "RawData/acc_exp02_user02.txt", 3, "1.0 2.0\n");
    build_fails(&s, folder, TIN_ERR_DATA, "RawData/acc_exp02_user02.txt", 4,
                "2 fields where the first line has 3 columns");
    write_hapt(folder, "1 1 2 1 10\n");
    (void)remove(TEST_TEMPORARY "/hapt_bad/RawData/gyro_exp06_user06.txt"); /* of an earlier run */
    write_axes(folder, "RawData/acc_exp06_user06.txt", 3, "");
    build_fails(&s, folder, TIN_ERR_DATA, "RawData/acc_exp06_user06.txt", 0,
                "no file '**/gyro_exp{experiment}_user{subject}.txt' belongs to it");
    write_axes(folder, "RawData/gyro_exp06_user06.txt", 3, "");
    write_text(folder, "activity_labels.txt", "1 WALKING\n1 SITTING\n");
    build_fails(&s, folder, TIN_ERR_DATA, "activity_labels.txt", 2, "label 1 is 'WALKING' already");
    (void)remove(TEST_TEMPORARY "/hapt_bad/activity_labels.txt");
    build_fails(&s, folder, TIN_ERR_DATA, NULL, 0, "no file '**/activity_labels.txt'");
}

/* Labels that exist and belong to no class are ignored; frames without a label take `unlabelled`. */
static void mapped_classes(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/hapt_classes";
    char *from[1] = {"STAND_TO_SIT"};
    tin_config_class classes[2] = {{.name = "none"},
                                   {.name = "sit_down", .event = true, .from = from, .from_count = 1}};
    tin_config_data s = hapt_settings();
    tin_data_report report;
    s.classes = classes;
    s.classes_count = 2;
    s.unlabelled = "none";
    write_hapt(folder, "1 1 2 1 10\n1 1 7 11 15\n");
    tin_dataset *d = build_well(&s, folder, &report);
    int16_t labels[40];
    tin_dataset_labels(d, stream_by_id(d, "exp01_user01"), labels);
    assert_int_equal(d->n_classes, 2);
    assert_int_equal(labels[9], TIN_LABEL_IGNORE);
    assert_int_equal(labels[10], 1);
    assert_int_equal(labels[15], 0);
    assert_true(warns(&report, "label 'SITTING' is in no class"));
    tin_dataset_close(d);
    tin_data_report_free(&report);
    from[0] = "STAND_TO_FLY";
    build_fails(&s, folder, TIN_ERR_CONFIG, NULL, 0,
                "'STAND_TO_FLY', which the recordings do not have; they have: WALKING");
    from[0] = "STAND_TO_SIT";
    s.unlabelled = "nothing";
    build_fails(&s, folder, TIN_ERR_CONFIG, NULL, 0, "data.unlabelled is 'nothing'");
}

static void split(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/hapt_split";
    char *two[1] = {"2"}, *three[2] = {"3", "1"};
    tin_config_data s = hapt_settings();
    tin_data_report report;
    write_hapt(folder, "1 1 2 1 10\n");
    s.validation = two;
    s.validation_count = 1;
    s.test = three;
    s.test_count = 2;
    tin_dataset *d = build_well(&s, folder, &report);
    assert_int_equal(stream_by_id(d, "exp02_user02")->role, TIN_ROLE_VALIDATION);
    assert_int_equal(stream_by_id(d, "exp01_user01")->role, TIN_ROLE_TEST);
    assert_int_equal(stream_by_id(d, "exp03_user03")->role, TIN_ROLE_TEST);
    assert_int_equal(stream_by_id(d, "exp04_user04")->role, TIN_ROLE_TRAIN);
    assert_int_equal(tin_dataset_frames(d, TIN_ROLE_TEST), 80);
    tin_dataset_close(d);
    tin_data_report_free(&report);
    three[1] = "11";
    build_fails(&s, folder, TIN_ERR_CONFIG, NULL, 0,
                "data.test names the subject '11', who is not there; there are: 1, 2, 3, 4, 5");
    three[1] = "2";
    build_fails(&s, folder, TIN_ERR_CONFIG, NULL, 0, "'2' is in data.validation and in data.test");
    s.test_count = 0; /* every fifth of the four others: nobody */
    build_fails(&s, folder, TIN_ERR_CONFIG, NULL, 0, "none is left for test; list some in data.test");
}

static const char spsw_header[] = "x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,timestamp,label\n";

static void write_spsw(const char *folder)
{
    char name[64], text[4000];
    for (int person = 1; person <= 5; person++) {
        size_t used = (size_t)snprintf(text, sizeof text, "%s", spsw_header);
        for (int i = 0; i < 41; i++) /* 10 ms apart: frames at every other sample */
            used += (size_t)snprintf(text + used, sizeof text - used, "%d,0,9.80665,0,0,1,%lld,%s\n", i,
                                     1657533977810LL + 10 * i,
                                     i < 11   ? "SEATED"
                                     : i < 21 ? "STANDING_UP"
                                              : "WALKING");
        (void)snprintf(name, sizeof name, "DATA/s%02d/s%02d_01_sw.csv", person, person);
        write_text(folder, name, text);
        (void)snprintf(name, sizeof name, "DATA/s%02d/s%02d_01_sp.csv", person, person);
        write_text(folder, name, "the phone's files are not read");
    }
}

static void spsw_good(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/spsw_good";
    tin_config_data s = ready("spsw");
    tin_data_report report;
    write_spsw(folder);
    tin_dataset *d = build_well(&s, folder, &report);
    assert_int_equal(d->n_streams, 5);
    assert_int_equal(d->n_classes, 5);
    assert_string_equal(d->classes[3].name, "TURNING");
    assert_true(d->classes[1].event && d->classes[3].event && d->classes[4].event && !d->classes[2].event);
    const tin_stream *p = stream_by_id(d, "s02_01");
    assert_string_equal(p->subject, "s02");
    assert_int_equal(p->n_frames, 21);
    assert_int_equal(p->counts[2], 4096);     /* 1 g */
    assert_int_equal(p->counts[6 * 5], 4177); /* x_acc of sample 10: 10 m/s^2 of 78.4532 in 32768 steps */
    assert_int_equal(p->n_intervals, 3);
    assert_int_equal(p->intervals[0].end, 6); /* sample 11 lies between frames 5 and 6 */
    assert_int_equal(p->intervals[1].end, 11);
    assert_int_equal(p->intervals[2].end, 21);
    assert_true(warns(&report, "interpolated without a low-pass filter"));
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

/* Duplicate times are averaged, times between samples interpolated, gaps split. */
static void spsw_clock(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/spsw_clock";
    tin_config_data s = ready("spsw");
    s.path = "DATA";
    tin_data_report report;
    char text[4000];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", spsw_header);
    static const struct {
        int time, x;
        const char *label;
    } rows[] = {{0, 0, "SEATED"},      {15, 15, "SEATED"},    {25, 20, "SEATED"},
                {25, 30, "WALKING"},   {35, 35, "WALKING"},   {45, 45, "WALKING"},
                {146, 146, "TURNING"}, {156, 156, "TURNING"}, {166, 166, "TURNING"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,0,0,0,0,0,%d,%s\n", rows[i].x,
                                 1000 + rows[i].time, rows[i].label);
    write_spsw(folder);
    write_text(folder, "DATA/s03/s03_01_sw.csv", text);
    tin_dataset *d = build_well(&s, folder, &report);
    const double scale = d->channels[0].scale;
    const tin_stream *first = stream_by_id(d, "s03_01"), *second = stream_by_id(d, "s03_01-2");
    assert_int_equal(first->n_frames, 3);
    for (int t = 0; t < 3; t++) /* the values equal the time, and the mean of the duplicates does too */
        assert_int_equal(first->counts[6 * t], (int)(20 * t / scale + 0.5));
    assert_int_equal(first->intervals[0].end, 2);
    assert_int_equal(first->n_intervals, 2);
    assert_string_equal(d->classes[first->intervals[1].class_index].name, "WALKING");
    assert_int_equal(second->n_frames, 2);
    assert_int_equal(second->counts[0], (int)(146 / scale + 0.5) > 32767 ? 32767 : (int)(146 / scale + 0.5));
    assert_int_equal(second->n_intervals, 1);
    assert_true(warns(
        &report,
        "1 samples in 1 of 5 recordings have the time of another and were averaged; most in s03/s03_01_sw.csv: 1"));
    assert_true(warns(&report, "s03/s03_01_sw.csv: no samples for 0.101 s after 0.045 s (period 0.01 s); split there"));
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

static void spsw_refused(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/spsw_bad";
    tin_config_data s = ready("spsw");
    char text[1000];
    write_spsw(folder);
    (void)snprintf(text, sizeof text, "%s0,0,0,0,0,0,10,SEATED\n0,0,0,0,0,0,20,LYING\n", spsw_header);
    write_text(folder, "DATA/s04/s04_01_sw.csv", text);
    build_fails(&s, folder, TIN_ERR_DATA, "DATA/s04/s04_01_sw.csv", 3, "label 'LYING' is unknown; known are: SEATED");
    s.path = "empty";
    assert_int_equal(tin_folder_make(TEST_TEMPORARY "/spsw_bad/empty", NULL), TIN_OK);
    build_fails(&s, folder, TIN_ERR_DATA, NULL, 0, "no file '**/{subject}_{session}_sw.csv'");
}

/* Two threads give what one gives. */
static void threads(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/spsw_threads";
    tin_config_data s = ready("spsw");
    s.rate_hz = 40;
    tin_data_report report;
    tin_dataset *d = NULL;
    char hash[2][65];
    write_spsw(folder);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(build_threads(&s, folder, k + 1, &report, &d, NULL), TIN_OK);
        strcpy(hash[k], d->hash);
        tin_dataset_close(d);
        tin_data_report_free(&report);
    }
    assert_string_equal(hash[0], hash[1]);
}

static void every_allocation(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/hapt_memory";
    tin_config_data s = hapt_settings();
    write_hapt(folder, "1 1 2 1 10\n1 1 7 8 15\n2 2 1 30 41\n");
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
        cmocka_unit_test(hapt_good),        cmocka_unit_test(hapt_mended),  cmocka_unit_test(hapt_refused),
        cmocka_unit_test(mapped_classes),   cmocka_unit_test(split),        cmocka_unit_test(spsw_good),
        cmocka_unit_test(spsw_clock),       cmocka_unit_test(spsw_refused), cmocka_unit_test(threads),
        cmocka_unit_test(every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, free_settings);
}
