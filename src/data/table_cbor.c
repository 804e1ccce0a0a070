/* CBOR into jansson's tree, by libcbor's streaming decoder: it allocates nothing, so that lengths in the file cost no
 * memory before their bytes are seen. */
#include <cbor.h>
#include <math.h>
#include <string.h>

#include "data/table_acquisition.h"

#define MAX_DEPTH 16

/* A list or map whose items are being read. */
typedef struct level {
    json_t *container; /* of its parent, or root */
    json_t *key;       /* of a map, owned; NULL: the next item is a key */
    uint64_t left;     /* items to come, keys counted too */
    bool until_break;
} level;

typedef struct builder {
    json_t *root;
    level levels[MAX_DEPTH];
    int depth;
    const char *problem; /* NULL: none */
    bool no_memory;
} builder;

static void refuse(builder *b, const char *problem)
{
    if (b->problem == NULL)
        b->problem = problem;
}

/* Lists and maps that have all their items. */
static void close_full(builder *b)
{
    while (b->depth > 0 && !b->levels[b->depth - 1].until_break && b->levels[b->depth - 1].left == 0)
        if (--b->depth > 0)
            b->levels[b->depth - 1].left--;
}

static bool add_to_map(builder *b, level *top, json_t *item)
{
    if (top->key == NULL) {
        if (!json_is_string(item) || json_object_get(top->container, json_string_value(item)) != NULL) {
            refuse(b, json_is_string(item) ? "a map has a key twice" : "a map's key is no text");
            json_decref(item);
            return false;
        }
        top->key = item;
        return true;
    }
    b->no_memory = json_object_set_new(top->container, json_string_value(top->key), item) != 0;
    json_decref(top->key);
    top->key = NULL;
    return !b->no_memory;
}

/* Takes the item, NULL: no memory for it. True when it is in its place. */
static bool put(builder *b, json_t *item)
{
    b->no_memory |= item == NULL;
    if (b->problem != NULL || b->no_memory) {
        json_decref(item);
        return false;
    }
    if (b->depth == 0) {
        b->root = item;
        return true;
    }
    level *top = &b->levels[b->depth - 1];
    if (json_is_object(top->container))
        return add_to_map(b, top, item);
    b->no_memory = json_array_append_new(top->container, item) != 0;
    return !b->no_memory;
}

static void add(builder *b, json_t *item)
{
    if (put(b, item) && b->depth > 0) {
        b->levels[b->depth - 1].left--;
        close_full(b);
    }
}

static void open_level(builder *b, json_t *container, uint64_t n, bool until_break)
{
    if (b->depth == MAX_DEPTH)
        refuse(b, "lists and maps are nested too deep");
    if (n > UINT64_MAX / 2)
        refuse(b, "a list or map is impossibly long");
    if (!put(b, container))
        return;
    b->levels[b->depth++] =
        (level){.container = container, .left = json_is_object(container) ? 2 * n : n, .until_break = until_break};
    close_full(b);
}

static void on_break(void *context)
{
    builder *b = context;
    if (b->depth == 0 || !b->levels[b->depth - 1].until_break || b->levels[b->depth - 1].key != NULL) {
        refuse(b, "there is an end where nothing ends");
        return;
    }
    if (--b->depth > 0) {
        b->levels[b->depth - 1].left--;
        close_full(b);
    }
}

static void on_text(void *context, cbor_data text, size_t size)
{
    builder *b = context;
    json_t *item = json_stringn((const char *)text, size);
    if (item == NULL || memchr(text, 0, size) != NULL)
        refuse(b, "a text is not UTF-8 or holds a NUL");
    if (b->problem == NULL)
        add(b, item);
    else
        json_decref(item);
}

