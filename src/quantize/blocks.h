/* Private to src/quantize: an even choice of blocks of the streams of one role, at most about `most` frames in all, so
 * that each recording has its share. */
#ifndef TIN_BLOCKS_H
#define TIN_BLOCKS_H

#include "dataset/dataset.h"

typedef struct tin_blocks {
    const tin_dataset *dataset;
    tin_role role;
    int64_t every, length; /* every n-th block of `length` frames is taken, counted through all streams */
    int64_t count;         /* blocks seen so far, taken or not */
    size_t next_stream;
    int64_t next_start;
    /* the block at hand: frames [start, end) of the stream */
    const tin_stream *stream;
    int64_t start, end;
} tin_blocks;

/* A block has 2000 frames, or 16 decisions where those are longer. */
tin_blocks tin_blocks_begin(const tin_dataset *dataset, tin_role role, int64_t most, int hop);
/* Goes on to the next block; false when there is none. */
bool tin_blocks_next(tin_blocks *blocks);

#endif
