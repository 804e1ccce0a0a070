#include "base/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/progress.h"

#define CONNECT_SECONDS 20L
#define SILENT_SECONDS 60L

/* What the callbacks of one transfer share. */
typedef struct transfer {
    tin_http_response *response;
    size_t capacity, most;
    tin_status status; /* why a callback ended the transfer */
    tin_error *err;
    char shown[1024];
} transfer;

void tin_http_show(const char *url, char *text, size_t size)
{
    CURLU *parts = curl_url();
    char *clean = NULL;
    if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_set(parts, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
        curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
        curl_url_set(parts, CURLUPART_QUERY, NULL, 0) == CURLUE_OK) {
        (void)curl_url_get(parts, CURLUPART_URL, &clean, 0);
    }
    snprintf(text, size, "%s", clean ? clean : "the address");
    curl_free(clean);
    curl_url_cleanup(parts);
}

static bool is_address(const char *url)
{
    CURLU *parts = curl_url();
    bool is = parts && (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0) &&
              curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK;
    curl_url_cleanup(parts);
    return is;
}

/* Keeps room for the NUL. */
static size_t take_bytes(char *bytes, size_t item, size_t n, void *context)
{
    transfer *t = context;
    tin_http_response *r = t->response;
    size_t size = item * n;
    if (size > t->most - r->size) {
        t->status = tin_fail_at(t->err, TIN_ERR_IO, t->shown, 0, "the answer is longer than %zu bytes", t->most);
        return 0;
    }
    if (r->size + size + 1 > t->capacity) {
        size_t capacity = 2 * (r->size + size) + 1;
        char *grown = tin_grow(r->body, t->capacity, capacity, 1, t->err);
        if (!grown) {
            t->status = TIN_ERR_MEMORY;
            return 0;
        }
        r->body = grown;
        t->capacity = capacity;
    }
    memcpy(r->body + r->size, bytes, size);
    r->size += size;
    return size;
}

static int look_for_stop(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    transfer *t = context;
    if (!tin_stop_requested()) {
        return 0;
    }
    t->status = TIN_ERR_INTERRUPTED;
    return 1;
}

/* The first failure sticks in *failed. */
#define SET(option, value) *failed = *failed ? *failed : curl_easy_setopt(curl, option, value)

static void set_body(CURL *curl, const tin_http_request *request, CURLcode *failed)
{
    if (request->body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        SET(CURLOPT_POSTFIELDS, (const char *)request->body);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, request->method);
}

static CURLcode prepare(CURL *curl, const tin_http_request *request, struct curl_slist *lines, transfer *t)
{
    CURLcode code = CURLE_OK, *failed = &code;
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, strncasecmp(request->url, "https:", 6) == 0 ? "https" : "http,https");
    SET(CURLOPT_FOLLOWLOCATION, request->max_redirects > 0 ? 1L : 0L);
    SET(CURLOPT_MAXREDIRS, (long)request->max_redirects);
    SET(CURLOPT_USERAGENT, "tinamou/" TINAMOU_VERSION);
    SET(CURLOPT_HTTPHEADER, lines);
    SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, SILENT_SECONDS);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, look_for_stop);
    SET(CURLOPT_XFERINFODATA, t);
    SET(CURLOPT_WRITEFUNCTION, take_bytes);
    SET(CURLOPT_WRITEDATA, t);
    set_body(curl, request, failed);
    return code;
}

static tin_status add_line(struct curl_slist **lines, const char *line, tin_error *err)
{
    struct curl_slist *longer = curl_slist_append(*lines, line);
    if (!longer) {
        return tin_fail(err, TIN_ERR_MEMORY, "out of memory for a request");
    }
    *lines = longer;
    return TIN_OK;
}

static tin_status header_lines(const tin_http_request *request, struct curl_slist **lines, tin_error *err)
{
    char line[128];
    tin_status status = add_line(lines, "Expect:", err); /* no question whether a body may come */
    if (request->body) {
        snprintf(line, sizeof line, "Content-Type: %s",
                 request->content_type ? request->content_type : "application/octet-stream");
        status = status ? status : add_line(lines, line, err);
    }
    for (const char *const *header = request->headers; header && *header && !status; header++) {
        status = add_line(lines, *header, err);
    }
    return status;
}

static tin_status no_answer(const transfer *t, CURLcode code, const char *detail)
{
    if (t->status) {
        return t->status;
    }
    if (code == CURLE_OUT_OF_MEMORY) {
        return tin_fail(t->err, TIN_ERR_MEMORY, "out of memory for a request");
    }
    return tin_fail_at(t->err, TIN_ERR_IO, t->shown, 0,
                       "no whole answer: %s; check the address, the network and that the server runs",
                       detail[0] ? detail : curl_easy_strerror(code));
}

static tin_status transfer_all(CURL *curl, const tin_http_request *request, transfer *t)
{
    char detail[CURL_ERROR_SIZE] = "";
    const char *redirect = NULL;
    struct curl_slist *lines = NULL;
    tin_status status = header_lines(request, &lines, t->err);
    if (status == TIN_OK) {
        CURLcode code = prepare(curl, request, lines, t);
        code = code ? code : curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
        code = code ? code : curl_easy_perform(curl);
        code = code ? code : curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &t->response->status);
        code = code ? code : curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirect);
        status = code ? no_answer(t, code, detail) : TIN_OK;
    }
    if (status == TIN_OK && redirect) {
        tin_http_show(redirect, t->response->redirect, sizeof t->response->redirect);
    }
    curl_slist_free_all(lines);
    return status;
}

tin_status tin_http_send(const tin_http_request *request, tin_http_response *response, tin_error *err)
{
    *response = (tin_http_response){0};
    transfer t = {.response = response,
                  .capacity = 1,
                  .most = request->most_bytes ? request->most_bytes : TIN_HTTP_MOST_BYTES,
                  .err = err};
    tin_http_show(request->url, t.shown, sizeof t.shown);
    if (!is_address(request->url)) {
        return tin_fail(err, TIN_ERR_USAGE, "'%.200s' is no address of a server; give one like http://HOST:PORT",
                        request->url);
    }
    response->body = tin_alloc(1, 1, err); /* an answer without a body is an empty text */
    if (!response->body) {
        return TIN_ERR_MEMORY;
    }
    CURL *curl = curl_easy_init();
    tin_status status =
        curl ? transfer_all(curl, request, &t) : tin_fail(err, TIN_ERR_MEMORY, "out of memory for a request");
    curl_easy_cleanup(curl);
    return status;
}

void tin_http_free(tin_http_response *response)
{
    tin_free(response->body);
    *response = (tin_http_response){0};
}
