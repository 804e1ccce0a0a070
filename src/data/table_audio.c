/* WAV, FLAC and Ogg (Vorbis, Opus, FLAC) by libsndfile. The library reads a cut file without a word as far as it goes;
 * that the file is whole is therefore looked up here first, in the outer structure of WAV and Ogg. */
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/table_formats.h"

#define OGG_HEADER 27u /* bytes before a page's table of segments; RFC 3533 */
#define OGG_LAST 4u    /* flag of a stream's last page */
#define FIRST_SAMPLES ((size_t)1 << 16)

static uint64_t number(const uint8_t *bytes, size_t n, bool big_endian)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[big_endian ? i : n - 1 - i];
    return value;
}

static tin_status cut(const tin_table_input *in, uint64_t needed, tin_error *err)
{
    return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                       "the file is cut or was never finished: %llu bytes by its header, %zu are there; "
                       "copy it again, or repair it with an audio tool",
                       (unsigned long long)needed, in->size);
}

/* RIFF (WAVE specification, 1991; RIFX: big-endian) and RF64 (EBU Tech 3306): the form's size, and chunks within it,
 * one of them "data". */
static tin_status check_wav(const tin_table_input *in, tin_error *err)
{
    const uint8_t *d = in->data;
    if (in->size < 12 || memcmp(d + 8, "WAVE", 4) != 0 ||
        (memcmp(d, "RIFF", 4) != 0 && memcmp(d, "RIFX", 4) != 0 && memcmp(d, "RF64", 4) != 0))
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "is no WAV file (no RIFF header of kind WAVE)");
    const bool big = d[3] == 'X', wide = d[0] == 'R' && d[1] == 'F';
    uint64_t form = number(d + 4, 4, big), wide_data = 0;
    if (wide) {
        if (in->size < 36 || memcmp(d + 12, "ds64", 4) != 0)
            return cut(in, 36, err);
        form = number(d + 20, 8, false);
        wide_data = number(d + 28, 8, false);
    }
    if (form > in->size - 8)
        return cut(in, form > UINT64_MAX - 8 ? form : form + 8, err);
    for (uint64_t at = 12; at + 8 <= in->size;) {
        uint64_t length = number(d + at + 4, 4, big);
        const bool data = memcmp(d + at, "data", 4) == 0;
        if (data && wide && length == UINT32_MAX)
            length = wide_data;
        if (length > in->size - at - 8)
            return cut(in, length > UINT64_MAX - at - 8 ? length : length + at + 8, err);
        if (data)
            return TIN_OK;
        at += 8 + length + (length & 1);
    }
    return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "is a WAV file without samples (no chunk 'data'); remove it");
}

/* RFC 3533: CRC-32 with generator 0x04c11db7, first bit first, over the page with its own four bytes zero. */
static uint32_t ogg_checksum(const uint8_t *page, size_t length)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < length; i++) {
        crc ^= (uint32_t)(i >= 22 && i < 26 ? 0 : page[i]) << 24;
        for (int bit = 0; bit < 8; bit++)
            crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7u : 0);
    }
    return crc;
}

/* RFC 3533: pages behind one another up to the file's end, the last one marked as such. A damaged page would be passed
 * over by libogg, and the recording have a hole. */
static tin_status check_ogg(const tin_table_input *in, tin_error *err)
{
    uint64_t at = 0;
    unsigned flags = 0;
    while (at < in->size) {
        const uint8_t *page = in->data + at;
        if (in->size - at < OGG_HEADER)
            return cut(in, at + OGG_HEADER, err);
        if (memcmp(page, "OggS", 4) != 0)
            return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "is no Ogg file, or damaged: no page at byte %llu",
                               (unsigned long long)at);
        uint64_t length = OGG_HEADER + page[26];
        if (length > in->size - at)
            return cut(in, at + length, err);
        for (unsigned i = 0; i < page[26]; i++)
            length += page[OGG_HEADER + i];
        if (length > in->size - at)
            return cut(in, at + length, err);
        if (ogg_checksum(page, (size_t)length) != number(page + 22, 4, false))
            return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                               "the page at byte %llu is damaged (its checksum is wrong); copy the file again",
                               (unsigned long long)at);
        flags = page[5];
        at += length;
    }
    if ((flags & OGG_LAST) == 0)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                           "the file is cut or was never finished: its last page is missing; copy it again, or repair "
                           "it with an audio tool");
    return TIN_OK;
}

