#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

struct tin_scratch {
    int file;
    atomic_uint_least64_t size;
    char path[TIN_PATH_MAX]; /* for messages */
};

tin_status tin_scratch_open(tin_scratch **scratch, const char *path, tin_error *err)
{
    *scratch = NULL;
    tin_scratch *s = tin_alloc(1, sizeof *s, err);
    if (s == NULL)
        return TIN_ERR_MEMORY;
    int n = snprintf(s->path, sizeof s->path, "%s.XXXXXX", path);
    s->file = n < (int)sizeof s->path ? mkostemp(s->path, O_CLOEXEC) : -1;
    if (s->file < 0) {
        tin_status status = tin_fail_errno(err, path, "cannot create a file for what does not fit the memory");
        tin_free(s);
        return status;
    }
    (void)unlink(s->path);
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
