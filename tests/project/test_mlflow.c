/* Export to MLflow against a server on loopback that answers as MLflow does, until it misbehaves. The real server:
 * tests/cli/test_cli_mlflow.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "project/mlflow.h"
#include "tests/base/fake_server.h"

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEAD(code) "HTTP/1.1 " code "\r\nConnection: close\r\n\r\n"

/* The call whose path holds `where` gets `bytes` instead; NULL bytes: the connection is closed. */
typedef struct fault {
    const char *where, *bytes;
    bool redirected; /* somebody asked for the page that a redirect leads to */
    bool failed;     /* the run was marked so */
    int files;
} fault;

static const char *answer(fake_server *server, const char *request)
{
    fault *f = server->context;
    f->redirected = f->redirected || strstr(request, "/trap") != NULL;
    f->failed = f->failed || (strstr(request, "runs/update") && strstr(request, "\"FAILED\""));
    f->files += strncmp(request, "PUT /api/2.0/mlflow-artifacts/artifacts/7/r1/artifacts/", 55) == 0;
    if (f->where && strstr(request, f->where) && !strstr(request, "\"FAILED\""))
        return f->bytes;
    if (strstr(request, "/experiments/get-by-name"))
        return HEAD("404 Not Found") "{\"error_code\": \"RESOURCE_DOES_NOT_EXIST\", \"message\": \"no\"}";
    if (strstr(request, "/experiments/create"))
        return HEAD("200 OK") "{\"experiment_id\": \"7\"}";
    if (strstr(request, "/runs/search"))
        return HEAD("200 OK") "{}";
    if (strstr(request, "/runs/create"))
        return HEAD("200 OK") "{\"run\": {\"info\": {\"run_id\": \"r1\", \"artifact_uri\": "
                              "\"mlflow-artifacts:/7/r1/artifacts\"}}}";
    return HEAD("200 OK") "{}";
}

static tin_runs *runs;
static tin_run_row *row;

static tin_status export(fault *f, tin_mlflow_result *result, tin_error *err)
{
    fake_server server = {.answer = answer, .context = f};
    assert_true(fake_start(&server));
    tin_status status = tin_mlflow_export(runs, row, server.url, result, err);
    fake_stop(&server);
    return status;
}

static void test_everything_is_sent(void **state)
{
    (void)state;
    fault none = {0};
    tin_error err = {0};
    tin_mlflow_result r;
    if (export(&none, &r, &err))
        fail_msg("%s", tin_error_text(&err));
    assert_string_equal(r.experiment_id, "7");
    assert_string_equal(r.run_id, "r1");
    assert_false(r.again || none.failed);
    assert_int_equal(r.n_metrics, 1);
    assert_int_equal(r.n_files, 1);
    assert_int_equal(none.files, 1);
}

static void test_servers_that_misbehave(void **state)
{
    (void)state;
    static const char *const calls[] = {"/experiments/get-by-name",
                                        "/experiments/create",
                                        "/runs/search",
                                        "/runs/create",
                                        "/runs/log-batch",
                                        "PUT ",
                                        "/runs/update"};
    const struct {
        const char *bytes, *message;
        bool file_too; /* also wrong as the answer to a file */
    } faults[] = {
        {NULL, "no whole answer", true},
        {HEAD("404 Not Found") "<html>", "with 404", true},
        {HEAD("500 No") "{\"error_code\": \"INTERNAL_ERROR\", \"message\": \"disk is\\nfull\"}",
         "500 INTERNAL_ERROR: disk is", true},
        {HEAD("200 OK") "{\"garbage\"", "no JSON object", false},
        {HEAD("200 OK") "[]", "no JSON object", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "no whole answer", true},
    };
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++)
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
            bool file = strcmp(calls[c], "PUT ") == 0;
            fault f = {.where = calls[c], .bytes = faults[i].bytes};
            tin_error err = {0};
            tin_mlflow_result r;
            tin_status status = export(&f, &r, &err);
            if (file && !faults[i].file_too) {
                assert_int_equal(status, TIN_OK);
                continue;
            }
            assert_int_equal(status, TIN_ERR_IO);
            assert_non_null(strstr(tin_error_text(&err), faults[i].message));
            assert_non_null(strstr(tin_error_text(&err), "http://127.0.0.1:"));
            assert_int_equal(f.failed, file || strcmp(calls[c], "/runs/log-batch") == 0);
        }
}

