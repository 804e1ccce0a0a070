/* The dataset file: round trip, refused content, and damage at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "dataset/dataset.h"
#include "tests/dataset/seal.h"

#define FRAMES_A 50
#define FRAMES_B 7

static const char *const whole = TEST_TEMPORARY "/whole.tind";
static const char *const broken = TEST_TEMPORARY "/broken.tind";

static tin_channel channels[2] = {{"ax", "g", 8.0 / 32768}, {"gx", "rad/s", 1.0 / 3}};
static tin_class classes[3] = {{"none", false},
                               {"Gr\xC3\xBC\xC3\x9F"
                                "en",
                                true},
                               {"shake", true}};

static int16_t sample(int stream, int i)
{
    return (int16_t)(stream * 1000 + i * 37 - 900);
}

static tin_dataset head = {.name = (char *)(uintptr_t) "unit",
                           .rate_hz = 50,
                           .n_channels = 2,
                           .n_classes = 3,
                           .channels = channels,
                           .classes = classes,
                           .program = (char *)(uintptr_t) "1.2",
                           .settings = (char *)(uintptr_t) "data:\n  rate_hz: 50\n"};

static char *notes[2] = {"line 3: cut", "a \"quoted\" note"};
static tin_lineage_file files[1] = {
    {(char *)(uintptr_t) "p1/a.csv", 1234, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}};

static tin_stream stream_a(int16_t counts[FRAMES_A * 2], tin_interval intervals[3])
{
    for (int i = 0; i < FRAMES_A * 2; i++)
        counts[i] = sample(1, i);
    intervals[0] = (tin_interval){0, 10, 1};
    intervals[1] = (tin_interval){10, 11, TIN_LABEL_IGNORE};
    intervals[2] = (tin_interval){40, FRAMES_A, 2};
    return (tin_stream){.id = "a",
                        .subject = "p1",
                        .session = "",
                        .origin = "a.csv",
                        .role = TIN_ROLE_TRAIN,
                        .n_frames = FRAMES_A,
                        .counts = counts,
                        .intervals = intervals,
                        .n_intervals = 3,
                        .n_clipped = 4,
                        .lineage = {files, 1, 1.0 / 3, 0.25, 5, 6, notes, 2}};
}

static tin_stream stream_b(int16_t counts[FRAMES_B * 2])
{
    for (int i = 0; i < FRAMES_B * 2; i++)
        counts[i] = sample(2, i);
    return (tin_stream){.id = "b",
                        .subject = "p2",
                        .session = "evening",
                        .origin = "b.csv",
                        .role = TIN_ROLE_TEST,
                        .n_frames = FRAMES_B,
                        .counts = counts};
}

static tin_status build(const char *path, char hash[65], tin_error *err)
{
    int16_t a[FRAMES_A * 2], b[FRAMES_B * 2];
    tin_interval intervals[3];
    tin_stream streams[2] = {stream_a(a, intervals), stream_b(b)};
    tin_dataset_builder *builder = NULL;
    tin_status status = tin_dataset_builder_create(&builder, path, &head, err);
    for (int i = 0; i < 2 && status == TIN_OK; i++)
        status = tin_dataset_builder_add(builder, &streams[i], err);
    if (status == TIN_OK)
        status = tin_dataset_builder_finish(builder, hash, err);
    tin_dataset_builder_free(builder);
    return status;
}

static void round_trip(void **state)
{
    (void)state;
    tin_error err = {0};
    char hash[65];
    tin_dataset *d = NULL;
    assert_int_equal(build(whole, hash, &err), TIN_OK);
    assert_int_equal(tin_dataset_open(&d, whole, &err), TIN_OK);
    assert_string_equal(d->name, "unit");
    assert_true(d->rate_hz == 50.0);
    assert_int_equal(d->n_channels, 2);
    assert_true(d->channels[1].scale == 1.0 / 3); /* not a digit lost */
    assert_string_equal(d->channels[1].unit, "rad/s");
    assert_int_equal(d->n_classes, 3);
    assert_string_equal(d->classes[1].name, classes[1].name);
    assert_true(d->classes[1].event && !d->classes[0].event);
    assert_int_equal(d->n_streams, 2);
    const tin_stream *s = &d->streams[0];
    assert_string_equal(s->id, "a");
    assert_string_equal(s->origin, "a.csv");
    assert_int_equal(s->n_frames, FRAMES_A);
    assert_int_equal(s->n_clipped, 4);
    assert_string_equal(d->program, head.program);
    assert_string_equal(d->settings, head.settings);
    assert_int_equal(s->lineage.n_files, 1);
    assert_string_equal(s->lineage.files[0].path, "p1/a.csv");
    assert_int_equal(s->lineage.files[0].bytes, 1234);
    assert_string_equal(s->lineage.files[0].sha256, files[0].sha256);
    assert_true(s->lineage.rate_hz == 1.0 / 3 && s->lineage.jitter_s == 0.25);
    assert_int_equal(s->lineage.n_duplicates, 5);
    assert_int_equal(s->lineage.n_gaps, 6);
    assert_int_equal(s->lineage.n_notes, 2);
    assert_string_equal(s->lineage.notes[1], notes[1]);
    assert_int_equal(d->streams[1].lineage.n_notes, 0);
    assert_int_equal(s->n_intervals, 3);
    assert_int_equal(s->intervals[2].start, 40);
    assert_int_equal(s->intervals[2].class_index, 2);
    for (int i = 0; i < FRAMES_A * 2; i++)
        assert_int_equal(s->counts[i], sample(1, i));
    s = &d->streams[1];
    assert_int_equal(s->role, TIN_ROLE_TEST);
    assert_string_equal(s->session, "evening");
    for (int i = 0; i < FRAMES_B * 2; i++)
        assert_int_equal(s->counts[i], sample(2, i));
    assert_int_equal((uintptr_t)s->counts % 64, 0);
    assert_string_equal(d->hash, hash);
    assert_int_equal(tin_dataset_verify(d, &err), TIN_OK);
    assert_int_equal(tin_dataset_frames(d, TIN_ROLE_TRAIN), FRAMES_A);
    assert_int_equal(tin_dataset_frames(d, TIN_ROLE_VALIDATION), 0);
    int16_t labels[FRAMES_A];
    tin_dataset_labels(d, &d->streams[0], labels);
    assert_int_equal(labels[9], 1);
    assert_int_equal(labels[10], TIN_LABEL_IGNORE);
    assert_int_equal(labels[11], 0);
    assert_int_equal(labels[49], 2);
    tin_dataset_close(d);
}

