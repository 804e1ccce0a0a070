/* A server on loopback for tests: one thread, one connection at a time, whatever answers the test likes. */
#ifndef TIN_FAKE_SERVER_H
#define TIN_FAKE_SERVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAKE_MOST 65536

typedef struct fake_server {
    /* The bytes to send back for a request (head and body), NULL: close the connection. */
    const char *(*answer)(struct fake_server *server, const char *request);
    void *context;
    int port, listener;
    int n_requests;
    char url[64]; /* http://127.0.0.1:PORT */
    pthread_t thread;
} fake_server;

/* Reads until the length that the head announces; the text ends with NUL. */
static inline void fake_read(int connection, char *request)
{
    size_t size = 0, whole = FAKE_MOST;
    while (size < FAKE_MOST - 1 && size < whole) {
        ssize_t n = recv(connection, request + size, FAKE_MOST - 1 - size, 0);
        if (n <= 0)
            break;
        size += (size_t)n;
        request[size] = '\0';
        const char *end = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "\r\nContent-Length:");
        if (end)
            whole = (size_t)(end - request) + 4 + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    }
    request[size] = '\0';
}

static inline void *fake_serve(void *context)
{
    fake_server *server = context;
    char *request = malloc(FAKE_MOST);
    for (;;) {
        int connection = accept(server->listener, NULL, NULL);
        if (connection < 0)
            break;
        fake_read(connection, request);
        server->n_requests++;
        const char *bytes = server->answer(server, request);
        if (bytes)
            (void)!send(connection, bytes, strlen(bytes), MSG_NOSIGNAL);
        shutdown(connection, SHUT_WR);
        close(connection);
    }
    free(request);
    return NULL;
}

static inline bool fake_start(fake_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server->listener, 16) != 0 || getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
        return false;
    server->port = ntohs(address.sin_port);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", server->port);
    return pthread_create(&server->thread, NULL, fake_serve, server) == 0;
}

static inline void fake_stop(fake_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    close(server->listener);
    pthread_join(server->thread, NULL);
}

#endif
