/* Text into samples: the same whatever the blocks and threads, the same as row by row, and every way that a file can be cut
 * short. */
#include "data_test.h"

#include <math.h>

#include "base/rng.h"
#include "data/decimal.h"
#include "data/samples.h"
#include "data/text_table.h"

static char *missing_texts[1] = {"NaN"};

/* Columns 2 and 3 are sensors, 1 is the time, 4 the label, 5 the person. */
typedef struct reading {
    tin_config_files files;
    tin_sample_column columns[2];
    tin_sample_layout layout;
} reading;

static void prepare(reading *r)
{
    *r = (reading){.files = {.format = "text",
                             .text = {.separator = "comma", .header = true, .comment = "#", .row_end = ""},
                             .time_column = "1",
                             .time_unit = "ms",
                             .time_missing = "0",
                             .time_back = "split",
                             .missing = missing_texts,
                             .missing_count = 1},
                   .columns = {{.name = "2", .factor = 1}, {.name = "3", .sensor = 1, .factor = -2}}};
    r->layout = (tin_sample_layout){.settings = &r->files,
                                    .where = "test",
                                    .columns = r->columns,
                                    .n_columns = 2,
                                    .rate_hz = 50,
                                    .label_column = "4",
                                    .subject_column = "5"};
}

static tin_status read_text(const reading *r, const char *text, size_t size, tin_pool *pool, size_t block_bytes,
                            tin_samples *s, tin_error *err)
{
    char *exact = malloc(size + 1); /* a sanitizer sees a read beyond it */
    char *at = exact + 1;           /* and the text begins at an odd address */
    memcpy(at, text, size);
    tin_status status = tin_samples_read_text(&r->layout, at, size, "t.csv", pool, block_bytes, s, err);
    free(exact);
    return status;
}

static void same_texts(const tin_row_texts *a, const tin_row_texts *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(a->items[i].row, b->items[i].row);
        assert_int_equal(a->items[i].line, b->items[i].line);
        assert_string_equal(a->items[i].text, b->items[i].text);
    }
}

static void same_samples(const tin_samples *a, const tin_samples *b)
{
    assert_int_equal(a->n_rows, b->n_rows);
    assert_int_equal(a->n_tracks, b->n_tracks);
    for (int i = 0; i < a->n_tracks; i++) {
        const tin_track *x = &a->tracks[i], *y = &b->tracks[i];
        assert_int_equal(x->n_samples, y->n_samples);
        assert_memory_equal(x->values, y->values, x->n_samples * sizeof *x->values);
        if (a->rows[i] != NULL)
            assert_memory_equal(a->rows[i], b->rows[i], x->n_samples * sizeof **a->rows);
    }
    if (a->ticks != NULL)
        assert_memory_equal(a->ticks, b->ticks, a->n_rows * sizeof *a->ticks);
    same_texts(&a->labels, &b->labels);
    same_texts(&a->subjects, &b->subjects);
    assert_int_equal(a->n_cuts, b->n_cuts);
    if (a->n_cuts > 0)
        assert_memory_equal(a->cuts, b->cuts, a->n_cuts * sizeof *a->cuts);
    assert_int_equal(a->n_broken, b->n_broken);
    assert_int_equal(a->first_broken, b->first_broken);
}

/* Rows of all kinds, also broken ones; *size: bytes. */
static char *mixed_text(uint64_t seed, bool quotes, size_t *size)
{
    static char text[200000];
    static const char *const labels[5] = {"walk", "run", "", "\"a \"\"b\"\"\"", "\"sit\""};
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    *size = (size_t)snprintf(text, sizeof text, "# logger\nt,a,b,label,who\n");
    long time = 1000;
    for (int i = 0; i < 3000; i++) {
        uint32_t kind = tin_rng_below(&rng, 60);
        time += tin_rng_below(&rng, 30);
        time = kind == 0 ? 500 : time;
        *size += (size_t)snprintf(text + *size, sizeof text - *size, "%ld%s,%.*g, %s ,%s,p%d%s\n", kind == 1 ? 0 : time,
                                  kind == 2 ? ".5" : "", kind == 3 ? 17 : 6, tin_rng_normal(&rng),
                                  kind == 4 || kind == 5 ? "NaN"
                                  : kind == 6            ? "1e-320"
                                                         : "2.5e1",
                                  labels[i / 40 % (quotes ? 5 : 3)], i / 1000,
                                  kind == 7   ? ",extra"
                                  : kind == 8 ? "\r"
                                              : "");
        if (kind == 9)
            *size += (size_t)snprintf(text + *size, sizeof text - *size, "\n  \n# pause, with \"quote\n");
    }
    return text;
}