static void test_answers_without_what_they_should_hold(void **state)
{
    (void)state;
    static const struct {
        const char *call, *bytes, *message;
    } cases[] = {
        {"/experiments/create", HEAD("200 OK") "{\"experiment_id\": 7}", "no sound experiment_id"},
        {"/experiments/create", HEAD("400 Bad") "{\"error_code\": \"RESOURCE_ALREADY_EXISTS\"}",
         "look for a deleted one"},
        {"/runs/create", HEAD("200 OK") "{\"run\": {}}", "no sound run_id"},
        {"/runs/search", HEAD("200 OK") "{\"runs\": [3]}", "no sound run_id"},
        {"/runs/create", HEAD("200 OK") "{\"run\": {\"info\": {\"run_id\": \"r1\"}}}", "no sound artifact_uri"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fault f = {.where = cases[i].call, .bytes = cases[i].bytes};
        tin_error err = {0};
        tin_mlflow_result r;
        assert_int_equal(export(&f, &r, &err), TIN_ERR_IO);
        assert_non_null(strstr(err.message, cases[i].message));
    }
}

static void test_hostile_redirects_are_not_followed(void **state)
{
    (void)state;
    setenv("MLFLOW_TRACKING_TOKEN", "secret", 1);
    static const char *const calls[] = {"/experiments/get-by-name", "/runs/create", "PUT "};
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        fault f = {.where = calls[c], .bytes = "HTTP/1.1 307 Away\r\nLocation: /trap\r\nContent-Length: 0\r\n\r\n"};
        tin_error err = {0};
        tin_mlflow_result r;
        assert_int_equal(export(&f, &r, &err), TIN_ERR_IO);
        assert_non_null(strstr(err.message, "/trap, which is not followed"));
        assert_false(f.redirected);
        assert_null(strstr(tin_error_text(&err), "secret"));
    }
    setenv("MLFLOW_TRACKING_TOKEN", "a\r\nX: y", 1);
    fault none = {0};
    tin_mlflow_result r;
    assert_int_equal(export(&none, &r, NULL), TIN_ERR_USAGE);
    unsetenv("MLFLOW_TRACKING_TOKEN");
}

static void test_files_elsewhere_and_files_that_changed(void **state)
{
    (void)state;
    fault f = {.where = "/runs/create",
               .bytes =
                   HEAD("200 OK") "{\"run\": {\"info\": {\"run_id\": \"r1\", \"artifact_uri\": \"s3://bucket/x\"}}}"};
    tin_error err = {0};
    tin_mlflow_result r;
    assert_int_equal(export(&f, &r, &err), TIN_OK);
    assert_non_null(strstr(r.no_files, "s3://bucket/x"));
    assert_int_equal(f.files, 0);
    char path[TIN_PATH_MAX];
    assert_int_equal(tin_path_join(path, row->run.folder, "config.txt", &err), TIN_OK);
    assert_int_equal(tin_file_write(path, "x", 1, &err), TIN_OK);
    assert_int_equal(export(&f, &r, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "was changed"));
    assert_int_equal(f.files, 0);
}

/* A project with one run that is trained. */
static int set_up(void **state)
{
    (void)state;
    char project[TIN_PATH_MAX], path[TIN_PATH_MAX + 16];
    const char *text = "project: a b\nmodel: {layers: [{op: dense}]}\n";
    const char *const files[] = {"config.txt"};
    tin_config *config = NULL;
    tin_run run;
    size_t n = 0;
    snprintf(project, sizeof project, "%s/project.XXXXXX", TEST_TEMPORARY);
    if (!mkdtemp(project))
        return -1;
    snprintf(path, sizeof path, "%s/tinamou.yaml", project);
    tin_status status = tin_file_write(path, text, strlen(text), NULL);
    status = status ? status : tin_config_load(&config, path, NULL);
    status = status ? status : tin_runs_open(&runs, project, NULL);
    status = status ? status : tin_runs_enter(runs, config, HASH, &run, NULL);
    status =
        status ? status
               : tin_runs_stage_finish(runs, &run, TIN_STAGE_TRAIN, files, 1, "{\"loss\": 0.5, \"text\": \"x\"}", NULL);
    status = status ? status : tin_runs_find(runs, run.id, &row, &n, NULL);
    tin_config_free(config);
    return status;
}

static int tear_down(void **state)
{
    (void)state;
    tin_runs_list_free(row, 1);
    tin_runs_close(runs);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_sent),
        cmocka_unit_test(test_servers_that_misbehave),
        cmocka_unit_test(test_answers_without_what_they_should_hold),
        cmocka_unit_test(test_hostile_redirects_are_not_followed),
        cmocka_unit_test(test_files_elsewhere_and_files_that_changed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
