#include "data/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "data/file_list.h"

#define BLOCK_BYTES ((size_t)1 << 18)
#define MAX_BYTES ((long long)1 << 37) /* 128 GiB: no data set that is read here is as large */
#define MAX_ENTRIES 5000000L

typedef struct unpacking {
    const char *path, *folder; /* of the archive; of what comes out of it */
    struct archive *archive;
    long long bytes;
    long entries;
    void (*progress)(void *context, long long bytes_read);
    void *context;
} unpacking;

static tin_status damaged(const unpacking *u, tin_error *err)
{
    const char *why = archive_error_string(u->archive);
    return tin_fail_at(err, TIN_ERR_DATA, u->path, 0, "the archive is cut or damaged (%s); fetch it again",
                       why == NULL ? "unknown" : why);
}

/* No absolute path, no "..", no empty part, no backslash (another system's slash). */
static bool is_inside(const char *name)
{
    if (name[0] == '\0' || name[0] == '/' || strchr(name, '\\') != NULL)
        return false;
    for (const char *part = name; *part != '\0';) {
        const size_t n = strcspn(part, "/");
        if (n == 0 || (n == 2 && memcmp(part, "..", 2) == 0))
            return false;
        part += n + (part[n] == '/');
    }
    return true;
}

/* What macOS adds beside the files. */
static bool is_litter(const char *name)
{
    const char *slash = strrchr(name, '/'), *base = slash == NULL ? name : slash + 1;
    return strncmp(name, "__MACOSX/", 9) == 0 || strcmp(base, ".DS_Store") == 0;
}

static tin_status make_parent(const char *path, tin_error *err)
{
    char parent[TIN_PATH_MAX];
    (void)snprintf(parent, sizeof parent, "%s", path);
    *strrchr(parent, '/') = '\0';
    return tin_folder_make(parent, err);
}

static tin_status write_all(int file, const char *bytes, size_t size, const char *path, tin_error *err)
{
    while (size > 0) {
        ssize_t n = write(file, bytes, size);
        if (n < 0)
            return tin_fail_errno(err, path, "cannot write");
        bytes += n;
        size -= (size_t)n;
    }
    return TIN_OK;
}

static tin_status copy_bytes(unpacking *u, int file, const char *path, char *block, tin_error *err)
{
    for (;;) {
        la_ssize_t n = archive_read_data(u->archive, block, BLOCK_BYTES);
        if (n < 0)
            return damaged(u, err);
        if (n == 0)
            return TIN_OK;
        u->bytes += n;
        if (u->bytes > MAX_BYTES)
            return tin_fail_at(err, TIN_ERR_DATA, u->path, 0,
                               "the archive unpacks to more than %lld GiB; unpack it by hand", MAX_BYTES >> 30);
        tin_status status = write_all(file, block, (size_t)n, path, err);
        if (status != TIN_OK)
            return status;
        if (u->progress != NULL)
            u->progress(u->context, archive_filter_bytes(u->archive, -1));
        if (tin_stop_requested())
            return tin_fail(err, TIN_ERR_INTERRUPTED, "stopped while unpacking; run again");
    }
}

static tin_status unpack_file(unpacking *u, const char *path, tin_error *err)
{
    tin_status status = make_parent(path, err);
    char *block = tin_alloc(BLOCK_BYTES, 1, err);
    if (block == NULL || status != TIN_OK) {
        tin_free(block);
        return status != TIN_OK ? status : TIN_ERR_MEMORY;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file < 0)
        status = tin_fail_errno(err, path, "cannot create");
    if (status == TIN_OK)
        status = copy_bytes(u, file, path, block, err);
    if (file >= 0 && close(file) != 0 && status == TIN_OK)
        status = tin_fail_errno(err, path, "cannot close");
    tin_free(block);
    return status;
}

