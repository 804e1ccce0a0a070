#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/dataset_format.h"

/* Length of the valid UTF-8 sequence at s (1..4), or 0. RFC 3629: no overlong forms, no surrogates, up to U+10FFFF. */
static int utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    int n = s[0] >= 0xC2 && s[0] <= 0xDF ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4 : 0;
    for (int i = 1; i < n; i++) /* a NUL is no continuation byte, so this never reads past the end */
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool outside = (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF4 && s[1] > 0x8F);
    return overlong || outside ? 0 : n;
}

const char *tin_dataset_text_fault(const char *text, bool may_be_empty)
{
    if (text == NULL)
        return "is missing";
    if (text[0] == '\0')
        return may_be_empty ? NULL : "is empty";
    size_t size = 0;
    for (const unsigned char *s = (const unsigned char *)text; *s != 0;) {
        int n = utf8_length(s);
        if (n == 0)
            return "is not valid UTF-8";
        if (*s < 0x20 || *s == 0x7F)
            return "holds a control character";
        s += n;
        size += (size_t)n;
        if (size > TIN_DATASET_TEXT_BYTES)
            return "is longer than 1000 bytes";
    }
    return NULL;
}

static tin_status check_text(const char *text, bool may_be_empty, const char *what, tin_dataset_place place,
                             tin_error *err)
{
    const char *fault = tin_dataset_text_fault(text, may_be_empty);
    return fault == NULL ? TIN_OK
                         : tin_fail_at(err, place.status, place.file, 0, "%s %s; give plain text", what, fault);
}

static tin_status check_channel(const tin_dataset *d, int i, tin_dataset_place place, tin_error *err)
{
    const tin_channel *c = &d->channels[i];
    tin_status status = check_text(c->name, false, "a channel's name", place, err);
    if (status == TIN_OK)
        status = check_text(c->unit, true, "a channel's unit", place, err);
    if (status != TIN_OK)
        return status;
    if (!isfinite(c->scale) || c->scale <= 0)
        return tin_fail_at(err, place.status, place.file, 0, "scale %g of channel '%s' must be a number above 0",
                           c->scale, c->name);
    for (int k = 0; k < i; k++)
        if (strcmp(d->channels[k].name, c->name) == 0)
            return tin_fail_at(err, place.status, place.file, 0, "two channels are called '%s'; names must differ",
                               c->name);
    return TIN_OK;
}

static tin_status check_class(const tin_dataset *d, int i, tin_dataset_place place, tin_error *err)
{
    const char *name = d->classes[i].name;
    tin_status status = check_text(name, false, "a class's name", place, err);
    if (status != TIN_OK)
        return status;
    for (int k = 0; k < i; k++)
        if (strcmp(d->classes[k].name, name) == 0)
            return tin_fail_at(err, place.status, place.file, 0, "two classes are called '%s'; names must differ",
                               name);
    return TIN_OK;
}

tin_status tin_dataset_check_head(const tin_dataset *d, tin_dataset_place place, tin_error *err)
{
    tin_status status = check_text(d->name, false, "the dataset's name", place, err);
    if (status != TIN_OK)
        return status;
    if (!isfinite(d->rate_hz) || d->rate_hz <= 0)
        return tin_fail_at(err, place.status, place.file, 0, "rate %g Hz must be a number above 0", d->rate_hz);
    if (d->n_channels < 1 || d->n_channels > TIN_MAX_CHANNELS)
        return tin_fail_at(err, place.status, place.file, 0, "%d channels; 1 to %d are possible", d->n_channels,
                           TIN_MAX_CHANNELS);
    if (d->n_classes < 1 || d->n_classes > TIN_MAX_CLASSES)
        return tin_fail_at(err, place.status, place.file, 0, "%d classes; 1 to %d are possible", d->n_classes,
                           TIN_MAX_CLASSES);
    if (d->unlabelled < TIN_LABEL_IGNORE || d->unlabelled >= d->n_classes)
        return tin_fail_at(err, place.status, place.file, 0,
                           "class %d for unlabelled frames does not exist; there are %d classes (-1: ignore)",
                           (int)d->unlabelled, d->n_classes);
    for (int i = 0; i < d->n_channels && status == TIN_OK; i++)
        status = check_channel(d, i, place, err);
    for (int i = 0; i < d->n_classes && status == TIN_OK; i++)
        status = check_class(d, i, place, err);
    return status;
}

static tin_status check_intervals(const tin_stream *s, int n_classes, tin_dataset_place place, tin_error *err)
{
    int64_t end = 0;
    for (size_t i = 0; i < s->n_intervals; i++) {
        const tin_interval *v = &s->intervals[i];
        const char *fault = NULL;
        if (v->start >= v->end)
            fault = "is empty; its end must come after its start";
        else if (v->start < 0 || v->end > s->n_frames)
            fault = "lies outside the recording; cut or remove it";
        else if (v->start < end)
            fault = "overlaps the one before or is out of order; sort the labels and keep one per frame";
        else if (v->class_index < TIN_LABEL_IGNORE || v->class_index >= n_classes)
            fault = "has a class that does not exist";
        if (fault != NULL)
            return tin_fail_at(err, place.status, place.file, 0,
                               "stream '%s' (%lld frames): label %zu, frames [%lld, %lld), class %d, %s", s->id,
                               (long long)s->n_frames, i + 1, (long long)v->start, (long long)v->end,
                               (int)v->class_index, fault);
        end = v->end;
    }
    return TIN_OK;
}