static void on_uint64(void *context, uint64_t value)
{
    if (value > INT64_MAX)
        refuse(context, "a whole number has more than 63 bits");
    add(context, json_integer((json_int_t)(value & INT64_MAX)));
}
static void on_uint32(void *context, uint32_t value)
{
    on_uint64(context, value);
}
static void on_uint16(void *context, uint16_t value)
{
    on_uint64(context, value);
}
static void on_uint8(void *context, uint8_t value)
{
    on_uint64(context, value);
}
static void on_negative64(void *context, uint64_t value)
{
    if (value > INT64_MAX)
        refuse(context, "a whole number has more than 63 bits");
    add(context, json_integer(-1 - (json_int_t)(value & INT64_MAX)));
}
static void on_negative32(void *context, uint32_t value)
{
    on_negative64(context, value);
}
static void on_negative16(void *context, uint16_t value)
{
    on_negative64(context, value);
}
static void on_negative8(void *context, uint8_t value)
{
    on_negative64(context, value);
}
static void on_double(void *context, double value)
{
    if (!isfinite(value))
        refuse(context, "a number is not finite");
    add(context, json_real(isfinite(value) ? value : 0));
}
static void on_float(void *context, float value)
{
    on_double(context, (double)value);
}
static void on_boolean(void *context, bool value)
{
    add(context, json_boolean(value));
}
static void on_null(void *context)
{
    add(context, json_null());
}
static void on_list(void *context, size_t n)
{
    open_level(context, json_array(), n, false);
}
static void on_endless_list(void *context)
{
    open_level(context, json_array(), 0, true);
}
static void on_map(void *context, size_t n)
{
    open_level(context, json_object(), n, false);
}
static void on_endless_map(void *context)
{
    open_level(context, json_object(), 0, true);
}
static void on_tag(void *context, uint64_t tag)
{
    (void)context, (void)tag; /* what it marks is taken as it is */
}
static void on_bytes(void *context, cbor_data bytes, size_t size)
{
    (void)bytes, (void)size;
    refuse(context, "there is a string of bytes");
}
static void on_other(void *context)
{
    refuse(context, "there is a string in pieces, a string of bytes, or an undefined value");
}

tin_status tin_cbor_parse(const tin_table_input *in, json_t **root, tin_error *err)
{
    static const struct cbor_callbacks callbacks = {.uint8 = on_uint8,
                                                    .uint16 = on_uint16,
                                                    .uint32 = on_uint32,
                                                    .uint64 = on_uint64,
                                                    .negint64 = on_negative64,
                                                    .negint32 = on_negative32,
                                                    .negint16 = on_negative16,
                                                    .negint8 = on_negative8,
                                                    .byte_string_start = on_other,
                                                    .byte_string = on_bytes,
                                                    .string = on_text,
                                                    .string_start = on_other,
                                                    .indef_array_start = on_endless_list,
                                                    .array_start = on_list,
                                                    .indef_map_start = on_endless_map,
                                                    .map_start = on_map,
                                                    .tag = on_tag,
                                                    .float2 = on_float,
                                                    .float4 = on_float,
                                                    .float8 = on_double,
                                                    .undefined = on_other,
                                                    .null = on_null,
                                                    .boolean = on_boolean,
                                                    .indef_break = on_break};
    builder b = {0};
    size_t at = 0;
    do {
        struct cbor_decoder_result step = cbor_stream_decode(in->data + at, in->size - at, &callbacks, &b);
        if (step.status == CBOR_DECODER_NEDATA)
            refuse(&b, "the file is cut");
        else if (step.status != CBOR_DECODER_FINISHED)
            refuse(&b, "a byte has no meaning there");
        at += step.read;
    } while (b.problem == NULL && !b.no_memory && (b.root == NULL || b.depth > 0));
    if (at < in->size)
        refuse(&b, "there is something behind the end");
    for (int i = 0; i < b.depth; i++)
        json_decref(b.levels[i].key);
    *root = b.root;
    if (b.no_memory)
        return tin_fail_at(err, TIN_ERR_MEMORY, in->path, 0, "out of memory while parsing");
    if (b.problem != NULL)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "is no CBOR that is read here: byte %zu: %s", at, b.problem);
    return TIN_OK;
}
