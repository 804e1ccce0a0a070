/* The run store: names, skipping, changed files, several writers, kill -9, damaged and newer stores, failing memory. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/memory.h"
#include "project/runs.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char project[TIN_PATH_MAX];

static void check(tin_status status, tin_error *err)
{
    if (status)
        fail_msg("%s", tin_error_text(err));
}

/* A fresh project folder per test. */
static int fresh(void **state)
{
    (void)state;
    snprintf(project, sizeof project, "%s/project.XXXXXX", TEST_TEMPORARY);
    return mkdtemp(project) ? 0 : -1;
}

static tin_config *settings(uint64_t seed)
{
    char path[TIN_PATH_MAX + 16], text[256];
    tin_error err = {0};
    tin_config *config = NULL;
    snprintf(path, sizeof path, "%s/tinamou.yaml", project);
    snprintf(text, sizeof text, "project: a\nseed: %d\nmodel: {layers: [{op: dense}]}\n", (int)seed);
    check(tin_file_write(path, text, strlen(text), &err), &err);
    check(tin_config_load(&config, path, &err), &err);
    return config;
}

static void put(const tin_run *run, const char *name, const char *text)
{
    char path[TIN_PATH_MAX];
    tin_error err = {0};
    check(tin_path_join(path, run->folder, name, &err), &err);
    check(tin_file_write(path, text, strlen(text), &err), &err);
}

static void enter(tin_runs **runs, uint64_t seed, const char *hash, tin_run *run)
{
    tin_error err = {0};
    tin_config *config = settings(seed);
    check(tin_runs_open(runs, project, &err), &err);
    check(tin_runs_enter(*runs, config, hash, run, &err), &err);
    tin_config_free(config);
}

static bool done(tin_runs *runs, const tin_run *run, tin_stage stage)
{
    tin_error err = {0};
    bool yes = false;
    check(tin_runs_stage_done(runs, run, stage, &yes, &err), &err);
    return yes;
}

static void finish(tin_runs *runs, const tin_run *run, tin_stage stage, const char *file)
{
    tin_error err = {0};
    const char *const files[] = {file};
    check(tin_runs_stage_finish(runs, run, stage, files, 1, "{\"x\":1}", &err), &err);
}

static void test_the_name_follows_the_inputs(void **state)
{
    (void)state;
    tin_runs *runs = NULL;
    tin_run a, b, c, d;
    enter(&runs, 1, HASH_A, &a);
    tin_runs_close(runs);
    enter(&runs, 1, HASH_A, &b);
    tin_runs_close(runs);
    enter(&runs, 2, HASH_A, &c);
    tin_runs_close(runs);
    enter(&runs, 1, HASH_B, &d);
    assert_string_equal(a.id, b.id);
    assert_string_equal(a.folder, b.folder);
    assert_string_not_equal(a.id, c.id);
    assert_string_not_equal(a.id, d.id);
    assert_string_not_equal(a.config_hash, c.config_hash);
    assert_int_equal(strlen(a.id), 12);
    tin_run_row *rows = NULL;
    size_t n = 0;
    tin_error err = {0};
    check(tin_runs_list(runs, &rows, &n, &err), &err);
    assert_int_equal(n, 3);
    tin_runs_list_free(rows, n);
    tin_runs_close(runs);
}

static void test_done_until_a_file_changes(void **state)
{
    (void)state;
    tin_runs *runs = NULL;
    tin_run run;
    enter(&runs, 1, HASH_A, &run);
    assert_false(done(runs, &run, TIN_STAGE_TRAIN));
    put(&run, "model.bin", "one");
    finish(runs, &run, TIN_STAGE_TRAIN, "model.bin");
    assert_true(done(runs, &run, TIN_STAGE_TRAIN));
    put(&run, "model.bin", "two");
    assert_false(done(runs, &run, TIN_STAGE_TRAIN));
    put(&run, "model.bin", "one");
    assert_true(done(runs, &run, TIN_STAGE_TRAIN));
    char path[TIN_PATH_MAX];
    assert_int_equal(tin_path_join(path, run.folder, "model.bin", NULL), TIN_OK);
    assert_int_equal(unlink(path), 0);
    assert_false(done(runs, &run, TIN_STAGE_TRAIN));
    tin_runs_close(runs);
}

