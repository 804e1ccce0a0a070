/* For the tests of `data fetch`: archives made in memory, and a server on loopback that hands one out, well or badly. */
#ifndef ARCHIVE_SERVER_H
#define ARCHIVE_SERVER_H

#include <archive.h>
#include <archive_entry.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct packed {
    char bytes[1 << 18];
    size_t size;
} packed;

typedef struct item {
    const char *name, *text; /* text NULL: a folder */
    const char *symlink, *hardlink;
    const packed *inner; /* instead of text */
} item;

static inline void pack(packed *p, bool zip, const item *items, size_t n)
{
    struct archive *a = archive_write_new();
    if (zip) {
        archive_write_set_format_zip(a);
    } else {
        archive_write_set_format_pax_restricted(a);
        archive_write_add_filter_gzip(a);
        archive_write_set_options(a, "gzip:!timestamp");
    }
    archive_write_set_bytes_in_last_block(a, 1);
    if (archive_write_open_memory(a, p->bytes, sizeof p->bytes, &p->size) != ARCHIVE_OK)
        abort();
    for (size_t i = 0; i < n; i++) {
        const char *bytes = items[i].inner != NULL ? items[i].inner->bytes : items[i].text;
        const size_t size = items[i].inner != NULL ? items[i].inner->size : bytes != NULL ? strlen(bytes) : 0;
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, items[i].name);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_filetype(e, bytes != NULL ? AE_IFREG : items[i].symlink != NULL ? AE_IFLNK : AE_IFDIR);
        archive_entry_set_size(e, (la_int64_t)size);
        if (items[i].symlink != NULL)
            archive_entry_set_symlink(e, items[i].symlink);
        if (items[i].hardlink != NULL)
            archive_entry_set_hardlink(e, items[i].hardlink);
        if (archive_write_header(a, e) != ARCHIVE_OK ||
            (size > 0 && archive_write_data(a, bytes, size) != (la_ssize_t)size))
            abort();
        archive_entry_free(e);
    }
    if (archive_write_close(a) != ARCHIVE_OK)
        abort();
    archive_write_free(a);
}

typedef struct archive_server {
    const packed *body;
    const char *version; /* ETag; NULL: none */
    size_t cut_after;    /* bytes of each answer's body, 0: all */
    bool ignores_range;
    const char *redirect; /* for paths that begin with /r; NULL: to themselves */
    int n_requests;
    unsigned long long from_byte; /* of the last request */
    char url[64];
    int listener;
    pthread_t thread;
} archive_server;

static inline void send_text(int connection, const char *text)
{
    (void)!send(connection, text, strlen(text), MSG_NOSIGNAL);
}

static inline void answer_request(archive_server *s, int connection, const char *request)
{
    char head[512];
    const char *range = strcasestr(request, "\r\nRange: bytes="), *only = strcasestr(request, "\r\nIf-Range: ");
    s->n_requests++;
    s->from_byte = range != NULL ? strtoull(range + 15, NULL, 10) : 0;
    if (strncmp(request, "GET /none", 9) == 0) {
        send_text(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
        return;
    }
    if (strncmp(request, "GET /r", 6) == 0) {
        (void)snprintf(head, sizeof head, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                       s->redirect != NULL ? s->redirect : "/r");
        send_text(connection, head);
        return;
    }
    if (s->ignores_range ||
        (only != NULL && s->version != NULL && strncmp(only + 12, s->version, strlen(s->version)) != 0))
        range = NULL;
    size_t start = range != NULL ? (size_t)s->from_byte : 0;
    if (start > 0 && start >= s->body->size) {
        send_text(connection, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    int n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n",
                     range != NULL ? "206 Partial" : "200 OK", s->body->size - start);
    if (range != NULL)
        n += snprintf(head + n, sizeof head - (size_t)n, "Content-Range: bytes %zu-%zu/%zu\r\n", start,
                      s->body->size - 1, s->body->size);
    if (s->version != NULL)
        n += snprintf(head + n, sizeof head - (size_t)n, "ETag: %s\r\n", s->version);
    (void)snprintf(head + n, sizeof head - (size_t)n, "\r\n");
    send_text(connection, head);
    size_t size = s->body->size - start;
    size = s->cut_after > 0 && size > s->cut_after ? s->cut_after : size;
    (void)!send(connection, s->body->bytes + start, size, MSG_NOSIGNAL);
}

static inline void *serve_archive(void *context)
{
    archive_server *s = context;
    for (int connection; (connection = accept(s->listener, NULL, NULL)) >= 0;) {
        char request[4096];
        size_t size = 0;
        ssize_t n = 1;
        request[0] = '\0';
        while (n > 0 && size < sizeof request - 1 && strstr(request, "\r\n\r\n") == NULL) {
            n = recv(connection, request + size, sizeof request - 1 - size, 0);
            size += n > 0 ? (size_t)n : 0;
            request[size] = '\0';
        }
        answer_request(s, connection, request);
        shutdown(connection, SHUT_WR);
        close(connection);
    }
    return NULL;
}

static inline void start_server(archive_server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&address, size) != 0 || listen(s->listener, 16) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&s->thread, NULL, serve_archive, s) != 0)
        abort();
    (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
}

static inline void stop_server(archive_server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    close(s->listener);
    pthread_join(s->thread, NULL);
}

#endif
