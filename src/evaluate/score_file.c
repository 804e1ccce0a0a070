#include "evaluate/score_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/safetensors.h"

/* Windows are counted by the model alone: they stand in the metadata, "p03": "12 of 15". */
#define WINDOWS_TEXT 48

static void describe_windows(char text[WINDOWS_TEXT], const tin_scored_stream *item)
{
    snprintf(text, WINDOWS_TEXT, "%" PRId64 " of %" PRId64, item->windows_right, item->n_windows);
}

tin_status tin_scores_save(const tin_scored_set *sets, size_t n, const char *folder, const char *name, tin_error *err)
{
    char path[TIN_PATH_MAX];
    size_t n_streams = 0, n_tensors = 0, n_windows = 0;
    for (size_t s = 0; s < n; s++) {
        n_streams += sets[s].n;
    }
    tin_tensor *tensors = tin_alloc(n_streams, sizeof *tensors, err);
    tin_metadata *metadata = tin_alloc(n_streams, sizeof *metadata, err);
    char(*texts)[WINDOWS_TEXT] = tin_alloc(n_streams, sizeof *texts, err);
    tin_status status =
        tensors != NULL && metadata != NULL && texts != NULL ? tin_path_join(path, folder, name, err) : TIN_ERR_MEMORY;
    for (size_t s = 0; s < n && status == TIN_OK; s++) {
        for (size_t i = 0; i < sets[s].n; i++) {
            const tin_scored_stream *item = &sets[s].items[i];
            tensors[n_tensors++] = (tin_tensor){.name = item->stream->id,
                                                .dtype = TIN_I16,
                                                .n_dims = 2,
                                                .shape = {item->n_decisions, sets[s].n_classes},
                                                .data = item->scores,
                                                .scratch = &sets[s].scratch};
            if (item->n_windows > 0) {
                describe_windows(texts[n_windows], item);
                metadata[n_windows] = (tin_metadata){item->stream->id, texts[n_windows]};
                n_windows++;
            }
        }
    }
    if (status == TIN_OK) {
        status = tin_safetensors_write(path, tensors, n_tensors, metadata, n_windows, NULL, err);
    }
    tin_free(tensors);
    tin_free(metadata);
    tin_free(texts);
    return status;
}

static tin_status take_windows(const tin_safetensors *file, tin_scored_stream *item, tin_error *err)
{
    char again[WINDOWS_TEXT];
    const char *text = tin_safetensors_metadata(file, item->stream->id);
    if (text == NULL) {
        return TIN_OK;
    }
    if (sscanf(text, "%" SCNd64 " of %" SCNd64, &item->windows_right, &item->n_windows) == 2 &&
        item->windows_right >= 0 && item->windows_right <= item->n_windows) {
        describe_windows(again, item);
        if (strcmp(again, text) == 0) {
            return TIN_OK;
        }
    }
    return tin_fail_at(err, TIN_ERR_FORMAT, file->path, 0,
                       "the windows of %s are damaged; make the file again with `tinamou evaluate --force`",
                       item->stream->id);
}

tin_status tin_scores_load(tin_scored_set *set, const char *folder, const char *name, const tin_dataset *dataset,
                           tin_role role, tin_timing timing, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_safetensors *file = NULL;
    tin_status status = tin_scored_set_create(set, dataset, role, timing, dataset->n_classes, folder, err);
    if (status == TIN_OK) {
        status = tin_path_join(path, folder, name, err);
    }
    if (status == TIN_OK) {
        status = tin_safetensors_map(&file, path, err);
    }
    for (size_t i = 0; i < set->n && status == TIN_OK; i++) {
        tin_scored_stream *item = &set->items[i];
        const int64_t shape[] = {item->n_decisions, set->n_classes};
        const void *scores = NULL;
        status = tin_safetensors_get(file, item->stream->id, TIN_I16, 2, shape, &scores, err);
        if (status == TIN_OK) {
            tin_dataset_labels(dataset, item->stream, item->labels);
            memcpy(item->scores, scores, (size_t)(shape[0] * shape[1]) * sizeof *item->scores);
            tin_scored_stream_forget(set, item);
            status = take_windows(file, item, err);
        }
    }
    tin_safetensors_free(file);
    return status;
}
