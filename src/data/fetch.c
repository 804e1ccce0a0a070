#include "data/fetch.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/http.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/unpack.h"

#define MAX_REDIRECTS 5
#define MAX_TRIES 5              /* in a row without a new byte */
#define MAX_BYTES (1ull << 36)   /* 64 GiB */
#define PROGRESS_UNIT (1u << 10) /* the bar counts in KiB */

#define UCI "https://archive.ics.uci.edu/static/public/"

/* The checksums of hapt and uci_har stand alike in several independent public repositories, that of speech_commands in
 * torchaudio and TensorFlow Datasets. The others' publishers may pack anew, and nobody was found who wrote theirs down. */
const tin_public_data tin_public_data_sets[] = {
    {"hapt", "Smartphone-Based Recognition of Human Activities and Postural Transitions",
     UCI "341/smartphone+based+recognition+of+human+activities+and+postural+transitions.zip", 79596192,
     "4ac4ae064227c07045a99551876b54d204837e995e298b6488559e209b3deb09",
     "CC BY 4.0 (UCI); the README in the archive forbids commercial use", "Reyes-Ortiz and others 2016"},
    {"spsw", "Inertial measurements of smartphones and smartwatches",
     "https://github.com/GeoTecINIT/sp-sw-har-dataset/archive/HEAD.zip", 0, NULL, "CC BY 4.0",
     "Matey-Sanz, Casteleyn and Granell 2023"},
    {"wisdm", "WISDM activity prediction, version 1.1",
     "https://www.cis.fordham.edu/wisdm/includes/datasets/latest/WISDM_ar_latest.tar.gz", 0, NULL,
     "none stated; the publisher asks for a citation, and to pass readme.txt on with the data",
     "Kwapisz, Weiss and Moore 2010"},
    {"pamap2", "PAMAP2 physical activity monitoring", UCI "231/pamap2+physical+activity+monitoring.zip", 0, NULL,
     "CC BY 4.0 (UCI)", "Reiss and Stricker 2012"},
    {"uci_har", "Human Activity Recognition Using Smartphones",
     UCI "240/human+activity+recognition+using+smartphones.zip", 61005872,
     "c00b803081a5c797cd5e4b83700a9810b38d53d9d84e01917e090e1fdbc81031",
     "CC BY 4.0 (UCI); the README in the archive forbids commercial use", "Anguita and others 2013"},
    {"opportunity", "OPPORTUNITY activity recognition", UCI "226/opportunity+activity+recognition.zip", 0, NULL,
     "CC BY 4.0 (UCI)", "Roggen and others 2010"},
    {"speech_commands", "Speech Commands, version 0.02",
     "https://download.tensorflow.org/data/speech_commands_v0.02.tar.gz", 2428923189,
     "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58", "CC BY 4.0", "Warden 2018"},
    {.name = NULL},
};

tin_status tin_public_data_find(const char *name, const tin_public_data **set, tin_error *err)
{
    char names[256] = "";
    for (*set = tin_public_data_sets; (*set)->name != NULL; ++*set) {
        if (strcmp((*set)->name, name) == 0)
            return TIN_OK;
        (void)snprintf(names + strlen(names), sizeof names - strlen(names), " %s", (*set)->name);
    }
    return tin_fail(err, TIN_ERR_USAGE, "there is no data set '%.100s' to fetch; give one of:%s", name, names);
}

/* ---- download ---- */

typedef struct download {
    const tin_fetch *fetch;
    const char *url;
    char part[TIN_PATH_MAX];   /* what is there of the archive */
    char origin[TIN_PATH_MAX]; /* beside it: address and version that it is of */
    int file;
    uint64_t size, whole; /* bytes in the file; of all, 0: unknown */
    char version[256];
    bool refused; /* the transfer ended because of us, not of the network */
    tin_progress progress;
} download;

static tin_status refuse(download *d, tin_status status)
{
    d->refused = true;
    return status;
}

static tin_status write_origin(download *d, const tin_http_response *head, tin_error *err)
{
    tin_text text = {0};
    tin_text_printf(&text, "%s\n%s\n", d->url, head->version);
    tin_status status = tin_text_check(&text, err);
    if (status == TIN_OK)
        status = tin_file_write(d->origin, text.data, text.size, err);
    tin_text_free(&text);
    return status;
}

