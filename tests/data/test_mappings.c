/* The ready mappings against small files in their publishers' layouts, and every kind of label file. HAPT and SPSW have
 * test_import_published.c. */
#include "data_test.h"

#include <math.h>
#include <sndfile.h>

#include "base/rng.h"

static tin_config *loaded; /* of the running test */

static tin_config_data *settings_of(const char *data)
{
    tin_config_free(loaded);
    loaded = load_settings(data);
    return &loaded->data;
}

static tin_config_data *ready(const char *source, int rate_hz)
{
    char text[200];
    (void)snprintf(text, sizeof text, "  source: %s\n  rate_hz: %d\n  resample: linear\n", source, rate_hz);
    return settings_of(text);
}

static int free_settings(void **state)
{
    (void)state;
    tin_config_free(loaded);
    loaded = NULL;
    return 0;
}

static const char *label_at(const tin_dataset *d, const char *id, int frame)
{
    int16_t labels[20000];
    const tin_stream *s = stream_by_id(d, id);
    assert_true(frame < s->n_frames && s->n_frames <= 20000);
    tin_dataset_labels(d, s, labels);
    return labels[frame] == TIN_LABEL_IGNORE ? "" : d->classes[labels[frame]].name;
}

static void done(tin_dataset *d, tin_data_report *report)
{
    tin_dataset_close(d);
    tin_data_report_free(report);
}

/* One file for all people; rows end in ";", two share a line, one is cut short, one has a comma too many, some have the
 * time 0, and the clock jumps back. */
static void wisdm(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/wisdm";
    static char text[60000];
    size_t used = 0;
    tin_data_report report;
    for (int person = 1; person <= 5; person++)
        for (int i = 0; i < 40; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%d,%s,%lld,%.1f,9.80665,-0.6946377;%s", person,
                                     i < 20 ? "Jogging" : "Walking", 49105962326000LL + 50000000LL * (i % 30), i / 10.0,
                                     i == 3 ? "" : "\n");
    used += (size_t)snprintf(text + used, sizeof text - used,
                             "5,Walking,1867172313000,4.4,4.4,;\n5,Walking,1867172313000,4.4,4.4,1.0,;\n"
                             "5,Walking,0,0,0,0.0;\n\n5, Sitting, 131623531465000, 8.88, -1.33, 1.61;\n\n");
    write_text(folder, "WISDM_ar_v1.1/WISDM_ar_v1.1_raw.txt", text);
    tin_dataset *d = build_well(ready("wisdm", 20), folder, &report);
    assert_int_equal(d->n_channels, 3);
    assert_int_equal(d->n_classes, 6);
    assert_string_equal(d->classes[1].name, "Jogging");
    const tin_stream *p = stream_by_id(d, "1"), *back = stream_by_id(d, "1_2");
    assert_string_equal(p->subject, "1");
    assert_int_equal(p->n_frames, 30); /* the clock is set back after 30 rows */
    assert_int_equal(back->n_frames, 10);
    assert_int_equal(p->counts[3 * 10], (int)(1 / d->channels[0].scale + 0.5));
    assert_string_equal(label_at(d, "1", 19), "Jogging");
    assert_string_equal(label_at(d, "1", 20), "Walking");
    assert_string_equal(label_at(d, "5_2-2", 0), "Sitting");
    assert_true(warns(&report, "2 broken rows (line 196 the first); left out"));
    done(d, &report);
}

