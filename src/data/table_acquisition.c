/* Edge Impulse's data acquisition format in JSON or CBOR (version "v1", docs.edgeimpulse.com, "Data acquisition format"):
 *
 *     {"protected": {"ver": "v1", "alg": "HS256" or "none", "iat": seconds},
 *      "signature": 64 hexadecimal digits,
 *      "payload": {"device_name": text, "device_type": text, "interval_ms": number,
 *                  "sensors": [{"name": text, "units": text}, ...],
 *                  "values": [[a number per sensor], ...]}}        one sensor: [number, ...] too
 *
 * The signature is the HMAC-SHA256 of the file's own bytes with zeros, "000...", in the signature's place. */
#include "data/table_acquisition.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/memory.h"

#define SIGNATURE_DIGITS 64u
/* The parsed tree takes up to 24 times the file's size. */
#define MAX_BYTES ((size_t)64 << 20)

typedef struct acquisition {
    const tin_table_input *in;
    json_t *root;
    const json_t *payload, *sensors, *values;
    const char *algorithm, *signature;
} acquisition;

static tin_status wrong(const tin_table_input *in, const char *key, const char *what, tin_error *err)
{
    return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                       "%s %s; see docs/formats.md for Edge Impulse's acquisition format", key, what);
}

static tin_status parse_json(const tin_table_input *in, json_t **root, tin_error *err)
{
    json_error_t where;
    *root = json_loadb((const char *)in->data, in->size, JSON_REJECT_DUPLICATES, &where);
    if (*root != NULL)
        return TIN_OK;
    if (json_error_code(&where) == json_error_out_of_memory)
        return tin_fail_at(err, TIN_ERR_MEMORY, in->path, 0, "out of memory while parsing");
    return tin_fail_at(err, TIN_ERR_DATA, in->path, where.line, "is no JSON: %s; the file is cut or damaged",
                       where.text);
}

/* Looks up and checks what every file must have. */
static tin_status find_parts(acquisition *a, tin_error *err)
{
    const json_t *protected = json_object_get(a->root, "protected");
    const char *version = json_string_value(json_object_get(protected, "ver"));
    a->algorithm = json_string_value(json_object_get(protected, "alg"));
    a->signature = json_string_value(json_object_get(a->root, "signature"));
    a->payload = json_object_get(a->root, "payload");
    a->sensors = json_object_get(a->payload, "sensors");
    a->values = json_object_get(a->payload, "values");
    if (version == NULL || strcmp(version, "v1") != 0)
        return wrong(a->in, "protected.ver", "is not \"v1\"", err);
    if (a->algorithm == NULL || (strcmp(a->algorithm, "HS256") != 0 && strcmp(a->algorithm, "none") != 0))
        return wrong(a->in, "protected.alg", "is neither \"HS256\" nor \"none\"", err);
    if (strcmp(a->algorithm, "HS256") == 0 && (a->signature == NULL || strlen(a->signature) != SIGNATURE_DIGITS ||
                                               strspn(a->signature, "0123456789abcdefABCDEF") != SIGNATURE_DIGITS))
        return wrong(a->in, "signature", "is not 64 hexadecimal digits", err);
    if (!json_is_array(a->sensors) || json_array_size(a->sensors) == 0)
        return wrong(a->in, "payload.sensors", "is not a list of at least one sensor", err);
    return json_is_array(a->values) ? TIN_OK : wrong(a->in, "payload.values", "is not a list", err);
}

static tin_status open_acquisition(acquisition *a, const tin_table_input *in, tin_error *err)
{
    *a = (acquisition){.in = in};
    if (in->size > MAX_BYTES)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "has %zu bytes, more than %zu; split it in several files",
                           in->size, MAX_BYTES);
    const char *dot = strrchr(in->path, '.');
    tin_status status = dot != NULL && strcasecmp(dot, ".cbor") == 0 ? tin_cbor_parse(in, &a->root, err)
                                                                     : parse_json(in, &a->root, err);
    return status == TIN_OK ? find_parts(a, err) : status;
}

