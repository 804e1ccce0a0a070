/* Rows of delimited text: quotes, line ends, separators, numbers; and any bytes at all. */
#include "data_test.h"

#include <math.h>

#include "base/rng.h"
#include "data/csv_table.h"

static tin_csv_table *open_text(const char *text, size_t size, tin_status expected, tin_error *err)
{
    tin_csv_table *t = tin_alloc(1, sizeof *t, NULL);
    char *copy = tin_alloc(size + 1, 1, NULL);
    assert_non_null(t);
    assert_non_null(copy);
    memcpy(copy, text, size);
    assert_int_equal(tin_csv_take(t, copy, size, "t.csv", err), expected);
    return t;
}

static void close_text(tin_csv_table *t)
{
    tin_csv_close(t);
    tin_free(t);
}

static void next_is(tin_csv_table *t, long line, const char *a, const char *b)
{
    bool more = false;
    tin_error err = {0};
    if (tin_csv_next(t, &more, &err) != TIN_OK)
        fail_msg("%s", tin_error_text(&err));
    assert_true(more);
    assert_int_equal(t->line, line);
    assert_string_equal(t->fields[0], a);
    assert_string_equal(t->fields[1], b);
}

static void at_end(tin_csv_table *t)
{
    bool more = true;
    assert_int_equal(tin_csv_next(t, &more, NULL), TIN_OK);
    assert_false(more);
    close_text(t);
}

static void rows(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF"
                               "a, \"b;\"\r\n1,2\r\n\r\n \"x, \"\"y\"\"\" , z \r\n\"two\nlines\",end\r\nlast,";
    tin_csv_table *t = open_text(text, sizeof text - 1, TIN_OK, NULL);
    assert_int_equal(t->separator, ',');
    assert_string_equal(t->names[0], "a");
    assert_string_equal(t->names[1], "b;");
    next_is(t, 2, "1", "2");
    next_is(t, 4, "x, \"y\"", "z");
    next_is(t, 5, "two\nlines", "end");
    next_is(t, 7, "last", "");
    at_end(t);
}

static void separators(void **state)
{
    (void)state;
    tin_csv_table *t = open_text("a;b\n1,5;2\n", 10, TIN_OK, NULL);
    next_is(t, 2, "1,5", "2");
    at_end(t);
    t = open_text("a\tb\n \t2\n", 8, TIN_OK, NULL);
    next_is(t, 2, "", "2");
    at_end(t);
    t = open_text("\"a,c\";b\n1;2", 11, TIN_OK, NULL);
    next_is(t, 2, "1", "2");
    at_end(t);
}

static void row_fails(const char *text, long line, const char *words)
{
    tin_error err = {0};
    bool more = true;
    tin_csv_table *t = open_text(text, strlen(text), TIN_OK, &err);
    tin_status status = TIN_OK;
    while (status == TIN_OK && more)
        status = tin_csv_next(t, &more, &err);
    assert_int_equal(status, TIN_ERR_DATA);
    assert_int_equal(err.line, line);
    assert_string_equal(err.file, "t.csv");
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
    close_text(t);
}

static void open_fails(const char *text, size_t size, const char *words)
{
    tin_error err = {0};
    tin_csv_table *t = open_text(text, size, TIN_ERR_DATA, &err);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
    close_text(t);
}

static void broken_tables(void **state)
{
    (void)state;
    row_fails("a,b\n1,2\n1\n", 3, "1 fields where the first line names 2");
    row_fails("a,b\n1,2,3\n", 2, "3 fields where");
    row_fails("a,b\n1,\"2\n3,4\n", 2, "never closed");
    row_fails("a,b\n\"1\"x,2\n", 2, "behind a closing quote");
    open_fails("", 0, "empty");
    open_fails("\r\n\n", 3, "empty");
    open_fails("a,b\n1,\0", 7, "NUL");
    open_fails("a,b,a\n1,2,3", 11, "two columns are called 'a'");
}