static tin_status unpack_entry(unpacking *u, struct archive_entry *entry, tin_error *err)
{
    char path[TIN_PATH_MAX];
    const char *name = archive_entry_pathname(entry);
    if (name == NULL)
        name = archive_entry_pathname_utf8(entry);
    if (name != NULL && strncmp(name, "./", 2) == 0)
        name += 2 + strspn(name + 2, "/");
    if (++u->entries > MAX_ENTRIES)
        return tin_fail_at(err, TIN_ERR_DATA, u->path, 0, "the archive has more than %ld entries", MAX_ENTRIES);
    const mode_t type = archive_entry_filetype(entry);
    const bool is_link = archive_entry_hardlink(entry) != NULL || (type != AE_IFREG && type != AE_IFDIR);
    if (name != NULL && name[0] == '\0' && type == AE_IFDIR) /* "./" */
        return TIN_OK;
    if (name == NULL || !is_inside(name) || is_link)
        return tin_fail_at(err, TIN_ERR_DATA, u->path, 0,
                           "the archive is refused: its entry '%s' %s; nothing of it is kept", name == NULL ? "" : name,
                           is_link ? "is a link or a device" : "leads out of the folder or has a strange name");
    if (is_litter(name))
        return TIN_OK;
    tin_status status = tin_path_join(path, u->folder, name, err);
    if (status != TIN_OK)
        return status;
    return type == AE_IFDIR ? tin_folder_make(path, err) : unpack_file(u, path, err);
}

static tin_status open_archive(unpacking *u, tin_error *err)
{
    u->archive = archive_read_new();
    if (u->archive == NULL)
        return tin_fail_at(err, TIN_ERR_MEMORY, u->path, 0, "out of memory while opening the archive");
    /* Of zip the reader with the directory: it sees a cut file, and sizes and kinds of entries stand there. */
    if (archive_read_support_format_tar(u->archive) != ARCHIVE_OK ||
        archive_read_support_format_zip_seekable(u->archive) != ARCHIVE_OK ||
        archive_read_support_filter_gzip(u->archive) != ARCHIVE_OK ||
        archive_read_support_filter_bzip2(u->archive) != ARCHIVE_OK ||
        archive_read_support_filter_xz(u->archive) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(u->archive) != ARCHIVE_OK ||
        archive_read_open_filename(u->archive, u->path, BLOCK_BYTES) != ARCHIVE_OK)
        return damaged(u, err);
    return TIN_OK;
}

static tin_status unpack_one(unpacking *u, tin_error *err)
{
    struct archive_entry *entry;
    tin_status status = tin_folder_make(u->folder, err);
    if (status == TIN_OK)
        status = open_archive(u, err);
    u->entries = 0;
    while (status == TIN_OK) {
        int result = archive_read_next_header(u->archive, &entry);
        if (result == ARCHIVE_EOF)
            break;
        status = result == ARCHIVE_OK || result == ARCHIVE_WARN ? unpack_entry(u, entry, err) : damaged(u, err);
    }
    if (status == TIN_OK && u->entries == 0)
        status = tin_fail_at(err, TIN_ERR_DATA, u->path, 0, "the archive is empty or of an unknown kind");
    archive_read_free(u->archive);
    u->archive = NULL;
    return status;
}

/* UCI packs some data sets twice: the archive holds another one, beside a page of text. */
static tin_status unpack_inner(const unpacking *outer, tin_error *err)
{
    static const char *const patterns[] = {"*.zip", "*.tar.gz", "*.tgz"};
    tin_status status = TIN_OK;
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns && status == TIN_OK; p++) {
        tin_file_list files = {0};
        status = tin_file_list_make(&files, outer->folder, patterns[p], err);
        for (size_t i = 0; i < files.n && status == TIN_OK; i++) {
            char path[TIN_PATH_MAX];
            status = tin_path_join(path, outer->folder, files.names[i], err);
            unpacking inner = {.path = path, .folder = outer->folder, .bytes = outer->bytes};
            if (status == TIN_OK)
                status = unpack_one(&inner, err);
            if (status == TIN_OK && unlink(path) != 0)
                status = tin_fail_errno(err, path, "cannot remove");
        }
        tin_file_list_free(&files);
    }
    return status;
}

tin_status tin_unpack(const char *archive, const char *folder, void (*progress)(void *context, long long bytes_read),
                      void *context, tin_error *err)
{
    unpacking u = {.path = archive, .folder = folder, .progress = progress, .context = context};
    tin_status status = unpack_one(&u, err);
    return status == TIN_OK ? unpack_inner(&u, err) : status;
}