static void same_content_same_bytes(void **state)
{
    (void)state;
    tin_error err = {0};
    char one[65], two[65], file_one[65], file_two[65];
    assert_int_equal(build(whole, one, &err), TIN_OK);
    assert_int_equal(build(broken, two, &err), TIN_OK);
    assert_string_equal(one, two);
    assert_int_equal(tin_hash_file(whole, file_one, &err), TIN_OK);
    assert_int_equal(tin_hash_file(broken, file_two, &err), TIN_OK);
    assert_string_equal(file_one, file_two);
}

/* The hashes stored are those that docs/dataset-format.md defines, computed here by hand. */
static void hashes_as_documented(void **state)
{
    (void)state;
    tin_error err = {0};
    char hash[65], expected[65];
    char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(build(whole, hash, &err), TIN_OK);
    assert_int_equal(tin_file_read(whole, &bytes, &size, &err), TIN_OK);
    const uint8_t *raw = (const uint8_t *)bytes;
    size_t header = (size_t)sealed_number(raw, 16), header_bytes = (size_t)sealed_number(raw, 24);
    assert_int_equal(header, 192 + 256 + 64); /* 200 and 28 bytes of counts, up to multiples of 64 */
    assert_int_equal(sealed_number(raw, 40), size);
    assert_int_equal(sealed_number(raw, 32), size - header - header_bytes);
    assert_int_equal(tin_hash_bytes(bytes + header, header_bytes, expected, &err), TIN_OK);
    assert_string_equal(hash, expected);
    assert_memory_equal(bytes + 64, hash, 64);
    assert_int_equal(tin_hash_bytes(bytes + header + header_bytes, size - header - header_bytes, expected, &err),
                     TIN_OK);
    assert_memory_equal(bytes + 128, expected, 64);
    assert_int_equal(tin_hash_bytes(bytes + 192 + 256, 28, expected, &err), TIN_OK);
    assert_non_null(strstr(bytes + header, expected)); /* counts_sha256 of stream b */
    tin_free(bytes);
}

