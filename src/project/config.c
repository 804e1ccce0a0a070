/* Reads tinamou.yaml: libyaml's document tree keeps the line of every value, so that each complaint can name it. */
#include "project/config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/memory.h"
#include "project/config_check.h"
#include "project/config_schema.h"

#define MAX_BYTES (1 << 20)
#define MAX_WHERE 200

/* What every step of the reading needs; `where` is the dotted name of the setting, for messages. */
typedef struct reader {
    yaml_document_t document;
    const char *path;
    tin_error *err;
} reader;

static long line_of(const yaml_node_t *node)
{
    return (long)node->start_mark.line + 1;
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static void extend(char dst[MAX_WHERE], const char *where, const char *key)
{
    snprintf(dst, MAX_WHERE, "%s%s%s", where, where[0] ? "." : "", key);
}

/* Edit distance of two short words; words longer than 40 count as far away. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), row[41];
    if (n > 40 || m > 40) {
        return 99;
    }
    for (size_t j = 0; j <= m; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < shift ? change : shift;
        }
    }
    return row[m];
}

/* Settings that have another name now. */
static const struct {
    const char *before, *now;
} moved[] = {{"train.rotate_degrees", "train.augment.rotate.degrees"},
             {"train.scale", "train.augment.scale.by"},
             {"train.warp", "train.augment.speed.by"},
             {"train.noise_accel", "train.augment.noise.accel"},
             {"train.noise_gyro", "train.augment.noise.gyro"},
             {"train.mirror", "train.augment.mirror.probability"}};

static tin_status unknown_key(reader *r, const yaml_node_t *key, const char *where, const tin_setting *settings)
{
    const tin_setting *nearest = NULL;
    size_t best = 99;
    char known[512] = "";
    for (const tin_setting *s = settings; s->key; s++) {
        size_t d = distance(text_of(key), s->key), used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", s->key);
        if (d < best) {
            best = d;
            nearest = s;
        }
    }
    char name[MAX_WHERE];
    extend(name, where, text_of(key));
    for (size_t i = 0; i < sizeof moved / sizeof *moved; i++) {
        if (strcmp(name, moved[i].before) == 0) {
            return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(key), "the setting '%s' is now '%s'; move it",
                               name, moved[i].now);
        }
    }
    if (nearest && best <= 1 + strlen(nearest->key) / 3) {
        return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(key), "unknown setting '%s'; did you mean '%s'?",
                           name, nearest->key);
    }
    return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(key), "unknown setting '%s'; known here: %s", name,
                       known);
}

static tin_status wrong_kind(reader *r, const yaml_node_t *node, const char *where, const tin_setting *s,
                             const char *kind)
{
    static const char *const kinds[] = {"nothing", "a single value", "a list", "a group of settings"};
    int type = (int)node->type;
    return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node), "%s is %s; it must be %s: %s", where,
                       type >= 0 && type < 4 ? kinds[type] : "unreadable", kind, s->meaning);
}

/* A scalar that means "nothing was written": empty and unquoted. */
static bool is_empty(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (node->data.scalar.length == 0 || strcmp(text_of(node), "~") == 0 || strcmp(text_of(node), "null") == 0);
}

static tin_status read_number(reader *r, const yaml_node_t *node, const char *where, const tin_setting *s,
                              double *value)
{
    if (node->type != YAML_SCALAR_NODE) {
        return wrong_kind(r, node, where, s, "a single value");
    }
    const char *text = text_of(node);
    char *end = NULL;
    errno = 0;
    double v = s->kind == TIN_SETTING_INT ? (double)strtol(text, &end, 10) : strtod(text, &end);
    if (end == text || *end || errno == ERANGE || !isfinite(v) || v < s->low || v > s->high) {
        return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node),
                           "%s is '%s'; write %s from %.10g to %.10g (%s)", where, text,
                           s->kind == TIN_SETTING_INT ? "a whole number" : "a number", s->low, s->high, s->meaning);
    }
    *value = v;
    return TIN_OK;
}

