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
    check(tin_runs_list(runs, NULL, &rows, &n, &err), &err);
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
    check(tin_runs_list(runs, NULL, &rows, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_true(rows[0].figures[TIN_STAGE_EVALUATE]);
    assert_false(rows[0].figures[TIN_STAGE_DEPLOY]);
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
    check(tin_runs_list(runs, NULL, &rows, &n, &err), &err);
    assert_int_equal(n, WRITERS);
    for (size_t i = 0; i < n; i++)
        for (int s = 0; s < TIN_STAGE_COUNT; s++)
            assert_true(rows[i].figures[s]);
    tin_runs_list_free(rows, n);
    tin_runs_close(runs);
}

/* Finishes stage after stage of its run, and tags it, until it is killed. */
static void write_for_ever(const tin_config *config)
{
    tin_runs *runs = NULL;
    tin_run run;
    tin_error err = {0};
    const char *const files[] = {"config.txt"};
    tin_status status = tin_runs_open(&runs, project, &err);
    status = status ? status : tin_runs_enter(runs, config, HASH_A, &run, &err);
    while (status == TIN_OK) {
        for (int s = 0; s < TIN_STAGE_COUNT && !status; s++)
            status = tin_runs_stage_finish(runs, &run, (tin_stage)s, files, 1, "{}", &err);
        status = status ? status : tin_runs_tag(runs, &run, "alive", &err);
        status = status ? status : tin_runs_untag(runs, &run, "alive", &err);
    }
    fprintf(stderr, "a writer failed: %s\n", tin_error_text(&err));
    _exit(1);
}

static void check_integrity(void)
{
    char path[TIN_PATH_MAX];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(tin_path_join(path, project, "runs/runs.sqlite", NULL), TIN_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* Four writers at once that are killed at any time leave a store that opens and is whole, and in every run stages that are
 * done up to some one. */
static void test_kills_leave_a_whole_store(void **state)
{
    (void)state;
    enum { WRITERS = 4, ROUNDS = 20 };
    tin_config *configs[WRITERS];
    for (int w = 0; w < WRITERS; w++)
        configs[w] = settings((uint64_t)w);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t children[WRITERS];
        for (int w = 0; w < WRITERS; w++) {
            children[w] = fork();
            assert_true(children[w] >= 0);
            if (children[w] == 0)
                write_for_ever(configs[w]);
        }
        for (int w = 0; w < WRITERS; w++) {
            usleep((useconds_t)(500 + (round * 7 + w * 3) % 11 * 2000));
            kill(children[w], SIGKILL);
        }
        for (int w = 0; w < WRITERS; w++) {
            int code = 0;
            assert_int_equal(waitpid(children[w], &code, 0), children[w]);
            assert_true(WIFSIGNALED(code) && WTERMSIG(code) == SIGKILL);
        }
        tin_runs *runs = NULL;
        tin_run run;
        for (int w = 0; w < WRITERS; w++) {
            enter(&runs, (uint64_t)w, HASH_A, &run);
            bool before = true;
            for (int s = 0; s < TIN_STAGE_COUNT; s++) {
                bool now = done(runs, &run, (tin_stage)s);
                assert_true(before || !now);
                before = now;
            }
            tin_runs_close(runs);
        }
        check_integrity();
    }
    for (int w = 0; w < WRITERS; w++)
        tin_config_free(configs[w]);
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

/* A store of the first schema, as it was left by `tinamou run` and a run that was not finished. */
static void test_a_store_of_the_first_schema(void **state)
{
    (void)state;
    char path[TIN_PATH_MAX], folder[TIN_PATH_MAX], *bytes = NULL;
    size_t size = 0, n = 0;
    tin_error err = {0};
    check(tin_file_read(TEST_FILES "/runs_schema1.sqlite", &bytes, &size, &err), &err);
    check(tin_path_join(folder, project, "runs", &err), &err);
    check(tin_folder_make(folder, &err), &err);
    store_path(path);
    check(tin_file_write(path, bytes, size, &err), &err);
    tin_free(bytes);
    for (int again = 0; again < 2; again++) {
        tin_runs *runs = NULL;
        tin_run_row *rows = NULL;
        check(tin_runs_open(&runs, project, &err), &err);
        check(tin_runs_list(runs, NULL, &rows, &n, &err), &err);
        assert_int_equal(n, 2);
        assert_string_equal(rows[0].run.id, "dd99397547ce");
        assert_non_null(rows[0].figures[TIN_STAGE_TRAIN]);
        assert_null(rows[0].figures[TIN_STAGE_EVALUATE]);
        assert_string_equal(rows[0].finished[TIN_STAGE_EVALUATE], "");
        assert_string_equal(rows[1].run.id, "cdc249b45f5e");
        assert_int_equal(rows[1].run.seed, 5);
        assert_string_equal(rows[1].project, "small");
        assert_string_equal(rows[1].run.data_hash, "7921c792d858fabaa2d8f4e2590dc484168f6b9ab5b7ad405ed7b984b4f059e5");
        assert_string_equal(rows[1].finished[TIN_STAGE_TRAIN], "2026-11-26 07:49:48");
        assert_non_null(strstr(rows[1].figures[TIN_STAGE_DEPLOY], "\"flash_bytes\": 3948"));
        assert_ptr_equal(strstr(rows[1].config, "project=5:small\n"), rows[1].config);
        assert_int_equal(rows[1].n_tags, again);
        tin_run_file *files = NULL;
        check(tin_runs_files(runs, &rows[1].run, &files, &n, &err), &err);
        assert_int_equal(n, 16);
        assert_string_equal(files[0].name, "model_float.json");
        assert_int_equal(files[15].stage, TIN_STAGE_REPORT);
        assert_string_equal(files[15].sha256, "983ec55d9c444381c7683207d1f14e355bbc8f7fd00ab957f4b4c2915188c175");
        tin_runs_files_free(files, n);
        check(tin_runs_tag(runs, &rows[1].run, "kept", &err), &err);
        tin_runs_list_free(rows, 2);
        tin_runs_close(runs);
    }
    check_integrity();
}

static const char *found(tin_runs *runs, const char *name, size_t *n)
{
    static char id[13];
    tin_error err = {0};
    tin_run_row *rows = NULL;
    tin_status status = tin_runs_find(runs, name, &rows, n, &err);
    snprintf(id, sizeof id, "%s", status ? "" : rows[0].run.id);
    assert_int_equal(status, *n == 0 ? TIN_ERR_USAGE : TIN_OK);
    tin_runs_list_free(rows, *n);
    return id;
}

static void test_ids_tags_and_beginnings_name_runs(void **state)
{
    (void)state;
    enum { RUNS = 17 }; /* so many that two begin with the same digit */
    tin_runs *runs = NULL;
    tin_run made[RUNS];
    size_t n = 0;
    tin_error err = {0};
    for (int i = 0; i < RUNS; i++) {
        enter(&runs, (uint64_t)i, HASH_A, &made[i]);
        tin_runs_close(runs);
    }
    check(tin_runs_open(&runs, project, &err), &err);
    assert_string_equal(found(runs, made[3].id, &n), made[3].id);
    char begin[13];
    snprintf(begin, sizeof begin, "%.11s", made[3].id);
    assert_string_equal(found(runs, begin, &n), made[3].id);
    int twice = 0;
    for (int i = 0; i < RUNS; i++)
        for (int k = 0; k < i; k++)
            twice = made[i].id[0] == made[k].id[0] ? i : twice;
    begin[0] = made[twice].id[0];
    begin[1] = '\0';
    assert_string_equal(found(runs, begin, &n), "");
    assert_string_equal(found(runs, "", &n), "");
    assert_string_equal(found(runs, "%", &n), "");
    assert_string_equal(found(runs, "base", &n), "");

    check(tin_runs_tag(runs, &made[1], "base", &err), &err);
    check(tin_runs_tag(runs, &made[1], "base", &err), &err);
    assert_string_equal(found(runs, "base", &n), made[1].id);
    assert_int_equal(n, 1);
    check(tin_runs_tag(runs, &made[2], "base", &err), &err);
    check(tin_runs_tag(runs, &made[2], "a.b_c-1", &err), &err);
    found(runs, "base", &n);
    assert_int_equal(n, 2);
    tin_run_row *rows = NULL;
    check(tin_runs_list(runs, "base", &rows, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_string_equal(rows[0].run.id, made[2].id); /* the newest first */
    assert_int_equal(rows[0].n_tags, 2);
    assert_string_equal(rows[0].tags[0], "a.b_c-1");
    tin_runs_list_free(rows, n);
    check(tin_runs_tag(runs, &made[4], begin, &err), &err); /* a tag wins over a beginning, an ID over a tag */
    assert_string_equal(found(runs, begin, &n), made[4].id);
    check(tin_runs_untag(runs, &made[1], "base", &err), &err);
    assert_int_equal(tin_runs_untag(runs, &made[1], "base", &err), TIN_ERR_USAGE);
    found(runs, "base", &n);
    assert_int_equal(n, 1);
    static const char *const bad[] = {"",
                                      "-x",
                                      "a b",
                                      "a,b",
                                      "../x",
                                      "0123456789ab",
                                      "longer-than-sixty-four-characters-0123456789-0123456789-0123456789"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tin_runs_tag(runs, &made[1], bad[i], NULL), TIN_ERR_USAGE);
    tin_runs_close(runs);
}

static void test_versions_of_the_dataset(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_runs *runs = NULL;
    tin_dataset_row *rows = NULL;
    size_t n = 1;
    check(tin_runs_open(&runs, project, &err), &err);
    check(tin_runs_datasets(runs, &rows, &n, &err), &err);
    assert_int_equal(n, 0);
    tin_runs_datasets_free(rows, n);
    check(tin_runs_add_dataset(runs, "aaaaaaaaaaaa", HASH_A, "the first", &err), &err);
    check(tin_runs_add_dataset(runs, "bbbbbbbbbbbb", HASH_A, "rate_hz: 50 -> 100", &err), &err);
    check(tin_runs_add_dataset(runs, "aaaaaaaaaaaa", HASH_A, "again", &err), &err); /* stays as it is */
    tin_runs_close(runs);
    check(tin_runs_open(&runs, project, &err), &err);
    check(tin_runs_datasets(runs, &rows, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_string_equal(rows[0].name, "bbbbbbbbbbbb"); /* the newest first */
    assert_string_equal(rows[0].hash, HASH_A);
    assert_string_equal(rows[1].reason, "the first");
    assert_int_equal(strlen(rows[1].made), 19);
    tin_runs_datasets_free(rows, n);
    tin_runs_close(runs);
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
        tin_run_file *recorded = NULL;
        size_t n = 0, n_recorded = 0;
        bool yes = false;
        tin_error err = {0};
        const char *const files[] = {"config.txt"};
        tin_memory_fail_at(++at);
        status = tin_runs_open(&runs, project, &err);
        status = status ? status : tin_runs_enter(runs, config, HASH_A, &run, &err);
        status = status ? status : tin_runs_stage_finish(runs, &run, TIN_STAGE_TRAIN, files, 1, "{}", &err);
        status = status ? status : tin_runs_stage_done(runs, &run, TIN_STAGE_TRAIN, &yes, &err);
        status = status ? status : tin_runs_tag(runs, &run, "tag", &err);
        status = status ? status : tin_runs_files(runs, &run, &recorded, &n_recorded, &err);
        status = status ? status : tin_runs_find(runs, "tag", &rows, &n, &err);
        tin_dataset_row *datasets = NULL;
        size_t n_datasets = 0;
        status = status ? status : tin_runs_add_dataset(runs, "aaaaaaaaaaaa", HASH_A, "the first", &err);
        status = status ? status : tin_runs_datasets(runs, &datasets, &n_datasets, &err);
        tin_memory_fail_at(0);
        tin_runs_datasets_free(datasets, n_datasets);
        assert_int_equal(status, status ? TIN_ERR_MEMORY : TIN_OK);
        tin_runs_files_free(recorded, n_recorded);
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
        cmocka_unit_test_setup(test_versions_of_the_dataset, fresh),
        cmocka_unit_test_setup(test_one_process_per_run, fresh),
        cmocka_unit_test_setup(test_several_writers, fresh),
        cmocka_unit_test_setup(test_kills_leave_a_whole_store, fresh),
        cmocka_unit_test_setup(test_damaged_and_newer_stores, fresh),
        cmocka_unit_test_setup(test_a_store_of_the_first_schema, fresh),
        cmocka_unit_test_setup(test_ids_tags_and_beginnings_name_runs, fresh),
        cmocka_unit_test_setup(test_memory_fails_everywhere, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
