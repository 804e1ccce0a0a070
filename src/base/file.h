/* Files: whole reads, read-only maps, and atomic writes (temporary file in the same folder, fsync, rename), so that
 * a kill at any point leaves the earlier file whole. */
#ifndef TIN_FILE_H
#define TIN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

#define TIN_PATH_MAX 4096

/* Reads a whole file. *data gets a NUL after its *size bytes (not counted); the caller tin_free()s it. */
tin_status tin_file_read(const char *path, char **data, size_t *size, tin_error *err) TIN_USE_RESULT;

/* Read-only memory map. An empty file maps to data NULL, size 0. */
typedef struct tin_map {
    const uint8_t *data;
    size_t size;
} tin_map;
tin_status tin_map_open(tin_map *map, const char *path, tin_error *err) TIN_USE_RESULT;
void tin_map_close(tin_map *map);

/* Atomic writing. Open, write to `stream` with stdio, then commit (checks every stdio error, fsync, rename) or abort
 * (removes the temporary file). Abort after commit does nothing, so it can stand under `cleanup:`. Zero-initialise. */
typedef struct tin_writer {
    FILE *stream;
    char path[TIN_PATH_MAX];
    char temporary[TIN_PATH_MAX];
} tin_writer;
tin_status tin_writer_open(tin_writer *w, const char *path, tin_error *err) TIN_USE_RESULT;
tin_status tin_writer_commit(tin_writer *w, tin_error *err) TIN_USE_RESULT;
void tin_writer_abort(tin_writer *w);

/* Whole buffer, atomically. */
tin_status tin_file_write(const char *path, const void *data, size_t size, tin_error *err) TIN_USE_RESULT;

bool tin_file_exists(const char *path);
/* mkdir -p */
tin_status tin_folder_make(const char *path, tin_error *err) TIN_USE_RESULT;
/* rm -r; a folder that is not there is no error. */
tin_status tin_folder_remove(const char *path, tin_error *err) TIN_USE_RESULT;
/* Puts the finished folder `made` in the place of `path`, whose earlier folder, if there is one, is removed. At no moment
 * is there half a folder at `path`, and, where the file system can exchange two names (not NFS), always a whole one. Both
 * must be in the same file system. */
tin_status tin_folder_replace(const char *made, const char *path, tin_error *err) TIN_USE_RESULT;
/* dst = a "/" b; fails with TIN_ERR_IO when it does not fit TIN_PATH_MAX. */
tin_status tin_path_join(char dst[TIN_PATH_MAX], const char *a, const char *b, tin_error *err) TIN_USE_RESULT;

#endif