/* The first bytes of an answer: from the beginning, or behind those that are there. */
static tin_status start_answer(download *d, const tin_http_response *head, tin_error *err)
{
    const uint64_t start = head->status == 206 ? head->from_byte : 0;
    if (start != 0 && start != d->size)
        return tin_fail_at(err, TIN_ERR_IO, d->url, 0, "the server sends byte %llu where %llu was asked for",
                           (unsigned long long)start, (unsigned long long)d->size);
    if (start == 0 && ftruncate(d->file, 0) != 0)
        return tin_fail_errno(err, d->part, "cannot empty");
    if (lseek(d->file, (off_t)start, SEEK_SET) < 0)
        return tin_fail_errno(err, d->part, "cannot go on");
    const uint64_t known = d->fetch->set->bytes;
    d->size = start;
    d->whole = head->whole;
    if ((known > 0 && d->whole > 0 && d->whole != known) || d->whole > MAX_BYTES)
        return tin_fail_at(err, TIN_ERR_DATA, d->url, 0,
                           "the file there has %llu bytes instead of %llu: it is not the one that is known; see --url",
                           (unsigned long long)d->whole, (unsigned long long)(known > 0 ? known : MAX_BYTES));
    struct statvfs disk;
    if (d->whole > start && fstatvfs(d->file, &disk) == 0 && disk.f_bavail * disk.f_frsize < d->whole - start)
        return tin_fail_at(
            err, TIN_ERR_IO, d->part, 0,
            "the disk has %llu MB left, the download needs %llu MB, and as much again or more to unpack; free "
            "space or give another folder",
            (unsigned long long)(disk.f_bavail * disk.f_frsize / 1000000),
            (unsigned long long)((d->whole - start) / 1000000));
    tin_progress_begin(&d->progress, d->fetch->set->name,
                       (long)((d->whole > 0 ? d->whole : MAX_BYTES) / PROGRESS_UNIT) + 1, d->fetch->quiet);
    return write_origin(d, head, err);
}

typedef struct answer {
    download *download;
    bool started;
} answer;

static tin_status take(void *context, const tin_http_response *head, const void *bytes, size_t size, tin_error *err)
{
    answer *a = context;
    download *d = a->download;
    tin_status status = a->started ? TIN_OK : start_answer(d, head, err);
    a->started = true;
    if (status != TIN_OK)
        return refuse(d, status);
    if (d->size + size > MAX_BYTES)
        return refuse(d, tin_fail_at(err, TIN_ERR_DATA, d->url, 0, "the file there does not end"));
    for (const char *at = bytes; size > 0;) {
        ssize_t n = write(d->file, at, size);
        if (n < 0)
            return refuse(d, tin_fail_errno(err, d->part, "cannot write"));
        at += n;
        size -= (size_t)n;
        d->size += (uint64_t)n;
    }
    char note[32];
    (void)snprintf(note, sizeof note, "%.1f MB", (double)d->size / 1e6);
    tin_progress_update(&d->progress, (long)(d->size / PROGRESS_UNIT), note);
    return TIN_OK;
}