/* [least, greatest], or one number for both. */
static tin_status read_range(reader *r, const yaml_node_t *node, const char *where, const tin_setting *s, double *range)
{
    if (node->type == YAML_SCALAR_NODE) {
        tin_status status = read_number(r, node, where, s, &range[0]);
        range[1] = range[0];
        return status;
    }
    if (node->type != YAML_SEQUENCE_NODE || node->data.sequence.items.top - node->data.sequence.items.start != 2) {
        return wrong_kind(r, node, where, s, "a number or two, [least, greatest]");
    }
    for (int i = 0; i < 2; i++) {
        const yaml_node_t *item = yaml_document_get_node(&r->document, node->data.sequence.items.start[i]);
        tin_status status = read_number(r, item, where, s, &range[i]);
        if (status) {
            return status;
        }
    }
    if (range[0] > range[1]) {
        return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node),
                           "%s is [%g, %g]; write the least first, then the greatest (%s)", where, range[0], range[1],
                           s->meaning);
    }
    return TIN_OK;
}

static tin_status read_bool(reader *r, const yaml_node_t *node, const char *where, const tin_setting *s, bool *value)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text_of(node), words[i]) == 0) {
            *value = i % 2 == 1;
            return TIN_OK;
        }
    }
    return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node), "%s is '%s'; write true or false (%s)", where,
                       text_of(node), s->meaning);
}

static tin_status read_seed(reader *r, const yaml_node_t *node, const char *where, const tin_setting *s,
                            uint64_t *value)
{
    const char *text = text_of(node);
    char *end = NULL;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno == ERANGE) {
        return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node),
                           "%s is '%s'; write a whole number from 0 to 18446744073709551615 (%s)", where, text,
                           s->meaning);
    }
    *value = v;
    return TIN_OK;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *p = choices; *p; p += strspn(p, " ")) {
        size_t word = strcspn(p, " ");
        if (word == length && memcmp(p, text, word) == 0) {
            return true;
        }
        p += word;
    }
    return false;
}

static tin_status read_text(reader *r, const yaml_node_t *node, const char *where, const tin_setting *s, char **value)
{
    const char *text = text_of(node);
    if (strlen(text) != node->data.scalar.length) {
        return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node),
                           "%s holds a NUL character; write plain text (%s)", where, s->meaning);
    }
    if (s->choices && !is_choice(s->choices, text)) {
        return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node), "%s is '%s'; write one of: %s (%s)", where,
                           text, s->choices, s->meaning);
    }
    char *copy = tin_strdup(text, r->err);
    if (!copy) {
        return TIN_ERR_MEMORY;
    }
    tin_free(*value);
    *value = copy;
    return TIN_OK;
}

static tin_status read_op(reader *r, const yaml_node_t *node, const char *where, tin_op *op)
{
    *op = tin_op_from_name(text_of(node));
    if (*op != TIN_OP_COUNT) {
        return TIN_OK;
    }
    char known[256] = "";
    for (int i = 0; i < TIN_OP_COUNT; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", tin_op_name((tin_op)i));
    }
    return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node), "%s is '%s'; write one of: %s", where,
                       text_of(node), known);
}

static tin_status read_mapping(reader *r, const yaml_node_t *node, const char *where, const tin_setting *settings,
                               char *base);

static void set_number(const tin_setting *s, char *base, double number)
{
    void *member = base + s->offset;
    switch (s->kind) {
    case TIN_SETTING_INT:
        *(int *)member = (int)number;
        break;
    case TIN_SETTING_REAL:
        *(double *)member = number;
        break;
    case TIN_SETTING_REAL32:
        *(float *)member = (float)number;
        break;
    case TIN_SETTING_BOOL:
        *(bool *)member = number > 0;
        break;
    default:
        *(uint64_t *)member = (uint64_t)number;
        break;
    }
}

/* Fills in the defaults of one struct; its memory is zero. */
static tin_status set_defaults(const tin_setting *settings, char *base, tin_error *err)
{
    for (const tin_setting *s = settings; s->key; s++) {
        char *member = base + s->offset;
        tin_status status = TIN_OK;
        switch (s->kind) {
        case TIN_SETTING_INT:
        case TIN_SETTING_REAL:
        case TIN_SETTING_REAL32:
        case TIN_SETTING_BOOL:
        case TIN_SETTING_SEED:
            set_number(s, base, s->fallback);
            break;
        case TIN_SETTING_RANGE:
            ((double *)(void *)member)[0] = s->fallback;
            ((double *)(void *)member)[1] = s->fallback_high;
            break;
        case TIN_SETTING_OP:
            *(tin_op *)(void *)member = TIN_OP_COUNT;
            break;
        case TIN_SETTING_TEXT:
            *(char **)(void *)member = tin_strdup(s->text, err);
            status = s->text && !*(char **)(void *)member ? TIN_ERR_MEMORY : TIN_OK;
            break;
        case TIN_SETTING_SECTION:
            status = set_defaults(s->fields, member, err);
            break;
        case TIN_SETTING_TEXTS:
        case TIN_SETTING_LIST:
            break;
        }
        if (status) {
            return status;
        }
    }
    return TIN_OK;
}

