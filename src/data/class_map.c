#include "data/class_map.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define MOST_LABELS 2000 /* of a source, before they are joined to classes */

static bool has_label(const tin_class_map *map, const char *label, size_t *index)
{
    for (size_t i = 0; i < map->n_labels; i++)
        if (strcmp(map->labels[i], label) == 0) {
            *index = i;
            return true;
        }
    return false;
}

size_t tin_class_map_find(const tin_class_map *map, const char *label)
{
    size_t index = 0;
    (void)has_label(map, label, &index);
    return index;
}

static tin_status add_label(tin_class_map *map, const char *label, tin_error *err)
{
    size_t index = 0;
    if (has_label(map, label, &index))
        return TIN_OK;
    if (map->n_labels == MOST_LABELS)
        return tin_fail(err, TIN_ERR_DATA,
                        "more than %d different labels, the last is '%.60s'; is it a column of labels?", MOST_LABELS,
                        label);
    char **labels = tin_grow(map->labels, map->n_labels, map->n_labels + 1, sizeof *labels, err);
    if (labels == NULL)
        return TIN_ERR_MEMORY;
    map->labels = labels;
    labels[map->n_labels] = tin_strdup(label, err);
    if (labels[map->n_labels] == NULL)
        return TIN_ERR_MEMORY;
    map->n_labels++;
    return TIN_OK;
}

/* Those that the source declares, then those that occur, in the order of the recordings. */
static tin_status collect_labels(tin_class_map *map, const tin_source *source, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < source->n_labels && status == TIN_OK; i++)
        status = add_label(map, source->labels[i], err);
    for (size_t i = 0; i < source->n_recordings && status == TIN_OK; i++)
        for (size_t k = 0; k < source->recordings[i].n_spans && status == TIN_OK; k++)
            status = add_label(map, source->recordings[i].spans[k].label, err);
    return status;
}

static tin_status add_class(tin_class_map *map, const char *name, bool event, tin_error *err)
{
    map->classes[map->n_classes].event = event;
    map->classes[map->n_classes].name = tin_strdup(name, err);
    if (map->classes[map->n_classes].name == NULL)
        return TIN_ERR_MEMORY;
    map->n_classes++;
    return TIN_OK;
}

static tin_status map_all(tin_class_map *map, const tin_source *source, tin_error *err)
{
    if (map->n_labels == 0)
        return tin_fail(err, TIN_ERR_DATA, "the recordings have no labels; say in data.import.labels where they are");
    if (map->n_labels > TIN_MAX_CLASSES)
        return tin_fail(err, TIN_ERR_DATA,
                        "the recordings have %zu labels, %d classes are possible; join labels in data.classes",
                        map->n_labels, TIN_MAX_CLASSES);
    tin_status status = TIN_OK;
    for (size_t i = 0; i < map->n_labels && status == TIN_OK; i++) {
        map->targets[i] = (int32_t)i;
        map->mapped[i] = true;
        status = add_class(map, map->labels[i], i < source->n_labels && source->events[i], err);
    }
    return status;
}

static tin_status unknown_label(const tin_class_map *map, const char *class_name, const char *label, tin_error *err)
{
    char list[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < map->n_labels && used < sizeof list - 1; i++) {
        int n = snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", map->labels[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return tin_fail(err, TIN_ERR_CONFIG,
                    "class '%s' of data.classes takes the label '%s', which the recordings do not have; they have: %s",
                    class_name, label, list);
}

static tin_status map_class(tin_class_map *map, const tin_config_class *c, tin_error *err)
{
    const bool ignored = strcmp(c->name, TIN_CLASS_IGNORE) == 0;
    const int32_t target = ignored ? TIN_LABEL_IGNORE : map->n_classes;
    for (unsigned k = 0; k < (c->from_count > 0 ? c->from_count : 1); k++) {
        const char *label = c->from_count > 0 ? c->from[k] : c->name;
        size_t index = 0;
        if (!has_label(map, label, &index)) {
            if (c->from_count == 0) /* a class that only unlabelled frames belong to, or none yet */
                continue;
            return unknown_label(map, c->name, label, err);
        }
        map->targets[index] = target;
        map->mapped[index] = true;
    }
    return ignored ? TIN_OK : add_class(map, c->name, c->event, err);
}

static tin_status find_unlabelled(tin_class_map *map, const tin_config_data *settings, const tin_source *source,
                                  tin_error *err)
{
    const char *name = settings->unlabelled != NULL ? settings->unlabelled : "";
    map->unlabelled = TIN_LABEL_IGNORE;
    size_t index = 0;
    if (name[0] == '\0' && source->background != NULL && has_label(map, source->background, &index))
        map->unlabelled = map->targets[index];
    if (name[0] == '\0' || strcmp(name, TIN_CLASS_IGNORE) == 0)
        return TIN_OK;
    for (int i = 0; i < map->n_classes; i++)
        if (strcmp(map->classes[i].name, name) == 0) {
            map->unlabelled = i;
            return TIN_OK;
        }
    return tin_fail(err, TIN_ERR_CONFIG, "data.unlabelled is '%s', which is no class; write a class's name or ignore",
                    name);
}

/* Each class without `from` must have frames from somewhere: its own label, or as the class of unlabelled frames. */
static tin_status check_used(const tin_class_map *map, tin_error *err)
{
    for (int i = 0; i < map->n_classes; i++) {
        bool used = i == map->unlabelled;
        for (size_t k = 0; k < map->n_labels && !used; k++)
            used = map->targets[k] == i;
        if (!used)
            return unknown_label(map, map->classes[i].name, map->classes[i].name, err);
    }
    return TIN_OK;
}

tin_status tin_class_map_make(tin_class_map *map, const tin_config_data *settings, const tin_source *source,
                              tin_error *err)
{
    *map = (tin_class_map){0};
    tin_status status = collect_labels(map, source, err);
    if (status != TIN_OK)
        return status;
    size_t most = map->n_labels > settings->classes_count ? map->n_labels : settings->classes_count;
    map->classes = tin_alloc(most, sizeof *map->classes, err);
    map->targets = tin_alloc(map->n_labels, sizeof *map->targets, err);
    map->mapped = tin_alloc(map->n_labels, sizeof *map->mapped, err);
    if (map->classes == NULL || map->targets == NULL || map->mapped == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < map->n_labels; i++)
        map->targets[i] = TIN_LABEL_IGNORE;
    if (settings->classes_count == 0)
        status = map_all(map, source, err);
    for (unsigned i = 0; i < settings->classes_count && status == TIN_OK; i++)
        status = map_class(map, &settings->classes[i], err);
    if (status == TIN_OK)
        status = find_unlabelled(map, settings, source, err);
    if (status == TIN_OK)
        status = check_used(map, err);
    if (status == TIN_OK && map->n_classes < 2)
        status = tin_fail(err, TIN_ERR_DATA,
                          "all labels become the one class '%s'; a classifier needs two: label something else too, or "
                          "name a second class in data.classes and in data.unlabelled",
                          map->n_classes > 0 ? map->classes[0].name : TIN_CLASS_IGNORE);
    return status;
}

void tin_class_map_free(tin_class_map *map)
{
    for (int i = 0; i < map->n_classes; i++)
        tin_free(map->classes[i].name);
    for (size_t i = 0; i < map->n_labels; i++)
        tin_free(map->labels[i]);
    tin_free(map->classes);
    tin_free(map->labels);
    tin_free(map->targets);
    tin_free(map->mapped);
    *map = (tin_class_map){0};
}
