/* Private to src/train. Events of other training recordings, cut out and set into stretches without an event, with
 * cross-fade. The event keeps its label; in the fades there is one only where both recordings carry the same. Gravity
 * does not turn with the event. */
#ifndef TIN_SPLICE_H
#define TIN_SPLICE_H

#include "train/augment.h"
#include "train/stretches.h"

typedef struct tin_splicer tin_splicer;

/* labels, streams: as in tin_stretch_query; they and the dataset outlive the splicer. TIN_ERR_CONFIG: an unknown class;
 * TIN_ERR_DATA: no event, or no place. */
tin_status tin_splicer_create(tin_splicer **splicer, const tin_config_splice *settings, const tin_dataset *dataset,
                              const tin_stretch_query *recordings, tin_error *err) TIN_USE_RESULT;
void tin_splicer_free(tin_splicer *splicer);
/* A bound of what it takes. */
size_t tin_splicer_bytes(const tin_config_splice *settings, const tin_dataset *dataset);

/* The recording `stream` with the events of one sequence in it. */
typedef struct tin_spliced {
    const tin_splicer *splicer;
    size_t stream;
    uint64_t seed;
    /* the place looked at last: frames [from, to) of the recording, fades included, where frame t shows `shown` at
     * t + offset */
    size_t place;
    int64_t from, to, offset;
    size_t shown;
    size_t run, shown_run; /* of labels nearby, in the recording and in what it shows */
} tin_spliced;

void tin_spliced_begin(tin_spliced *spliced, const tin_splicer *splicer, size_t stream, uint64_t seed);

/* counts [to - from][n_channels]: frames from .. to - 1, which the recording has. */
void tin_spliced_counts(tin_spliced *spliced, int64_t from, int64_t to, int16_t *counts);

/* Which labels hold at a frame: those of recording->labels at frame + offset, up to frame `end`; NULL: they change from
 * frame to frame, in a fade. *run: of that frame in them. The frame is one of the recording. */
typedef struct tin_spliced_piece {
    const tin_labels *labels;
    int64_t offset, end;
    size_t *run;
} tin_spliced_piece;
tin_spliced_piece tin_spliced_at(tin_spliced *spliced, int64_t frame);

/* tin_labels_add of the frame, wherever it comes from; 0 in a fade where the two recordings carry different labels. */
double tin_spliced_label(tin_spliced *spliced, int64_t frame, double weight, float *target);

#endif