/* What an earlier run left, if it is of the same address. */
static tin_status look_for_part(download *d, tin_error *err)
{
    char *text = NULL;
    size_t size = 0;
    struct stat info;
    d->file = open(d->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (d->file < 0)
        return tin_fail_errno(err, d->part, "cannot open");
    if (fstat(d->file, &info) != 0)
        return tin_fail_errno(err, d->part, "cannot look up the size");
    if (info.st_size == 0 || tin_file_read(d->origin, &text, &size, NULL) != TIN_OK)
        return TIN_OK;
    const size_t n = strlen(d->url);
    if (strncmp(text, d->url, n) == 0 && text[n] == '\n') {
        (void)snprintf(d->version, sizeof d->version, "%s", text + n + 1);
        d->version[strcspn(d->version, "\n")] = '\0';
        d->size = d->version[0] != '\0' ? (uint64_t)info.st_size : 0; /* else it may have changed since */
    }
    tin_free(text);
    return TIN_OK;
}

/* One request. *done: the file is whole. */
static tin_status try_once(download *d, bool *done, tin_error *err)
{
    answer a = {.download = d};
    tin_http_response response;
    const tin_http_request request = {.method = "GET",
                                      .url = d->url,
                                      .max_redirects = MAX_REDIRECTS,
                                      .take = take,
                                      .context = &a,
                                      .from_byte = d->size,
                                      .unchanged = d->version[0] != '\0' ? d->version : NULL};
    tin_status status = tin_http_send(&request, &response, err);
    if (a.started)
        tin_progress_end(&d->progress, NULL);
    if (a.started && response.version[0] != '\0')
        (void)snprintf(d->version, sizeof d->version, "%s", response.version);
    *done = status == TIN_OK && (response.status == 200 || response.status == 206) &&
            (d->whole == 0 || d->size == d->whole);
    if (status == TIN_OK && response.status == 416 && d->size > 0) {
        d->size = 0; /* nothing behind what is there: whole, or of another file; the checksum would not tell which */
        d->version[0] = '\0';
    } else if (status == TIN_OK && !*done && !a.started) {
        status = refuse(
            d, tin_fail_at(err, TIN_ERR_IO, d->url, 0,
                           "the server says %ld%s; look whether the address still holds, or give another one with "
                           "--url",
                           response.status, response.status == 404 ? " (not found)" : ""));
    }
    tin_http_free(&response);
    return status;
}

static tin_status download_archive(download *d, tin_error *err)
{
    tin_status status = look_for_part(d, err);
    bool done = false;
    for (int tries = 0; status == TIN_OK && !done && tries < MAX_TRIES;) {
        tin_error last = {0};
        const uint64_t before = d->size;
        status = try_once(d, &done, &last);
        tries = d->size > before ? 0 : tries + 1;
        const bool again = status == TIN_ERR_IO && !d->refused && tries < MAX_TRIES;
        if (again)
            status = TIN_OK;
        else if (status != TIN_OK && err != NULL)
            *err = last;
    }
    if (status == TIN_OK && !done)
        status = tin_fail_at(err, TIN_ERR_IO, d->url, 0, "the download is cut off again and again; run again to go on");
    if (d->file >= 0 && close(d->file) != 0 && status == TIN_OK)
        status = tin_fail_errno(err, d->part, "cannot close");
    if (status != TIN_OK && d->size == 0)
        (void)unlink(d->part);
    return status;
}

/* ---- checksum ---- */

/* The checksum that was written beside at the first download; "": none. */
static void read_known(const char *path, char sha256[TIN_HASH_HEX])
{
    char *text = NULL;
    size_t size = 0;
    sha256[0] = '\0';
    if (tin_file_read(path, &text, &size, NULL) != TIN_OK)
        return;
    if (strspn(text, "0123456789abcdef") == TIN_HASH_HEX - 1)
        (void)snprintf(sha256, TIN_HASH_HEX, "%s", text);
    tin_free(text);
}

static tin_status check_archive(const download *d, const char *known_path, tin_fetched *fetched, tin_error *err)
{
    char known[TIN_HASH_HEX];
    read_known(known_path, known);
    const char *expected = d->fetch->set->sha256 != NULL ? d->fetch->set->sha256 : known;
    fetched->first_time = expected[0] == '\0';
    tin_status status = tin_hash_file(d->part, fetched->sha256, err);
    if (status != TIN_OK || fetched->first_time || strcmp(expected, fetched->sha256) == 0)
        return status;
    (void)unlink(d->part);
    (void)unlink(d->origin);
    if (d->fetch->set->sha256 != NULL)
        return tin_fail_at(
            err, TIN_ERR_DATA, d->url, 0,
            "the file there has the SHA-256 %s instead of %s; it was damaged or changed, and is thrown away",
            fetched->sha256, expected);
    return tin_fail_at(
        err, TIN_ERR_DATA, d->url, 0,
        "the file there has the SHA-256 %s, at the first download it was %s; it is thrown away. If the publisher "
        "changed it, remove %s and run again",
        fetched->sha256, expected, known_path);
}

static tin_status write_known(const download *d, const char *path, const char *sha256, tin_error *err)
{
    tin_text text = {0};
    tin_text_printf(&text, "%s  %s\n", sha256, d->url);
    tin_status status = tin_text_check(&text, err);
    if (status == TIN_OK)
        status = tin_file_write(path, text.data, text.size, err);
    tin_text_free(&text);
    return status;
}

/* ---- unpacking ---- */

/* A folder that holds nothing but another folder is that one: archives are often packed so. */
static tin_status find_top(char path[TIN_PATH_MAX], tin_error *err)
{
    char only[NAME_MAX + 1] = "";
    size_t n = 0;
    DIR *folder = opendir(path);
    if (folder == NULL)
        return tin_fail_errno(err, path, "cannot look into the folder");
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && n++ == 0)
            (void)snprintf(only, sizeof only, "%s", entry->d_name);
    closedir(folder);
    struct stat info;
    char inner[TIN_PATH_MAX];
    tin_status status = tin_path_join(inner, path, only, err);
    if (status == TIN_OK && n == 1 && stat(inner, &info) == 0 && S_ISDIR(info.st_mode))
        memcpy(path, inner, sizeof inner);
    return status;
}

