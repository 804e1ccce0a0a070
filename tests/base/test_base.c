#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/process.h"
#include "base/rng.h"
#include "base/scratch.h"
#include "base/text.h"

static void first_error_wins(void **state)
{
    (void)state;
    tin_error err = {0};
    assert_int_equal(tin_fail_at(&err, TIN_ERR_DATA, "a.csv", 7, "value %d", 3), TIN_ERR_DATA);
    assert_int_equal(tin_fail(&err, TIN_ERR_IO, "later"), TIN_ERR_IO);
    assert_int_equal(err.status, TIN_ERR_DATA);
    assert_string_equal(tin_error_text(&err), "a.csv:7: error: value 3");
    assert_int_equal(tin_fail(NULL, TIN_ERR_MODEL, "no object"), TIN_ERR_MODEL);
    assert_int_equal(tin_status_exit_code(TIN_ERR_INTERRUPTED), 130);
}

static void errors_are_one_plain_line(void **state)
{
    (void)state;
    tin_error err = {0};
    assert_int_equal(tin_fail_at(&err, TIN_ERR_TOOL, "a\033b.c", 0, "gcc said:\none\n\ttwo\a\n\n"), TIN_ERR_TOOL);
    assert_string_equal(tin_error_text(&err), "a?b.c: error: gcc said: one  two?");
}

static void allocation_is_zero_aligned_and_checked(void **state)
{
    (void)state;
    tin_error err = {0};
    unsigned char *p = tin_alloc(3, 5, &err);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (int i = 0; i < 15; i++)
        assert_int_equal(p[i], 0);
    p[14] = 9;
    p = tin_grow(p, 15, 4000, 1, &err);
    assert_non_null(p);
    assert_int_equal(p[14], 9);
    assert_int_equal(p[3999], 0);
    tin_free(p);
    assert_null(tin_alloc(SIZE_MAX / 2, 4, &err));
    assert_int_equal(err.status, TIN_ERR_MEMORY);
    tin_memory_fail_at(2);
    p = tin_alloc(1, 1, NULL);
    assert_non_null(p);
    assert_null(tin_alloc(1, 1, NULL));
    tin_free(p);
    assert_int_equal(tin_memory_fail_at(0), 2);
}

static void a_failed_write_leaves_the_earlier_file(void **state)
{
    (void)state;
    const char *path = TEST_TEMPORARY "/kept.txt";
    char *data = NULL;
    size_t size = 0;
    assert_int_equal(tin_file_write(path, "old", 3, NULL), TIN_OK);
    /* A limit on the file size acts as a full disk does: the write fails half-way. */
    struct rlimit limit, small;
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 100;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    static char big[100000];
    tin_error err = {0};
    tin_status status = tin_file_write(path, big, sizeof big, &err);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(status, TIN_ERR_IO);
    assert_string_equal(err.file, path);
    assert_int_equal(tin_file_read(path, &data, &size, NULL), TIN_OK);
    assert_int_equal(size, 3);
    assert_string_equal(data, "old");
    tin_free(data);
    /* and no temporary file is left */
    tin_process_result result = {0};
    const char *const list[] = {"ls", TEST_TEMPORARY, NULL};
    assert_int_equal(tin_process_run(list, 10, &result, NULL), TIN_OK);
    assert_null(strstr(result.output, "kept.txt."));
    tin_process_free(&result);
}

static void an_aborted_writer_changes_nothing(void **state)
{
    (void)state;
    const char *path = TEST_TEMPORARY "/aborted.txt";
    tin_writer w = {0};
    unlink(path);
    assert_int_equal(tin_writer_open(&w, path, NULL), TIN_OK);
    fputs("half", w.stream);
    tin_writer_abort(&w);
    assert_false(tin_file_exists(path));
    tin_error err = {0};
    assert_int_equal(tin_writer_open(&w, TEST_TEMPORARY "/no/such/folder/x", &err), TIN_ERR_IO);
    tin_writer_abort(&w);
}

