#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

tin_status tin_file_read(const char *path, char **data, size_t *size, tin_error *err)
{
    tin_map map = {0};
    *data = NULL;
    *size = 0;
    tin_status status = tin_map_open(&map, path, err);
    if (status)
        return status;
    char *copy = tin_alloc(map.size + 1, 1, err);
    if (copy) {
        if (map.size)
            memcpy(copy, map.data, map.size);
        *data = copy;
        *size = map.size;
    }
    tin_map_close(&map);
    return copy ? TIN_OK : TIN_ERR_MEMORY;
}

tin_status tin_map_open(tin_map *map, const char *path, tin_error *err)
{
    *map = (tin_map){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tin_fail_errno(err, path, "cannot open");
    tin_status status = TIN_OK;
    struct stat info;
    if (fstat(fd, &info) < 0) {
        status = tin_fail_errno(err, path, "cannot look up the size");
    } else if (!S_ISREG(info.st_mode)) {
        status = tin_fail_at(err, TIN_ERR_IO, path, 0, "is not a regular file; give the path of a file");
    } else if (info.st_size > 0) {
        void *p = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            status = tin_fail_errno(err, path, "cannot map into memory");
        } else {
            map->data = p;
            map->size = (size_t)info.st_size;
        }
    }
    close(fd);
    return status;
}

void tin_map_close(tin_map *map)
{
    if (map->data)
        munmap((void *)(uintptr_t)map->data, map->size);
    *map = (tin_map){0};
}

tin_status tin_writer_open(tin_writer *w, const char *path, tin_error *err)
{
    *w = (tin_writer){0};
    int n = snprintf(w->path, sizeof w->path, "%s", path);
    int m = snprintf(w->temporary, sizeof w->temporary, "%s.XXXXXX", path);
    if (n < 0 || m < 0 || (size_t)m >= sizeof w->temporary)
        return tin_fail_at(err, TIN_ERR_IO, path, 0, "the path is too long; use a shorter one");
    int fd = mkostemp(w->temporary, O_CLOEXEC);
    if (fd < 0) {
        w->temporary[0] = '\0';
        return tin_fail_errno(err, path, "cannot create");
    }
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(fd, 0666 & ~mask) == 0)
        w->stream = fdopen(fd, "wb");
    if (!w->stream) {
        tin_status status = tin_fail_errno(err, path, "cannot open for writing");
        close(fd);
        tin_writer_abort(w);
        return status;
    }
    return TIN_OK;
}

/* So that the rename itself is on the disk. Not every file system can sync a folder; that is no error. */
static void sync_folder(const char *path)
{
    char copy[TIN_PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

tin_status tin_writer_commit(tin_writer *w, tin_error *err)
{
    tin_status status = TIN_OK;
    errno = 0;
    if (ferror(w->stream) || fflush(w->stream) != 0) {
        /* An earlier write failed and its errno is gone: one more byte into the file that is thrown away tells it again. */
        if (errno == 0 && write(fileno(w->stream), "", 1) == 1)
            errno = EIO;
        status = tin_fail_errno(err, w->path, "cannot write");
    } else if (fsync(fileno(w->stream)) != 0) {
        status = tin_fail_errno(err, w->path, "cannot write to the disk");
    }
    if (fclose(w->stream) != 0 && !status)
        status = tin_fail_errno(err, w->path, "cannot close");
    w->stream = NULL;
    if (!status && rename(w->temporary, w->path) != 0)
        status = tin_fail_errno(err, w->path, "cannot put in place");
    if (!status) {
        w->temporary[0] = '\0';
        sync_folder(w->path);
    }
    tin_writer_abort(w);
    return status;
}

void tin_writer_abort(tin_writer *w)
{
    if (w->stream)
        fclose(w->stream);
    if (w->temporary[0])
        unlink(w->temporary);
    w->stream = NULL;
    w->temporary[0] = '\0';
}

tin_status tin_file_write(const char *path, const void *data, size_t size, tin_error *err)
{
    tin_writer w = {0};
    tin_status status = tin_writer_open(&w, path, err);
    if (status)
        return status;
    if (size && fwrite(data, 1, size, w.stream) != size) {
        status = tin_fail_errno(err, path, "cannot write");
        tin_writer_abort(&w);
        return status;
    }
    return tin_writer_commit(&w, err);
}

bool tin_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

tin_status tin_folder_make(const char *path, tin_error *err)
{
    char part[TIN_PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part)
        return tin_fail_at(err, TIN_ERR_IO, path, 0, "the path of the folder is empty or too long");
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char c = part[i];
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return tin_fail_errno(err, part, "cannot make the folder");
        part[i] = c;
    }
    struct stat info;
    if (stat(path, &info) != 0)
        return tin_fail_errno(err, path, "cannot look at the folder");
    if (!S_ISDIR(info.st_mode))
        return tin_fail_at(err, TIN_ERR_IO, path, 0, "is a file where a folder is needed; move it away");
    return TIN_OK;
}

tin_status tin_folder_remove(const char *path, tin_error *err)
{
    char root[TIN_PATH_MAX];
    if (strlen(path) >= sizeof root)
        return tin_fail_at(err, TIN_ERR_IO, path, 0, "the path is too long");
    memcpy(root, path, strlen(path) + 1);
    if (!tin_file_exists(root))
        return TIN_OK;
    FTS *walk = fts_open((char *const[]){root, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return tin_fail_errno(err, path, "cannot look into the folder");
    tin_status status = TIN_OK;
    const FTSENT *entry;
    while (!status && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info != FTS_D && remove(entry->fts_path) != 0)
            status = tin_fail_errno(err, entry->fts_path, "cannot remove");
    }
    fts_close(walk);
    return status;
}

tin_status tin_folder_replace(const char *made, const char *path, tin_error *err)
{
    if (renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
        sync_folder(path);
        return TIN_OK;
    }
    if (errno == EEXIST && renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
        sync_folder(path);
        return tin_folder_remove(made, err); /* now the earlier one */
    }
    if (errno != EINVAL && errno != ENOSYS)
        return tin_fail_errno(err, path, "cannot put the folder in place");
    tin_status status = tin_folder_remove(path, err); /* a file system that cannot exchange, such as NFS */
    if (status == TIN_OK && rename(made, path) != 0)
        status = tin_fail_errno(err, path, "cannot put the folder in place");
    return status;
}

tin_status tin_path_join(char dst[TIN_PATH_MAX], const char *a, const char *b, tin_error *err)
{
    size_t n = strlen(a), m = strlen(b);
    bool slash = n > 0 && a[n - 1] != '/';
    if (n + m + 2 > TIN_PATH_MAX)
        return tin_fail_at(err, TIN_ERR_IO, b, 0, "the path is too long below the folder; use shorter names");
    memmove(dst, a, n);
    if (slash)
        dst[n++] = '/';
    memcpy(dst + n, b, m + 1);
    return TIN_OK;
}