static void show_unpacking(void *context, long long bytes_read)
{
    tin_progress_update(context, (long)(bytes_read / PROGRESS_UNIT), NULL);
}

static tin_status unpack(const download *d, const char *path, tin_error *err)
{
    char made[TIN_PATH_MAX], top[TIN_PATH_MAX];
    if (snprintf(made, sizeof made, "%s.unpacking", path) >= (int)sizeof made)
        return tin_fail_at(err, TIN_ERR_IO, path, 0, "the path is too long; use a shorter one");
    tin_progress progress;
    tin_status status = tin_folder_remove(made, err);
    if (status != TIN_OK)
        return status;
    tin_progress_begin(&progress, "unpack", (long)(d->size / PROGRESS_UNIT) + 1, d->fetch->quiet);
    status = tin_unpack(d->part, made, show_unpacking, &progress, err);
    tin_progress_end(&progress, NULL);
    memcpy(top, made, sizeof top);
    if (status == TIN_OK)
        status = find_top(top, err);
    if (status == TIN_OK)
        status = tin_folder_replace(top, path, err);
    tin_status removed = tin_folder_remove(made, status == TIN_OK ? err : NULL);
    return status == TIN_OK ? removed : status;
}

/* FOLDER/NAME followed by `ending`. */
static tin_status path_of(char path[TIN_PATH_MAX], const tin_fetch *f, const char *ending, tin_error *err)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s%s", f->set->name, ending);
    return tin_path_join(path, f->folder, name, err);
}

tin_status tin_fetch_data(const tin_fetch *f, tin_fetched *fetched, tin_error *err)
{
    char path[TIN_PATH_MAX], known[TIN_PATH_MAX];
    download d = {.fetch = f, .url = f->url != NULL ? f->url : f->set->url, .file = -1, .progress = {.quiet = true}};
    *fetched = (tin_fetched){0};
    tin_status status = tin_folder_make(f->folder, err);
    if (status == TIN_OK)
        status = path_of(path, f, "", err);
    if (status == TIN_OK)
        status = path_of(known, f, ".sha256", err);
    if (status == TIN_OK)
        status = path_of(d.part, f, ".part", err);
    if (status == TIN_OK)
        status = path_of(d.origin, f, ".part.origin", err);
    if (status != TIN_OK)
        return status;
    fetched->was_there = !f->force && tin_file_exists(path);
    memcpy(fetched->path, path, sizeof path);
    if (fetched->was_there)
        return TIN_OK;
    status = download_archive(&d, err);
    if (status == TIN_OK)
        status = check_archive(&d, known, fetched, err);
    if (status == TIN_OK) {
        status = unpack(&d, path, err);
        if (status == TIN_ERR_DATA) /* going on with it would not make it better */
            (void)unlink(d.part);
    }
    if (status == TIN_OK && fetched->first_time)
        status = write_known(&d, known, fetched->sha256, err);
    if (status == TIN_OK) {
        (void)unlink(d.part);
        (void)unlink(d.origin);
    }
    return status;
}