/* 54 columns: three inertial units at 100 Hz and a heart rate at every tenth row, NaN elsewhere. */
static void pamap2(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/pamap2";
    static char text[200000];
    tin_data_report report;
    for (int person = 101; person <= 105; person++) {
        size_t used = 0;
        for (int i = 0; i < 200; i++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%.2f %d", 8.38 + i / 100.0,
                                     i < 50    ? 0
                                     : i < 120 ? 1
                                               : 24);
            for (int c = 3; c <= 54; c++)
                if ((c == 3 && i % 10 != 0) || (c > 3 && c < 21 && i == 60))
                    used += (size_t)snprintf(text + used, sizeof text - used, " NaN");
                else
                    used +=
                        (size_t)snprintf(text + used, sizeof text - used, " %.5g", c == 3 ? 100 + i / 10.0 : c / 10.0);
            text[used++] = '\n';
        }
        text[used] = '\0';
        char name[64];
        (void)snprintf(name, sizeof name, "PAMAP2_Dataset/Protocol/subject%d.dat", person);
        write_text(folder, name, text);
    }
    tin_dataset *d = build_well(ready("pamap2", 100), folder, &report);
    assert_int_equal(d->n_channels, 19);
    assert_int_equal(d->n_classes, 18);
    const tin_stream *p = stream_by_id(d, "Protocol_101");
    assert_string_equal(p->subject, "101");
    assert_string_equal(d->channels[18].name, "heart_rate");
    assert_int_equal(p->n_frames, 191); /* to the last heart rate */
    for (int t = 0; t < 191; t++) {     /* the hole of one row is bridged, the heart rate is a line */
        assert_int_equal(p->counts[19 * t], (int)(0.5 / d->channels[0].scale + 0.5));
        assert_in_range(p->counts[19 * t + 18] + 1, (int)((100 + t / 10.0) / d->channels[18].scale),
                        (int)((100 + t / 10.0) / d->channels[18].scale) + 3);
        assert_int_equal(p->counts[19 * t + 17], (int)(4.7 / d->channels[17].scale + 0.5));
    }
    assert_string_equal(label_at(d, "Protocol_101", 49), "");
    assert_string_equal(label_at(d, "Protocol_101", 50), "lying");
    assert_string_equal(label_at(d, "Protocol_101", 120), "rope_jumping");
    done(d, &report);
}

/* A row is a window of 128 samples of one signal; people, labels and the split are in files of their own. */
static void uci_har(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/uci";
    static const char *const signals[6] = {"total_acc_x", "total_acc_y", "total_acc_z",
                                           "body_gyro_x", "body_gyro_y", "body_gyro_z"};
    static const char *const roles[2] = {"train", "test"};
    static char text[100000];
    char name[128];
    tin_data_report report;
    write_text(folder, "activity_labels.txt", "1 WALKING\n5 STANDING\n6 LAYING\n");
    for (int r = 0; r < 2; r++) {
        for (int k = 0; k < 6; k++) {
            size_t used = 0;
            for (int row = 0; row < 8; row++) {
                for (int i = 0; i < 128; i++)
                    used += (size_t)snprintf(text + used, sizeof text - used, " %s%.7e", i % 3 ? " " : "",
                                             k + row / 10.0 + sin(0.1 * i * (1 + row + 8 * r)) / 8);
                text[used++] = '\n';
            }
            text[used] = '\0';
            (void)snprintf(name, sizeof name, "%s/Inertial Signals/%s_%s.txt", roles[r], signals[k], roles[r]);
            write_text(folder, name, text);
        }
        (void)snprintf(name, sizeof name, "%s/subject_%s.txt", roles[r], roles[r]);
        write_text(folder, name, r == 0 ? "1\n1\n3\n3\n5\n5\n6\n7\n" : "2\n2\n2\n2\n4\n4\n4\n4\n");
        (void)snprintf(name, sizeof name, "%s/y_%s.txt", roles[r], roles[r]);
        write_text(folder, name, "5\n5\n1\n1\n6\n1\n1\n5\n");
    }
    tin_dataset *d = build_well(ready("uci_har", 50), folder, &report);
    assert_int_equal(d->n_streams, 16);
    assert_int_equal(report.n_subjects, 7);
    const tin_stream *p = stream_by_id(d, "train_3");
    assert_string_equal(p->subject, "3");
    assert_int_equal(p->n_frames, 128);
    assert_int_equal(p->counts[6 * 100 + 1], (int)((1.2 + sin(0.1 * 100 * 3) / 8) * 4096 + 0.5));
    assert_string_equal(label_at(d, "train_3", 0), "WALKING");
    assert_string_equal(label_at(d, "test_5", 127), "LAYING");
    assert_int_equal(p->role, TIN_ROLE_TRAIN);
    assert_int_equal(stream_by_id(d, "test_1")->role, TIN_ROLE_TEST); /* as published */
    assert_int_equal(stream_by_id(d, "test_8")->role, TIN_ROLE_TEST);
    assert_int_equal(stream_by_id(d, "train_7")->role, TIN_ROLE_VALIDATION);
    done(d, &report);
    write_text(folder, "test/y_test.txt", "5\n5\n1\n");
    build_fails(&loaded->data, folder, TIN_ERR_DATA, "test/y_test.txt", 0,
                "3 rows, but test/Inertial Signals/total_acc_x_test.txt has 8");
}

