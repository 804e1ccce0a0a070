/* Files of other tools: the values that the tool of origin wrote, and an error for each damage. */
#include "data_test.h"

#include <math.h>

#include "base/rng.h"
#include "data/table.h"
#include "data/table_formats.h"

#define FOLDER TEST_FILES "/tables/"

static void join(char path[TIN_PATH_MAX], const char *name)
{
    (void)snprintf(path, TIN_PATH_MAX, FOLDER "%s", name);
}

static bool same(double value, double expected, double tolerance)
{
    return tolerance > 0 ? fabs(value - expected) <= tolerance
                         : value == expected && signbit(value) == signbit(expected);
}

/* Every table that scripts/golden/table_files.py wrote down. */
static void golden(void **state)
{
    (void)state;
    FILE *expected = fopen(FOLDER "values.txt", "r");
    assert_non_null(expected);
    char name[64], entry[64], path[TIN_PATH_MAX];
    size_t rows, columns, n_files = 0;
    double rate, tolerance;
    while (fscanf(expected, "%63s %63s %zu %zu %lf %lf", name, entry, &rows, &columns, &rate, &tolerance) == 6) {
        tin_table table;
        tin_error err = {0};
        join(path, name);
        if (tin_table_read(path, entry[0] == '-' ? NULL : entry, &table, &err) != TIN_OK)
            fail_msg("%s", tin_error_text(&err));
        if (table.n_rows != rows || table.n_columns != columns || fabs(table.rate_hz - rate) > 1e-9 * rate)
            fail_msg("%s: %zu rows, %zu columns, %g Hz", name, table.n_rows, table.n_columns, table.rate_hz);
        for (size_t i = 0; i < rows * columns; i++) {
            double value;
            assert_int_equal(fscanf(expected, "%lf", &value), 1);
            if (!same(table.values[i], value, tolerance))
                fail_msg("%s, %s: item %zu is %.17g instead of %.17g", name, entry, i, table.values[i], value);
        }
        tin_table_free(&table);
        n_files++;
    }
    assert_true(feof(expected));
    assert_in_range(n_files, 49, 100);
    (void)fclose(expected);
}

static void channels_have_numbers(void **state)
{
    (void)state;
    tin_table table;
    assert_int_equal(tin_table_read(FOLDER "extensible.wav", NULL, &table, NULL), TIN_OK);
    assert_string_equal(table.names[0], "1");
    assert_string_equal(table.names[2], "3");
    assert_null(table.units);
    tin_table_free(&table);
    assert_int_equal(tin_table_read(FOLDER "c_order.npy", "", &table, NULL), TIN_OK);
    assert_null(table.names);
    tin_table_free(&table);
}

static void fails(const char *path, const char *entry, tin_status expected, const char *words)
{
    tin_table table;
    tin_error err = {0};
    tin_status status = tin_table_read(path, entry, &table, &err);
    if (status != expected || strstr(err.message, words) == NULL)
        fail_msg("%s: status %d, '%s' instead of '%s'", path, status, err.message, words);
    assert_null(table.values);
    assert_int_equal(table.n_rows, 0);
}

static void refused(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"bad_object.npy", "type '|O'"},
        {"bad_record.npy", "records of several fields"},
        {"bad_complex.npy", "type '<c8'"},
        {"bad_text.npy", "type '<U2'"},
        {"bad_dimensions.npy", "3 dimensions"},
        {"bad_scalar.npy", "0 dimensions"},
        {"bad_empty.npy", "no values in it (0 rows, 3 columns)"},
    };
    char path[TIN_PATH_MAX];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        join(path, files[i][0]);
        fails(path, NULL, TIN_ERR_DATA, files[i][1]);
    }
    fails(FOLDER "types.npz", NULL, TIN_ERR_DATA, "holds 24 arrays, say which one: little_b1.npy, ");
    fails(FOLDER "types.npz", "little", TIN_ERR_DATA, "no array is called 'little'");
    fails(FOLDER "recording.h5", NULL, TIN_ERR_DATA, "holds 4 datasets of one or two dimensions of numbers, say which");
    fails(FOLDER "recording.h5", "session", TIN_ERR_DATA, "no dataset 'session'");
    fails(FOLDER "recording.h5", "text", TIN_ERR_DATA, "'text' is not of one or two dimensions");
    fails(FOLDER "recording.h5", "cube", TIN_ERR_DATA, "'cube' is not of one or two dimensions");
    fails(FOLDER "recording.h5", "elsewhere", TIN_ERR_DATA, "'elsewhere' points to another file");
    fails(FOLDER "recording.h5", "never", TIN_ERR_DATA, "'never' was declared but never written");
    fails(FOLDER "values.txt", NULL, TIN_ERR_DATA, "the ending '.txt' is none that is read here: .wav");
    fails(FOLDER "none.npy", NULL, TIN_ERR_IO, "cannot open");
    fails(TEST_FILES, NULL, TIN_ERR_IO, "is not a regular file");
    /* the ending promises something else */
    write_text(TEST_TEMPORARY, "empty.wav", "");
    fails(TEST_TEMPORARY "/empty.wav", NULL, TIN_ERR_DATA, "the file is empty");
    static const char *const words[][2] = {{"a.wav", "no RIFF header"},    {"a.FLAC", "does not begin with 'fLaC'"},
                                           {"a.ogg", "no page at byte 0"}, {"a.npy", "no NUMPY at its start"},
                                           {"a.npz", "cut or damaged"},    {"a.json", "is no JSON"},
                                           {"a.cbor", "is no CBOR"},       {"a.h5", "is no readable HDF5 file"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        write_text(TEST_TEMPORARY, words[i][0], "something else that is long enough for a header of any kind");
        (void)snprintf(path, sizeof path, TEST_TEMPORARY "/%s", words[i][0]);
        fails(path, NULL, TIN_ERR_DATA, words[i][1]);
    }
}

