/* One HTTP request (libcurl): a body out of memory, an answer into memory. Loopback, a company's server or the internet; proxies
 * by the usual variables of the environment. https is checked against the system's certificates, and a redirect never leads
 * from https to anything else.
 *
 *     tin_http_response answer;
 *     tin_http_request get = {.method = "GET", .url = "http://127.0.0.1:5000/health"};
 *     if (tin_http_send(&get, &answer, &err) == TIN_OK && answer.status == 200) ...
 *     tin_http_free(&answer); */
#ifndef TIN_HTTP_H
#define TIN_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TIN_HTTP_MOST_BYTES ((size_t)64 << 20) /* of an answer, unless the request says otherwise */

struct tin_http_response;

typedef struct tin_http_request {
    const char *method; /* "GET", "POST", "PUT" */
    const char *url;    /* http:// or https:// */
    const void *body;   /* [body_size]; NULL: none */
    size_t body_size;
    const char *content_type;   /* of the body */
    const char *const *headers; /* further lines "Name: value", ends with NULL; NULL: none */
    size_t most_bytes;          /* of the answer; a longer one is an error; 0: TIN_HTTP_MOST_BYTES */
    int max_redirects;          /* 0: a redirect is an answer like any other */
    /* Takes the body of an answer 200 or 206 as it comes, instead of response->body; the rest of `head` is filled. What it
     * returns but TIN_OK ends the transfer and is returned. NULL: none. */
    tin_status (*take)(void *context, const struct tin_http_response *head, const void *bytes, size_t size,
                       tin_error *err);
    void *context;
    uint64_t from_byte;    /* asks for the bytes from here on; the answer is 206 where the server can do that */
    const char *unchanged; /* ... if the server's version is still that of this `version`, else for all; NULL: none */
} tin_http_request;

typedef struct tin_http_response {
    long status;         /* 200, 404, ...: whatever the server said */
    uint64_t from_byte;  /* of a 206: where the body starts in the whole */
    uint64_t whole;      /* bytes of the whole body, as far as the head tells; 0: it does not */
    char version[256];   /* ETag (a strong one) or Last-Modified: tells a changed file from the same one; "" */
    char *body;          /* NUL-terminated, never NULL after success */
    size_t size;         /* without the NUL */
    char redirect[1024]; /* where a redirect that was not followed leads to, without user and password; "" */
} tin_http_response;

/* TIN_OK when an answer came, also one that says 404. TIN_ERR_IO with the address when none came, or one that is cut off or
 * too long, or no byte for a minute; TIN_ERR_USAGE for an address that is none; TIN_ERR_INTERRUPTED when the user stopped.
 * tin_http_free in any case. */
tin_status tin_http_send(const tin_http_request *request, tin_http_response *response, tin_error *err) TIN_USE_RESULT;
void tin_http_free(tin_http_response *response);

/* The address without user, password and query, as messages show it. */
void tin_http_show(const char *url, char *text, size_t size);

#endif
