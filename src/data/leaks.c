#include "data/leaks.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LENGTH 64         /* frames of a fingerprint */
#define ONE_IN 64         /* a frame starts a fingerprint when its hash is a multiple of this */
#define FEWEST 4          /* fingerprints of a stream from which on something can be said about it */
#define LEAKING_SHARE 0.5 /* of the fingerprints of the stream with fewer */
#define MOST_EQUAL 64     /* places of one fingerprint; one that is everywhere says nothing */

typedef struct print {
    uint64_t hash;
    uint32_t stream;
} print;

typedef struct known {
    char *id;
    tin_role role;
    size_t n_prints;
} known;

typedef struct pair {
    uint32_t first, second;
} pair;

struct tin_leaks {
    int n_channels;
    print *prints;
    size_t n_prints, prints_capacity;
    known *streams;
    size_t n_streams, streams_capacity;
};

tin_status tin_leaks_create(tin_leaks **leaks, int n_channels, tin_error *err)
{
    *leaks = tin_alloc(1, sizeof **leaks, err);
    if (*leaks == NULL)
        return TIN_ERR_MEMORY;
    (*leaks)->n_channels = n_channels;
    return TIN_OK;
}

/* Room for one more item of an array that doubles. */
static void *room(void *array, size_t n, size_t *capacity, size_t size, tin_error *err)
{
    if (n < *capacity)
        return array;
    size_t more = *capacity == 0 ? 64 : 2 * *capacity;
    void *grown = tin_grow(array, n, more, size, err);
    if (grown != NULL)
        *capacity = more;
    return grown;
}

/* FNV-1a over the counts, with a last mix (the finaliser of MurmurHash3), so that low bits are as good as high ones. */
static uint64_t hash_counts(const int16_t *counts, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint16_t)counts[i]) * UINT64_C(0x100000001b3);
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

/* Less than half of the frames differ from the one before. */
static bool stands_still(const int16_t *counts, size_t row)
{
    int moves = 0;
    for (size_t t = 1; t < LENGTH; t++)
        moves += memcmp(counts + t * row, counts + (t - 1) * row, row * sizeof *counts) != 0;
    return moves < LENGTH / 2;
}

tin_status tin_leaks_add(tin_leaks *l, const tin_stream *stream, tin_error *err)
{
    const size_t row = (size_t)l->n_channels;
    known *streams = room(l->streams, l->n_streams, &l->streams_capacity, sizeof *streams, err);
    if (streams == NULL)
        return TIN_ERR_MEMORY;
    l->streams = streams;
    known *one = &streams[l->n_streams];
    *one = (known){.id = tin_strdup(stream->id, err), .role = stream->role};
    if (one->id == NULL)
        return TIN_ERR_MEMORY;
    l->n_streams++;
    for (int64_t t = 0; t + LENGTH <= stream->n_frames; t++) {
        const int16_t *counts = stream->counts + (size_t)t * row;
        if (hash_counts(counts, row) % ONE_IN != 0 || stands_still(counts, row))
            continue;
        print *prints = room(l->prints, l->n_prints, &l->prints_capacity, sizeof *prints, err);
        if (prints == NULL)
            return TIN_ERR_MEMORY;
        l->prints = prints;
        prints[l->n_prints++] = (print){hash_counts(counts, LENGTH * row), (uint32_t)(l->n_streams - 1)};
        one->n_prints++;
    }
    return TIN_OK;
}

static int by_hash(const void *a, const void *b)
{
    const print *x = a, *y = b;
    return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash)
                              : (x->stream > y->stream) - (x->stream < y->stream);
}

static int by_streams(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    return x->first != y->first ? (x->first > y->first) - (x->first < y->first)
                                : (x->second > y->second) - (x->second < y->second);
}

/* Calls for all pairs of streams with different roles that have prints [start, end) in common; NULL only counts. */
static size_t pair_up(const tin_leaks *l, size_t start, size_t end, pair *pairs)
{
    size_t n = 0;
    for (size_t i = start; i < end; i++)
        for (size_t k = i + 1; k < end; k++) {
            uint32_t first = l->prints[i].stream, second = l->prints[k].stream;
            if (first == second || l->streams[first].role == l->streams[second].role)
                continue;
            if (pairs != NULL)
                pairs[n] = (pair){first, second};
            n++;
        }
    return n;
}

/* All pairs that share a print, once per print; counted first when pairs is NULL. */
static size_t find_pairs(const tin_leaks *l, pair *pairs)
{
    size_t n = 0;
    for (size_t start = 0, end; start < l->n_prints; start = end) {
        for (end = start + 1; end < l->n_prints && l->prints[end].hash == l->prints[start].hash;)
            end++;
        if (end - start > 1 && end - start <= MOST_EQUAL)
            n += pair_up(l, start, end, pairs == NULL ? NULL : pairs + n);
    }
    return n;
}

tin_status tin_leaks_find(tin_leaks *l, tin_leak *leak, tin_error *err)
{
    *leak = (tin_leak){0};
    if (l->n_prints > 0)
        qsort(l->prints, l->n_prints, sizeof *l->prints, by_hash);
    size_t n = find_pairs(l, NULL);
    pair *pairs = tin_alloc(n, sizeof *pairs, err);
    if (pairs == NULL)
        return TIN_ERR_MEMORY;
    (void)find_pairs(l, pairs);
    qsort(pairs, n, sizeof *pairs, by_streams);
    for (size_t start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && by_streams(&pairs[start], &pairs[end]) == 0;)
            end++;
        const known *a = &l->streams[pairs[start].first], *b = &l->streams[pairs[start].second];
        size_t fewer = a->n_prints < b->n_prints ? a->n_prints : b->n_prints;
        double share = (double)(end - start) / (double)fewer;
        if (fewer < FEWEST || share < LEAKING_SHARE)
            continue;
        leak->n_pairs++;
        if (share > leak->share)
            *leak = (tin_leak){a->id, b->id, {a->role, b->role}, share, leak->n_pairs};
    }
    tin_free(pairs);
    return TIN_OK;
}

void tin_leaks_free(tin_leaks *leaks)
{
    if (leaks == NULL)
        return;
    for (size_t i = 0; i < leaks->n_streams; i++)
        tin_free(leaks->streams[i].id);
    tin_free(leaks->streams);
    tin_free(leaks->prints);
    tin_free(leaks);
}