static tin_status read_sensors(const acquisition *a, tin_table *table, tin_error *err)
{
    table->names = tin_alloc(table->n_columns, sizeof *table->names, err);
    table->units = tin_alloc(table->n_columns, sizeof *table->units, err);
    if (table->names == NULL || table->units == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < table->n_columns; i++) {
        const json_t *sensor = json_array_get(a->sensors, i);
        const char *name = json_string_value(json_object_get(sensor, "name"));
        const char *units = json_string_value(json_object_get(sensor, "units"));
        if (name == NULL || units == NULL)
            return wrong(a->in, "payload.sensors", "has one without the texts name and units", err);
        table->names[i] = tin_strdup(name, err);
        table->units[i] = tin_strdup(units, err);
        if (table->names[i] == NULL || table->units[i] == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

static tin_status read_values(const acquisition *a, tin_table *table, tin_error *err)
{
    const size_t width = table->n_columns;
    for (size_t r = 0; r < table->n_rows; r++) {
        const json_t *row = json_array_get(a->values, r);
        const bool flat = width == 1 && !json_is_array(row);
        if (!flat && json_array_size(row) != width)
            return tin_fail_at(err, TIN_ERR_DATA, a->in->path, 0,
                               "row %zu of payload.values is not a list of %zu numbers, one per sensor", r, width);
        for (size_t c = 0; c < width; c++) {
            const json_t *value = flat ? row : json_array_get(row, c);
            if (!json_is_number(value))
                return tin_fail_at(err, TIN_ERR_DATA, a->in->path, 0,
                                   "row %zu of payload.values holds something else than a number%s", r,
                                   json_is_string(value) ? " (attached files are not read: export with values)" : "");
            table->values[r * width + c] = json_number_value(value);
        }
    }
    return TIN_OK;
}

/* The place of the signature in the file's bytes; NULL when it is not there exactly once (as in JSON with escapes). */
static uint8_t *find_signature(uint8_t *bytes, size_t size, const char *signature)
{
    uint8_t *first = memmem(bytes, size, signature, SIGNATURE_DIGITS);
    if (first == NULL)
        return NULL;
    const size_t behind = (size_t)(first - bytes) + 1;
    return memmem(bytes + behind, size - behind, signature, SIGNATURE_DIGITS) == NULL ? first : NULL;
}

static tin_status check_signature(const acquisition *a, tin_error *err)
{
    const tin_table_input *in = a->in;
    char digits[TIN_HASH_HEX];
    if (strcmp(a->algorithm, "none") == 0)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                           "is not signed (protected.alg is \"none\"), but a key is given to check signatures with");
    uint8_t *bytes = tin_alloc(in->size, 1, err);
    if (bytes == NULL)
        return TIN_ERR_MEMORY;
    memcpy(bytes, in->data, in->size);
    uint8_t *place = find_signature(bytes, in->size, a->signature);
    if (place != NULL)
        memset(place, '0', SIGNATURE_DIGITS);
    tin_status status = place == NULL ? wrong(in, "signature", "is not in the file as it is, exactly once", err)
                                      : tin_hash_hmac(in->key, bytes, in->size, digits, err);
    tin_free(bytes);
    if (status == TIN_OK && strcasecmp(digits, a->signature) != 0)
        status = tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                             "the signature does not fit the key: the file was changed, or signed with another key");
    return status;
}

tin_status tin_table_read_acquisition(const tin_table_input *in, tin_table *table, tin_error *err)
{
    acquisition a;
    tin_status status = open_acquisition(&a, in, err);
    if (status == TIN_OK && in->key != NULL)
        status = check_signature(&a, err);
    const json_t *interval = json_object_get(a.payload, "interval_ms");
    const double milliseconds = json_number_value(interval);
    if (status == TIN_OK && !(milliseconds > 0 && isfinite(1000 / milliseconds)))
        status = wrong(in, "payload.interval_ms", "is not a number above 0", err);
    if (status == TIN_OK)
        status = tin_table_shape(table, in->path, json_array_size(a.values), json_array_size(a.sensors), err);
    if (status == TIN_OK)
        status = read_sensors(&a, table, err);
    if (status == TIN_OK)
        status = read_values(&a, table, err);
    table->rate_hz = 1000 / milliseconds;
    json_decref(a.root);
    return status;
}