static void a_folder_takes_the_place_of_another(void **state)
{
    (void)state;
    const char *made = TEST_TEMPORARY "/made", *place = TEST_TEMPORARY "/place";
    assert_int_equal(tin_folder_remove(made, NULL), TIN_OK);
    assert_int_equal(tin_folder_remove(place, NULL), TIN_OK);
    for (int round = 0; round < 2; round++) { /* nothing there, then an earlier folder */
        assert_int_equal(tin_folder_make(TEST_TEMPORARY "/made/deep", NULL), TIN_OK);
        assert_int_equal(
            tin_file_write(round ? TEST_TEMPORARY "/made/deep/new" : TEST_TEMPORARY "/made/deep/old", "x", 1, NULL),
            TIN_OK);
        assert_int_equal(tin_folder_replace(made, place, NULL), TIN_OK);
        assert_false(tin_file_exists(made));
    }
    assert_true(tin_file_exists(TEST_TEMPORARY "/place/deep/new"));
    assert_false(tin_file_exists(TEST_TEMPORARY "/place/deep/old"));
    tin_error err = {0};
    assert_int_equal(tin_folder_replace(TEST_TEMPORARY "/absent", place, &err), TIN_ERR_IO);
    assert_true(tin_file_exists(TEST_TEMPORARY "/place/deep/new"));
    /* a link is removed, not what it points to */
    assert_int_equal(tin_folder_make(made, NULL), TIN_OK);
    assert_int_equal(symlink("../place", TEST_TEMPORARY "/made/link"), 0);
    assert_int_equal(tin_folder_remove(made, NULL), TIN_OK);
    assert_true(tin_file_exists(TEST_TEMPORARY "/place/deep/new"));
}

static void folders_and_paths(void **state)
{
    (void)state;
    char path[TIN_PATH_MAX];
    assert_int_equal(tin_folder_make(TEST_TEMPORARY "/a/b/c", NULL), TIN_OK);
    assert_int_equal(tin_folder_make(TEST_TEMPORARY "/a/b/c", NULL), TIN_OK);
    assert_int_equal(tin_file_write(TEST_TEMPORARY "/a/file", "", 0, NULL), TIN_OK);
    assert_int_equal(tin_folder_make(TEST_TEMPORARY "/a/file", NULL), TIN_ERR_IO);
    assert_int_equal(tin_path_join(path, "x/", "y", NULL), TIN_OK);
    assert_string_equal(path, "x/y");
    static char longest[TIN_PATH_MAX];
    memset(longest, 'n', sizeof longest - 1);
    assert_int_equal(tin_path_join(path, "x", longest, NULL), TIN_ERR_IO);
    tin_map map = {0};
    assert_int_equal(tin_map_open(&map, TEST_TEMPORARY "/a", NULL), TIN_ERR_IO);
    assert_int_equal(tin_map_open(&map, TEST_TEMPORARY "/a/file", NULL), TIN_OK);
    assert_int_equal(map.size, 0);
    tin_map_close(&map);
}