/* TEXTS and LIST: the items of a sequence into a new array, counted as they are made so that a failure frees what is
 * there. */
static tin_status read_items(reader *r, const yaml_node_t *node, const char *where, const tin_setting *s, char *base)
{
    size_t n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    bool texts = s->kind == TIN_SETTING_TEXTS;
    size_t size = texts ? sizeof(char *) : s->item_size;
    unsigned *count = (unsigned *)(void *)(base + s->count_offset);
    if (n > s->max_items) {
        return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node), "%s has %zu items; at most %zu are allowed",
                           where, n, s->max_items);
    }
    if (n == 0) {
        return TIN_OK;
    }
    char *items = tin_alloc(n, size, r->err);
    if (!items) {
        return TIN_ERR_MEMORY;
    }
    *(void **)(void *)(base + s->offset) = items;
    for (size_t i = 0; i < n; i++) {
        char name[MAX_WHERE];
        snprintf(name, sizeof name, "%.150s[%zu]", where, i + 1);
        const yaml_node_t *item = yaml_document_get_node(&r->document, node->data.sequence.items.start[i]);
        (*count)++;
        tin_status status;
        if (texts) {
            status = item->type != YAML_SCALAR_NODE || is_empty(item)
                         ? wrong_kind(r, item, name, s, "a single value")
                         : read_text(r, item, name, s, (char **)(void *)(items + i * size));
        } else {
            status = item->type != YAML_MAPPING_NODE ? wrong_kind(r, item, name, s, "a group of settings")
                                                     : set_defaults(s->fields, items + i * size, r->err);
            status = status ? status : read_mapping(r, item, name, s->fields, items + i * size);
        }
        if (status) {
            return status;
        }
    }
    return TIN_OK;
}

static tin_status read_value(reader *r, const yaml_node_t *node, const char *where, const tin_setting *s, char *base)
{
    void *member = base + s->offset;
    double number = 0;
    if (s->kind == TIN_SETTING_SECTION) {
        return node->type == YAML_MAPPING_NODE ? read_mapping(r, node, where, s->fields, member)
                                               : wrong_kind(r, node, where, s, "a group of settings");
    }
    if (s->kind == TIN_SETTING_LIST || s->kind == TIN_SETTING_TEXTS) {
        return node->type == YAML_SEQUENCE_NODE ? read_items(r, node, where, s, base)
                                                : wrong_kind(r, node, where, s, "a list");
    }
    if (s->kind == TIN_SETTING_RANGE) {
        return read_range(r, node, where, s, member);
    }
    if (node->type != YAML_SCALAR_NODE) {
        return wrong_kind(r, node, where, s, "a single value");
    }
    if (is_empty(node)) {
        return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node),
                           "%s has no value; write %s, or remove the key", where, s->meaning);
    }
    switch (s->kind) {
    case TIN_SETTING_INT:
    case TIN_SETTING_REAL:
    case TIN_SETTING_REAL32: {
        tin_status status = read_number(r, node, where, s, &number);
        if (status == TIN_OK) {
            set_number(s, base, number);
        }
        return status;
    }
    case TIN_SETTING_BOOL:
        return read_bool(r, node, where, s, member);
    case TIN_SETTING_SEED:
        return read_seed(r, node, where, s, member);
    case TIN_SETTING_OP:
        return read_op(r, node, where, member);
    default:
        return read_text(r, node, where, s, member);
    }
}

