#include "project/mlflow.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/http.h"
#include "base/memory.h"
#include "base/text.h"

/* What MLflow takes in one request (1000 items in all, 100 parameters) and one value. */
#define MOST_PARAMS 100
#define MOST_METRICS 500
#define MOST_VALUE 6000

typedef struct client {
    const char *url; /* without a slash at its end */
    size_t url_length;
    const char *headers[2];
    char authorization[2048];
    char shown[1024]; /* the address for messages */
} client;

/* What is sent of the run. */
typedef struct shipment {
    const tin_run_row *row;
    tin_run_file *files;
    size_t n_files;
    json_t *params, *metrics, *tags; /* arrays as runs/log-batch takes them */
} shipment;

static tin_status no_memory(tin_error *err)
{
    return tin_fail(err, TIN_ERR_MEMORY, "out of memory for what goes to MLflow");
}

static tin_status append(json_t *list, json_t *item, tin_error *err)
{
    return json_array_append_new(list, item) == 0 ? TIN_OK : no_memory(err);
}

/* Percent-encoding of all but RFC 3986's unreserved characters, and of slashes unless they are kept. */
static void add_encoded(tin_text *text, const char *s, bool keep_slashes)
{
    for (; *s; s++) {
        bool plain = isalnum((unsigned char)*s) || strchr("-._~", *s) || (keep_slashes && *s == '/');
        tin_text_printf(text, plain ? "%c" : "%%%02X", (unsigned char)*s);
    }
}

/* "500 INTERNAL_ERROR: what the server says" */
static tin_status refused(const client *c, const char *what, const tin_http_response *answer, const json_t *body,
                          tin_error *err)
{
    const char *code = json_string_value(json_object_get(body, "error_code"));
    const char *message = json_string_value(json_object_get(body, "message"));
    if (answer->redirect[0]) {
        return tin_fail_at(
            err, TIN_ERR_IO, c->shown, 0,
            "the server redirects %s to %.300s, which is not followed; give that address if you trust it", what,
            answer->redirect);
    }
    return tin_fail_at(
        err, TIN_ERR_IO, c->shown, 0,
        "the server answers %s with %ld%s%.60s%s%.300s; check that the address is that of an MLflow server "
        "and look at its log",
        what, answer->status, code ? " " : "", code ? code : "", message ? ": " : "", message ? message : "");
}

/* One call of the API. *answer is an object, or NULL when the server gave the tolerated error code. Takes `body` over; with GET
 * there is none. */
static tin_status call(const client *c, const char *method, const char *endpoint, json_t *body, const char *tolerated,
                       json_t **answer, tin_error *err)
{
    char what[64];
    tin_text url = {0};
    tin_http_response response = {0};
    *answer = NULL;
    bool get = strcmp(method, "GET") == 0;
    char *text = get || !body ? NULL : json_dumps(body, JSON_COMPACT);
    json_decref(body);
    snprintf(what, sizeof what, "%.*s", (int)strcspn(endpoint, "?"), endpoint);
    tin_text_printf(&url, "%.*s/api/2.0/mlflow/%s", (int)c->url_length, c->url, endpoint);
    tin_status status = get || text ? tin_text_check(&url, err) : no_memory(err);
    if (status == TIN_OK) {
        const tin_http_request request = {.method = method,
                                          .url = url.data,
                                          .body = text,
                                          .body_size = text ? strlen(text) : 0,
                                          .content_type = "application/json",
                                          .headers = c->headers};
        status = tin_http_send(&request, &response, err);
    }
    if (status == TIN_OK) {
        json_t *json = json_loadb(response.body, response.size, 0, NULL);
        const char *code = json_string_value(json_object_get(json, "error_code"));
        if (response.status == 200 && json_is_object(json)) {
            *answer = json_incref(json);
        } else if (response.status == 200) {
            status =
                tin_fail_at(err, TIN_ERR_IO, c->shown, 0,
                            "the server's answer to %s is no JSON object; check that this is an MLflow server", what);
        } else if (!tolerated || !code || strcmp(code, tolerated) != 0) {
            status = refused(c, what, &response, json, err);
        }
        json_decref(json);
    }
    tin_http_free(&response);
    tin_text_free(&url);
    free(text);
    return status;
}

/* A text of an answer, at most size - 1 bytes. */
static tin_status take_text(const client *c, const json_t *object, const char *key, char *text, size_t size,
                            tin_error *err)
{
    const char *value = json_string_value(json_object_get(object, key));
    if (!value || !value[0] || strlen(value) >= size) {
        return tin_fail_at(err, TIN_ERR_IO, c->shown, 0,
                           "the server's answer holds no sound %s; check that this is an MLflow server", key);
    }
    snprintf(text, size, "%s", value);
    return TIN_OK;
}

