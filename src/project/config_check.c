#include "project/config_check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

typedef struct complaint {
    const char *where;
    char *message;
    size_t size;
} complaint;

static tin_status complain(complaint *c, const char *where, const char *format, ...) TIN_PRINTF(3, 4);
static tin_status complain(complaint *c, const char *where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->message, c->size, format, arguments);
    va_end(arguments);
    c->where = where;
    return TIN_ERR_CONFIG;
}

static bool holds(char *const list[], unsigned count, const char *text)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(list[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* The first text that stands twice, or NULL. */
static const char *twice(char *const list[], unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        if (holds(list, i, list[i])) {
            return list[i];
        }
    }
    return NULL;
}

static tin_status check_people(const tin_config_data *data, complaint *c)
{
    const char *again = twice(data->test, data->test_count);
    if (again) {
        return complain(c, "data.test", "data.test names '%s' twice; remove one", again);
    }
    again = twice(data->validation, data->validation_count);
    if (again) {
        return complain(c, "data.validation", "data.validation names '%s' twice; remove one", again);
    }
    for (unsigned i = 0; i < data->validation_count; i++) {
        if (holds(data->test, data->test_count, data->validation[i])) {
            return complain(c, "data.validation",
                            "'%s' is both in data.validation and in data.test; keep it in one of them",
                            data->validation[i]);
        }
    }
    return TIN_OK;
}

static tin_status check_classes(const tin_config_data *data, complaint *c)
{
    bool found = !data->unlabelled[0] || strcmp(data->unlabelled, "ignore") == 0;
    if (data->classes_count == 0) {
        return TIN_OK;
    }
    if (data->classes_count == 1) {
        return complain(c, "data.classes", "data.classes has one class; a classifier needs two or more");
    }
    for (unsigned i = 0; i < data->classes_count; i++) {
        const tin_config_class *one = &data->classes[i];
        if (!one->name[0]) {
            return complain(c, "data.classes", "class %u of data.classes has an empty name; give it one", i + 1);
        }
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(one->name, data->classes[j].name) == 0) {
                return complain(c, "data.classes",
                                "data.classes has '%s' twice; rename one, or join their labels in `from`", one->name);
            }
            for (unsigned k = 0; k < one->from_count; k++) {
                if (holds(data->classes[j].from, data->classes[j].from_count, one->from[k])) {
                    return complain(c, "data.classes", "label '%s' belongs to '%s' and to '%s'; keep it in one of them",
                                    one->from[k], data->classes[j].name, one->name);
                }
            }
        }
        found = found || strcmp(one->name, data->unlabelled) == 0;
    }
    if (!found) {
        return complain(c, "data.unlabelled",
                        "data.unlabelled is '%s', which is no class; write a name of data.classes or ignore",
                        data->unlabelled);
    }
    return TIN_OK;
}

static tin_status check_text(const tin_config_text *text, const char *where, complaint *c)
{
    return strlen(text->row_end) > 1
               ? complain(c, "data.import", "%s.row_end is '%s'; write one character, e.g. \";\"", where, text->row_end)
               : TIN_OK;
}

static tin_status check_channels(const tin_config_files *files, unsigned number, complaint *c)
{
    if (files->channels_count == 0) {
        return complain(c, "data.import.files",
                        "data.import.files[%u] has no channels; list them, e.g. "
                        "`channels: [{columns: [ax, ay, az], unit: g}]`",
                        number);
    }
    for (unsigned i = 0; i < files->channels_count; i++) {
        if (files->channels[i].columns_count == 0) {
            return complain(
                c, "data.import.files",
                "data.import.files[%u].channels[%u] has no columns; list them, e.g. `columns: [ax, ay, az]`", number,
                i + 1);
        }
    }
    return TIN_OK;
}

static tin_status check_import(const tin_config_import *import, complaint *c)
{
    const tin_config_labels *labels = &import->labels;
    bool in_path = false;
    if (import->files_count == 0) {
        return complain(c, "data.import",
                        "data.import.files is missing; say where the recordings are, e.g. "
                        "`files: [{path: \"*.csv\", channels: [{columns: [ax, ay, az], unit: g}]}]`");
    }
    for (unsigned i = 0; i < import->files_count; i++) {
        char where[64];
        snprintf(where, sizeof where, "data.import.files[%u]", i + 1);
        tin_status status = check_text(&import->files[i].text, where, c);
        status = status ? status : check_channels(&import->files[i], i + 1, c);
        if (status) {
            return status;
        }
        in_path = in_path || strstr(import->files[i].path, "{label}");
    }
    if (check_text(&labels->text, "data.import.labels", c)) {
        return TIN_ERR_CONFIG;
    }
    if ((labels->column[0] != 0) + (labels->files[0] != 0) + labels->in_file + in_path != 1) {
        return complain(c, "data.import.labels",
                        "labels come from one place: labels.column, labels.files, labels.in_file or a {label} in the "
                        "path of data.import.files; give one of them");
    }
    return TIN_OK;
}