static void sha256_known_answers(void **state)
{
    (void)state;
    char hex[TIN_HASH_HEX]; /* FIPS 180-4 examples */
    assert_int_equal(tin_hash_bytes("abc", 3, hex, NULL), TIN_OK);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(tin_hash_bytes("", 0, hex, NULL), TIN_OK);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void random_numbers(void **state)
{
    (void)state;
    tin_rng rng = {{1, 2, 3, 4}}; /* first outputs of the authors' reference code for this state */
    assert_true(tin_rng_next(&rng) == 41943041u);
    assert_true(tin_rng_next(&rng) == 58720359u);
    assert_true(tin_rng_next(&rng) == 3588806011781223u);
    tin_rng_derive(&rng, 7, 1);
    tin_rng other;
    tin_rng_derive(&other, 7, 2);
    assert_true(tin_rng_next(&rng) != tin_rng_next(&other));
    double sum = 0, squares = 0;
    int below[7] = {0}, n = 200000;
    for (int i = 0; i < n; i++) {
        double x = tin_rng_normal(&rng);
        sum += x;
        squares += x * x;
        below[tin_rng_below(&rng, 7)]++;
    }
    assert_true(fabs(sum / n) < 0.01);
    assert_true(fabs(squares / n - 1) < 0.02);
    for (int i = 0; i < 7; i++)
        assert_true(abs(below[i] - n / 7) < 900);
}

typedef struct sums {
    long value[64];
    _Atomic int calls;
} sums;

static void add_job(void *context, int index, int thread)
{
    sums *s = context;
    (void)thread;
    s->value[index] += index + 1;
    atomic_fetch_add(&s->calls, 1);
}

static void the_pool_runs_each_job_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads++) {
        tin_pool *pool = NULL;
        assert_int_equal(tin_pool_create(&pool, threads, NULL), TIN_OK);
        assert_int_equal(tin_pool_threads(pool), threads);
        sums s = {0};
        for (int round = 0; round < 2000; round++)
            tin_pool_run(pool, round % 65, add_job, &s);
        long expected = 0, got = 0;
        int calls = 0;
        for (int round = 0; round < 2000; round++)
            for (int i = 0; i < round % 65; i++, calls++)
                expected += i + 1;
        for (int i = 0; i < 64; i++)
            got += s.value[i];
        assert_int_equal(got, expected);
        assert_int_equal(s.calls, calls);
        tin_pool_destroy(pool);
    }
    tin_error err = {0};
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, -3, &err), TIN_ERR_USAGE);
}

