/* HTTP against a server on loopback: what is sent, what comes back, and servers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/memory.h"
#include "tests/base/fake_server.h"

static char last_request[FAKE_MOST];

static const char *say(fake_server *server, const char *request)
{
    snprintf(last_request, sizeof last_request, "%s", request);
    return server->context;
}

static tin_status ask(const char *bytes, const tin_http_request *request, tin_http_response *response, tin_error *err)
{
    fake_server server = {.answer = say, .context = (void *)(uintptr_t)bytes};
    char url[128];
    assert_true(fake_start(&server));
    snprintf(url, sizeof url, "%s/a/b?secret=1", server.url);
    tin_http_request own = *request;
    own.url = url;
    tin_status status = tin_http_send(&own, response, err);
    fake_stop(&server);
    return status;
}

static void test_body_and_headers_arrive(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_http_response r;
    const tin_http_request put = {.method = "PUT",
                                  .body = "x\0y",
                                  .body_size = 3,
                                  .content_type = "text/plain",
                                  .headers = (const char *const[]){"Authorization: Bearer t", NULL}};
    assert_int_equal(ask("HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello", &put, &r, &err), TIN_OK);
    assert_int_equal(r.status, 201);
    assert_string_equal(r.body, "hello");
    assert_int_equal(r.size, 5);
    assert_ptr_equal(strstr(last_request, "PUT /a/b?secret=1 HTTP/1.1\r\n"), last_request);
    assert_non_null(strstr(last_request, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(last_request, "\r\nContent-Length: 3\r\n"));
    assert_non_null(strstr(last_request, "\r\nAuthorization: Bearer t\r\n"));
    assert_null(strstr(last_request, "\r\nExpect:"));
    tin_http_free(&r);
    const tin_http_request get = {.method = "GET"};
    assert_int_equal(ask("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", &get, &r, &err), TIN_OK);
    assert_int_equal(r.status, 500);
    assert_string_equal(r.body, "");
    tin_http_free(&r);
}

static void test_servers_that_misbehave(void **state)
{
    (void)state;
    const tin_http_request get = {.method = "GET"};
    static const char *const answers[] = {
        NULL,                                                     /* closes the connection */
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ntoo short", /* cut off */
        "\x01\x02 no HTTP at all\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        tin_error err = {0};
        tin_http_response r;
        assert_int_equal(ask(answers[i], &get, &r, &err), TIN_ERR_IO);
        assert_non_null(strstr(tin_error_text(&err), "no whole answer"));
        assert_non_null(strstr(err.file, "http://127.0.0.1:"));
        assert_null(strstr(err.file, "secret"));
        tin_http_free(&r);
    }
    tin_error err = {0};
    tin_http_response r;
    const tin_http_request little = {.method = "GET", .most_bytes = 4};
    assert_int_equal(ask("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", &little, &r, &err), TIN_ERR_IO);
    assert_non_null(strstr(err.message, "longer than 4 bytes"));
    tin_http_free(&r);
}

static void test_redirects_are_shown_or_followed(void **state)
{
    (void)state;
    tin_error err = {0};
    tin_http_response r;
    tin_http_request get = {.method = "GET"};
    const char *away =
        "HTTP/1.1 302 Found\r\nLocation: http://user:pass@127.0.0.1:1/x?y=1\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(ask(away, &get, &r, &err), TIN_OK);
    assert_int_equal(r.status, 302);
    assert_string_equal(r.redirect, "http://127.0.0.1:1/x");
    tin_http_free(&r);
    get.max_redirects = 3; /* to files and other schemes never, round in circles not for ever */
    static const char *const hostile[] = {
        "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: gopher://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        err = (tin_error){0};
        assert_int_not_equal(ask(hostile[i], &get, &r, &err), TIN_OK);
        assert_int_equal(r.size, 0);
        tin_http_free(&r);
    }
}

static void test_addresses_that_are_none(void **state)
{
    (void)state;
    static const char *const urls[] = {"", "http://", "file:///etc/passwd", "127.0.0.1 5000", "ftp://127.0.0.1/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        tin_error err = {0};
        tin_http_response r;
        const tin_http_request get = {.method = "GET", .url = urls[i]};
        assert_int_equal(tin_http_send(&get, &r, &err), TIN_ERR_USAGE);
        tin_http_free(&r);
    }
    tin_error err = {0};
    tin_http_response r;
    const tin_http_request nobody = {.method = "GET", .url = "http://u:geheim@127.0.0.1:1/"};
    assert_int_equal(tin_http_send(&nobody, &r, &err), TIN_ERR_IO);
    assert_null(strstr(tin_error_text(&err), "geheim"));
    tin_http_free(&r);
}

static void test_memory_fails_everywhere(void **state)
{
    (void)state;
    const tin_http_request get = {.method = "GET"};
    tin_status status = TIN_ERR_MEMORY;
    size_t at = 0;
    while (status) {
        tin_error err = {0};
        tin_http_response r;
        tin_memory_fail_at(++at);
        status = ask("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", &get, &r, &err);
        tin_memory_fail_at(0);
        assert_int_equal(status, status ? TIN_ERR_MEMORY : TIN_OK);
        tin_http_free(&r);
    }
    assert_true(at > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_and_headers_arrive),         cmocka_unit_test(test_servers_that_misbehave),
        cmocka_unit_test(test_redirects_are_shown_or_followed), cmocka_unit_test(test_addresses_that_are_none),
        cmocka_unit_test(test_memory_fails_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