/* Frames per row of what layer i reads; names that are not there are complained about when the model is made. */
static long period_before(const tin_config *config, unsigned i, const long *periods)
{
    const tin_config_layer *layer = &config->layers[i];
    if (layer->from_count == 0) {
        return i > 0 ? periods[i - 1] : 1;
    }
    for (unsigned k = 0; k < i; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s_%u", tin_op_name(config->layers[k].spec.op), k + 1);
        const char *given = config->layers[k].name;
        if (strcmp(given[0] ? given : name, layer->from[0]) == 0) {
            return periods[k];
        }
    }
    return 1;
}

static tin_status check_layers(const tin_config *config, complaint *c)
{
    if (config->layers_count == 0) {
        return complain(c, "model.layers",
                        "model.layers is missing; list the layers, the last one dense, e.g. "
                        "`model: {layers: [{op: gru, units: 24}, {op: dense}]}`");
    }
    if (config->layers[config->layers_count - 1].spec.op != TIN_OP_DENSE) {
        return complain(c, "model.layers",
                        "the last of model.layers is '%s'; it must be dense, which gives one score per class",
                        tin_op_name(config->layers[config->layers_count - 1].spec.op));
    }
    long periods[TIN_MAX_LAYERS], hop = 1;
    for (unsigned i = 0; i < config->layers_count; i++) {
        int stride = config->layers[i].spec.stride;
        hop = periods[i] = period_before(config, i, periods) * (stride > 0 ? stride : 1);
        if (hop > 100000) {
            return complain(c, "model.layers",
                            "the strides of model.layers make one decision per %ld frames; lessen them", hop);
        }
    }
    if (config->train.chunk % hop) {
        return complain(c, "train.chunk",
                        "train.chunk is %d, which is no multiple of the model's %ld frames per decision; write %ld",
                        config->train.chunk, hop, (config->train.chunk / hop + 1) * hop);
    }
    int history = config->train.history_frames;
    if (history > 0 && (!config->train.windows || history >= config->train.chunk)) {
        return complain(c, "train.history_frames",
                        "train.history_frames is %d; it needs train.windows, and a train.chunk (%d) that is longer",
                        history, config->train.chunk);
    }
    return TIN_OK;
}

/* What only some methods have, and the order: prune and low_rank change shapes, sparse and share fix weights of them. */
static tin_status check_compress(const tin_config *config, complaint *c)
{
    static const char *const order[] = {"prune low_rank", "sparse", "share"};
    int before = 0;
    for (unsigned i = 0; i < config->compress_count; i++) {
        const tin_config_compress *m = &config->compress[i];
        bool distill = strcmp(m->method, "distill") == 0, keeps = !distill && strcmp(m->method, "share") != 0;
        if (keeps && m->keep <= 0 && strcmp(m->method, "low_rank") != 0) {
            return complain(c, "compress", "compress[%u] (%s) needs keep, the share that stays, e.g. keep: 0.5", i + 1,
                            m->method);
        }
        if (!keeps && m->keep > 0) {
            return complain(c, "compress", "compress[%u] (%s) has no use for keep; remove it", i + 1, m->method);
        }
        if (distill ? m->teacher[0] && m->layers_count : m->teacher[0] || m->layers_count) {
            return complain(c, "compress",
                            distill ? "compress[%u] (%s) has both teacher, a run's ID, and layers; give one of them"
                                    : "compress[%u] (%s) has no use for teacher and layers; remove them",
                            i + 1, m->method);
        }
        if (m->teachers > 1 && m->teacher[0]) {
            return complain(c, "compress",
                            "compress[%u] (%s) asks for %d teachers, but %s is one; take teacher or teachers out", i + 1,
                            m->method, m->teachers, m->teacher);
        }
        if (m->teacher[0] && (strlen(m->teacher) != 12 || strspn(m->teacher, "0123456789abcdef") != 12)) {
            return complain(c, "compress",
                            "compress[%u] (distill): teacher is '%s'; write the 12 digits that `tinamou runs` shows",
                            i + 1, m->teacher);
        }
        if (strcmp(m->method, "share") == 0 &&
            (strcmp(config->quantize.weight_bits, "8") != 0 || config->quantize.power_of_two)) {
            return complain(
                c, "compress",
                "compress[%u] (share) makes codebooks of int8 values at the scale of each row; take it out, "
                "or set quantize.weight_bits to 8 and power_of_two to false",
                i + 1);
        }
        for (int rank = 0; rank < 3; rank++) {
            if (!strstr(order[rank], m->method)) {
                continue;
            }
            if (rank < before) {
                return complain(c, "compress",
                                "compress[%u] (%s) comes too late; write prune and low_rank first, then sparse, then "
                                "share, the last two once at most",
                                i + 1, m->method);
            }
            before = rank > 0 ? rank + 1 : 0;
        }
    }
    return TIN_OK;
}

