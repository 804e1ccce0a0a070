#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

struct tin_scratch {
    int file;
    atomic_uint_least64_t size;
    char path[TIN_PATH_MAX]; /* for messages */
};

/* A file that never has a name, so that no kill leaves one behind; where the file system has none such, one that loses its name at
 * once. -1: errno says why. `path` ends in ".XXXXXX" and becomes what messages call the file. */
static int open_unnamed(char path[TIN_PATH_MAX])
{
    char copy[TIN_PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int file = open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0) {
        path[strlen(path) - strlen(".XXXXXX")] = '\0';
    } else if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
        file = mkostemp(path, O_CLOEXEC);
        if (file >= 0)
            (void)unlink(path);
    }
    return file;
}

tin_status tin_scratch_open(tin_scratch **scratch, const char *path, tin_error *err)
{
    *scratch = NULL;
    tin_scratch *s = tin_alloc(1, sizeof *s, err);
    if (s == NULL)
        return TIN_ERR_MEMORY;
    int n = snprintf(s->path, sizeof s->path, "%s.XXXXXX", path);
    s->file = n < (int)sizeof s->path ? open_unnamed(s->path) : -1;
    if (s->file < 0) {
        tin_status status = tin_fail_errno(err, path, "cannot create a file for what does not fit the memory");
        tin_free(s);
        return status;
    }
    *scratch = s;
    return TIN_OK;
}

tin_status tin_scratch_put(tin_scratch *s, const void *data, size_t size, uint64_t *at, tin_error *err)
{
    *at = atomic_fetch_add(&s->size, size);
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(s->file, (const char *)data + done, size - done, (off_t)(*at + done));
        if (n < 0 && errno != EINTR)
            return tin_fail_errno(err, s->path, "cannot put data aside");
        done += n > 0 ? (size_t)n : 0;
    }
    return TIN_OK;
}

tin_status tin_scratch_get(const tin_scratch *s, uint64_t at, void *data, size_t size, tin_error *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(s->file, (char *)data + done, size - done, (off_t)(at + done));
        if (n == 0)
            return tin_fail_at(err, TIN_ERR_IO, s->path, 0, "data that was put aside is gone; run again");
        if (n < 0 && errno != EINTR)
            return tin_fail_errno(err, s->path, "cannot read what was put aside");
        done += n > 0 ? (size_t)n : 0;
    }
    return TIN_OK;
}

void tin_scratch_close(tin_scratch *scratch)
{
    if (scratch == NULL)
        return;
    close(scratch->file);
    tin_free(scratch);
}

tin_status tin_scratch_map_open(tin_scratch_map *map, size_t size, const char *path, tin_error *err)
{
    *map = (tin_scratch_map){0};
    if (size == 0)
        return TIN_OK;
    tin_scratch *file = NULL;
    tin_status status = tin_scratch_open(&file, path, err);
    if (status != TIN_OK)
        return status;
    int failed = posix_fallocate(file->file, 0, (off_t)size);
    void *data = MAP_FAILED;
    if (failed == 0) {
        data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file->file, 0);
        failed = data == MAP_FAILED ? errno : 0;
    }
    if (failed != 0) {
        errno = failed;
        status = tin_fail_errno(err, path, "cannot put data aside");
    } else {
        *map = (tin_scratch_map){data, size};
    }
    tin_scratch_close(file);
    return status;
}

void tin_scratch_map_forget(const tin_scratch_map *map, const void *from, size_t size)
{
    if (map->data == NULL)
        return;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t first = ((size_t)((const char *)from - (const char *)map->data) + page - 1) / page * page;
    const size_t end = ((size_t)((const char *)from - (const char *)map->data) + size) / page * page;
    if (first < end) /* a failure costs memory, no result */
        (void)madvise((char *)map->data + first, end - first, MADV_DONTNEED);
}

void tin_scratch_map_close(tin_scratch_map *map)
{
    if (map->data != NULL)
        (void)munmap(map->data, map->size);
    *map = (tin_scratch_map){0};
}