/* Where it comes from does not change what it is. */
static void lineage_is_no_content(void **state)
{
    (void)state;
    tin_error err = {0};
    char one[65], two[65], file_one[65], file_two[65];
    assert_int_equal(build(whole, one, &err), TIN_OK);
    files[0].bytes++;
    assert_int_equal(build(broken, two, &err), TIN_OK);
    files[0].bytes--;
    assert_string_equal(one, two);
    assert_int_equal(tin_hash_file(whole, file_one, &err), TIN_OK);
    assert_int_equal(tin_hash_file(broken, file_two, &err), TIN_OK);
    assert_string_not_equal(file_one, file_two);
}

/* A file of the first version says what to do; nothing of an unfinished one stays. */
static void other_versions(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_dataset *d = NULL;
    char old[192] = "\x89TIND\r\n\x1a\x01";
    assert_int_equal(tin_file_write(broken, old, sizeof old, &err), TIN_OK);
    assert_int_equal(tin_dataset_open(&d, broken, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "dataset version 1, this program reads version 2; build the dataset again"));
}

static void unfinished(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_dataset_builder *builder = NULL;
    int16_t counts[FRAMES_B * 2];
    tin_stream s = stream_b(counts);
    const char *path = TEST_TEMPORARY "/unfinished/d.tind";
    assert_int_equal(tin_folder_remove(TEST_TEMPORARY "/unfinished", &err), TIN_OK);
    assert_int_equal(tin_folder_make(TEST_TEMPORARY "/unfinished", &err), TIN_OK);
    assert_int_equal(tin_dataset_builder_create(&builder, path, &head, &err), TIN_OK);
    assert_int_equal(tin_dataset_builder_add(builder, &s, &err), TIN_OK);
    tin_dataset_builder_free(builder);
    assert_int_equal(remove(TEST_TEMPORARY "/unfinished"), 0); /* it is empty */
}

static void refuses_stream(const tin_stream *stream, const char *words)
{
    tin_error err = {0};
    tin_dataset_builder *builder = NULL;
    assert_int_equal(tin_dataset_builder_create(&builder, broken, &head, &err), TIN_OK);
    int16_t counts[FRAMES_B * 2];
    tin_stream first = stream_b(counts);
    assert_int_equal(tin_dataset_builder_add(builder, &first, &err), TIN_OK);
    assert_int_equal(tin_dataset_builder_add(builder, stream, &err), TIN_ERR_DATA);
    assert_string_equal(err.file, stream->origin);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
    assert_int_equal(tin_dataset_builder_finish(builder, NULL, NULL), TIN_OK); /* the builder is still whole */
    tin_dataset_builder_free(builder);
}

