#include "data/samples.h"

#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"

#define BLOCK_BYTES ((size_t)1 << 20)

tin_status tin_samples_start(tin_samples *s, const tin_sample_layout *layout, bool missing, tin_error *err)
{
    const int n_sensors = layout->columns[layout->n_columns - 1].sensor + 1;
    s->n_tracks = missing ? n_sensors : 1;
    s->tracks = tin_alloc((size_t)s->n_tracks, sizeof *s->tracks, err);
    s->rows = tin_alloc((size_t)s->n_tracks, sizeof *s->rows, err);
    if (s->tracks == NULL || s->rows == NULL)
        return TIN_ERR_MEMORY;
    for (int i = 0; i < layout->n_columns; i++)
        s->tracks[missing ? layout->columns[i].sensor : 0].n_channels++;
    return TIN_OK;
}

tin_status tin_row_texts_add(tin_row_texts *t, size_t row, long line, const char *text, size_t size, tin_error *err)
{
    if (t->n == t->capacity) {
        size_t capacity = t->capacity == 0 ? 64 : 2 * t->capacity;
        tin_row_text *items = tin_grow(t->items, t->n, capacity, sizeof *items, err);
        if (items == NULL)
            return TIN_ERR_MEMORY;
        t->items = items;
        t->capacity = capacity;
    }
    char *copy = tin_alloc(size + 1, 1, err);
    if (copy == NULL)
        return TIN_ERR_MEMORY;
    memcpy(copy, text, size);
    t->items[t->n++] = (tin_row_text){.row = row, .line = line, .text = copy, .size = size};
    return TIN_OK;
}

tin_status tin_samples_add_cut(tin_samples *s, size_t row, tin_error *err)
{
    if (s->n_cuts == s->cuts_capacity) {
        size_t capacity = s->cuts_capacity == 0 ? 16 : 2 * s->cuts_capacity;
        size_t *cuts = tin_grow(s->cuts, s->n_cuts, capacity, sizeof *cuts, err);
        if (cuts == NULL)
            return TIN_ERR_MEMORY;
        s->cuts = cuts;
        s->cuts_capacity = capacity;
    }
    s->cuts[s->n_cuts++] = row;
    return TIN_OK;
}

/* By the settings, else by the file's ending: what table.h does not read is text. */
static bool is_text(const tin_config_files *settings, const char *path)
{
    static const char *const endings[] = {".wav", ".flac", ".ogg",  ".oga", ".npy",
                                          ".npz", ".json", ".cbor", ".h5",  ".hdf5"};
    if (strcmp(settings->format, "auto") != 0)
        return strcmp(settings->format, "text") == 0;
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return false;
    return true;
}

tin_status tin_samples_read(const tin_sample_layout *layout, const char *path, tin_pool *pool, tin_samples *samples,
                            tin_error *err)
{
    *samples = (tin_samples){0};
    if (!is_text(layout->settings, path))
        return tin_samples_read_table(layout, path, samples, err);
    tin_map map = {0};
    tin_status status = tin_map_open(&map, path, err);
    if (status == TIN_OK)
        status = tin_samples_read_text(layout, map.data != NULL ? (const char *)map.data : "", map.size, path, pool,
                                       BLOCK_BYTES, samples, err);
    tin_map_close(&map);
    return status;
}

static void free_texts(tin_row_texts *t)
{
    for (size_t i = 0; i < t->n; i++)
        tin_free(t->items[i].text);
    tin_free(t->items);
}

void tin_samples_free(tin_samples *s)
{
    for (int i = 0; i < s->n_tracks; i++) {
        if (s->tracks != NULL) {
            tin_free(s->tracks[i].times);
            tin_free(s->tracks[i].values);
        }
        if (s->rows != NULL)
            tin_free(s->rows[i]);
    }
    tin_free(s->tracks);
    tin_free(s->rows);
    tin_free(s->ticks);
    free_texts(&s->labels);
    free_texts(&s->subjects);
    tin_free(s->cuts);
    tin_free(s->label);
    tin_free(s->subject);
    *s = (tin_samples){0};
}