static void test_an_earlier_stage_undoes_later_ones(void **state)
{
    (void)state;
    tin_runs *runs = NULL;
    tin_run run;
    enter(&runs, 1, HASH_A, &run);
    put(&run, "f", "1");
    for (int s = 0; s < TIN_STAGE_COUNT; s++)
        finish(runs, &run, (tin_stage)s, "f");
    finish(runs, &run, TIN_STAGE_EVALUATE, "f");
    assert_true(done(runs, &run, TIN_STAGE_TRAIN));
    assert_true(done(runs, &run, TIN_STAGE_QUANTIZE));
    assert_true(done(runs, &run, TIN_STAGE_EVALUATE));
    assert_false(done(runs, &run, TIN_STAGE_DEPLOY));
    assert_false(done(runs, &run, TIN_STAGE_REPORT));
    tin_run_row *rows = NULL;
    size_t n = 0;
    tin_error err = {0};
    check(tin_runs_list(runs, &rows, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_true(rows[0].done[TIN_STAGE_EVALUATE]);
    assert_false(rows[0].done[TIN_STAGE_DEPLOY]);
    assert_string_equal(rows[0].figures[TIN_STAGE_TRAIN], "{\"x\":1}");
    assert_null(rows[0].figures[TIN_STAGE_DEPLOY]);
    tin_runs_list_free(rows, n);
    tin_runs_close(runs);
}

static void test_a_missing_file_is_not_recorded(void **state)
{
    (void)state;
    tin_runs *runs = NULL;
    tin_run run;
    tin_error err = {0};
    const char *const files[] = {"none"};
    enter(&runs, 1, HASH_A, &run);
    assert_int_equal(tin_runs_stage_finish(runs, &run, TIN_STAGE_TRAIN, files, 1, "{}", &err), TIN_ERR_IO);
    assert_false(done(runs, &run, TIN_STAGE_TRAIN));
    tin_runs_close(runs);
}

static void test_what_a_kill_left_is_removed(void **state)
{
    (void)state;
    tin_runs *runs = NULL;
    tin_run run;
    char path[TIN_PATH_MAX];
    const char *const left = "metrics.json.Ab3dE9", *const mine[] = {"notes.backup", "metrics.json", "a.json.Ab3d.9",
                                                                     ".json.Ab3dE9"};
    enter(&runs, 1, HASH_A, &run);
    put(&run, left, "half");
    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++)
        put(&run, mine[i], "whole");
    tin_runs_close(runs);
    enter(&runs, 1, HASH_A, &run);
    assert_int_equal(tin_path_join(path, run.folder, left, NULL), TIN_OK);
    assert_false(tin_file_exists(path));
    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++) {
        assert_int_equal(tin_path_join(path, run.folder, mine[i], NULL), TIN_OK);
        assert_true(tin_file_exists(path));
    }
    tin_runs_close(runs);
}

static void test_one_process_per_run(void **state)
{
    (void)state;
    tin_runs *first = NULL, *second = NULL;
    tin_run run, other;
    tin_error err = {0};
    enter(&first, 1, HASH_A, &run);
    tin_config *config = settings(1);
    check(tin_runs_open(&second, project, &err), &err);
    assert_int_equal(tin_runs_enter(second, config, HASH_A, &other, &err), TIN_ERR_IO);
    assert_non_null(strstr(err.message, "another process"));
    tin_runs_close(first);
    err = (tin_error){0};
    check(tin_runs_enter(second, config, HASH_A, &other, &err), &err);
    tin_runs_close(second);
    tin_config_free(config);
}

/* Eight processes open a store that does not exist yet, each enters its own run and finishes stages in it. */
static void test_several_writers(void **state)
{
    (void)state;
    enum { WRITERS = 8 };
    tin_config *configs[WRITERS];
    for (int w = 0; w < WRITERS; w++)
        configs[w] = settings((uint64_t)w);
    pid_t children[WRITERS];
    for (int w = 0; w < WRITERS; w++) {
        children[w] = fork();
        assert_true(children[w] >= 0);
        if (children[w] == 0) {
            tin_runs *runs = NULL;
            tin_run run;
            tin_error err = {0};
            const char *const files[] = {"config.txt"};
            tin_status status = tin_runs_open(&runs, project, &err);
            status = status ? status : tin_runs_enter(runs, configs[w], HASH_A, &run, &err);
            for (int s = 0; s < TIN_STAGE_COUNT && !status; s++)
                status = tin_runs_stage_finish(runs, &run, (tin_stage)s, files, 1, "{}", &err);
            if (status)
                fprintf(stderr, "writer %d: %s\n", w, tin_error_text(&err));
            _exit(status ? 1 : 0);
        }
    }
    for (int w = 0; w < WRITERS; w++) {
        int code = -1;
        assert_int_equal(waitpid(children[w], &code, 0), children[w]);
        assert_int_equal(code, 0);
        tin_config_free(configs[w]);
    }
    tin_runs *runs = NULL;
    tin_run_row *rows = NULL;
    size_t n = 0;
    tin_error err = {0};
    check(tin_runs_open(&runs, project, &err), &err);
    check(tin_runs_list(runs, &rows, &n, &err), &err);
    assert_int_equal(n, WRITERS);
    for (size_t i = 0; i < n; i++)
        for (int s = 0; s < TIN_STAGE_COUNT; s++)
            assert_true(rows[i].done[s]);
    tin_runs_list_free(rows, n);
    tin_runs_close(runs);
}