/* 250 columns of integers, NaN where the radio lost a unit; the last column is the gesture. */
static void opportunity(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/opportunity";
    static char text[200000];
    tin_data_report report;
    for (int person = 1; person <= 5; person++) {
        size_t used = 0;
        for (int i = 0; i < 60; i++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%d", i * 33 + (i % 3 == 2));
            for (int c = 2; c <= 249; c++)
                used += (size_t)snprintf(text + used, sizeof text - used, " %s",
                                         c < 38     ? "NaN"
                                         : c == 244 ? "1"
                                                    : "250");
            used += (size_t)snprintf(text + used, sizeof text - used, " %s\n",
                                     i < 20   ? "0"
                                     : i < 40 ? "406516"
                                              : "404516");
        }
        char name[64];
        (void)snprintf(name, sizeof name, "dataset/S%d-ADL1.dat", person);
        write_text(folder, name, text);
    }
    tin_dataset *d = build_well(ready("opportunity", 30), folder, &report);
    assert_int_equal(d->n_channels, 30);
    assert_string_equal(d->channels[12].name, "rla_ax");
    assert_true(d->classes[0].event);
    const tin_stream *p = stream_by_id(d, "S1-ADL1");
    assert_string_equal(p->session, "ADL1");
    assert_in_range(p->n_frames, 59, 60);
    assert_int_equal(p->counts[0], 1024); /* 250 mg of 8000 in 32768 steps */
    assert_string_equal(label_at(d, "S1-ADL1", 10), "");
    assert_string_equal(label_at(d, "S1-ADL1", 25), "open_door_1");
    assert_string_equal(label_at(d, "S1-ADL1", 50), "close_door_1");
    done(d, &report);
}