static tin_status look_up_experiment(const client *c, const char *name, char id[64], tin_error *err)
{
    tin_text endpoint = {0};
    json_t *answer = NULL;
    tin_text_add(&endpoint, "experiments/get-by-name?experiment_name=");
    add_encoded(&endpoint, name, false);
    tin_status status = tin_text_check(&endpoint, err);
    status = status ? status : call(c, "GET", endpoint.data, NULL, "RESOURCE_DOES_NOT_EXIST", &answer, err);
    id[0] = '\0';
    if (status == TIN_OK && answer) {
        status = take_text(c, json_object_get(answer, "experiment"), "experiment_id", id, 64, err);
    }
    json_decref(answer);
    tin_text_free(&endpoint);
    return status;
}

/* Another process may make it at the same time. */
static tin_status find_experiment(const client *c, const char *name, char id[64], tin_error *err)
{
    json_t *answer = NULL;
    tin_status status = look_up_experiment(c, name, id, err);
    if (status || id[0]) {
        return status;
    }
    status = call(c, "POST", "experiments/create", json_pack("{s:s}", "name", name), "RESOURCE_ALREADY_EXISTS", &answer,
                  err);
    if (status == TIN_OK && answer) {
        status = take_text(c, answer, "experiment_id", id, 64, err);
    } else if (status == TIN_OK) {
        status = look_up_experiment(c, name, id, err);
        if (status == TIN_OK && !id[0]) {
            status = tin_fail_at(err, TIN_ERR_IO, c->shown, 0,
                                 "the server has no experiment '%.100s' and makes none; look for a deleted one", name);
        }
    }
    json_decref(answer);
    return status;
}

/* Milliseconds since 1970 of "2026-01-31 09:00:00" UTC. */
static json_int_t milliseconds(const char *utc)
{
    struct tm parts = {0};
    return strptime(utc, "%Y-%m-%d %H:%M:%S", &parts) ? (json_int_t)timegm(&parts) * 1000 : 0;
}

static const char *last_finished(const tin_run_row *row)
{
    const char *last = row->started;
    for (int s = 0; s < TIN_STAGE_COUNT; s++) {
        last = strcmp(row->finished[s], last) > 0 ? row->finished[s] : last;
    }
    return last;
}

/* The run on the server: the one with our tag, or a new one. `artifacts` is where its files belong. */
static tin_status enter_run(const client *c, const shipment *cargo, tin_mlflow_result *r, char artifacts[1024],
                            tin_error *err)
{
    char filter[64];
    json_t *answer = NULL, *found = NULL;
    snprintf(filter, sizeof filter, "tags.\"tinamou.run\" = '%s'", cargo->row->run.id);
    tin_status status =
        call(c, "POST", "runs/search",
             json_pack("{s:[s], s:s, s:i}", "experiment_ids", r->experiment_id, "filter", filter, "max_results", 1),
             NULL, &found, err);
    const json_t *run = json_array_get(json_object_get(found, "runs"), 0);
    r->again = run != NULL;
    if (status == TIN_OK && !run) {
        status =
            call(c, "POST", "runs/create",
                 json_pack("{s:s, s:s, s:I, s:O}", "experiment_id", r->experiment_id, "run_name", cargo->row->run.id,
                           "start_time", milliseconds(cargo->row->started), "tags", cargo->tags),
                 NULL, &answer, err);
        run = json_object_get(answer, "run");
    }
    const json_t *info = json_object_get(run, "info");
    status = status ? status : take_text(c, info, "run_id", r->run_id, sizeof r->run_id, err);
    status = status ? status : take_text(c, info, "artifact_uri", artifacts, 1024, err);
    json_decref(found);
    json_decref(answer);
    return status;
}

/* Items [from, from + most) of a list; a new array. */
static json_t *slice(const json_t *list, size_t from, size_t most)
{
    json_t *part = json_array();
    for (size_t i = from; i < json_array_size(list) && i < from + most; i++) {
        json_array_append(part, json_array_get(list, i));
    }
    return part;
}

static tin_status log_all(const client *c, const shipment *cargo, tin_mlflow_result *r, tin_error *err)
{
    size_t n_params = json_array_size(cargo->params), n_metrics = json_array_size(cargo->metrics);
    tin_status status = TIN_OK;
    for (size_t k = 0; !status && (k == 0 || k * MOST_PARAMS < n_params || k * MOST_METRICS < n_metrics); k++) {
        json_t *answer = NULL;
        status = call(c, "POST", "runs/log-batch",
                      json_pack("{s:s, s:o, s:o, s:o}", "run_id", r->run_id, "params",
                                slice(cargo->params, k * MOST_PARAMS, MOST_PARAMS), "metrics",
                                slice(cargo->metrics, k * MOST_METRICS, MOST_METRICS), "tags",
                                slice(cargo->tags, k * MOST_PARAMS, MOST_PARAMS)),
                      NULL, &answer, err);
        json_decref(answer);
    }
    r->n_params = n_params;
    r->n_metrics = n_metrics;
    return status;
}

