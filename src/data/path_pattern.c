#include "data/path_pattern.h"

#include <string.h>

#include "base/text.h"

const tin_capture *tin_capture_find(const tin_captures *captures, const char *name, size_t name_size)
{
    for (int i = 0; i < captures->n; i++)
        if (captures->items[i].name_size == name_size && memcmp(captures->items[i].name, name, name_size) == 0)
            return &captures->items[i];
    return NULL;
}

tin_status tin_pattern_check(const char *pattern, const char *setting, tin_error *err)
{
    int n = 0;
    for (const char *p = pattern; *p != '\0'; p++) {
        const char *end = *p == '{' ? p + 1 + strcspn(p + 1, "{}/") : p;
        if (*p == '}' || (*p == '{' && (*end != '}' || end == p + 1)))
            return tin_fail(err, TIN_ERR_CONFIG,
                            "%s is '%s'; write captures as {name}, e.g. \"{subject}_{session}.csv\"", setting, pattern);
        n += *p == '{';
        p = end;
    }
    return n <= TIN_MAX_CAPTURES
               ? TIN_OK
               : tin_fail(err, TIN_ERR_CONFIG, "%s is '%s'; at most %d captures are possible, use * for the rest",
                          setting, pattern, TIN_MAX_CAPTURES);
}

/* `*set` stands behind "["; true when the character is in it. *next is behind the "]". */
static bool in_set(const char *set, char c, const char **next)
{
    const char *s = set;
    bool negated = *s == '!' || *s == '^', found = false;
    s += negated;
    for (const char *first = s; *s != '\0' && (*s != ']' || s == first); s++) {
        if (s[1] == '-' && s[2] != ']' && s[2] != '\0') {
            found |= c >= s[0] && c <= s[2];
            s += 2;
        } else {
            found |= c == *s;
        }
    }
    *next = *s == ']' ? s + 1 : NULL;
    return found != negated;
}

static bool match(const char *p, const char *s, tin_captures *captures);

static bool match_folders(const char *rest, const char *s, tin_captures *captures)
{
    for (; s != NULL; s = strchr(s, '/'), s = s == NULL ? NULL : s + 1)
        if (match(rest, s, captures))
            return true;
    return false;
}

static bool match_star(const char *rest, const char *s, tin_captures *captures)
{
    for (;; s++) {
        if (match(rest, s, captures))
            return true;
        if (*s == '\0' || *s == '/')
            return false;
    }
}

static bool match_capture(const char *p, const char *s, tin_captures *captures)
{
    const size_t size = strcspn(p, "}");
    const tin_capture *known = tin_capture_find(captures, p, size);
    const char *rest = p + size + (p[size] == '}');
    if (known != NULL)
        return strncmp(s, known->text, known->size) == 0 && match(rest, s + known->size, captures);
    const bool slashes = size == 2 && memcmp(p, "id", 2) == 0;
    if (captures->n == TIN_MAX_CAPTURES)
        return false;
    const int index = captures->n;
    for (size_t n = 1; s[n - 1] != '\0' && (slashes || s[n - 1] != '/'); n++) {
        captures->n = index + 1;
        captures->items[index] = (tin_capture){.name = p, .name_size = size, .text = s, .size = n};
        if (match(rest, s + n, captures))
            return true;
    }
    captures->n = index;
    return false;
}

static bool match(const char *p, const char *s, tin_captures *captures)
{
    for (; *p != '\0'; s++) {
        if (strncmp(p, "**/", 3) == 0)
            return match_folders(p + 3, s, captures);
        if (*p == '*')
            return match_star(p + 1, s, captures);
        if (*p == '{')
            return match_capture(p + 1, s, captures);
        if (*s == '\0')
            return false;
        const char *next = NULL;
        const bool in = *p == '[' && in_set(p + 1, *s, &next);
        if (next != NULL) { /* a "[" without its "]" is itself */
            if (*s == '/' || !in)
                return false;
            p = next;
        } else if (*p == '?' ? *s == '/' : *p != *s) {
            return false;
        } else {
            p++;
        }
    }
    return *s == '\0';
}

bool tin_pattern_match(const char *pattern, const char *path, tin_captures *captures)
{
    captures->n = 0;
    return match(pattern, path, captures);
}

tin_status tin_pattern_fill(const char *pattern, const tin_captures *captures, const char *setting, char **text,
                            tin_error *err)
{
    tin_text out = {0};
    *text = NULL;
    tin_text_add(&out, "");
    for (const char *p = pattern; *p != '\0';) {
        size_t plain = strcspn(p, "{");
        tin_text_add_bytes(&out, p, plain);
        p += plain;
        if (*p == '\0')
            break;
        size_t size = strcspn(p + 1, "}"), name = size;
        bool number = size > 2 && memcmp(p + 1 + size - 2, ":d", 2) == 0;
        name -= number ? 2 : 0;
        const tin_capture *c = tin_capture_find(captures, p + 1, name);
        if (c == NULL || p[1 + size] != '}') {
            tin_text_free(&out);
            return tin_fail(
                err, TIN_ERR_CONFIG,
                "%s is '%s'; there is no {%.*s} in data.import.files.path: name that part of the path there", setting,
                pattern, (int)name, p + 1);
        }
        size_t zeros = 0;
        while (number && zeros + 1 < c->size && c->text[zeros] == '0')
            zeros++;
        tin_text_add_bytes(&out, c->text + zeros, c->size - zeros);
        p += size + 2;
    }
    tin_status status = tin_text_check(&out, err);
    if (status == TIN_OK)
        *text = out.data;
    else
        tin_text_free(&out);
    return status;
}