static void refused_streams(void **state)
{
    (void)state;
    int16_t counts[FRAMES_A * 2];
    tin_interval v[3];
    tin_stream s = stream_a(counts, v);
    s.id = "b";
    refuses_stream(&s, "taken by 'b.csv'");
    s = stream_a(counts, v);
    v[1].start = 9;
    refuses_stream(&s, "label 2, frames [9, 11), class -1, overlaps");
    s = stream_a(counts, v);
    v[1].end = 10;
    refuses_stream(&s, "[10, 10), class -1, is empty");
    s = stream_a(counts, v);
    v[2].end = FRAMES_A + 1;
    refuses_stream(&s, "[40, 51), class 2, lies outside");
    s = stream_a(counts, v);
    v[0].start = -1;
    refuses_stream(&s, "lies outside");
    s = stream_a(counts, v);
    v[2].class_index = 3;
    refuses_stream(&s, "class 3, has a class that does not exist");
    s = stream_a(counts, v);
    s.n_frames = 0;
    refuses_stream(&s, "0 frames");
    s = stream_a(counts, v);
    s.lineage.rate_hz = -1;
    refuses_stream(&s, "its lineage holds a wrong number");
    char *bad[TIN_LINEAGE_MOST_NOTES + 1] = {"\xff"};
    s.lineage.rate_hz = 0;
    s.lineage.notes = bad;
    s.lineage.n_notes = 1;
    refuses_stream(&s, "a note of the lineage");
    s.lineage.n_notes = TIN_LINEAGE_MOST_NOTES + 1;
    refuses_stream(&s, "21 notes");
    s.lineage.n_notes = 0;
    tin_lineage_file wrong = {files[0].path, 1, "abc"};
    s = stream_a(counts, v);
    s.lineage.files = &wrong;
    refuses_stream(&s, "'p1/a.csv' is wrong");
    s = stream_a(counts, v);
    s.subject = "";
    refuses_stream(&s, "subject is empty");
    s = stream_a(counts, v);
    s.id = "a\nb";
    refuses_stream(&s, "control character");
    s = stream_a(counts, v);
    static const char *const not_utf8[] = {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"};
    for (size_t i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
        s.id = (char *)(uintptr_t)not_utf8[i];
        refuses_stream(&s, "UTF-8");
    }
}

static void refuses_head(double rate, const tin_channel *c, int n_c, const tin_class *k, int n_k, int32_t unlabelled,
                         const char *words)
{
    tin_error err = {0};
    tin_dataset_builder *builder = NULL;
    const tin_dataset other = {.name = (char *)(uintptr_t) "unit",
                               .rate_hz = rate,
                               .n_channels = n_c,
                               .n_classes = n_k,
                               .channels = (tin_channel *)(uintptr_t)c,
                               .classes = (tin_class *)(uintptr_t)k,
                               .unlabelled = unlabelled};
    assert_int_equal(tin_dataset_builder_create(&builder, broken, &other, &err), TIN_ERR_DATA);
    assert_null(builder);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
}

static void refused_heads(void **state)
{
    (void)state;
    tin_channel twice[2] = {channels[0], channels[0]};
    tin_channel flat[1] = {{"ax", "g", 0}};
    tin_class double_class[2] = {classes[0], classes[0]};
    refuses_head(0, channels, 2, classes, 3, 0, "rate 0");
    refuses_head(50, channels, 0, classes, 3, 0, "0 channels");
    refuses_head(50, channels, 65, classes, 3, 0, "65 channels");
    refuses_head(50, channels, 2, classes, 0, 0, "0 classes");
    refuses_head(50, channels, 2, classes, 201, 0, "201 classes");
    refuses_head(50, channels, 2, classes, 3, 3, "class 3 for unlabelled");
    refuses_head(50, channels, 2, classes, 3, -2, "class -2 for unlabelled");
    refuses_head(50, twice, 2, classes, 3, 0, "two channels are called 'ax'");
    refuses_head(50, flat, 1, classes, 3, 0, "scale 0");
    refuses_head(50, channels, 2, double_class, 2, 0, "two classes are called 'none'");
}

static void every_truncation(void **state)
{
    (void)state;
    tin_error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(build(whole, NULL, &err), TIN_OK);
    assert_int_equal(tin_file_read(whole, &bytes, &size, &err), TIN_OK);
    for (size_t n = 0; n <= size; n++) {
        FILE *f = fopen(broken, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, n, f), n);
        assert_int_equal(fclose(f), 0);
        tin_dataset *d = NULL;
        tin_error e = {0};
        tin_status status = tin_dataset_open(&d, broken, &e);
        assert_int_equal(status, n < size ? TIN_ERR_FORMAT : TIN_OK);
        if (n < size) {
            assert_null(d);
            assert_string_equal(e.file, broken);
            assert_true(e.message[0] != '\0');
        }
        tin_dataset_close(d);
    }
    tin_free(bytes);
}

