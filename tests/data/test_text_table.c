/* Rows of delimited text: quotes, line ends, separators, numbers, columns; and any bytes at all. */
#include "data_test.h"

#include "base/rng.h"
#include "data/text_table.h"

static const tin_config_text named = {.separator = "auto", .header = true, .comment = "", .row_end = ""};
static const tin_config_text plain = {.separator = "auto", .comment = "", .row_end = ""};

/* A table and where it is read. */
typedef struct cursor {
    tin_text_table t;
    tin_fields fields;
    const char *p, *row;
    tin_error err;
} cursor;

static cursor *open_text(const tin_config_text *settings, const char *text, size_t size, tin_status expected)
{
    cursor *c = tin_alloc(1, sizeof *c, NULL);
    assert_non_null(c);
    tin_status status = tin_text_take(&c->t, settings, text, size, "t.csv", &c->err);
    if (status != expected)
        fail_msg("'%s': %s", text, tin_error_text(&c->err));
    c->p = c->t.first;
    return c;
}

static void close_text(cursor *c)
{
    tin_fields_free(&c->fields);
    tin_text_close(&c->t);
    tin_free(c);
}

/* False at the end. */
static bool next(cursor *c, tin_status *status)
{
    c->row = tin_text_skip(&c->t, c->p);
    *status = TIN_OK;
    if (c->row == c->t.end)
        return false;
    *status = tin_text_row(&c->t, c->row, &c->fields, &c->p, &c->err);
    if (*status == TIN_OK)
        *status = tin_text_check_count(&c->t, c->row, &c->fields, &c->err);
    return *status == TIN_OK;
}

static void next_is(cursor *c, long line, const char *a, const char *b)
{
    const char *const expected[2] = {a, b};
    tin_status status;
    if (!next(c, &status))
        fail_msg("line %ld: %s", line, tin_error_text(&c->err));
    assert_int_equal(tin_text_line(&c->t, c->row), line);
    assert_int_equal(c->fields.n, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(c->fields.at[i].size, strlen(expected[i]));
        assert_memory_equal(c->fields.at[i].at, expected[i], strlen(expected[i]));
    }
}

static void at_end(cursor *c)
{
    tin_status status;
    assert_false(next(c, &status));
    assert_int_equal(status, TIN_OK);
    close_text(c);
}

static cursor *good_text(const tin_config_text *settings, const char *text)
{
    return open_text(settings, text, strlen(text), TIN_OK);
}

static void rows(void **state)
{
    (void)state;
    cursor *c = good_text(&named, "\xEF\xBB\xBF"
                                  "a, \"b;\"\r\n1,2\r\n\r\n \"x, \"\"y\"\"\" , z \r\n\"two\nlines\",end\r\nlast,");
    assert_string_equal(c->t.names[0], "a");
    assert_string_equal(c->t.names[1], "b;");
    next_is(c, 2, "1", "2");
    next_is(c, 4, "x, \"y\"", "z");
    next_is(c, 5, "two\nlines", "end");
    next_is(c, 7, "last", "");
    at_end(c);
}

static void dialects(void **state)
{
    (void)state;
    cursor *c = good_text(&named, "a;b\n1,5;2\n");
    next_is(c, 2, "1,5", "2");
    at_end(c);
    c = good_text(&named, "a\tb\n \t2\n");
    next_is(c, 2, "", "2");
    at_end(c);
    c = good_text(&named, "\"a,c\";b\n1;2");
    next_is(c, 2, "1", "2");
    at_end(c);
    c = good_text(&plain, "  1   2  \n\n3\t4\n"); /* blanks are found out too */
    next_is(c, 1, "1", "2");
    next_is(c, 3, "3", "4");
    at_end(c);
    c = good_text(&plain, "1,2\r3,4\r"); /* as old computers end lines */
    next_is(c, 1, "1", "2");
    next_is(c, 1, "3", "4");
    at_end(c);
    tin_config_text s = named;
    s.skip_lines = 2;
    s.comment = "#";
    c = good_text(&s, "Logger 3\nserial,17,x\n# units\na,b\n1,2\n  # pause\n3,4\n# end");
    next_is(c, 5, "1", "2");
    next_is(c, 7, "3", "4");
    at_end(c);
    s = plain;
    s.row_end = ";";
    c = good_text(&s, "1,2;\n3,4;5,6;\n\n;7,8");
    next_is(c, 1, "1", "2");
    next_is(c, 2, "3", "4");
    next_is(c, 2, "5", "6");
    next_is(c, 4, "7", "8");
    at_end(c);
    s = plain;
    s.decimal_comma = true; /* then a comma does not separate */
    c = good_text(&s, "1,5;-2,25\n");
    double number = 0;
    next_is(c, 1, "1,5", "-2,25");
    assert_int_equal(tin_text_number(&c->t, c->row, &c->fields, 1, &number, NULL), TIN_OK);
    assert_true(number == -2.25);
    at_end(c);
}

