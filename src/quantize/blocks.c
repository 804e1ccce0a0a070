#include "quantize/blocks.h"

#define FRAMES 2000
#define DECISIONS 16

tin_blocks tin_blocks_begin(const tin_dataset *dataset, tin_role role, int64_t most, int hop)
{
    int64_t every = (tin_dataset_frames(dataset, role) + most - 1) / most, length = (int64_t)DECISIONS * hop;
    return (tin_blocks){
        .dataset = dataset, .role = role, .every = every > 0 ? every : 1, .length = length > FRAMES ? length : FRAMES};
}

bool tin_blocks_next(tin_blocks *b)
{
    while (b->next_stream < b->dataset->n_streams) {
        const tin_stream *stream = &b->dataset->streams[b->next_stream];
        if (stream->role != b->role || b->next_start >= stream->n_frames) {
            b->next_stream++;
            b->next_start = 0;
            continue;
        }
        b->stream = stream;
        b->start = b->next_start;
        b->next_start += b->length;
        b->end = b->next_start < stream->n_frames ? b->next_start : stream->n_frames;
        if (b->count++ % b->every == 0)
            return true;
    }
    return false;
}