/* The file in memory as libsndfile wants to see it. */
typedef struct source {
    const tin_table_input *in;
    sf_count_t at;
} source;

static sf_count_t source_size(void *user)
{
    return (sf_count_t)((const source *)user)->in->size;
}

static sf_count_t source_seek(sf_count_t offset, int whence, void *user)
{
    source *s = user;
    const sf_count_t size = (sf_count_t)s->in->size;
    sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? s->at : size;
    if (offset >= -from && offset <= size - from)
        s->at = from + offset;
    return s->at;
}

static sf_count_t source_read(void *to, sf_count_t n, void *user)
{
    source *s = user;
    sf_count_t left = (sf_count_t)s->in->size - s->at;
    n = n > left ? left : n < 0 ? 0 : n;
    if (n > 0)
        memcpy(to, s->in->data + s->at, (size_t)n);
    s->at += n;
    return n;
}

static sf_count_t source_tell(void *user)
{
    return ((const source *)user)->at;
}

/* The memory grows with what is read: a header alone, which may promise hours, costs little. */
static tin_status read_samples(const tin_table_input *in, SNDFILE *file, const SF_INFO *info, tin_table *table,
                               tin_error *err)
{
    const size_t width = (size_t)info->channels;
    if (info->frames < 0 || info->frames == SF_COUNT_MAX)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                           "does not say how long it is; write it again with an audio tool");
    const size_t n = (size_t)info->frames;
    size_t capacity = n < FIRST_SAMPLES ? n : FIRST_SAMPLES, done = 0;
    tin_status status = tin_table_check_shape(in->path, n, width, err);
    if (status == TIN_OK)
        status = tin_table_shape(table, in->path, capacity, width, err);
    while (status == TIN_OK) {
        const sf_count_t got = sf_readf_double(file, table->values + done * width, (sf_count_t)(capacity - done));
        done += got > 0 ? (size_t)got : 0;
        if (done == n || done < capacity || sf_error(file) != SF_ERR_NO_ERROR)
            break;
        capacity = n / 2 < capacity ? n : 2 * capacity;
        double *grown = tin_grow(table->values, done * width, capacity * width, sizeof *grown, err);
        if (grown == NULL)
            return TIN_ERR_MEMORY;
        table->values = grown;
    }
    if (status == TIN_OK && (done < n || sf_error(file) != SF_ERR_NO_ERROR))
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                           "the file is cut or damaged: %zu of its %zu samples can be read; copy it again", done, n);
    table->n_rows = n;
    table->rate_hz = info->samplerate;
    return status == TIN_OK ? tin_table_number_columns(table, err) : status;
}

/* Whole numbers become -1 to below 1; floats stay as they are in the file. `kind`: what the ending promised. */
static tin_status read_audio(const tin_table_input *in, const char *kind, tin_table *table, tin_error *err)
{
    SF_VIRTUAL_IO io = {.get_filelen = source_size, .seek = source_seek, .read = source_read, .tell = source_tell};
    source from = {.in = in};
    SF_INFO info = {0};
    SNDFILE *file = sf_open_virtual(&io, SFM_READ, &info, &from);
    if (file == NULL)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "is no readable %s file: %s", kind, sf_strerror(NULL));
    tin_status status = read_samples(in, file, &info, table, err);
    sf_close(file);
    return status;
}

tin_status tin_table_read_wav(const tin_table_input *in, tin_table *table, tin_error *err)
{
    tin_status status = check_wav(in, err);
    return status == TIN_OK ? read_audio(in, "WAV", table, err) : status;
}

tin_status tin_table_read_ogg(const tin_table_input *in, tin_table *table, tin_error *err)
{
    tin_status status = check_ogg(in, err);
    return status == TIN_OK ? read_audio(in, "Ogg", table, err) : status;
}

/* FLAC needs no look at its structure: its header tells the number of samples, and each frame has a checksum. */
tin_status tin_table_read_flac(const tin_table_input *in, tin_table *table, tin_error *err)
{
    if (in->size < 4 || memcmp(in->data, "fLaC", 4) != 0)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "is no FLAC file (it does not begin with 'fLaC')");
    return read_audio(in, "FLAC", table, err);
}