/* Every key once, none unknown, none of the necessary ones missing. */
static tin_status read_mapping(reader *r, const yaml_node_t *node, const char *where, const tin_setting *settings,
                               char *base)
{
    uint64_t seen = 0;
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&r->document, pair->key);
        if (key->type != YAML_SCALAR_NODE) {
            return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(key),
                               "a key must be a name; write `key: value`");
        }
        const tin_setting *s = settings;
        while (s->key && strcmp(s->key, text_of(key)) != 0) {
            s++;
        }
        if (!s->key) {
            return unknown_key(r, key, where, settings);
        }
        char name[MAX_WHERE];
        extend(name, where, s->key);
        uint64_t bit = 1ull << (s - settings);
        if (seen & bit) {
            return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(key), "%s is written twice; remove one", name);
        }
        seen |= bit;
        tin_status status = read_value(r, yaml_document_get_node(&r->document, pair->value), name, s, base);
        if (status) {
            return status;
        }
    }
    for (const tin_setting *s = settings; s->key; s++) {
        bool necessary = (s->kind == TIN_SETTING_TEXT && !s->text) || s->kind == TIN_SETTING_OP;
        if (necessary && !(seen & 1ull << (s - settings))) {
            char name[MAX_WHERE];
            extend(name, where, s->key);
            return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, line_of(node), "%s is missing; add `%s: ...` (%s)",
                               name, s->key, s->meaning);
        }
    }
    return TIN_OK;
}

/* Line of a dotted name, or of the nearest group around it: for checks that look at several settings. */
static long find_line(yaml_document_t *document, const char *where)
{
    yaml_node_t *node = yaml_document_get_root_node(document);
    long line = line_of(node);
    for (const char *p = where; *p;) {
        size_t length = strcspn(p, ".");
        yaml_node_t *next = NULL;
        if (node->type != YAML_MAPPING_NODE) {
            break;
        }
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
            yaml_node_t *key = yaml_document_get_node(document, pair->key);
            if (key->data.scalar.length == length && memcmp(text_of(key), p, length) == 0) {
                next = yaml_document_get_node(document, pair->value);
                line = line_of(key);
            }
        }
        if (!next) {
            break;
        }
        node = next;
        p += length + (p[length] == '.');
    }
    return line;
}

static tin_status parse(reader *r, const char *text, size_t size)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        return tin_fail(r->err, TIN_ERR_MEMORY, "out of memory reading %s", r->path);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    tin_status status = TIN_OK;
    if (!yaml_parser_load(&parser, &r->document)) {
        status = parser.error == YAML_MEMORY_ERROR
                     ? tin_fail(r->err, TIN_ERR_MEMORY, "out of memory reading %s", r->path)
                     : tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, (long)parser.problem_mark.line + 1,
                                   "this is no YAML: %s%s%s; mend the indentation, quotes or brackets there",
                                   parser.context ? parser.context : "", parser.context ? ", " : "",
                                   parser.problem ? parser.problem : "unreadable");
    }
    yaml_parser_delete(&parser);
    return status;
}

/* Text into the members of one struct, whose defaults are set. With TIN_OK the document stays in r, to be deleted. */
static tin_status read_text_into(reader *r, const char *text, size_t size, const tin_setting *settings, char *base)
{
    if (size > MAX_BYTES) {
        return tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, 0, "the file has %zu bytes; settings are at most %d", size,
                           MAX_BYTES);
    }
    tin_status status = parse(r, text, size);
    if (status) {
        return status;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&r->document);
    status = !root || root->type != YAML_MAPPING_NODE
                 ? tin_fail_at(r->err, TIN_ERR_CONFIG, r->path, 1, "there are no settings; write `key: value` lines")
                 : read_mapping(r, root, "", settings, base);
    if (status) {
        yaml_document_delete(&r->document);
    }
    return status;
}

/* Fills data.import from the file that data.mapping names (beside the settings), or from the ready mapping that
 * data.source names. */
