/* NPZ: a zip archive of NPY files (numpy.savez), by libarchive. Only its reader for zip files with a directory at their
 * end is asked, so that a cut archive is an error and not the entries up to the cut; it checks each entry's checksum. */
#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/table_formats.h"

#define ENTRY_MAX_BYTES (TIN_TABLE_MAX_VALUES * sizeof(double) + (1u << 20)) /* values and header */

static tin_status damaged(const tin_table_input *in, struct archive *zip, tin_error *err)
{
    const char *why = archive_error_string(zip);
    return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                       "the archive is cut or damaged (%s); write it again with numpy.savez",
                       why == NULL ? "unknown" : why);
}

static tin_status open_zip(const tin_table_input *in, struct archive **zip, tin_error *err)
{
    *zip = archive_read_new();
    if (*zip == NULL)
        return tin_fail_at(err, TIN_ERR_MEMORY, in->path, 0, "out of memory while opening the archive");
    if (archive_read_support_format_zip_seekable(*zip) != ARCHIVE_OK ||
        archive_read_open_memory(*zip, in->data, in->size) != ARCHIVE_OK)
        return damaged(in, *zip, err);
    return TIN_OK;
}

/* "walk" is the array walk.npy, as numpy.load has it. */
static bool is_entry(const char *name, const char *entry)
{
    const size_t n = strlen(entry);
    return strncmp(name, entry, n) == 0 && (name[n] == '\0' || strcmp(name + n, ".npy") == 0);
}

/* Goes to the header of the array asked for. *names: those that are there, for the message. */
static tin_status find_entry(const tin_table_input *in, struct archive *zip, char names[256], size_t *n_found,
                             char found[256], tin_error *err)
{
    struct archive_entry *entry;
    int result;
    *n_found = 0;
    while ((result = archive_read_next_header(zip, &entry)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        if (name == NULL)
            return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "an entry's name is not text; write the file again");
        size_t used = strlen(names);
        (void)snprintf(names + used, 256 - used, "%s%s", used > 0 ? ", " : "", name);
        if (in->entry == NULL || is_entry(name, in->entry)) {
            ++*n_found;
            (void)snprintf(found, 256, "%s", name);
        }
    }
    return result == ARCHIVE_EOF ? TIN_OK : damaged(in, zip, err);
}

/* The current entry's bytes. They are read in steps, as long as there are some: the size that the archive claims costs
 * no memory. */
static tin_status read_entry(const tin_table_input *in, struct archive *zip, char **bytes, size_t *size, tin_error *err)
{
    size_t capacity = 0;
    *bytes = NULL;
    *size = 0;
    for (;;) {
        if (*size == capacity) {
            size_t more = capacity == 0 ? 1u << 16 : 2 * capacity;
            if (more > 2 * ENTRY_MAX_BYTES)
                return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                                   "the array is greater than %zu bytes; split it in several files", ENTRY_MAX_BYTES);
            char *grown = tin_grow(*bytes, *size, more, 1, err);
            if (grown == NULL)
                return TIN_ERR_MEMORY;
            *bytes = grown;
            capacity = more;
        }
        la_ssize_t n = archive_read_data(zip, *bytes + *size, capacity - *size);
        if (n < 0)
            return damaged(in, zip, err);
        if (n == 0)
            return TIN_OK;
        *size += (size_t)n;
    }
}

static tin_status read_array(const tin_table_input *in, const char *name, tin_table *table, tin_error *err)
{
    char path[TIN_PATH_MAX + 256], *bytes = NULL;
    size_t size = 0;
    struct archive *zip = NULL;
    struct archive_entry *entry;
    (void)snprintf(path, sizeof path, "%s:%s", in->path, name);
    tin_status status = open_zip(in, &zip, err);
    while (status == TIN_OK)
        if (archive_read_next_header(zip, &entry) != ARCHIVE_OK)
            status = damaged(in, zip, err);
        else if (strcmp(archive_entry_pathname(entry), name) == 0)
            break;
    if (status == TIN_OK)
        status = read_entry(in, zip, &bytes, &size, err);
    if (status == TIN_OK) {
        const tin_table_input array = {.path = path, .data = (const uint8_t *)bytes, .size = size};
        status = tin_table_read_npy(&array, table, err);
    }
    tin_free(bytes);
    archive_read_free(zip);
    return status;
}

tin_status tin_table_read_npz(const tin_table_input *in, tin_table *table, tin_error *err)
{
    char names[256] = "", found[256] = "";
    size_t n_found = 0;
    struct archive *zip = NULL;
    tin_status status = open_zip(in, &zip, err);
    if (status == TIN_OK)
        status = find_entry(in, zip, names, &n_found, found, err);
    archive_read_free(zip);
    if (status != TIN_OK)
        return status;
    if (n_found != 1 && in->entry == NULL)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "holds %zu arrays, say which one: %s", n_found, names);
    if (n_found != 1)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "%s called '%s' in it; there are: %s",
                           n_found == 0 ? "no array is" : "several arrays are", in->entry, names);
    return read_array(in, found, table, err);
}