static void row_fails(const char *text, long line, const char *words)
{
    cursor *c = good_text(&named, text);
    tin_status status;
    while (next(c, &status)) {
    }
    assert_int_equal(status, TIN_ERR_DATA);
    assert_int_equal(c->err.line, line);
    assert_string_equal(c->err.file, "t.csv");
    if (strstr(c->err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", c->err.message, words);
    close_text(c);
}

static void open_fails(const char *text, size_t size, const char *words)
{
    cursor *c = open_text(&named, text, size, TIN_ERR_DATA);
    if (strstr(c->err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", c->err.message, words);
    close_text(c);
}

static void broken_tables(void **state)
{
    (void)state;
    static char wide[3000];
    row_fails("a,b\n1,2\n1\n", 3, "1 fields where the first line names 2");
    row_fails("a,b\n1,2,3\n", 2, "3 fields where");
    row_fails("a,b\n1,\"2\n3,4\n", 2, "never closed");
    row_fails("a,b\n\"1\"x,2\n", 2, "behind a closing quote");
    open_fails("", 0, "empty");
    open_fails("\r\n\n", 3, "empty");
    open_fails("a,b\n1,\0", 7, "NUL");
    memset(wide, ',', sizeof wide - 1);
    open_fails(wide, sizeof wide - 1, "more than 1024 fields");
}

static void column_fails(const cursor *c, const char *name, const char *words)
{
    size_t index;
    tin_error err = {0};
    assert_int_equal(tin_text_column(&c->t, name, "data.x", &index, &err), TIN_ERR_DATA);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
}

static void column_names(void **state)
{
    (void)state;
    size_t index = 9;
    cursor *c = good_text(&named, "time;ax;ay;2;ax\n");
    assert_int_equal(tin_text_column(&c->t, "ay", "data.x", &index, NULL), TIN_OK);
    assert_int_equal(index, 2);
    assert_int_equal(tin_text_column(&c->t, "2", "data.x", &index, NULL), TIN_OK); /* a name comes before a number */
    assert_int_equal(index, 3);
    assert_int_equal(tin_text_column(&c->t, "1", "data.x", &index, NULL), TIN_OK);
    assert_int_equal(index, 0);
    column_fails(c, "az", "no column 'az'; the file has: time, ax, ay, 2, ax. Correct data.x");
    column_fails(c, "ax", "two columns are called 'ax'");
    column_fails(c, "6", "no column '6'");
    column_fails(c, "0", "no column '0'");
    close_text(c);
    c = good_text(&plain, "1 2 3");
    assert_int_equal(tin_text_column(&c->t, "3", "data.x", &index, NULL), TIN_OK);
    assert_int_equal(index, 2);
    column_fails(c, "4", "names no columns and has 3 of them. Write a number from 1 to 3 in data.x");
    column_fails(c, "ax", "names no columns");
    close_text(c);
}

static void numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "-", ".", "abc", "1,5", "0x10", "1 2", "1e", "--1", "1.2.3", "1e5x"};
    static const char *const infinite[] = {"nan", "NaN", "inf", "-Infinity", "1e999"};
    char text[100];
    for (size_t i = 0; i < sizeof bad / sizeof *bad + sizeof infinite / sizeof *infinite; i++) {
        bool finite = i < sizeof bad / sizeof *bad;
        double number = 0;
        tin_status status;
        (void)snprintf(text, sizeof text, "a;b\n%s;1\n", finite ? bad[i] : infinite[i - sizeof bad / sizeof *bad]);
        cursor *c = good_text(&named, text);
        assert_true(next(c, &status));
        assert_int_equal(tin_text_number(&c->t, c->row, &c->fields, 0, &number, &c->err), TIN_ERR_DATA);
        assert_int_equal(c->err.line, 2);
        assert_non_null(strstr(c->err.message, finite ? "is not a number" : "is not finite"));
        assert_non_null(strstr(c->err.message, "column 'a'"));
        close_text(c);
    }
}

/* Any text over a small alphabet ends in rows or in an error with a line, never elsewhere. */
static void any_bytes(void **state)
{
    (void)state;
    static const char alphabet[] = "\"\",,;\t\r\n 1a#\xFF";
    tin_rng rng;
    tin_rng_seed(&rng, 3);
    int failed = 0;
    for (int trial = 0; trial < 20000; trial++) {
        tin_config_text s = trial % 2 ? named : plain;
        s.comment = trial % 3 ? "" : "#";
        s.row_end = trial % 5 ? "" : "a";
        size_t size = tin_rng_below(&rng, 40);
        char *text = malloc(size + 1); /* exactly as long, so that a sanitizer sees a read beyond it */
        for (size_t i = 0; i < size; i++)
            text[i] = alphabet[tin_rng_below(&rng, sizeof alphabet - 1)];
        cursor c = {0};
        tin_status status = tin_text_take(&c.t, &s, text, size, "t.csv", &c.err);
        c.p = c.t.first;
        while (status == TIN_OK && next(&c, &status))
            for (size_t i = 0; i < c.fields.n; i++) {
                double number = 0;
                assert_true(c.fields.at[i].size <= size);
                (void)!tin_text_number(&c.t, c.row, &c.fields, i, &number, NULL);
            }
        assert_true(status == TIN_OK || status == TIN_ERR_DATA);
        failed += status != TIN_OK;
        tin_fields_free(&c.fields);
        tin_text_close(&c.t);
        free(text);
    }
    assert_in_range(failed, 1000, 19000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),         cmocka_unit_test(dialects), cmocka_unit_test(broken_tables),
        cmocka_unit_test(column_names), cmocka_unit_test(numbers),  cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