static uint64_t use_everything(const tin_dataset *d)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *s = &d->streams[i];
        for (int64_t k = 0; k < s->n_frames * d->n_channels; k++)
            sum += (uint16_t)s->counts[k];
        int16_t *labels = tin_alloc((size_t)s->n_frames, sizeof *labels, NULL);
        assert_non_null(labels);
        tin_dataset_labels(d, s, labels);
        for (int64_t t = 0; t < s->n_frames; t++)
            assert_in_range(labels[t] + 1, 0, d->n_classes);
        tin_free(labels);
    }
    return sum;
}

/* Writes bytes with one changed, as it is or with the hashes made right, and opens them. */
static tin_dataset *open_changed(const char *bytes, size_t size, size_t at, char value, bool sealed)
{
    char *copy = tin_alloc(size, 1, NULL);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    copy[at] = value;
    if (sealed)
        seal((uint8_t *)copy, size);
    assert_int_equal(tin_file_write(broken, copy, size, NULL), TIN_OK);
    tin_free(copy);
    tin_dataset *d = NULL;
    tin_error err = {0};
    tin_status status = tin_dataset_open(&d, broken, &err);
    assert_true(status == TIN_OK ? d != NULL : status == TIN_ERR_FORMAT && d == NULL);
    return d;
}

/* A changed byte is found when opening, or else by the hash of the counts. With hashes that were made right again, whatever
 * opens is safe to use. */
static void damaged_bytes(void **state)
{
    (void)state;
    tin_error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    tin_rng rng;
    tin_rng_seed(&rng, 7);
    assert_int_equal(build(whole, NULL, &err), TIN_OK);
    assert_int_equal(tin_file_read(whole, &bytes, &size, &err), TIN_OK);
    int opened[2] = {0};
    for (size_t at = 0; at < size; at++) {
        for (int trial = 0; trial < 4; trial++) {
            bool sealed = trial >= 2;
            char value = (char)(bytes[at] ^ (char)(1 + tin_rng_below(&rng, 255)));
            tin_dataset *d = open_changed(bytes, size, at, value, sealed);
            if (d != NULL) {
                opened[sealed]++;
                (void)use_everything(d);
                if (!sealed)
                    assert_int_equal(tin_dataset_verify(d, &err), TIN_ERR_FORMAT);
            }
            tin_dataset_close(d);
        }
    }
    assert_int_equal(opened[0], 2 * (256 + 64));                      /* counts alone */
    assert_in_range(opened[1], opened[0] + 100, 2 * (int)size - 200); /* both ways were taken */
    tin_free(bytes);
}

static void every_allocation(void **state)
{
    (void)state;
    assert_int_equal(build(whole, NULL, NULL), TIN_OK);
    for (int reading = 0; reading < 2; reading++) {
        size_t n = 1;
        for (;; n++) {
            tin_error err = {0};
            tin_dataset *d = NULL;
            (void)tin_memory_fail_at(n);
            tin_status status = reading ? tin_dataset_open(&d, whole, &err) : build(broken, NULL, &err);
            (void)tin_memory_fail_at(0);
            tin_dataset_close(d);
            if (status == TIN_OK)
                break;
            assert_int_equal(status, TIN_ERR_MEMORY);
            assert_int_equal(err.status, TIN_ERR_MEMORY);
        }
        assert_true(n > 15);
    }
}

static void missing_file(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_dataset *d = NULL;
    assert_int_equal(tin_dataset_open(&d, TEST_TEMPORARY "/nothing.tind", &err), TIN_ERR_IO);
    assert_null(d);
    tin_dataset_close(NULL);
    tin_dataset_builder_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(same_content_same_bytes),
        cmocka_unit_test(refused_heads),
        cmocka_unit_test(hashes_as_documented),
        cmocka_unit_test(lineage_is_no_content),
        cmocka_unit_test(other_versions),
        cmocka_unit_test(unfinished),
        cmocka_unit_test(refused_streams),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(damaged_bytes),
        cmocka_unit_test(every_allocation),
        cmocka_unit_test(missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
