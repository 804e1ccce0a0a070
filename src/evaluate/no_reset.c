#include "evaluate/no_reset.h"

#include <math.h>

#include "base/memory.h"
#include "model/replay.h"

typedef struct buffers {
    int16_t *scores, *labels, *predictions; /* of one stream */
} buffers;

static bool buffers_make(buffers *b, const tin_stream *stream, int hop, int n_classes, tin_error *err)
{
    const size_t n_frames = (size_t)stream->n_frames, n_decisions = n_frames / (size_t)hop;
    b->scores = tin_alloc(n_decisions * (size_t)n_classes, sizeof *b->scores, err);
    b->labels = b->scores ? tin_alloc(n_frames, sizeof *b->labels, err) : NULL;
    b->predictions = b->labels ? tin_alloc(n_frames, sizeof *b->predictions, err) : NULL;
    return b->predictions != NULL;
}

static void buffers_free(buffers *b)
{
    tin_free(b->scores);
    tin_free(b->labels);
    tin_free(b->predictions);
    *b = (buffers){0};
}

tin_status tin_no_reset_accuracy(const tin_qmodel *model, const tin_dataset *dataset, tin_role role, tin_timing timing,
                                 double *accuracy, tin_error *err)
{
    tin_replay *replay = NULL;
    tin_class_figures per_class[TIN_MAX_CLASSES] = {0};
    tin_frame_figures figures;
    int64_t n_frames = 0, n_streams = 0;
    tin_status status = tin_replay_create(&replay, model, TIN_REPLAY_BEST, err);
    for (size_t i = 0; i < dataset->n_streams && status == TIN_OK && n_frames < TIN_NO_RESET_FRAMES; i++) {
        const tin_stream *stream = &dataset->streams[i];
        buffers b = {0};
        if (stream->role != role) {
            continue;
        }
        if (!buffers_make(&b, stream, timing.hop, model->n_classes, err)) {
            status = TIN_ERR_MEMORY;
        } else {
            /* whole decisions, so that those of the next stream begin with it */
            const int64_t n =
                tin_replay_run(replay, stream->counts, stream->n_frames / timing.hop * timing.hop, b.scores);
            tin_dataset_labels(dataset, stream, b.labels);
            tin_frame_predictions(b.scores, n, model->n_classes, timing, stream->n_frames, b.predictions);
            tin_class_count(b.labels, b.predictions, stream->n_frames, per_class);
            n_frames += stream->n_frames;
            n_streams++;
            tin_dataset_forget(dataset);
        }
        buffers_free(&b);
    }
    tin_replay_free(replay);
    if (status == TIN_OK) {
        tin_class_figures_finish(per_class, model->n_classes, &figures);
        *accuracy = n_streams > 1 ? figures.accuracy : (double)NAN;
    }
    return status;
}