/* A writer that is killed at any time leaves a store that opens, and a stage that is done or not done. */
static void test_kill_leaves_a_whole_store(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        tin_config *config = settings(1);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            tin_runs *runs = NULL;
            tin_run run;
            const char *const files[] = {"config.txt"};
            if (tin_runs_open(&runs, project, NULL) || tin_runs_enter(runs, config, HASH_A, &run, NULL))
                _exit(1);
            for (;;)
                for (int s = 0; s < TIN_STAGE_COUNT; s++)
                    if (tin_runs_stage_finish(runs, &run, (tin_stage)s, files, 1, "{}", NULL))
                        _exit(1);
        }
        usleep((useconds_t)(1000 + round * 1700));
        kill(child, SIGKILL);
        int code = 0;
        assert_int_equal(waitpid(child, &code, 0), child);
        assert_true(WIFSIGNALED(code) && WTERMSIG(code) == SIGKILL);
        tin_runs *runs = NULL;
        tin_run run;
        enter(&runs, 1, HASH_A, &run);
        bool before = true;
        for (int s = 0; s < TIN_STAGE_COUNT; s++) {
            bool now = done(runs, &run, (tin_stage)s);
            assert_true(before || !now);
            before = now;
        }
        tin_runs_close(runs);
        tin_config_free(config);
    }
}

static void store_path(char path[TIN_PATH_MAX])
{
    assert_int_equal(tin_path_join(path, project, "runs/runs.sqlite", NULL), TIN_OK);
}

static void test_damaged_and_newer_stores(void **state)
{
    (void)state;
    char path[TIN_PATH_MAX];
    tin_runs *runs = NULL;
    tin_run run;
    tin_error err = {0};
    store_path(path);
    enter(&runs, 1, HASH_A, &run);
    tin_runs_close(runs);

    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(tin_runs_open(&runs, project, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "version 99"));
    assert_null(runs);

    char junk[4096];
    memset(junk, 'x', sizeof junk);
    err = (tin_error){0};
    check(tin_file_write(path, junk, sizeof junk, &err), &err);
    assert_int_equal(tin_runs_open(&runs, project, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "move it away"));
}

static void test_memory_fails_everywhere(void **state)
{
    (void)state;
    tin_config *config = settings(1);
    tin_status status;
    size_t at = 0;
    do {
        tin_runs *runs = NULL;
        tin_run run;
        tin_run_row *rows = NULL;
        size_t n = 0;
        bool yes = false;
        tin_error err = {0};
        const char *const files[] = {"config.txt"};
        tin_memory_fail_at(++at);
        status = tin_runs_open(&runs, project, &err);
        status = status ? status : tin_runs_enter(runs, config, HASH_A, &run, &err);
        status = status ? status : tin_runs_stage_finish(runs, &run, TIN_STAGE_TRAIN, files, 1, "{}", &err);
        status = status ? status : tin_runs_stage_done(runs, &run, TIN_STAGE_TRAIN, &yes, &err);
        status = status ? status : tin_runs_list(runs, &rows, &n, &err);
        tin_memory_fail_at(0);
        assert_int_equal(status, status ? TIN_ERR_MEMORY : TIN_OK);
        tin_runs_list_free(rows, n);
        tin_runs_close(runs);
    } while (status);
    assert_true(at > 5);
    tin_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_name_follows_the_inputs, fresh),
        cmocka_unit_test_setup(test_done_until_a_file_changes, fresh),
        cmocka_unit_test_setup(test_an_earlier_stage_undoes_later_ones, fresh),
        cmocka_unit_test_setup(test_a_missing_file_is_not_recorded, fresh),
        cmocka_unit_test_setup(test_what_a_kill_left_is_removed, fresh),
        cmocka_unit_test_setup(test_one_process_per_run, fresh),
        cmocka_unit_test_setup(test_several_writers, fresh),
        cmocka_unit_test_setup(test_kill_leaves_a_whole_store, fresh),
        cmocka_unit_test_setup(test_damaged_and_newer_stores, fresh),
        cmocka_unit_test_setup(test_memory_fails_everywhere, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
