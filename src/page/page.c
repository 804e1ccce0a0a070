#include "page/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

extern const char tin_page_frame[];

void tin_page_add_json(tin_text *out, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    if (text == NULL) {
        out->status = TIN_ERR_MEMORY;
        return;
    }
    tin_text_add(out, text);
    free(text); /* by jansson, not by tin_alloc */
}

void tin_page_add_string(tin_text *out, const char *value)
{
    json_t *json = json_string(value);
    if (json == NULL) {
        tin_text_add(out, "\"?\""); /* not UTF-8 */
    } else {
        tin_page_add_json(out, json);
    }
    json_decref(json);
}

void tin_page_add_number(tin_text *out, double value)
{
    if (isfinite(value)) {
        tin_text_printf(out, "%.6g", value);
    } else {
        tin_text_add(out, "null");
    }
}

static uint32_t byte_of(const int16_t *values, size_t n, size_t byte)
{
    return byte < 2 * n ? (uint32_t)((uint16_t)values[byte / 2] >> 8 * (byte % 2)) & 0xff : 0;
}

void tin_page_add_base64(tin_text *out, const int16_t *values, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char block[1024];
    size_t filled = 0;
    tin_text_add(out, "\"");
    for (size_t byte = 0; byte < 2 * n; byte += 3) {
        uint32_t bits =
            byte_of(values, n, byte) << 16 | byte_of(values, n, byte + 1) << 8 | byte_of(values, n, byte + 2);
        for (size_t i = 0; i < 4; i++) {
            block[filled++] = byte + i > 2 * n ? '=' : digits[bits >> (18 - 6 * i) & 63];
        }
        if (filled == sizeof block) {
            tin_text_add_bytes(out, block, filled);
            filled = 0;
        }
    }
    tin_text_add_bytes(out, block, filled);
    tin_text_add(out, "\"");
}

/* `<` only occurs inside strings of JSON, where \u003c means the same; so no string can end the script element. */
static void write_escaped(FILE *out, const char *json)
{
    for (const char *c = strchr(json, '<'); c != NULL; c = strchr(json, '<')) {
        fwrite(json, 1, (size_t)(c - json), out);
        fputs("\\u003c", out);
        json = c + 1;
    }
    fputs(json, out);
}

/* The frame with its three marks replaced. */
static void write_frame(FILE *out, const char *style, const char *script, const char *json)
{
    static const char *const marks[] = {"/*STYLE*/", "/*DATA*/", "/*SCRIPT*/"};
    const char *page = tin_page_frame;
    for (int i = 0; i < 3; i++) {
        const char *mark = strstr(page, marks[i]);
        fwrite(page, 1, (size_t)(mark - page), out);
        page = mark + strlen(marks[i]);
        if (i == 1) {
            write_escaped(out, json);
        } else {
            fputs(i == 0 ? style : script, out);
        }
    }
    fputs(page, out);
}

tin_status tin_page_write(const char *path, const char *style, const char *script, const char *json, tin_error *err)
{
    tin_writer writer = {0};
    tin_status status = tin_writer_open(&writer, path, err);
    if (status == TIN_OK) {
        write_frame(writer.stream, style, script, json);
        status = tin_writer_commit(&writer, err);
    }
    tin_writer_abort(&writer);
    return status;
}