/* "my-gestures" -> "my_gestures": letters and digits stay, what is between them becomes one _, and a leading digit gets
 * an m before it. A name without any becomes "model". */
static char *identifier(const char *name, tin_error *err)
{
    size_t n = strlen(name);
    char *id = tin_alloc(n + sizeof "model", 1, err);
    if (!id) {
        return NULL;
    }
    size_t at = 0;
    bool gap = false;
    for (size_t i = 0; i < n; i++) {
        unsigned char ch = (unsigned char)name[i];
        if (ch >= 128 || !isalnum(ch)) {
            gap = at > 0;
            continue;
        }
        if (at == 0 && isdigit(ch)) {
            id[at++] = 'm';
        } else if (gap) {
            id[at++] = '_';
        }
        gap = false;
        id[at++] = (char)ch;
    }
    if (at == 0) {
        memcpy(id, "model", sizeof "model");
    }
    return id;
}

static tin_status check_margins(const tin_config *config, complaint *c)
{
    const tin_config_evaluate *e = &config->evaluate;
    for (unsigned i = 0; i < e->margins_count; i++) {
        const char *name = e->margins[i].class;
        const tin_config_class *found = NULL;
        for (unsigned k = 0; k < config->data.classes_count; k++) {
            found = strcmp(config->data.classes[k].name, name) == 0 ? &config->data.classes[k] : found;
        }
        /* without data.classes the source brings them, and tin_margins_create looks */
        if (config->data.classes_count > 0 && (!found || !found->event)) {
            return complain(c, "evaluate.margins", "evaluate.margins names '%s', which is no class%s", name,
                            found ? " with `event: true`; only events have margins" : "; write one of data.classes");
        }
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(e->margins[j].class, name) == 0) {
                return complain(c, "evaluate.margins", "evaluate.margins names '%s' twice; remove one", name);
            }
        }
    }
    return TIN_OK;
}

/* With one part nobody would train its model; a teacher from another run has seen the people whom it must not see. */
static tin_status check_cross_validation(tin_config *config, complaint *c)
{
    int parts = config->train.cross_validation;
    if (parts == 1) {
        return complain(c, "train.cross_validation",
                        "train.cross_validation is 1; write 2 or more parts, or 0 so that data.validation chooses");
    }
    for (unsigned i = 0; parts > 0 && i < config->compress_count; i++) {
        if (config->compress[i].teacher && config->compress[i].teacher[0]) {
            return complain(c, "compress",
                            "compress[%u] has the teacher of another run, who has seen everybody, but "
                            "train.cross_validation is %d; take teacher out, or set train.cross_validation to 0",
                            i + 1, parts);
        }
    }
    config->train.keep_last = config->train.keep_last || parts > 0;
    return TIN_OK;
}

tin_status tin_config_complete(tin_config *config, const char **where, char *message, size_t size, tin_error *err)
{
    complaint c = {.where = "", .message = message, .size = size};
    tin_status status = TIN_OK;
    if (!config->project[0] || strlen(config->project) > 60) {
        status = complain(&c, "project", "project has %zu characters; give a name of 1 to 60", strlen(config->project));
    }
    status = status ? status : check_people(&config->data, &c);
    status = status ? status : check_classes(&config->data, &c);
    if (!status && strcmp(config->data.source, "simulate") != 0) {
        status = check_import(&config->data.import, &c);
    }
    status = status ? status : check_layers(config, &c);
    status = status ? status : check_compress(config, &c);
    status = status ? status : check_margins(config, &c);
    status = status ? status : check_cross_validation(config, &c);
    if (!status && config->evaluate.window_frames > 0 && config->evaluate.window_step < 1) {
        status = complain(&c, "evaluate.window_step",
                          "evaluate.window_step is %d; write the frames from one window to the next",
                          config->evaluate.window_step);
    }
    *where = c.where;
    if (!status && !config->deploy.name[0]) {
        char *name = identifier(config->project, err);
        if (!name) {
            return TIN_ERR_MEMORY;
        }
        tin_free(config->deploy.name);
        config->deploy.name = name;
    }
    return status;
}
