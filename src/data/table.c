#include "data/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/table_formats.h"

static const struct {
    const char *ending;
    tin_status (*read)(const tin_table_input *in, tin_table *table, tin_error *err);
} formats[] = {
    {"wav", tin_table_read_wav},          {"flac", tin_table_read_flac},        {"ogg", tin_table_read_ogg},
    {"oga", tin_table_read_ogg},          {"npy", tin_table_read_npy},          {"npz", tin_table_read_npz},
    {"json", tin_table_read_acquisition}, {"cbor", tin_table_read_acquisition}, {"h5", tin_table_read_hdf5},
    {"hdf5", tin_table_read_hdf5},
};

tin_status tin_table_check_shape(const char *path, uint64_t n_rows, uint64_t n_columns, tin_error *err)
{
    if (n_rows == 0 || n_columns == 0)
        return tin_fail_at(err, TIN_ERR_DATA, path, 0, "there are no values in it (%llu rows, %llu columns); remove it",
                           (unsigned long long)n_rows, (unsigned long long)n_columns);
    if (n_columns > TIN_TABLE_MAX_COLUMNS)
        return tin_fail_at(err, TIN_ERR_DATA, path, 0,
                           "has %llu columns, at most %d are read; one row is one instant, so transpose or cut it",
                           (unsigned long long)n_columns, TIN_TABLE_MAX_COLUMNS);
    if (n_rows > TIN_TABLE_MAX_VALUES / n_columns)
        return tin_fail_at(err, TIN_ERR_DATA, path, 0,
                           "has %llu rows of %llu columns, more than %zu values; split it in several files",
                           (unsigned long long)n_rows, (unsigned long long)n_columns, TIN_TABLE_MAX_VALUES);
    return TIN_OK;
}

tin_status tin_table_shape(tin_table *table, const char *path, uint64_t n_rows, uint64_t n_columns, tin_error *err)
{
    tin_status status = tin_table_check_shape(path, n_rows, n_columns, err);
    if (status != TIN_OK)
        return status;
    table->values = tin_alloc((size_t)(n_rows * n_columns), sizeof *table->values, err);
    if (table->values == NULL)
        return TIN_ERR_MEMORY;
    table->n_rows = (size_t)n_rows;
    table->n_columns = (size_t)n_columns;
    return TIN_OK;
}

tin_status tin_table_number_columns(tin_table *table, tin_error *err)
{
    table->names = tin_alloc(table->n_columns, sizeof *table->names, err);
    if (table->names == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < table->n_columns; i++) {
        char number[24];
        (void)snprintf(number, sizeof number, "%zu", i + 1);
        table->names[i] = tin_strdup(number, err);
        if (table->names[i] == NULL)
            return TIN_ERR_MEMORY;
    }
    return TIN_OK;
}

tin_status tin_table_read_bytes(const tin_table_input *in, tin_table *table, tin_error *err)
{
    const char *slash = strrchr(in->path, '/'), *dot = strrchr(slash == NULL ? in->path : slash, '.');
    *table = (tin_table){0};
    if (in->size == 0)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "the file is empty; remove it");
    for (size_t i = 0; dot != NULL && i < sizeof formats / sizeof *formats; i++)
        if (strcasecmp(dot + 1, formats[i].ending) == 0) {
            tin_status status = formats[i].read(in, table, err);
            if (status != TIN_OK)
                tin_table_free(table);
            return status;
        }
    char endings[256] = "";
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        (void)snprintf(endings + strlen(endings), sizeof endings - strlen(endings), " .%s", formats[i].ending);
    return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "the ending '%s' is none that is read here:%s",
                       dot == NULL ? "" : dot, endings);
}

tin_status tin_table_read(const char *path, const char *entry, tin_table *table, tin_error *err)
{
    tin_map map = {0};
    *table = (tin_table){0};
    tin_status status = tin_map_open(&map, path, err);
    if (status != TIN_OK)
        return status;
    const char *key = getenv("TINAMOU_HMAC_KEY");
    const tin_table_input in = {.path = path,
                                .entry = entry == NULL || entry[0] == '\0' ? NULL : entry,
                                .key = key == NULL || key[0] == '\0' ? NULL : key,
                                .data = map.data,
                                .size = map.size};
    status = tin_table_read_bytes(&in, table, err);
    tin_map_close(&map);
    return status;
}

void tin_table_free(tin_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->names != NULL)
            tin_free(table->names[i]);
        if (table->units != NULL)
            tin_free(table->units[i]);
    }
    tin_free(table->names);
    tin_free(table->units);
    tin_free(table->values);
    tin_free(table->label);
    tin_free(table->subject);
    *table = (tin_table){0};
}