static tin_status read_copy(const char *name, const char *entry, const char *bytes, size_t size, tin_table *table,
                            tin_error *err)
{
    char path[TIN_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", name);
    if (strstr(name, ".h5") !=
        NULL) { /* read from the disk, and not through base/file.h, which may be short of memory */
        (void)snprintf(path, sizeof path, TEST_TEMPORARY "/%s", name);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
    }
    uint8_t *exact = malloc(size > 0 ? size : 1); /* so that a read behind the end is seen */
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    const tin_table_input in = {.path = path, .entry = entry, .data = exact, .size = size};
    tin_status status = tin_table_read_bytes(&in, table, err);
    free(exact);
    return status;
}

static void sensors_have_names_and_units(void **state)
{
    (void)state;
    tin_table table;
    assert_int_equal(tin_table_read(FOLDER "signed.cbor", NULL, &table, NULL), TIN_OK);
    assert_string_equal(table.names[2], "accZ");
    assert_string_equal(table.units[2], "m/s2");
    assert_null(table.label);
    tin_table_free(&table);
}

static void verify(const char *path, const char *key, const char *words)
{
    tin_table table;
    tin_error err = {0};
    assert_int_equal(setenv("TINAMOU_HMAC_KEY", key, 1), 0);
    tin_status status = tin_table_read(path, NULL, &table, &err);
    assert_int_equal(unsetenv("TINAMOU_HMAC_KEY"), 0);
    if (status != (words == NULL ? TIN_OK : TIN_ERR_DATA) || (words != NULL && strstr(err.message, words) == NULL))
        fail_msg("%s: status %d, '%s'", path, status, err.message);
    assert_true((table.values != NULL) == (words == NULL));
    tin_table_free(&table);
}

static void signatures(void **state)
{
    (void)state;
    static const char key[] = "fed53116f20684c067774ebf9e7bcbdc"; /* of the specification's example */
    static const char *const files[3] = {"signed.json", "signed.cbor", "device.cbor"};
    char path[TIN_PATH_MAX], *bytes, changed[] = TEST_TEMPORARY "/changed.json";
    size_t size;
    for (int i = 0; i < 3; i++) {
        join(path, files[i]);
        verify(path, key, NULL);
        verify(path, "fed53116f20684c067774ebf9e7bcbdd", "does not fit the key");
    }
    verify(FOLDER "unsigned.json", key, "is not signed");
    verify(FOLDER "unsigned.json", "", NULL);
    assert_int_equal(tin_file_read(FOLDER "signed.json", &bytes, &size, NULL), TIN_OK);
    *strstr(bytes, "9.81") = '8';
    write_text(TEST_TEMPORARY, "changed.json", bytes);
    verify(changed, key, "does not fit the key");
    /* a signature that is there twice could be another one than was checked */
    const char *signature = strstr(bytes, "\"signature\": \"") + 14;
    char doubled[2000];
    (void)snprintf(doubled, sizeof doubled, "{\"copy\": \"%.64s\", %s", signature, strchr(bytes, '{') + 1);
    write_text(TEST_TEMPORARY, "changed.json", doubled);
    tin_free(bytes);
    verify(changed, key, "exactly once");
}

static void acquisition_fails(const char *ending, const char *bytes, size_t size, const char *words)
{
    tin_table table;
    tin_error err = {0};
    tin_status status = read_copy(ending, NULL, bytes, size, &table, &err);
    if (status != TIN_ERR_DATA || strstr(err.message, words) == NULL)
        fail_msg("%s: status %d, '%s' instead of '%s'", bytes, status, err.message, words);
}

static void acquisitions(void **state)
{
    (void)state;
#define JSON(protected, payload) "{\"protected\": {" protected "}, \"signature\": \"0\", \"payload\": {" payload "}}"
#define NONE "\"ver\": \"v1\", \"alg\": \"none\""
#define SENSOR "\"sensors\": [{\"name\": \"a\", \"units\": \"g\"}], "
    static const char *const bad[][2] = {
        {JSON("\"ver\": \"v2\"", ""), "protected.ver is not"},
        {JSON("\"ver\": \"v1\", \"alg\": \"RS256\"", ""), "protected.alg is neither"},
        {JSON("\"ver\": \"v1\", \"alg\": \"HS256\"", ""), "signature is not 64"},
        {JSON(NONE, ""), "payload.sensors is not a list"},
        {JSON(NONE, "\"sensors\": []"), "payload.sensors is not a list of at least one"},
        {JSON(NONE, SENSOR "\"values\": 3"), "payload.values is not a list"},
        {JSON(NONE, SENSOR "\"values\": [1], \"interval_ms\": 0"), "interval_ms is not a number above 0"},
        {JSON(NONE, SENSOR "\"values\": [1], \"interval_ms\": 1e-320"), "interval_ms is not a number above 0"},
        {JSON(NONE, SENSOR "\"values\": [1], \"interval_ms\": \"10\""), "interval_ms is not a number above 0"},
        {JSON(NONE, SENSOR "\"values\": [], \"interval_ms\": 10"), "no values in it"},
        {JSON(NONE, SENSOR "\"values\": [[1, 2]], \"interval_ms\": 10"), "row 0 of payload.values is not a list of 1"},
        {JSON(NONE, SENSOR "\"values\": [1, null], \"interval_ms\": 10"), "row 1 of payload.values holds something"},
        {JSON(NONE, SENSOR "\"values\": [\"Ref-BINARY-i16\"], \"interval_ms\": 1"), "attached files are not read"},
        {JSON(NONE, "\"sensors\": [{\"name\": \"a\"}], \"values\": [1], \"interval_ms\": 1"), "without the texts"},
        {JSON(NONE, SENSOR "\"values\": [1], \"values\": [2]"), "duplicate"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        acquisition_fails("a.json", bad[i][0], strlen(bad[i][0]), bad[i][1]);
    static const struct {
        size_t size;
        const char *bytes, *words;
    } cbor[] = {
        {1, "\xff", "an end where nothing ends"},
        {4, "\xbf\x61\x61\xff", "an end where nothing ends"}, /* a key without its value */
        {2, "\x83\x01", "is cut"},
        {9, "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "impossibly long"},
        {9, "\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", "is cut"},
        {3, "\xa1\x01\x01", "key is no text"},
        {7, "\xa2\x61\x61\x01\x61\x61\x02", "key twice"},
        {2, "\x41\x61", "string of bytes"},
        {3, "\x7f\x61\x61", "string in pieces"},
        {2, "\x61\xff", "not UTF-8"},
        {2, "\x61\x00", "holds a NUL"},
        {3, "\xf9\x7c\x00", "not finite"},
        {9, "\x1b\x80\x00\x00\x00\x00\x00\x00\x00", "more than 63 bits"},
        {9, "\x3b\x80\x00\x00\x00\x00\x00\x00\x00", "more than 63 bits"},
        {1, "\x1c", "no meaning"},
        {2, "\x01\x01", "behind the end"},
        {18, "\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x01", "nested too deep"},
        {2, "\xc1\xf6", "protected.ver"}, /* a tag and null: well-formed */
    };
    for (size_t i = 0; i < sizeof cbor / sizeof *cbor; i++)
        acquisition_fails("a.cbor", cbor[i].bytes, cbor[i].size, cbor[i].words);
}

static void numpy_header(const char *dictionary, const char *words)
{
    char file[400] = "\x93NUMPY\1", *at = file + 10;
    const size_t length = strlen(dictionary);
    file[8] = (char)length;
    memcpy(at, dictionary, length);
    tin_table table;
    tin_error err = {0};
    tin_status status = read_copy("a.npy", NULL, file, 10 + length + 8, &table, &err);
    if (status != (words == NULL ? TIN_OK : TIN_ERR_DATA) || (words != NULL && strstr(err.message, words) == NULL))
        fail_msg("%s: status %d, '%s'", dictionary, status, err.message);
    tin_table_free(&table);
}

static void numpy_headers(void **state)
{
    (void)state;
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", NULL);
    numpy_header("{'shape':(4,2),'descr':'|i1','fortran_order':True}\n", NULL);
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1), }", "'shape' is no tuple");
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", "something else than sizes");
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,,), }", "something else than sizes");
    numpy_header("{'descr': '<f8', 'fortran_order': 0, 'shape': (1,), }", "not True or False");
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}", "keys other than");
    numpy_header("{'descr': '<f8', 'descr': '<f8', 'shape': (1,)}", "keys other than");
    numpy_header("{'descr': '<f8', 'shape': (1,)}", "keys other than");
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)", "a comma is missing");
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x", "keys other than");
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}",
                 "needs 16 bytes by its header, 8 are there");
    /* sizes whose product is 2^64 or more */
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "4294967296 columns");
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693953, 1)}", "more than 536870912");
    numpy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", "else than sizes");
    numpy_header("{'descr': '<f8", "'descr' does not end");
    numpy_header("{'descr': '=f8', 'fortran_order': False, 'shape': (1,)}", "type '=f8'");
}