bool tin_dataset_is_hash(const char *text)
{
    return strspn(text, "0123456789abcdef") == TIN_DATASET_HASH_BYTES && text[TIN_DATASET_HASH_BYTES] == '\0';
}

static tin_status check_lineage(const tin_stream *s, tin_dataset_place place, tin_error *err)
{
    const tin_lineage *l = &s->lineage;
    for (size_t i = 0; i < l->n_files; i++) {
        tin_status status = check_text(l->files[i].path, false, "the path of a file of origin", place, err);
        if (status != TIN_OK)
            return status;
        if (l->files[i].bytes < 0 || !tin_dataset_is_hash(l->files[i].sha256))
            return tin_fail_at(err, place.status, place.file, 0,
                               "stream '%s': size or hash of its file of origin '%s' is wrong", s->id,
                               l->files[i].path);
    }
    if (l->n_notes > TIN_LINEAGE_MOST_NOTES)
        return tin_fail_at(err, place.status, place.file, 0,
                           "stream '%s': its lineage holds %zu notes; %d are the most", s->id, l->n_notes,
                           TIN_LINEAGE_MOST_NOTES);
    for (size_t i = 0; i < l->n_notes; i++) {
        tin_status status = check_text(l->notes[i], false, "a note of the lineage", place, err);
        if (status != TIN_OK)
            return status;
    }
    if (!isfinite(l->rate_hz) || l->rate_hz < 0 || !isfinite(l->jitter_s) || l->jitter_s < 0 || l->n_duplicates < 0 ||
        l->n_gaps < 0)
        return tin_fail_at(err, place.status, place.file, 0, "stream '%s': its lineage holds a wrong number", s->id);
    return TIN_OK;
}

tin_status tin_dataset_check_stream(const tin_stream *s, int n_classes, tin_dataset_place place, tin_error *err)
{
    tin_status status = check_text(s->id, false, "a stream's id", place, err);
    if (status == TIN_OK)
        status = check_text(s->subject, false, "a stream's subject", place, err);
    if (status == TIN_OK)
        status = check_text(s->session, true, "a stream's session", place, err);
    if (status == TIN_OK)
        status = check_text(s->origin, true, "a stream's origin", place, err);
    if (status != TIN_OK)
        return status;
    if (s->role != TIN_ROLE_TRAIN && s->role != TIN_ROLE_VALIDATION && s->role != TIN_ROLE_TEST)
        return tin_fail_at(err, place.status, place.file, 0, "stream '%s' has the unknown role %d", s->id,
                           (int)s->role);
    if (s->n_frames < 1)
        return tin_fail_at(err, place.status, place.file, 0, "stream '%s' has %lld frames; leave it out", s->id,
                           (long long)s->n_frames);
    if (s->n_clipped < 0)
        return tin_fail_at(err, place.status, place.file, 0, "stream '%s' has %lld clipped values", s->id,
                           (long long)s->n_clipped);
    status = check_lineage(s, place, err);
    return status != TIN_OK ? status : check_intervals(s, n_classes, place, err);
}

bool tin_dataset_counts_bytes(int64_t n_frames, int n_channels, uint64_t *bytes)
{
    const uint64_t frame = (uint64_t)n_channels * sizeof(int16_t);
    if (n_frames < 0 || n_channels < 1 || (uint64_t)n_frames > (UINT64_C(1) << 62) / frame)
        return false;
    *bytes = (uint64_t)n_frames * frame;
    return true;
}

uint64_t tin_dataset_align(uint64_t n)
{
    return (n + TIN_DATASET_ALIGNMENT - 1) / TIN_DATASET_ALIGNMENT * TIN_DATASET_ALIGNMENT;
}

const char *tin_dataset_role_name(tin_role role)
{
    return role == TIN_ROLE_TRAIN ? "train" : role == TIN_ROLE_VALIDATION ? "validation" : "test";
}

void tin_dataset_stream_free(tin_stream *s)
{
    tin_free(s->id);
    tin_free(s->subject);
    tin_free(s->session);
    tin_free(s->origin);
    tin_free(s->intervals);
    for (size_t i = 0; s->lineage.files != NULL && i < s->lineage.n_files; i++)
        tin_free(s->lineage.files[i].path);
    tin_free(s->lineage.files);
    for (size_t i = 0; s->lineage.notes != NULL && i < s->lineage.n_notes; i++)
        tin_free(s->lineage.notes[i]);
    tin_free(s->lineage.notes);
}

void tin_dataset_clear(tin_dataset *d)
{
    for (int i = 0; d->channels != NULL && i < d->n_channels; i++) {
        tin_free(d->channels[i].name);
        tin_free(d->channels[i].unit);
    }
    for (int i = 0; d->classes != NULL && i < d->n_classes; i++)
        tin_free(d->classes[i].name);
    for (size_t i = 0; d->streams != NULL && i < d->n_streams; i++)
        tin_dataset_stream_free(&d->streams[i]);
    tin_free(d->channels);
    tin_free(d->classes);
    tin_free(d->streams);
    tin_free(d->name);
    tin_free(d->program);
    tin_free(d->settings);
}