static void the_pool_survives_each_failed_allocation(void **state)
{
    (void)state;
    for (size_t n = 1; n < 20; n++) {
        tin_pool *pool = NULL;
        tin_memory_fail_at(n);
        tin_status status = tin_pool_create(&pool, 3, NULL);
        tin_memory_fail_at(0);
        if (status == TIN_OK) {
            assert_true(n > 3);
            tin_pool_destroy(pool);
            return;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_null(pool);
    }
    fail();
}

static void texts_grow(void **state)
{
    (void)state;
    tin_text text = {0};
    for (int i = 0; i < 1000; i++)
        tin_text_printf(&text, "%d,", i);
    assert_int_equal(text.size, 10 * 2 + 90 * 3 + 900 * 4);
    tin_text_printf(&text, "%0700d", 0);
    assert_int_equal(tin_text_check(&text, NULL), TIN_OK);
    assert_int_equal(strlen(text.data), text.size);
    tin_text_free(&text);
    tin_memory_fail_at(1);
    tin_text_add(&text, "x");
    tin_memory_fail_at(0);
    tin_text_add(&text, "y");
    assert_int_equal(tin_text_check(&text, NULL), TIN_ERR_MEMORY);
    tin_text_free(&text);
}

static void programs(void **state)
{
    (void)state;
    tin_process_result result = {0};
    tin_error err = {0};
    const char *const both[] = {"sh", "-c", "echo out; echo errors >&2; exit 3", NULL};
    assert_int_equal(tin_process_run(both, 10, &result, &err), TIN_OK);
    assert_int_equal(result.exit_code, 3);
    assert_string_equal(result.output, "out\n");
    assert_string_equal(result.errors, "errors\n");
    tin_process_free(&result);
    const char *const much[] = {
        "sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done",
        NULL};
    assert_int_equal(tin_process_run(much, 20, &result, &err), TIN_OK);
    assert_int_equal(result.output_size, 3000 * 41);
    tin_process_free(&result);
    const char *const slow[] = {"sleep", "30", NULL};
    assert_int_equal(tin_process_run(slow, 0.3, &result, &err), TIN_ERR_TOOL);
    err = (tin_error){0};
    const char *const none[] = {"no-such-program-here", NULL};
    assert_int_equal(tin_process_run(none, 1, &result, &err), TIN_ERR_TOOL);
    assert_non_null(strstr(err.message, "no-such-program-here is missing"));
}

static void what_is_put_aside_comes_back(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_scratch *s = NULL;
    uint64_t first = 1, second = 0;
    char back[6] = "";
    assert_int_equal(tin_folder_remove(TEST_TEMPORARY "/aside", NULL), TIN_OK);
    assert_int_equal(tin_scratch_open(&s, TEST_TEMPORARY "/aside/x", &err), TIN_ERR_IO);
    assert_null(s);
    assert_int_equal(tin_folder_make(TEST_TEMPORARY "/aside", NULL), TIN_OK);
    assert_int_equal(tin_scratch_open(&s, TEST_TEMPORARY "/aside/x", NULL), TIN_OK);
    assert_int_equal(tin_scratch_put(s, "abc", 3, &first, NULL), TIN_OK);
    assert_int_equal(tin_scratch_put(s, "hello", 5, &second, NULL), TIN_OK);
    assert_int_equal(first, 0);
    assert_int_equal(second, 3);
    assert_int_equal(tin_scratch_get(s, second, back, 5, NULL), TIN_OK);
    assert_string_equal(back, "hello");
    assert_int_equal(tin_scratch_get(s, 6, back, 3, &(tin_error){0}), TIN_ERR_IO); /* beyond its end */
    tin_scratch_close(s);
    tin_scratch_close(NULL);
    assert_int_equal(remove(TEST_TEMPORARY "/aside"), 0); /* it never had a name that stays */
}

/* What is forgotten comes back from the file: page by page, beyond both ends, and the rest stays. */
static void a_scratch_map_forgets_and_remembers(void **state)
{
    (void)state;
    tin_scratch_map map;
    tin_error err = {0};
    const size_t size = 1000003;
    assert_int_equal(tin_scratch_map_open(&map, size, TEST_TEMPORARY "/aside", &err), TIN_OK);
    unsigned char *bytes = map.data;
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(bytes[i], 0);
        bytes[i] = (unsigned char)(i * 7 + i / 4096);
    }
    static const size_t parts[][2] = {{0, 1000003}, {1, 4096}, {4095, 4098}, {8192, 4096}, {999999, 4}, {5000, 0}};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        tin_scratch_map_forget(&map, bytes + parts[p][0], parts[p][1]);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], (unsigned char)(i * 7 + i / 4096));
    }
    tin_scratch_map_close(&map);
    assert_null(map.data);
    tin_scratch_map_close(&map);
    assert_int_equal(tin_scratch_map_open(&map, 0, TEST_TEMPORARY "/aside", &err), TIN_OK);
    tin_scratch_map_forget(&map, &map, 100);
    tin_scratch_map_close(&map);
    assert_int_equal(tin_scratch_map_open(&map, 100, TEST_TEMPORARY "/no/such/folder", &err), TIN_ERR_IO);
    err = (tin_error){0};
    assert_int_equal(tin_scratch_map_open(&map, (size_t)1 << 60, TEST_TEMPORARY "/aside", &err), TIN_ERR_IO);
    assert_non_null(strstr(err.message, "cannot put data aside"));
    assert_null(map.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_error_wins),
        cmocka_unit_test(errors_are_one_plain_line),
        cmocka_unit_test(allocation_is_zero_aligned_and_checked),
        cmocka_unit_test(a_failed_write_leaves_the_earlier_file),
        cmocka_unit_test(an_aborted_writer_changes_nothing),
        cmocka_unit_test(a_folder_takes_the_place_of_another),
        cmocka_unit_test(folders_and_paths),
        cmocka_unit_test(what_is_put_aside_comes_back),
        cmocka_unit_test(sha256_known_answers),
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(the_pool_runs_each_job_once),
        cmocka_unit_test(the_pool_survives_each_failed_allocation),
        cmocka_unit_test(texts_grow),
        cmocka_unit_test(programs),
        cmocka_unit_test(a_scratch_map_forgets_and_remembers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