static void write_wav(const char *folder, const char *name, int n, uint64_t seed)
{
    char path[TIN_PATH_MAX];
    short samples[4000];
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    write_text(folder, name, "");
    assert_int_equal(tin_path_join(path, folder, name, NULL), TIN_OK);
    SF_INFO info = {.samplerate = 16000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    for (int i = 0; i < n; i++)
        samples[i] = (short)(8000 * tin_rng_normal(&rng));
    assert_int_equal(sf_write_short(file, samples, n), n);
    sf_close(file);
}

/* The folder is the label, the file's name begins with the speaker, and lists tell the published split. */
static void speech_commands(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/speech";
    tin_data_report report;
    write_wav(folder, "bed/0a7c2a8d_nohash_0.wav", 1600, 1);
    write_wav(folder, "bed/1aed7c6d_nohash_0.wav", 1600, 2);
    write_wav(folder, "yes/0a7c2a8d_nohash_1.wav", 1600, 3);
    write_wav(folder, "yes/22296dbe_nohash_0.wav", 1600, 4);
    write_wav(folder, "yes/1aed7c6d_nohash_0.wav", 1600, 5);
    write_wav(folder, "_background_noise_/doing_the_dishes.wav", 3200, 6);
    write_text(folder, "validation_list.txt", "yes/22296dbe_nohash_0.wav\n");
    write_text(folder, "testing_list.txt", "bed/1aed7c6d_nohash_0.wav\r\nyes/1aed7c6d_nohash_0.wav\r\n");
    tin_dataset *d = build_well(ready("speech_commands", 16000), folder, &report);
    assert_int_equal(d->n_streams, 6);
    assert_int_equal(d->n_classes, 3);
    const tin_stream *p = stream_by_id(d, "yes/1aed7c6d_nohash_0");
    assert_string_equal(p->subject, "1aed7c6d");
    assert_int_equal(p->n_frames, 1600);
    assert_int_equal(p->role, TIN_ROLE_TEST);
    assert_int_equal(stream_by_id(d, "yes/22296dbe_nohash_0")->role, TIN_ROLE_VALIDATION);
    assert_int_equal(stream_by_id(d, "_background_noise_/doing_the_dishes")->role, TIN_ROLE_TRAIN);
    assert_string_equal(label_at(d, "_background_noise_/doing_the_dishes", 3199), "_background_noise_");
    assert_string_equal(label_at(d, "bed/0a7c2a8d_nohash_0", 0), "bed");
    done(d, &report);
}

/* A file per sensor, each at its own rate, times in ns since 1970, labels per recording on the same clock. */
static void sensor_files(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/sensors";
    static char text[40000];
    char name[64];
    tin_data_report report;
    const long long start = 1700000000000000000LL;
    for (int person = 1; person <= 3; person++) {
        size_t used = (size_t)snprintf(text, sizeof text, "time,x,y,z\n");
        for (int i = 0; i < 201; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%lld,%d,0,9.80665\n", start + 20000000LL * i, i);
        (void)snprintf(name, sizeof name, "p%d/walk/Accelerometer.csv", person);
        write_text(folder, name, text);
        used = (size_t)snprintf(text, sizeof text, "time,x,y,z\n");
        for (int i = 0; i < 101; i++) /* 25 Hz, half a second later */
            used += (size_t)snprintf(text + used, sizeof text - used, "%lld,0.0%02d,0,1\n",
                                     start + 500000000LL + 40000000LL * i, i % 100);
        (void)snprintf(name, sizeof name, "p%d/walk/Gyroscope.csv", person);
        write_text(folder, name, text);
        (void)snprintf(name, sizeof name, "p%d/walk/Annotation.csv", person);
        (void)snprintf(text, sizeof text, "from,to,text\n%lld,%lld,step\n%lld,%lld,stand\n", start + 1000000000LL,
                       start + 2000000000LL, start + 2000000000LL, start + 3000000000LL);
        write_text(folder, name, text);
    }
    tin_config_data *s = settings_of(
        "  source: import\n  validation: [p2]\n  test: [p3]\n  rate_hz: 50\n  import:\n    id: "
        "\"{subject}_{session}\"\n    files:\n"
        "      - path: \"{subject}/{session}/Accelerometer.csv\"\n        time_column: time\n        time_unit: ns\n"
        "        channels: [{columns: [x, y, z], names: [ax, ay, az], unit: m/s^2}]\n"
        "      - path: \"{subject}/{session}/Gyroscope.csv\"\n        time_column: time\n        time_unit: ns\n"
        "        channels: [{columns: [x, y, z], names: [gx, gy, gz], unit: rad/s}]\n"
        "    labels: {files: \"{subject}/{session}/Annotation.csv\", start: from, end: to, label: text, unit: ns}\n");
    tin_dataset *d = build_well(s, folder, &report);
    const tin_stream *p = stream_by_id(d, "p2_walk");
    assert_string_equal(p->subject, "p2");
    assert_string_equal(p->session, "walk");
    assert_int_equal(p->n_frames, 176); /* from 0.5 s to 4 s */
    assert_int_equal(p->counts[0], (int)(25 / d->channels[0].scale + 0.5));
    assert_int_equal(p->n_intervals, 2);
    assert_int_equal(p->intervals[0].start, 25); /* 1 s is 0.5 s behind the first frame */
    assert_int_equal(p->intervals[1].end, 125);
    done(d, &report);
    write_text(folder, "p2/walk/Gyroscope.csv", "time,x,y,z\n1,0,0,1\n2,0,0,1\n");
    build_fails(s, folder, TIN_ERR_DATA, "p2/walk/Accelerometer.csv", 0, "no time in common");
    (void)remove(TEST_TEMPORARY "/sensors/p2/walk/Gyroscope.csv");
    build_fails(s, folder, TIN_ERR_DATA, "p2/walk/Accelerometer.csv", 0, "no file '{subject}/{session}/Gyroscope.csv'");
}

/* Lines above the table, comments, decimal commas, raw counts with a factor, samples counted from 1. */
static void raw_logger(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/raw";
    static char text[8000];
    char name[64];
    tin_data_report report;
    for (int person = 1; person <= 3; person++) {
        size_t used = (size_t)snprintf(text, sizeof text, "LOGGER 7\r\n\"serial\";\"17\r\nfree text\r\nn;x;y;z\r\n");
        for (int i = 0; i < 20; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%d;%d,5;0;-2\r\n", i == 7 ? "# pause\r\n" : "",
                                     i, 1000 * i);
        (void)snprintf(name, sizeof name, "log/p%d_1.txt", person);
        write_text(folder, name, text);
    }
    write_text(folder, "events.csv", "file;first;last;event\nlog/p1_1;3;5;tap\nlog/p2_1;1;1;hit\nlog/p3_1;20;20;tap\n");
    tin_config_data *s = settings_of(
        "  source: import\n  validation: [p2]\n  test: [p3]\n  rate_hz: 104\n  import:\n    files:\n      - path: "
        "\"log/*.txt\"\n        skip_lines: 3\n"
        "        comment: \"#\"\n        separator: semicolon\n        decimal_comma: yes\n        rate_hz: 104\n"
        "        channels: [{columns: [2-4], names: [ax, ay, az], unit: mg, factor: 0.5}]\n"
        "    labels: {files: events.csv, separator: semicolon, match: [{column: file, to: id}], start: first, end: "
        "last,\n"
        "             label: event, unit: samples, first: 1, end_included: yes, events: [tap]}\n");
    tin_dataset *d = build_well(s, folder, &report);
    const tin_stream *p = stream_by_id(d, "log/p1_1");
    assert_int_equal(p->n_frames, 20);
    assert_int_equal(p->counts[3 * 4], (int)(2000.25 / d->channels[0].scale + 0.5));
    assert_int_equal(p->intervals[0].start, 2);
    assert_int_equal(p->intervals[0].end, 5);
    assert_int_equal(stream_by_id(d, "log/p3_1")->intervals[0].end, 20);
    done(d, &report);
}

/* Missing numbers make holes of one sensor; long ones split. ISO times; a factor per sensor. */
static void holes(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/holes";
    static char text[8000];
    char name[64];
    tin_data_report report;
    for (int person = 1; person <= 3; person++) {
        size_t used = (size_t)snprintf(text, sizeof text, "when,a,b,what\n");
        for (int i = 0; i < 60; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "2024-02-29 23:59:%02d.%02d+01:00,%s,%s,%s\n",
                                     59 - (i < 50), 2 * i % 100, i == 5 ? "n/a" : "2", i >= 30 && i < 40 ? "" : "4",
                                     i < 20 ? "x" : "y");
        (void)snprintf(name, sizeof name, "p%d.csv", person);
        write_text(folder, name, text);
    }
    tin_config_data *s =
        settings_of("  source: import\n  validation: [p2]\n  test: [p3]\n  rate_hz: 50\n  import:\n    files:\n      - "
                    "path: \"*.csv\"\n"
                    "        time_column: when\n        time_unit: iso8601\n        missing: [n/a, \"\"]\n"
                    "        channels: [{columns: [a]}, {columns: [b], factor: 10}]\n"
                    "    labels: {column: what}\n");
    tin_dataset *d = build_well(s, folder, &report);
    const tin_stream *p = stream_by_id(d, "p1"), *rest = stream_by_id(d, "p1-2");
    assert_int_equal(p->n_frames, 30);
    assert_int_equal(rest->n_frames, 20);
    assert_int_equal(p->counts[2 * 5], 32767);
    assert_true(d->channels[1].scale == 40.0 / 32767);
    assert_string_equal(label_at(d, "p1", 19), "x");
    assert_string_equal(label_at(d, "p1", 20), "y");
    done(d, &report);
    s->import.files[0].missing_count = 1;
    build_fails(s, folder, TIN_ERR_DATA, "p1.csv", 32, "column 'b': '' is not a number");
    s->import.files[0].missing_count = 2;
    write_text(folder, "p1.csv", "when,a,b,what\n2024-02-30T10:00:00Z,1,1,x\nnoon,1,1,x\n");
    build_fails(s, folder, TIN_ERR_DATA, "p1.csv", 3, "column 'when': 'noon' is no time of ISO 8601");
}

static void write_people(const char *folder)
{
    static char text[4000];
    size_t used = (size_t)snprintf(text, sizeof text, "t,v\n");
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%.2f,%d\n", 100 + i / 50.0, i);
    write_text(folder, "p1_a.csv", text);
    write_text(folder, "p2_a.csv", text);
    write_text(folder, "p3_a.csv", text);
}

#define PEOPLE                                                                                                         \
    "  source: import\n  validation: [p2]\n  test: [p3]\n  rate_hz: 50\n  import:\n    files:\n"                       \
    "      - {path: \"{subject}_{session}.csv\", time_column: t, channels: [{columns: [v]}]}\n"

/* As Audacity writes them, with and without frequencies; a quote in a label is a quote. */
static void audacity(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/audacity";
    tin_data_report report;
    write_people(folder);
    write_text(folder, "p1_a.txt",
               "0.100000\t0.500000\tknock\n\\\t1484.669312\t2969.338523\n0.500000\t1.000000\t\"bell\"\n");
    write_text(folder, "p2_a.txt", "0.200000\t0.300000\tknock\r\n");
    write_text(folder, "p3_a.txt", "0.000000\t2.000000\tknock\n");
    tin_config_data *s = settings_of(PEOPLE "    labels: {files: \"{id}.txt\", format: audacity}\n");
    tin_dataset *d = build_well(s, folder, &report);
    const tin_stream *p = stream_by_id(d, "p1_a");
    assert_int_equal(p->n_intervals, 2);
    assert_int_equal(p->intervals[0].start, 5); /* from the first sample, whatever the clock says */
    assert_int_equal(p->intervals[1].end, 50);
    assert_string_equal(label_at(d, "p1_a", 30), "\"bell\"");
    assert_int_equal(stream_by_id(d, "p3_a")->intervals[0].end, 100);
    done(d, &report);
    write_text(folder, "p2_a.txt", "0.200000\t0.200000\tknock\n");
    build_fails(s, folder, TIN_ERR_DATA, "p2_a.txt", 1, "from 0.2 to 0.2 s has no length");
    write_text(folder, "p2_a.txt", "0.200000\t0.300000\t\n");
    build_fails(s, folder, TIN_ERR_DATA, "p2_a.txt", 1, "empty; name the label");
    s = settings_of(PEOPLE "    labels: {files: \"*.txt\", format: audacity}\n");
    build_fails(s, folder, TIN_ERR_CONFIG, NULL, 0, "a label track belongs to one recording");
}

#define TASK(file, annotations) "{\"id\": 1, \"data\": {\"csv\": \"" file "\"}, \"annotations\": [" annotations "]}"
#define REGION(start, end, label)                                                                                      \
    "{\"from_name\": \"label\", \"to_name\": \"ts\", \"type\": \"timeserieslabels\", \"value\": {\"start\": " start    \
    ", \"end\": " end ", \"instant\": false, \"timeserieslabels\": [" label "]}}"

/* The JSON export: the file's name after the upload's prefix, the last annotation that was not cancelled, other kinds of
 * results passed over, tasks of recordings that are not there left out. */
static void label_studio(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/studio";
    tin_data_report report;
    write_people(folder);
    write_text(
        folder, "export.json",
        "[" TASK("/data/upload/3/1f0c2d3e-p1_a.csv",
                 "{\"was_cancelled\": false, \"result\": [" REGION(
                     "100.0", "100.2",
                     "\"old\"") "]},"
                                "{\"was_cancelled\": false, \"result\": [{\"type\": \"choices\", \"value\": "
                                "{\"choices\": [\"ok\"]}}, " REGION("100.6", "101", "\"Walk\"") ", " REGION(
                                    "100.1", "100.5",
                                    "\"Run\"") "]},"
                                               "{\"was_cancelled\": true, \"result\": [" REGION(
                                                   "100.0", "102",
                                                   "\"bad\"") "]}") ", " TASK("s3://bucket/p2_a.csv",
                                                                              "{\"result\": [" REGION(
                                                                                  "100", "101.98",
                                                                                  "\"Run\"") "]}") ", " TASK("gone.csv",
                                                                                                             "") "]");
    tin_config_data *s = settings_of(PEOPLE "    labels: {files: export.json, format: label_studio}\n");
    tin_dataset *d = build_well(s, folder, &report);
    const tin_stream *p = stream_by_id(d, "p1_a");
    assert_int_equal(d->n_classes, 2);
    assert_int_equal(p->n_intervals, 2);
    assert_int_equal(p->intervals[0].start, 5);
    assert_int_equal(p->intervals[0].end, 25);
    assert_string_equal(label_at(d, "p1_a", 30), "Walk");
    assert_true(warns(&report, "1 tasks belong to no recording"));
    assert_true(warns(&report, "1 of 3 recordings have no row in the label files, p3_a.csv the first"));
    done(d, &report);
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"[" TASK("p1_a.csv", "{\"result\": [" REGION("101", "100", "\"Run\"") "]}") "]",
         "task 1, region 1: it has no length"},
        {"[" TASK("p1_a.csv", "{\"result\": [" REGION("\"noon\"", "100", "\"Run\"") "]}") "]",
         "is no time in the unit"},
        {"[" TASK("p1_a.csv", "{\"result\": [" REGION("100", "101", "\"a\", \"b\"") "]}") "]", "not one label"},
        {"{\"a\": 1}", "no list of tasks"},
        {"[{\"csv\": \"p1_a.csv\", \"label\": []}]", "not JSON-MIN"},
        {"[" TASK("gone.csv", "") "]", "no task belongs to a recording"},
        {"[{", "this is no JSON"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text(folder, "export.json", bad[i].text);
        build_fails(s, folder, TIN_ERR_DATA, "export.json", i == 6 ? 1 : 0, bad[i].words);
    }
}

/* A row of labels for each row of samples; a mapping in a file of its own. */
static void rows_and_file(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/rows";
    static char text[2000];
    size_t used = 0;
    tin_data_report report;
    write_people(folder);
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d\n", i / 40);
    write_text(folder, "p1_a.lab", text);
    write_text(folder, "p2_a.lab", text);
    write_text(folder, "p3_a.lab", text);
    write_text(TEST_TEMPORARY, "my_mapping.yaml",
               "files:\n  - {path: \"{subject}_{session}.csv\", time_column: t, channels: [{columns: [v]}]}\n"
               "labels: {files: \"{subject}_{session}.lab\", format: rows, header: no, label: 1, none: [\"0\"],\n"
               "         names: [1 = one, 2 = two words]}\n");
    tin_config_data *s =
        settings_of("  source: import\n  validation: [p2]\n  test: [p3]\n  mapping: my_mapping.yaml\n  rate_hz: 50\n");
    tin_dataset *d = build_well(s, folder, &report);
    assert_string_equal(label_at(d, "p1_a", 39), "");
    assert_string_equal(label_at(d, "p1_a", 40), "one");
    assert_string_equal(label_at(d, "p1_a", 99), "two words");
    done(d, &report);
    write_text(folder, "p1_a.lab", "1\n");
    build_fails(s, folder, TIN_ERR_DATA, "p1_a.lab", 0, "1 rows, but p1_a.csv has 100");
    (void)remove(TEST_TEMPORARY "/rows/p1_a.lab");
    build_fails(s, folder, TIN_ERR_DATA, "p1_a.csv", 0, "no file '{subject}_{session}.lab' belongs to it");
}

/* Settings that cannot be meant. */
static void refused(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/refused";
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"    files: [{path: \"{subject\", channels: [{columns: [v]}]}]\n    labels: {column: t}\n",
         "write captures as {name}"},
        {"    files: [{path: \"*.csv\", channels: [{columns: [v, t], names: [a]}]}]\n    labels: {column: t}\n",
         "channels[1] has 1 names for 2 columns"},
        {"    files: [{path: \"*.csv\", channels: [{columns: [v]}, {columns: [v]}]}]\n    labels: {column: t}\n",
         "two channels are called 'v'"},
        {"    files: [{path: \"*.csv\", channels: [{columns: [v]}]}]\n    labels: {column: v}\n",
         "takes the column 'v', which another setting takes"},
        {"    files: [{path: \"*.csv\", channels: [{columns: [1-70]}]}]\n    labels: {column: t}\n",
         "more than 64 columns"},
        {"    id: \"{who}\"\n    files: [{path: \"*.csv\", channels: [{columns: [v]}]}]\n    labels: {column: t}\n",
         "there is no {who}"},
        {"    files: [{path: \"*.csv\", layout: windows, channels: [{columns: [1-2]}]}]\n    labels: {column: t}\n",
         "a file holds one channel"},
    };
    write_people(folder);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[1000];
        (void)snprintf(text, sizeof text, "  source: import\n  import:\n%s", bad[i].text);
        build_fails(settings_of(text), folder, TIN_ERR_CONFIG, NULL, 0, bad[i].words);
    }
}

