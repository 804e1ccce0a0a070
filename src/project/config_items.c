/* Reads what config_text.c writes. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "project/config.h"

#define MOST_DEPTH 16

typedef struct reader {
    const char *at, *end;
    char key[256]; /* of the setting that is read */
    int depth;
    tin_config_item *items;
    size_t n, capacity;
    tin_error *err;
} reader;

static tin_status broken(reader *r)
{
    return tin_fail(r->err, TIN_ERR_FORMAT, "the settings of the run are damaged behind '%s'; make the run again",
                    r->key);
}

static bool take(reader *r, char c)
{
    bool there = r->at < r->end && *r->at == c;
    r->at += there;
    return there;
}

static tin_status add(reader *r, const char *value)
{
    if (r->n == r->capacity) {
        size_t capacity = 2 * r->capacity + 64;
        tin_config_item *grown = r->items ? tin_grow(r->items, r->capacity, capacity, sizeof *grown, r->err)
                                          : tin_alloc(capacity, sizeof *grown, r->err);
        if (!grown) {
            return TIN_ERR_MEMORY;
        }
        r->items = grown;
        r->capacity = capacity;
    }
    tin_config_item *item = &r->items[r->n++];
    item->key = tin_strdup(r->key, r->err);
    item->value = item->key ? tin_strdup(value, r->err) : NULL;
    return item->value ? TIN_OK : TIN_ERR_MEMORY;
}

/* "5:small" behind its number: so many bytes. */
static tin_status read_text(reader *r, size_t length, tin_text *text)
{
    if (!take(r, ':') || length > (size_t)(r->end - r->at)) {
        return broken(r);
    }
    tin_text_add_bytes(text, r->at, length);
    r->at += length;
    return TIN_OK;
}

static tin_status read_count(reader *r, size_t *count)
{
    const char *start = r->at;
    for (*count = 0; r->at < r->end && isdigit((unsigned char)*r->at) && *count < 100000000; r->at++) {
        *count = 10 * *count + (size_t)(*r->at - '0');
    }
    return r->at > start ? TIN_OK : broken(r);
}

static tin_status read_settings(reader *r, char last);

static tin_status read_list(reader *r, size_t count)
{
    tin_text joined = {0};
    size_t length = strlen(r->key), n;
    tin_status status = TIN_OK;
    bool texts = r->at < r->end && (isdigit((unsigned char)*r->at) || *r->at == ']');
    for (size_t i = 0; i < count && !status; i++) {
        if (texts) {
            tin_text_add(&joined, i > 0 ? ", " : "");
            status = read_count(r, &n);
            status = status ? status : read_text(r, n, &joined);
        } else {
            snprintf(r->key + length, sizeof r->key - length, ".%zu", i);
            status = read_settings(r, ';');
            r->key[length] = '\0';
        }
        status = status ? status : take(r, '\n') ? TIN_OK : broken(r);
    }
    status = status ? status : take(r, ']') ? TIN_OK : broken(r);
    status = status ? status : tin_text_check(&joined, r->err);
    if (status == TIN_OK && texts) {
        status = add(r, joined.data ? joined.data : "");
    }
    tin_text_free(&joined);
    return status;
}

/* 0.80000000000000004 is 0.8 for people: the fewest digits that give the same number. */
static tin_status add_plain(reader *r, const char *start)
{
    char value[128], shorter[64], *end = NULL;
    snprintf(value, sizeof value, "%.*s", (int)(r->at - start), start);
    double number = strtod(value, &end);
    if (strpbrk(value, ".e") && end != value && *end == '\0') {
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(shorter, sizeof shorter, "%.*g", digits, number);
            if (strtod(shorter, NULL) == number) {
                return add(r, shorter);
            }
        }
    }
    return add(r, value);
}

static tin_status read_counted(reader *r)
{
    size_t count;
    tin_text text = {0};
    tin_status status = read_count(r, &count);
    if (status) {
        return status;
    }
    if (take(r, '[')) {
        return take(r, '\n') ? read_list(r, count) : broken(r);
    }
    status = read_text(r, count, &text);
    status = status ? status : tin_text_check(&text, r->err);
    status = status ? status : add(r, text.data ? text.data : "");
    tin_text_free(&text);
    return status;
}

static tin_status read_value(reader *r)
{
    const char *start = r->at;
    size_t digits = strspn(start, "0123456789");
    if (take(r, '{')) {
        return take(r, '\n') ? read_settings(r, '}') : broken(r);
    }
    if (digits > 0 && (start[digits] == ':' || start[digits] == '[')) {
        return read_counted(r);
    }
    while (r->at < r->end && *r->at != '\n') {
        r->at++;
    }
    return add_plain(r, start);
}

/* KEY=VALUE lines up to the mark, which is taken; '\0': up to the end. */
static tin_status read_settings(reader *r, char last)
{
    size_t length = strlen(r->key);
    tin_status status = ++r->depth > MOST_DEPTH ? broken(r) : TIN_OK;
    while (status == TIN_OK && !(last == '\0' ? r->at == r->end : take(r, last))) {
        size_t n = strcspn(r->at, "=\n");
        if (r->at + n >= r->end || r->at[n] != '=' || n == 0 || length + n + 2 > sizeof r->key) {
            status = broken(r);
            break;
        }
        snprintf(r->key + length, sizeof r->key - length, "%s%.*s", length > 0 ? "." : "", (int)n, r->at);
        r->at += n + 1;
        status = read_value(r);
        status = status ? status : take(r, '\n') ? TIN_OK : broken(r);
        r->key[length] = '\0';
    }
    r->depth--;
    return status;
}

tin_status tin_config_items(const char *canonical, tin_config_item **items, size_t *n, tin_error *err)
{
    reader r = {.at = canonical, .end = canonical + strlen(canonical), .err = err};
    tin_status status = read_settings(&r, '\0');
    *items = r.items;
    *n = r.n;
    return status;
}

void tin_config_items_free(tin_config_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tin_free(items[i].key);
        tin_free(items[i].value);
    }
    tin_free(items);
}