static tin_status send_file(const client *c, const char *folder, const tin_run *run, const tin_run_file *file,
                            tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_map map = {0};
    tin_text url = {0};
    tin_http_response response = {0};
    tin_text_printf(&url, "%.*s/api/2.0/mlflow-artifacts/artifacts/", (int)c->url_length, c->url);
    add_encoded(&url, folder, true);
    tin_text_add(&url, "/");
    add_encoded(&url, file->name, true);
    tin_status status = tin_text_check(&url, err);
    status = status ? status : tin_path_join(path, run->folder, file->name, err);
    status = status ? status : tin_map_open(&map, path, err);
    if (status == TIN_OK) {
        const tin_http_request request = {.method = "PUT",
                                          .url = url.data,
                                          .body = map.size > 0 ? (const void *)map.data : "",
                                          .body_size = map.size,
                                          .headers = c->headers};
        status = tin_http_send(&request, &response, err);
    }
    if (status == TIN_OK && response.status != 200) {
        json_t *body = json_loadb(response.body, response.size, 0, NULL);
        status = refused(c, file->name, &response, body, err);
        json_decref(body);
    }
    tin_http_free(&response);
    tin_map_close(&map);
    tin_text_free(&url);
    return status;
}

/* artifacts: "mlflow-artifacts:/0/RUN/artifacts", perhaps with //HOST in front: the server takes files by HTTP. */
static tin_status send_files(const client *c, const shipment *cargo, const char *artifacts, tin_mlflow_result *r,
                             tin_error *err)
{
    static const char scheme[] = "mlflow-artifacts:";
    if (strncmp(artifacts, scheme, sizeof scheme - 1) != 0) {
        snprintf(r->no_files, sizeof r->no_files,
                 "the server keeps files at %.300s and takes none by HTTP; start it with --serve-artifacts", artifacts);
        return TIN_OK;
    }
    const char *folder = artifacts + sizeof scheme - 1;
    if (strncmp(folder, "//", 2) == 0) {
        folder += 2 + strcspn(folder + 2, "/");
    }
    folder += strspn(folder, "/");
    for (size_t i = 0; i < cargo->n_files; i++) {
        tin_status status = send_file(c, folder, &cargo->row->run, &cargo->files[i], err);
        if (status) {
            return status;
        }
        r->n_files++;
    }
    return TIN_OK;
}

static tin_status end_run(const client *c, const shipment *cargo, const tin_mlflow_result *r, const char *how,
                          tin_error *err)
{
    json_t *answer = NULL;
    tin_status status = call(c, "POST", "runs/update",
                             json_pack("{s:s, s:s, s:I}", "run_id", r->run_id, "status", how, "end_time",
                                       milliseconds(last_finished(cargo->row))),
                             NULL, &answer, err);
    json_decref(answer);
    return status;
}

static tin_status collect_params(shipment *cargo, tin_error *err)
{
    tin_config_item *items = NULL;
    size_t n = 0;
    cargo->params = json_array();
    tin_status status = tin_config_items(cargo->row->config, &items, &n, err);
    for (size_t i = 0; i < n && !status; i++) {
        if (items[i].value[0]) { /* some servers take no empty values */
            size_t length = strlen(items[i].value);
            length = length < MOST_VALUE ? length : MOST_VALUE;
            while (((unsigned char)items[i].value[length] & 0xc0) == 0x80) {
                length--; /* no half character */
            }
            json_t *value = json_stringn(items[i].value, length);
            status = append(cargo->params, json_pack("{s:s, s:o}", "key", items[i].key, "value", value), err);
        }
    }
    tin_config_items_free(items, n);
    return status;
}

/* "evaluate/fnr": numbers of the stages' figures. */
static tin_status collect_metrics(shipment *cargo, tin_error *err)
{
    tin_status status = TIN_OK;
    cargo->metrics = json_array();
    for (int s = 0; s < TIN_STAGE_COUNT; s++) {
        const char *key, *json = cargo->row->figures[s];
        json_t *value, *figures = json ? json_loads(json, 0, NULL) : NULL;
        json_object_foreach(figures, key, value)
        {
            if (json_is_number(value) && isfinite(json_number_value(value)) && !status) {
                char name[200];
                snprintf(name, sizeof name, "%s/%s", tin_stage_name((tin_stage)s), key);
                status = append(cargo->metrics,
                                json_pack("{s:s, s:f, s:I, s:i}", "key", name, "value", json_number_value(value),
                                          "timestamp", milliseconds(cargo->row->finished[s]), "step", 0),
                                err);
            }
        }
        json_decref(figures);
    }
    return status;
}