/* The lines are read again by the rules of text_table.h alone. */
static void compare_rows(const reading *r, const tin_samples *s, const char *text, size_t size)
{
    tin_text_table t;
    tin_fields *f = tin_alloc(1, sizeof *f, NULL);
    assert_int_equal(tin_text_take(&t, &r->files.text, text, size, "t.csv", NULL), TIN_OK);
    size_t row = 0, n[2] = {0, 0}, broken = 0, label = 0;
    for (const char *p = t.first, *next; (p = tin_text_skip(&t, p)) < t.end; p = next) {
        assert_int_equal(tin_text_row(&t, p, f, &next, NULL), TIN_OK);
        if (f->n != 5) {
            broken++;
            continue;
        }
        if (f->at[0].size == 1 && f->at[0].at[0] == '0')
            continue;
        double v;
        assert_true(tin_decimal(f->at[0].at, f->at[0].size, '.', &v) && v == s->ticks[row]);
        for (int i = 0; i < 2; i++) {
            if (f->at[1 + i].size == 3 && memcmp(f->at[1 + i].at, "NaN", 3) == 0)
                continue;
            assert_true(tin_decimal(f->at[1 + i].at, f->at[1 + i].size, '.', &v));
            assert_true(s->tracks[i].values[n[i]] == v * r->columns[i].factor);
            assert_int_equal(s->rows[i][n[i]], row);
            n[i]++;
        }
        if (label + 1 < s->labels.n && s->labels.items[label + 1].row == row)
            assert_int_equal(s->labels.items[++label].line, tin_text_line(&t, p));
        assert_int_equal(s->labels.items[label].size, f->at[3].size);
        assert_memory_equal(s->labels.items[label].text, f->at[3].at, f->at[3].size);
        row++;
    }
    assert_int_equal(row, s->n_rows);
    assert_int_equal(n[0], s->tracks[0].n_samples);
    assert_int_equal(n[1], s->tracks[1].n_samples);
    assert_int_equal(broken, s->n_broken);
    tin_fields_free(f);
    tin_free(f);
    tin_text_close(&t);
}

static void blocks_and_threads(void **state)
{
    (void)state;
    static const size_t block_bytes[] = {1, 17, 100, 4096, 100000};
    reading r;
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, 3, NULL), TIN_OK);
    for (uint64_t seed = 0; seed < 8; seed++) {
        size_t size;
        char *text = mixed_text(seed, seed % 2 == 1, &size);
        prepare(&r);
        r.files.skip_broken = true;
        size -= seed == 3; /* the last line without its end */
        tin_samples whole, s;
        tin_error err = {0};
        if (read_text(&r, text, size, NULL, size + 1, &whole, &err) != TIN_OK)
            fail_msg("%s", tin_error_text(&err));
        assert_true(whole.n_rows > 2500 && whole.n_cuts > 10 && whole.n_broken > 10);
        compare_rows(&r, &whole, text, size);
        for (size_t i = 0; i < sizeof block_bytes / sizeof *block_bytes; i++) {
            assert_int_equal(read_text(&r, text, size, pool, block_bytes[i], &s, NULL), TIN_OK);
            same_samples(&whole, &s);
            tin_samples_free(&s);
        }
        tin_samples_free(&whole);
    }
    tin_pool_destroy(pool);
}