/* A label file cut at any byte: what is left is used, or refused with the file's name; nothing else happens. */
static void every_length(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/cut";
    static const struct {
        const char *name, *text, *settings;
        size_t least_good;
    } cases[] = {
        {"p1_a.txt", "0.100000\t0.500000\tknock\n\\\t14.6\t29.3\n0.500000\t1.000000\tbell\r\n",
         PEOPLE "    labels: {files: \"{id}.txt\", format: audacity}\n", 5},
        {"l.csv", "stream,start,end,label\np1_a,100.1,100.5,knock\np2_a,100,101,\"a \"\"b\"\"\"\n",
         PEOPLE "    labels: {files: l.csv}\n", 2},
        {"l.json",
         "[" TASK("p1_a.csv",
                  "{\"result\": [" REGION("100", "101", "\"a\"") ", " REGION("101", "101.5", "\"b\"") "]}") "]",
         PEOPLE "    labels: {files: l.json, format: label_studio}\n", 1},
        {"names.txt", "1 one\n2 two words\n", PEOPLE "    labels: {files: n.csv, names_file: names.txt}\n", 2},
    };
    write_people(folder);
    write_text(folder, "n.csv", "stream,start,end,label\np1_a,100,100.5,1\np2_a,100,100.5,2\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[TIN_PATH_MAX];
        tin_config_data *s = settings_of(cases[i].settings);
        size_t good = 0;
        assert_int_equal(tin_path_join(path, folder, cases[i].name, NULL), TIN_OK);
        for (size_t n = 0; n <= strlen(cases[i].text); n++) {
            tin_error err = {0};
            tin_data_report report;
            tin_dataset *d = NULL;
            FILE *file = fopen(path, "wb"); /* not tin_file_write, whose fsync would take the time of many files */
            assert_non_null(file);
            assert_int_equal(fwrite(cases[i].text, 1, n, file), n);
            assert_int_equal(fclose(file), 0);
            tin_status status = build_threads(s, folder, 1, &report, &d, &err);
            good += status == TIN_OK;
            if (status != TIN_OK && (status != TIN_ERR_DATA || strlen(err.message) < 20))
                fail_msg("%s, %zu bytes: %s", cases[i].name, n, tin_error_text(&err));
            done(d, &report);
        }
        assert_in_range(good, cases[i].least_good, strlen(cases[i].text));
        assert_int_equal(remove(path), 0);
    }
}