typedef void (*file_visit)(const char *name, const char *entry, const char *bytes, size_t size);

static void for_each_file(file_visit visit)
{
    FILE *list = fopen(FOLDER "values.txt", "r");
    assert_non_null(list);
    char line[512], name[64], entry[64], path[TIN_PATH_MAX], last[64] = "";
    while (fgets(line, sizeof line, list) != NULL) {
        if (sscanf(line, "%63s %63s", name, entry) != 2 || strchr("0123456789-in", name[0]) != NULL ||
            strcmp(name, last) == 0)
            continue;
        (void)snprintf(last, sizeof last, "%s", name);
        join(path, name);
        char *bytes;
        size_t size;
        assert_int_equal(tin_file_read(path, &bytes, &size, NULL), TIN_OK);
        visit(name, entry[0] == '-' ? NULL : entry, bytes, size);
        tin_free(bytes);
    }
    (void)fclose(list);
}

static void cut_everywhere(const char *name, const char *entry, const char *bytes, size_t size)
{
    for (size_t length = 0; length < size; length++) {
        tin_table table;
        tin_error err = {0};
        tin_status status = read_copy(name, entry, bytes, length, &table, &err);
        if (status != TIN_ERR_DATA || err.message[0] == '\0' || table.values != NULL)
            fail_msg("%s cut to %zu of %zu bytes: status %d, '%s'", name, length, size, status, err.message);
    }
}