static void column_names(void **state)
{
    (void)state;
    tin_error err = {0};
    size_t index = 9;
    tin_csv_table *t = open_text("time;ax;ay\n", 11, TIN_OK, NULL);
    assert_int_equal(tin_csv_column(t, "ay", "data.csv.columns", &index, &err), TIN_OK);
    assert_int_equal(index, 2);
    assert_int_equal(tin_csv_column(t, "az", "data.csv.columns", &index, &err), TIN_ERR_DATA);
    assert_non_null(strstr(err.message, "no column 'az'; the file has: time, ax, ay. Correct data.csv.columns"));
    assert_int_equal(err.line, 1);
    close_text(t);
}

/* Exactly what strtod gives, for every way of writing a number. */
static void numbers(void **state)
{
    (void)state;
    static const char *const good[] = {"0",
                                       "-0.0",
                                       "1",
                                       "+1",
                                       "12.5",
                                       ".5",
                                       "5.",
                                       "1e-3",
                                       "-1.25E+2",
                                       "0.1",
                                       "123456789012345",
                                       "0.3832031488418579",
                                       "1657533977810",
                                       "4.9e-324"};
    static const char *const bad[] = {"", "-", ".", "abc", "1,5", "0x10", "1 2", "1e", "--1", "1.2.3"};
    static const char *const infinite[] = {"nan", "NaN", "inf", "-Infinity", "1e999"};
    char text[100];
    double number = 0;
    bool more = false;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        (void)snprintf(text, sizeof text, "a;b\n%s;1\n", good[i]);
        tin_csv_table *t = open_text(text, strlen(text), TIN_OK, NULL);
        assert_int_equal(tin_csv_next(t, &more, NULL), TIN_OK);
        assert_int_equal(tin_csv_number(t, 0, &number, NULL), TIN_OK);
        double expected = strtod(good[i], NULL);
        assert_memory_equal(&number, &expected, sizeof number);
        close_text(t);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad + sizeof infinite / sizeof *infinite; i++) {
        bool finite = i < sizeof bad / sizeof *bad;
        tin_error err = {0};
        (void)snprintf(text, sizeof text, "a;b\n%s;1\n", finite ? bad[i] : infinite[i - sizeof bad / sizeof *bad]);
        tin_csv_table *t = open_text(text, strlen(text), TIN_OK, NULL);
        assert_int_equal(tin_csv_next(t, &more, NULL), TIN_OK);
        assert_int_equal(tin_csv_number(t, 0, &number, &err), TIN_ERR_DATA);
        assert_int_equal(err.line, 2);
        assert_non_null(strstr(err.message, finite ? "is not a number" : "is not finite"));
        assert_non_null(strstr(err.message, "column 'a'"));
        close_text(t);
    }
}

/* Any text over a small alphabet ends in rows or in an error with a line, never elsewhere. */
static void any_bytes(void **state)
{
    (void)state;
    static const char alphabet[] = "\"\",,;\t\r\n 1a\xFF";
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    int failed = 0;
    for (int trial = 0; trial < 20000; trial++) {
        char text[40];
        size_t size = tin_rng_below(&rng, sizeof text);
        for (size_t i = 0; i < size; i++)
            text[i] = alphabet[tin_rng_below(&rng, sizeof alphabet - 1)];
        tin_csv_table *t = tin_alloc(1, sizeof *t, NULL);
        char *copy = tin_alloc(size + 1, 1, NULL);
        memcpy(copy, text, size);
        tin_error err = {0};
        bool more = true;
        tin_status status = tin_csv_take(t, copy, size, "t.csv", &err);
        while (status == TIN_OK && more) {
            status = tin_csv_next(t, &more, &err);
            for (size_t i = 0; more && i < t->n_fields; i++) {
                double number = 0;
                assert_true(strlen(t->fields[i]) <= size);
                (void)!tin_csv_number(t, i, &number, NULL);
            }
        }
        assert_true(status == TIN_OK || status == TIN_ERR_DATA);
        failed += status != TIN_OK;
        close_text(t);
    }
    assert_in_range(failed, 1000, 19000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),         cmocka_unit_test(separators), cmocka_unit_test(broken_tables),
        cmocka_unit_test(column_names), cmocka_unit_test(numbers),    cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
