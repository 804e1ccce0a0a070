/* Private to src/dataset: the bytes of the file and the checks that reader and builder share. docs/dataset-format.md
 * is the written form. */
#ifndef TIN_DATASET_FORMAT_H
#define TIN_DATASET_FORMAT_H

#include "dataset/dataset.h"

/* The fixed part. All integers are little-endian. */
#define TIN_DATASET_MAGIC "\x89TIND\r\n\x1a" /* as in PNG: a copy in text mode or with 7 bits shows at once */
#define TIN_DATASET_MAGIC_BYTES 8
#define TIN_DATASET_VERSION 2U
#define TIN_DATASET_AT_VERSION 8        /* u32, then 4 zeros */
#define TIN_DATASET_AT_HEADER 16        /* u64, where the header begins, behind the counts */
#define TIN_DATASET_AT_HEADER_BYTES 24  /* u64 */
#define TIN_DATASET_AT_LINEAGE_BYTES 32 /* u64, the lineage stands behind the header, at the end */
#define TIN_DATASET_AT_FILE_BYTES 40    /* u64, then 16 zeros */
#define TIN_DATASET_AT_HASH 64          /* 64 lower-case hex digits, of the header */
#define TIN_DATASET_AT_LINEAGE_HASH 128 /* likewise */
#define TIN_DATASET_HASH_BYTES 64
#define TIN_DATASET_FIXED_BYTES 192
#define TIN_DATASET_ALIGNMENT 64

#define TIN_DATASET_TEXT_BYTES 1000 /* longest name, id, origin */

/* Where a check fails: status and file of the error. */
typedef struct tin_dataset_place {
    tin_status status;
    const char *file;
} tin_dataset_place;

/* Name, rate, channels, classes, unlabelled. */
tin_status tin_dataset_check_head(const tin_dataset *d, tin_dataset_place place, tin_error *err) TIN_USE_RESULT;
/* Everything of one stream, with its lineage, but the uniqueness of its id. */
tin_status tin_dataset_check_stream(const tin_stream *s, int n_classes, tin_dataset_place place,
                                    tin_error *err) TIN_USE_RESULT;
/* Bytes of n_frames x n_channels counts; false when they do not fit 62 bits. */
bool tin_dataset_counts_bytes(int64_t n_frames, int n_channels, uint64_t *bytes);
/* Next multiple of TIN_DATASET_ALIGNMENT; n <= 2^63. */
uint64_t tin_dataset_align(uint64_t n);
const char *tin_dataset_role_name(tin_role role);
/* True for 64 lower-case hex digits and a NUL. */
bool tin_dataset_is_hash(const char *text);
void tin_dataset_stream_free(tin_stream *s);
/* Frees names, channels, classes and the streams with their strings and intervals, not the counts. */
void tin_dataset_clear(tin_dataset *d);

#endif