static void every_length(void **state)
{
    (void)state;
    for_each_file(cut_everywhere);
}

static void damage(const char *name, const char *entry, const char *bytes, size_t size)
{
#ifdef __SANITIZE_ADDRESS__
    if (strstr(name, ".h5") != NULL)
        return; /* the library forgets memory and asks for terabytes then; it does not crash, as a plain build shows */
#endif
    tin_rng rng;
    tin_rng_seed(&rng, 11);
    char *copy = tin_alloc(size, 1, NULL);
    assert_non_null(copy);
    for (int trial = 0; trial < 1000; trial++) {
        memcpy(copy, bytes, size);
        const size_t reach = trial % 2 == 0 || size < 128 ? size : 128; /* half of them in the header */
        for (unsigned n = 1 + tin_rng_below(&rng, 3); n > 0; n--)
            copy[tin_rng_below(&rng, (uint32_t)reach)] ^= (char)(1u << tin_rng_below(&rng, 8));
        tin_table table;
        tin_error err = {0};
        tin_status status = read_copy(name, entry, copy, size, &table, &err);
        if (status == TIN_OK ? table.n_rows == 0 : status != TIN_ERR_DATA || err.message[0] == '\0')
            fail_msg("%s, trial %d: status %d, '%s'", name, trial, status, err.message);
        tin_table_free(&table);
    }
    tin_free(copy);
}

static void any_damage(void **state)
{
    (void)state;
    for_each_file(damage);
}

static void starve(const char *name, const char *entry, const char *bytes, size_t size)
{
    tin_table table;
    (void)tin_memory_fail_at(0);
    assert_int_equal(read_copy(name, entry, bytes, size, &table, NULL), TIN_OK);
    const size_t n = tin_memory_fail_at(0);
    assert_in_range(n, 1, 1000);
    tin_table_free(&table);
    for (size_t i = 1; i <= n; i++) {
        tin_error err = {0};
        (void)tin_memory_fail_at(i);
        tin_status status = read_copy(name, entry, bytes, size, &table, &err);
        (void)tin_memory_fail_at(0);
        if (status != TIN_ERR_MEMORY || err.status != TIN_ERR_MEMORY || table.values != NULL)
            fail_msg("%s, allocation %zu of %zu: status %d, '%s'", name, i, n, status, err.message);
    }
}

static void every_allocation(void **state)
{
    (void)state;
    for_each_file(starve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),           cmocka_unit_test(channels_have_numbers),
        cmocka_unit_test(refused),          cmocka_unit_test(numpy_headers),
        cmocka_unit_test(every_length),     cmocka_unit_test(any_damage),
        cmocka_unit_test(every_allocation), cmocka_unit_test(sensors_have_names_and_units),
        cmocka_unit_test(signatures),       cmocka_unit_test(acquisitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
