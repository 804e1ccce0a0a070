/* Private to src/data: from the source's labels to the project's classes. */
#ifndef TIN_CLASS_MAP_H
#define TIN_CLASS_MAP_H

#include "data/recording.h"

/* A class of this name in data.classes takes labels whose frames are not to be used; it becomes no class. */
#define TIN_CLASS_IGNORE "ignore"

typedef struct tin_class_map {
    tin_class *classes; /* names owned */
    int n_classes;
    int32_t unlabelled;
    char **labels;    /* that occur or that the source can have, owned, in order */
    int32_t *targets; /* [n_labels] class or TIN_LABEL_IGNORE */
    bool *mapped;     /* [n_labels] false: data.classes says nothing about it */
    size_t n_labels;
} tin_class_map;

/* TIN_ERR_CONFIG for a label in data.classes that the source does not have. */
tin_status tin_class_map_make(tin_class_map *map, const tin_config_data *settings, const tin_source *source,
                              tin_error *err) TIN_USE_RESULT;
/* Index of a label in map->labels; it must be there. */
size_t tin_class_map_find(const tin_class_map *map, const char *label);
void tin_class_map_free(tin_class_map *map);

#endif