static tin_status load_mapping(tin_config *c, const char *path, tin_error *err)
{
    const char *ready = tin_mapping_text(c->data.source), *name = c->data.mapping;
    if ((ready || name[0]) && (c->data.import.files_count > 0 || (ready && name[0]))) {
        return tin_fail_at(err, TIN_ERR_CONFIG, path, 0,
                           "data.source, data.mapping and data.import say different things; give `source: import` with "
                           "either mapping or import, or the name of a ready mapping alone");
    }
    char file[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    tin_status status = TIN_OK;
    if (!ready && !name[0]) {
        return TIN_OK;
    }
    if (ready) {
        snprintf(file, sizeof file, "(ready mapping %s)", c->data.source);
    } else if (name[0] == '/') {
        snprintf(file, sizeof file, "%s", name);
    } else {
        char folder[TIN_PATH_MAX];
        snprintf(folder, sizeof folder, "%s", path);
        char *slash = strrchr(folder, '/');
        snprintf(slash ? slash : folder, 3, slash ? "" : ".");
        status = tin_path_join(file, folder, name, err);
    }
    if (!ready) {
        status = status ? status : tin_file_read(file, &text, &size, err);
    }
    reader r = {.path = file, .err = err};
    status = status ? status
                    : read_text_into(&r, ready ? ready : text, ready ? strlen(ready) : size, tin_mapping_settings,
                                     (char *)&c->data.import);
    if (status == TIN_OK) {
        yaml_document_delete(&r.document);
    }
    tin_free(text);
    return status;
}

tin_status tin_config_load(tin_config **config, const char *path, tin_error *err)
{
    char *text = NULL;
    size_t size = 0;
    bool parsed = false;
    reader r = {.path = path, .err = err};
    *config = NULL;
    tin_config *c = tin_alloc(1, sizeof *c, err);
    tin_status status = c ? tin_file_read(path, &text, &size, err) : TIN_ERR_MEMORY;
    status = status ? status : set_defaults(tin_settings, (char *)c, err);
    status = status ? status : read_text_into(&r, text, size, tin_settings, (char *)c);
    parsed = status == TIN_OK;
    status = status ? status : load_mapping(c, path, err);
    if (status == TIN_OK) {
        const char *where = "";
        char message[512];
        status = tin_config_complete(c, &where, message, sizeof message, err);
        if (status == TIN_ERR_CONFIG) {
            tin_fail_at(err, status, path, find_line(&r.document, where), "%s", message);
        }
    }
    if (parsed) {
        yaml_document_delete(&r.document);
    }
    tin_free(text);
    if (status) {
        tin_config_free(c);
    } else {
        *config = c;
    }
    return status;
}

tin_status tin_config_set_deploy(tin_config *config, const char *key, const char *value, tin_error *err)
{
    const tin_setting *s = tin_settings;
    while (strcmp(s->key, "deploy") != 0) {
        s++;
    }
    char *base = (char *)config + s->offset;
    for (s = s->fields; s->kind != TIN_SETTING_TEXT || strcmp(s->key, key) != 0;) {
        s++;
    }
    if (s->choices && !is_choice(s->choices, value)) {
        return tin_fail(err, TIN_ERR_USAGE, "--%s is '%s'; give one of: %s (%s)", key, value, s->choices, s->meaning);
    }
    char *copy = tin_strdup(value, err);
    if (!copy) {
        return TIN_ERR_MEMORY;
    }
    char **member = (char **)(void *)(base + s->offset);
    tin_free(*member);
    *member = copy;
    return TIN_OK;
}

static void free_members(const tin_setting *settings, char *base)
{
    for (const tin_setting *s = settings; s->key; s++) {
        char *member = base + s->offset;
        if (s->kind == TIN_SETTING_TEXT) {
            tin_free(*(char **)(void *)member);
        } else if (s->kind == TIN_SETTING_SECTION) {
            free_members(s->fields, member);
        } else if (s->kind == TIN_SETTING_TEXTS || s->kind == TIN_SETTING_LIST) {
            unsigned n = *(unsigned *)(void *)(base + s->count_offset);
            char *items = *(char **)(void *)member;
            for (unsigned i = 0; i < n; i++) {
                if (s->kind == TIN_SETTING_TEXTS) {
                    tin_free(((char **)(void *)items)[i]);
                } else {
                    free_members(s->fields, items + i * s->item_size);
                }
            }
            tin_free(items);
        }
    }
}

void tin_config_free(tin_config *config)
{
    if (config) {
        free_members(tin_settings, (char *)config);
        tin_free(config);
    }
}

void tin_config_specs(const tin_config_layer *layers, unsigned count, tin_layer_spec specs[TIN_MAX_LAYERS])
{
    for (unsigned i = 0; i < count; i++) {
        const tin_config_layer *layer = &layers[i];
        specs[i] = layer->spec;
        specs[i].name = layer->name;
        specs[i].n_from = (int)layer->from_count;
        for (unsigned k = 0; k < layer->from_count; k++) {
            specs[i].from[k] = layer->from[k];
        }
    }
}