static tin_status add_tag(shipment *cargo, const char *key, const char *value, tin_error *err)
{
    return append(cargo->tags, json_pack("{s:s, s:s}", "key", key, "value", value), err);
}

static tin_status collect_tags(shipment *cargo, tin_error *err)
{
    const tin_run_row *row = cargo->row;
    const char *quantize = row->figures[TIN_STAGE_QUANTIZE];
    json_t *figures = quantize ? json_loads(quantize, 0, NULL) : NULL;
    const char *model_hash = json_string_value(json_object_get(figures, "model_hash"));
    tin_text names = {0};
    cargo->tags = json_array();
    tin_status status = add_tag(cargo, "tinamou.run", row->run.id, err);
    status = status ? status : add_tag(cargo, "tinamou.version", row->version, err);
    status = status ? status : add_tag(cargo, "tinamou.config_hash", row->run.config_hash, err);
    status = status ? status : add_tag(cargo, "tinamou.data_hash", row->run.data_hash, err);
    if (model_hash) {
        status = status ? status : add_tag(cargo, "tinamou.model_hash", model_hash, err);
    }
    for (size_t i = 0; i < row->n_tags; i++) {
        tin_text_printf(&names, "%s%s", i > 0 ? " " : "", row->tags[i]);
    }
    status = status ? status : tin_text_check(&names, err);
    if (names.data) {
        status = status ? status : add_tag(cargo, "tinamou.tags", names.data, err);
    }
    tin_text_free(&names);
    json_decref(figures);
    return status;
}

/* What leaves this machine is what the stages recorded. */
static tin_status check_files(const shipment *cargo, tin_error *err)
{
    for (size_t i = 0; i < cargo->n_files; i++) {
        char path[TIN_PATH_MAX], hex[TIN_HASH_HEX];
        tin_status status = tin_path_join(path, cargo->row->run.folder, cargo->files[i].name, err);
        status = status ? status : tin_hash_file(path, hex, err);
        if (status == TIN_OK && strcmp(hex, cargo->files[i].sha256) != 0) {
            const char *stage = tin_stage_name(cargo->files[i].stage);
            status =
                tin_fail_at(err, TIN_ERR_FORMAT, path, 0,
                            "the file was changed after the stage '%s' made it; run `tinamou %s` again", stage, stage);
        }
        if (status) {
            return status;
        }
    }
    return TIN_OK;
}

static tin_status open_client(client *c, const char *url, tin_error *err)
{
    const char *token = getenv("MLFLOW_TRACKING_TOKEN");
    *c = (client){.url = url, .url_length = strlen(url)};
    while (c->url_length > 0 && url[c->url_length - 1] == '/') {
        c->url_length--;
    }
    tin_http_show(url, c->shown, sizeof c->shown);
    if (strpbrk(url, "?#")) {
        return tin_fail(err, TIN_ERR_USAGE, "%s is given with a query; give only http://HOST:PORT and a path",
                        c->shown);
    }
    if (token && token[0]) {
        int n = snprintf(c->authorization, sizeof c->authorization, "Authorization: Bearer %s", token);
        if (strpbrk(token, "\r\n") || n >= (int)sizeof c->authorization) {
            return tin_fail(err, TIN_ERR_USAGE, "MLFLOW_TRACKING_TOKEN is no token: too long, or of several lines");
        }
        c->headers[0] = c->authorization;
    }
    return TIN_OK;
}

tin_status tin_mlflow_export(tin_runs *runs, const tin_run_row *row, const char *url, tin_mlflow_result *result,
                             tin_error *err)
{
    char artifacts[1024];
    client c;
    shipment cargo = {.row = row};
    *result = (tin_mlflow_result){0};
    tin_status status = open_client(&c, url, err);
    status = status ? status : tin_runs_files(runs, &row->run, &cargo.files, &cargo.n_files, err);
    status = status ? status : check_files(&cargo, err);
    status = status ? status : collect_params(&cargo, err);
    status = status ? status : collect_metrics(&cargo, err);
    status = status ? status : collect_tags(&cargo, err);
    status = status ? status : find_experiment(&c, row->project, result->experiment_id, err);
    status = status ? status : enter_run(&c, &cargo, result, artifacts, err);
    if (status == TIN_OK) {
        status = log_all(&c, &cargo, result, err);
        status = status ? status : send_files(&c, &cargo, artifacts, result, err);
        if (status) {
            (void)!end_run(&c, &cargo, result, "FAILED", NULL); /* the first error is what counts */
        } else {
            status = end_run(&c, &cargo, result, "FINISHED", err);
        }
    }
    tin_runs_files_free(cargo.files, cargo.n_files);
    json_decref(cargo.params);
    json_decref(cargo.metrics);
    json_decref(cargo.tags);
    return status;
}
