#include "base/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/progress.h"

#define CONNECT_SECONDS 20L
#define SILENT_SECONDS 60L

/* What the callbacks of one transfer share. */
typedef struct transfer {
    CURL *curl;
    const tin_http_request *request;
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

/* A line of the head. Each answer on the way, redirects too, begins with one of its own. */
static size_t take_line(char *line, size_t item, size_t n, void *context)
{
    tin_http_response *r = ((transfer *)context)->response;
    char text[512];
    const size_t size = item * n;
    snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), line);
    text[strcspn(text, "\r\n")] = '\0';
    const char *value = strchr(text, ':');
    value = value ? value + 1 + strspn(value + 1, " \t") : "";
    if (strncasecmp(text, "HTTP/", 5) == 0) {
        r->from_byte = r->whole = 0;
        r->version[0] = '\0';
    } else if (strncasecmp(text, "Content-Length:", 15) == 0 && r->whole == 0) {
        r->whole = strtoull(value, NULL, 10);
    } else if (strncasecmp(text, "Content-Range:", 14) == 0 && strncasecmp(value, "bytes ", 6) == 0) {
        const char *slash = strchr(value, '/');
        r->from_byte = strtoull(value + 6, NULL, 10);
        r->whole = slash ? strtoull(slash + 1, NULL, 10) : 0;
    } else if (strncasecmp(text, "ETag:", 5) == 0 && value[0] == '"' && strlen(value) < sizeof r->version) {
        snprintf(r->version, sizeof r->version, "%s", value);
    } else if (strncasecmp(text, "Last-Modified:", 14) == 0 && r->version[0] == '\0' &&
               strlen(value) < sizeof r->version) {
        snprintf(r->version, sizeof r->version, "%s", value);
    }
    return size;
}

/* Hands the bytes on when the request wants them so. */
static bool pass_on(transfer *t, const char *bytes, size_t size)
{
    long status = 0;
    if (!t->request->take || curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
        (status != 200 && status != 206)) {
        return false;
    }
    t->response->status = status;
    t->status = t->request->take(t->request->context, t->response, bytes, size, t->err);
    return true;
}

/* Keeps room for the NUL. */
static size_t take_bytes(char *bytes, size_t item, size_t n, void *context)
{
    transfer *t = context;
    tin_http_response *r = t->response;
    size_t size = item * n;
    if (pass_on(t, bytes, size)) {
        return t->status ? 0 : size;
    }
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
    SET(CURLOPT_HEADERFUNCTION, take_line);
    SET(CURLOPT_HEADERDATA, t);
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
    char line[512];
    tin_status status = add_line(lines, "Expect:", err); /* no question whether a body may come */
    if (request->from_byte > 0) {
        snprintf(line, sizeof line, "Range: bytes=%llu-", (unsigned long long)request->from_byte);
        status = status ? status : add_line(lines, line, err);
    }
    if (request->from_byte > 0 && request->unchanged) {
        snprintf(line, sizeof line, "If-Range: %.400s", request->unchanged);
        status = status ? status : add_line(lines, line, err);
    }
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
    transfer t = {.request = request,
                  .response = response,
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
    CURL *curl = t.curl = curl_easy_init();
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