/* Each kind of label file, and the ready mappings' ways, with every allocation failing once. */
static void every_allocation(void **state)
{
    (void)state;
    static const char people[] = TEST_TEMPORARY "/memory";
    static const struct {
        const char *folder, *settings;
    } cases[] = {
        {people, PEOPLE "    labels: {files: \"{id}.txt\", format: audacity}\n"},
        {people, PEOPLE "    labels: {files: export.json, format: label_studio}\n"},
        {TEST_TEMPORARY "/uci", "  source: uci_har\n"},
        {TEST_TEMPORARY "/holes", "  source: import\n  import:\n    files:\n      - path: \"p[23].csv\"\n"
                                  "        missing: [n/a, \"\"]\n        channels: [{columns: [a]}, {columns: [b]}]\n"
                                  "    labels: {column: what}\n"},
    };
    write_people(people);
    write_text(people, "p1_a.txt", "0.1\t0.5\ta\n0.5\t0.6\tb\n");
    write_text(people, "export.json", "[" TASK("p1_a.csv", "{\"result\": [" REGION("100", "101", "\"a\"") "]}") "]");
    write_text(TEST_TEMPORARY "/uci", "test/y_test.txt", "5\n5\n1\n1\n6\n1\n1\n5\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tin_config_data *s = settings_of(cases[i].settings);
        for (size_t n = 1;; n++) {
            tin_error err = {0};
            tin_data_report report;
            tin_dataset *d = NULL;
            (void)tin_memory_fail_at(n);
            tin_status status = build_threads(s, cases[i].folder, 1, &report, &d, &err);
            (void)tin_memory_fail_at(0);
            done(d, &report);
            if (status != TIN_ERR_MEMORY) {
                assert_true(n > 60);
                break; /* no allocation is left, whatever the small data set is refused for */
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wisdm),           cmocka_unit_test(pamap2),
        cmocka_unit_test(uci_har),         cmocka_unit_test(opportunity),
        cmocka_unit_test(speech_commands), cmocka_unit_test(sensor_files),
        cmocka_unit_test(raw_logger),      cmocka_unit_test(holes),
        cmocka_unit_test(audacity),        cmocka_unit_test(label_studio),
        cmocka_unit_test(rows_and_file),   cmocka_unit_test(refused),
        cmocka_unit_test(every_length),    cmocka_unit_test(every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, free_settings);
}