/* The first fault in the file is reported, with its line, wherever blocks begin. */
static void faults_have_lines(void **state)
{
    (void)state;
    static const struct {
        const char *row, *words;
    } faults[] = {
        {"2000,1,x,walk,p", "column 'b': 'x' is not a number"},
        {"2000,1,inf,walk,p", "column 'b': 'inf' is not finite"},
        {"2000,1,1,walk", "4 fields where the first line names 5"},
        {"5,1,1,walk,p", "column 't': time 5 comes after 1990, so it runs backwards"},
        {"9e99,1,1,walk,p", "is more than 30 years after the row before"},
        {"2000,1,1,\"walk,p", "never closed"},
    };
    reading r;
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, 2, NULL), TIN_OK);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        for (size_t block = 1; block < 3000; block = block * 3 / 2 + 1) {
            char text[6000];
            size_t used = (size_t)snprintf(text, sizeof text, "t,a,b,label,who\n");
            for (int row = 0; row < 100; row++)
                used += (size_t)snprintf(text + used, sizeof text - used, "%d,1,1,walk,p\n", 1000 + 10 * row);
            used += (size_t)snprintf(text + used, sizeof text - used, "%s\n%s\n", faults[i].row,
                                     i == 3 ? "5,1,1,walk,p" : "3000,y,1,walk,p");
            tin_samples s;
            tin_error err = {0};
            prepare(&r);
            r.files.time_back = "refuse";
            assert_int_equal(read_text(&r, text, used, pool, block, &s, &err), TIN_ERR_DATA);
            tin_samples_free(&s);
            if (strstr(err.message, faults[i].words) == NULL || err.line != 102)
                fail_msg("block %zu: %s", block, tin_error_text(&err));
        }
    tin_pool_destroy(pool);
}

/* A file cut at any byte is either whole rows, of which the last may have lost digits or its line end, or an error that
 * names the last line. */
static void every_length(void **state)
{
    (void)state;
    static const char text[] =
        "# made by hand\nt,a,b,label,who\n1000,1.5,-2,walk,anna\n1010,NaN,2.25e1,\"a \"\"b\"\"\",anna\r\n"
        "1020,3,4,,bert\n";
    const size_t size = sizeof text - 1;
    reading r;
    size_t good = 0;
    for (size_t n = 0; n <= size; n++) {
        tin_samples s;
        tin_error err = {0};
        prepare(&r);
        tin_status status = read_text(&r, text, n, NULL, 1000, &s, &err);
        if (status == TIN_OK) {
            assert_in_range(s.n_rows, 1, 3);
            good++;
        } else {
            long line = 1;
            for (size_t i = 0; i < n; i++)
                line += text[i] == '\n';
            assert_int_equal(status, TIN_ERR_DATA);
            if (err.line != 0 && err.line != line && err.line != line - 1)
                fail_msg("%zu bytes: %s", n, tin_error_text(&err));
            assert_true(strlen(err.message) > 20);
        }
        tin_samples_free(&s);
    }
    assert_in_range(good, 10, 25); /* behind the person's first letter, and between rows */
}

static void nul_bytes(void **state)
{
    (void)state;
    reading r;
    tin_samples s;
    tin_error err = {0};
    prepare(&r);
    assert_int_equal(read_text(&r, "t,a,b,l,w\n1,1,1,x,y\n2,1,1,\0,y\n", 31, NULL, 3, &s, &err), TIN_ERR_DATA);
    assert_non_null(strstr(err.message, "NUL bytes"));
    tin_samples_free(&s);
}

static void every_allocation(void **state)
{
    (void)state;
    reading r;
    size_t size;
    char *text = mixed_text(1, true, &size);
    prepare(&r);
    r.files.skip_broken = true;
    for (size_t n = 1;; n++) {
        tin_samples s;
        tin_error err = {0};
        (void)tin_memory_fail_at(n);
        tin_status status = read_text(&r, text, size / 20, NULL, 500, &s, &err);
        (void)tin_memory_fail_at(0);
        tin_samples_free(&s);
        if (status == TIN_OK) {
            assert_true(n > 12);
            break;
        }
        if (status != TIN_ERR_MEMORY)
            fail_msg("allocation %zu: %s", n, tin_error_text(&err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_and_threads), cmocka_unit_test(faults_have_lines), cmocka_unit_test(every_length),
        cmocka_unit_test(nul_bytes),          cmocka_unit_test(every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
