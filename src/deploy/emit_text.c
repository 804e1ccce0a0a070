/* Pieces of C text: arrays, kernels, strings, comments. */
#include <stdio.h>
#include <string.h>

#include "deploy/emit.h"

/* One list of the runtime's files that can be embedded. */
#define FRAGMENTS(X)                                                                                                   \
    X(kernel)                                                                                                          \
    X(requantize)                                                                                                      \
    X(sigmoid) X(dot4) X(linear) X(depthwise) X(gru) X(avg_pool) X(scale_input) X(decision) X(lanes) X(t2) X(t43)      \
        X(packed_linear) X(packed_gru)
#define X(file) extern const char tin_fragment_##file[];
FRAGMENTS(X)
#undef X

static const char *fragment_text(const char *file)
{
#define X(known)                                                                                                       \
    if (strcmp(file, #known) == 0) {                                                                                   \
        return tin_fragment_##known;                                                                                   \
    }
    FRAGMENTS(X)
#undef X
    return NULL;
}

/* The next place of one of the two prefixes in s, NULL when there is none. */
static const char *next_prefix(const char *s, bool *is_upper)
{
    const char *lower = strstr(s, "tink_"), *upper = strstr(s, "TINK_");
    *is_upper = upper != NULL && (lower == NULL || upper < lower);
    return *is_upper ? upper : lower;
}

/* tink_packed becomes the kernel of `encoding`. */
static void prefixed(tin_emit *e, const char *s, const char *end, tin_encoding encoding)
{
    bool is_upper;
    for (const char *hit; (hit = next_prefix(s, &is_upper)) != NULL && hit < end;) {
        tin_text_add_bytes(&e->source, s, (size_t)(hit - s));
        tin_text_printf(&e->source, "%s_", is_upper ? e->upper : e->name);
        s = hit + strlen("tink_");
        if (strncmp(s, "packed", strlen("packed")) == 0) {
            tin_text_add(&e->source, tin_encoding_name(encoding));
            s += strlen("packed");
        }
    }
    tin_text_add_bytes(&e->source, s, (size_t)(end - s));
}

void tin_emit_template(tin_emit *e, const char *file, tin_encoding encoding)
{
    static const char begin_mark[] = "/* [fragment] */\n", end_mark[] = "/* [end] */";
    const char *begin = strstr(fragment_text(file), begin_mark) + sizeof begin_mark - 1;
    prefixed(e, begin, strstr(begin, end_mark), encoding);
    tin_text_add(&e->source, "\n");
}

void tin_emit_fragment(tin_emit *e, const char *file)
{
    tin_emit_template(e, file, TIN_ENCODING_PLAIN);
}

void tin_emit_array(tin_emit *e, const char *type, const char *label, const char *suffix, long n, tin_emit_value value,
                    const void *context)
{
    tin_text *t = &e->source;
    tin_text_printf(t, "static const %s %s_%s_%s[%ld] = {", type, e->name, label, suffix, n);
    int column = TIN_EMIT_COLUMNS;
    for (long i = 0; i < n; i++) {
        char number[24];
        const int length = snprintf(number, sizeof number, "%ld,", value(context, i));
        const bool fits = column + 1 + length <= TIN_EMIT_COLUMNS;
        tin_text_add(t, fits ? " " : "\n    ");
        tin_text_add(t, number);
        column = (fits ? column + 1 : 4) + length;
    }
    tin_text_add(t, "\n};\n");
}

static long int32_at(const void *context, long index)
{
    return ((const int32_t *)context)[index];
}

void tin_emit_int32s(tin_emit *e, const char *label, const char *suffix, const int32_t *values, long n)
{
    tin_emit_array(e, "int32_t", label, suffix, n, int32_at, values);
}

typedef struct padded {
    const int32_t *values;
    long n;
} padded;

static long padded_at(const void *context, long index)
{
    const padded *p = context;
    return index < p->n ? p->values[index] : 0;
}

void tin_emit_int32s_by_4(tin_emit *e, const char *label, const char *suffix, const int32_t *values, long n)
{
    const padded p = {values, n};
    tin_emit_array(e, "int32_t", label, suffix, (n + 3) / 4 * 4, padded_at, &p);
}

void tin_emit_string(tin_text *text, const char *s)
{
    tin_text_add(text, "\"");
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\' || c == '?') { /* ? so that no trigraph comes about */
            tin_text_printf(text, "\\%c", c);
        } else if (c < 32 || c > 126) {
            tin_text_printf(text, "\\%03o", c);
        } else {
            tin_text_add_bytes(text, s, 1);
        }
    }
    tin_text_add(text, "\"");
}

/* Letters outside ASCII are kept out of comments: they may turn the writing direction or end a line in some editor. */
void tin_emit_comment(tin_text *text, const char *s)
{
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c < 32 || c > 126 || c == '*' || c == '\\' || c == '?') {
            tin_text_printf(text, "<%02x>", c);
        } else {
            tin_text_add_bytes(text, s, 1);
        }
    }
}
