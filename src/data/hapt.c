/* "Smartphone-Based Recognition of Human Activities and Postural Transitions" as its publisher ships it:
 * activity_labels.txt and RawData/{acc,gyro}_expXX_userYY.txt (three numbers per line, 50 Hz, g and rad/s) and
 * RawData/labels.txt (experiment, user, activity, first and last sample, counted from 1, both included). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/file_list.h"
#include "data/recording.h"

#define HAPT_RATE_HZ 50.0
#define MEND_OVERLAP 25 /* samples; labels that share more than half a second contradict each other */
#define MAX_ACTIVITY 99

typedef struct label_row {
    long experiment, user, activity, first, last, line;
} label_row;

typedef struct hapt {
    char raw[TIN_PATH_MAX]; /* the folder RawData */
    char labels_path[TIN_PATH_MAX];
    char activities_path[TIN_PATH_MAX];
    char *activities[MAX_ACTIVITY + 1]; /* by number; NULL: none */
    label_row *rows;                    /* in file order */
    size_t n_rows;
    tin_file_list files; /* acc_... */
} hapt;

/* Lines of numbers with blanks between. */
typedef struct number_file {
    const char *path;
    char *text, *position;
    long line;
} number_file;

static tin_status numbers_open(number_file *f, const char *path, tin_error *err)
{
    size_t size = 0;
    *f = (number_file){.path = path};
    tin_status status = tin_file_read(path, &f->text, &size, err);
    f->position = f->text;
    if (status == TIN_OK && memchr(f->text, '\0', size) != NULL)
        status = tin_fail_at(err, TIN_ERR_DATA, path, 0, "the file holds NUL bytes; unpack the data set again");
    return status;
}

/* Next line that is not blank, as n numbers; *more is false at the end of the file. */
static tin_status numbers_next(number_file *f, int n, double *numbers, bool *more, tin_error *err)
{
    *more = false;
    f->position += strspn(f->position, " \t\r");
    while (f->line++, *f->position == '\n')
        f->position += 1 + strspn(f->position + 1, " \t\r");
    if (*f->position == '\0')
        return TIN_OK;
    for (int i = 0; i < n; i++) {
        char *end = f->position;
        if (*f->position != '\n')
            numbers[i] = strtod(f->position, &end);
        if (end == f->position || strchr(" \t\r\n", *end) == NULL || !isfinite(numbers[i]))
            return tin_fail_at(err, TIN_ERR_DATA, f->path, f->line,
                               "number %d of %d: '%.*s' is not a finite number; unpack the data set again", i + 1, n,
                               (int)strcspn(f->position, " \t\r\n"), f->position);
        f->position = end + strspn(end, " \t\r");
    }
    if (*f->position != '\n' && *f->position != '\0')
        return tin_fail_at(err, TIN_ERR_DATA, f->path, f->line,
                           "more than %d numbers in the line; unpack the data set again", n);
    f->position += *f->position == '\n';
    *more = true;
    return TIN_OK;
}

static tin_status add_activity(hapt *h, char *line, long number, tin_error *err)
{
    char *name = NULL;
    long activity = strtol(line, &name, 10);
    size_t length = strlen(name);
    while (length > 0 && strchr(" \t\r", name[length - 1]) != NULL)
        name[--length] = '\0';
    name += strspn(name, " \t");
    if (activity < 1 || activity > MAX_ACTIVITY || name[0] == '\0')
        return tin_fail_at(err, TIN_ERR_DATA, h->activities_path, number,
                           "'%.60s' is no activity; write a number from 1 to %d and a name", line, MAX_ACTIVITY);
    if (h->activities[activity] != NULL)
        return tin_fail_at(err, TIN_ERR_DATA, h->activities_path, number,
                           "activity %ld is '%s' already; remove one line", activity, h->activities[activity]);
    h->activities[activity] = tin_strdup(name, err);
    return h->activities[activity] == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

static tin_status read_activities(hapt *h, tin_error *err)
{
    char *text = NULL;
    size_t size = 0;
    tin_status status = tin_file_read(h->activities_path, &text, &size, err);
    long number = 0;
    for (char *line = text; status == TIN_OK && line != NULL && *line != '\0';) {
        char *next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        number++;
        if (line[strspn(line, " \t\r")] != '\0')
            status = add_activity(h, line, number, err);
        line = next;
    }
    tin_free(text);
    return status;
}

static tin_status check_row(const hapt *h, const label_row *row, const double numbers[5], tin_error *err)
{
    for (int i = 0; i < 5; i++)
        if (numbers[i] != floor(numbers[i]) || numbers[i] < 0 || numbers[i] > 1e9)
            return tin_fail_at(err, TIN_ERR_DATA, h->labels_path, row->line,
                               "%g is no whole number from 0 on; correct it", numbers[i]);
    if (row->activity < 1 || row->activity > MAX_ACTIVITY || h->activities[row->activity] == NULL)
        return tin_fail_at(err, TIN_ERR_DATA, h->labels_path, row->line,
                           "activity %ld is not in %s; add it there or correct the number", row->activity,
                           h->activities_path);
    if (row->first < 1 || row->last < row->first)
        return tin_fail_at(err, TIN_ERR_DATA, h->labels_path, row->line,
                           "samples %ld to %ld; the first sample is 1 and the end comes after the start", row->first,
                           row->last);
    return TIN_OK;
}

static tin_status read_labels(hapt *h, tin_error *err)
{
    number_file file;
    size_t capacity = 0;
    double v[5];
    bool more = false;
    tin_status status = numbers_open(&file, h->labels_path, err);
    while (status == TIN_OK && (status = numbers_next(&file, 5, v, &more, err)) == TIN_OK && more) {
        label_row row = {.line = file.line};
        if (h->n_rows == capacity) {
            size_t grown_capacity = capacity == 0 ? 256 : 2 * capacity;
            label_row *rows = tin_grow(h->rows, h->n_rows, grown_capacity, sizeof *rows, err);
            if (rows == NULL) {
                status = TIN_ERR_MEMORY;
                break;
            }
            h->rows = rows;
            capacity = grown_capacity;
        }
        for (int i = 0; i < 5; i++)
            v[i] = fmin(fmax(v[i], -1), 2e9); /* in the range of long; check_row refuses what was outside */
        row.experiment = (long)v[0];
        row.user = (long)v[1];
        row.activity = (long)v[2];
        row.first = (long)v[3];
        row.last = (long)v[4];
        status = check_row(h, &row, v, err);
        h->rows[h->n_rows++] = row;
    }
    tin_free(file.text);
    return status;
}

static int compare_rows(const void *a, const void *b)
{
    const label_row *x = *(const label_row *const *)a, *y = *(const label_row *const *)b;
    return x->first != y->first ? (x->first > y->first) - (x->first < y->first)
                                : (x->line > y->line) - (x->line < y->line);
}

/* Cuts or refuses, then adds the row as a span. *end is the last sample labelled so far. */
static tin_status add_row(const hapt *h, label_row row, long n_samples, long *end, tin_recording *r, tin_error *err)
{
    const char *name = h->activities[row.activity];
    if (row.first > n_samples)
        return tin_fail_at(err, TIN_ERR_DATA, h->labels_path, row.line,
                           "%s from sample %ld, but %s has %ld samples; correct the row or the file", name, row.first,
                           r->origin, n_samples);
    tin_status status = TIN_OK;
    if (row.last > n_samples) {
        status = tin_notes_add(&r->notes, err, "%s: line %ld: %s ends at sample %ld of %ld; cut", r->origin, row.line,
                               name, row.last, n_samples);
        row.last = n_samples;
    }
    long shared = *end - row.first + 1;
    if (shared > MEND_OVERLAP || (shared > 0 && row.last <= *end))
        return tin_fail_at(err, TIN_ERR_DATA, h->labels_path, row.line,
                           "%s from sample %ld overlaps the label before it, which ends at %ld; correct one of them",
                           name, row.first, *end);
    if (shared > 0 && status == TIN_OK) {
        status =
            tin_notes_add(&r->notes, err, "%s: line %ld: %s shares %ld samples with the label before; starts later",
                          r->origin, row.line, name, shared);
        row.first = *end + 1;
    }
    if (status == TIN_OK)
        status = tin_recording_add_span(r, (double)(row.first - 1) / HAPT_RATE_HZ, (double)row.last / HAPT_RATE_HZ,
                                        name, err);
    *end = row.last;
    return status;
}

static tin_status add_spans(const hapt *h, long experiment, long user, long n_samples, tin_recording *r, tin_error *err)
{
    const label_row **mine = tin_alloc(h->n_rows, sizeof *mine, err);
    if (mine == NULL)
        return TIN_ERR_MEMORY;
    tin_status status = TIN_OK;
    size_t n = 0;
    for (size_t i = 0; i < h->n_rows && status == TIN_OK; i++) {
        if (h->rows[i].experiment != experiment)
            continue;
        mine[n++] = &h->rows[i];
        if (h->rows[i].user != user)
            status =
                tin_fail_at(err, TIN_ERR_DATA, h->labels_path, h->rows[i].line,
                            "experiment %ld belongs to user %ld by its file name, and to %ld here; correct the row",
                            experiment, user, h->rows[i].user);
    }
    qsort(mine, n, sizeof *mine, compare_rows);
    long end = 0;
    for (size_t i = 0; i < n && status == TIN_OK; i++)
        status = add_row(h, *mine[i], n_samples, &end, r, err);
    tin_free(mine);
    return status;
}

/* One file as a track; *n_samples is how many lines it has. */
static tin_status read_track(number_file *file, tin_recording *r, long *n_samples, tin_error *err)
{
    double v[3];
    bool more = true;
    tin_track *t = tin_recording_add_track(r, 3, err);
    if (t == NULL)
        return TIN_ERR_MEMORY;
    t->rate_hz = HAPT_RATE_HZ;
    tin_status status = TIN_OK;
    while (status == TIN_OK && (status = numbers_next(file, 3, v, &more, err)) == TIN_OK && more)
        status = tin_track_add(t, 0, v, err);
    *n_samples = (long)t->n_samples;
    return status;
}

static tin_status set_names(tin_recording *r, const char *file, long *experiment, long *user, tin_error *err)
{
    char id[64];
    int end = 0;
    if (sscanf(file, "acc_exp%3ld_user%3ld.txt%n", experiment, user, &end) != 2 || file[end] != '\0' || end == 0)
        return tin_fail_at(err, TIN_ERR_DATA, file, 0,
                           "the name is not acc_expNN_userNN.txt; rename or remove the file");
    (void)snprintf(id, sizeof id, "exp%02ld_user%02ld", *experiment, *user);
    r->id = tin_strdup(id, err);
    (void)snprintf(id, sizeof id, "%ld", *user);
    r->subject = tin_strdup(id, err);
    (void)snprintf(id, sizeof id, "exp%02ld", *experiment);
    r->session = tin_strdup(id, err);
    r->origin = tin_strdup(file, err);
    return r->id == NULL || r->subject == NULL || r->session == NULL || r->origin == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

static tin_status read_recording(const void *context, size_t index, tin_recording *r, tin_error *err)
{
    const hapt *h = context;
    const char *file = h->files.names[index];
    char acc_path[TIN_PATH_MAX], gyro_path[TIN_PATH_MAX], gyro_name[TIN_PATH_MAX];
    number_file acc = {0}, gyro = {0};
    long experiment = 0, user = 0, n_acc = 0, n_gyro = 0;
    (void)snprintf(gyro_name, sizeof gyro_name, "gyro_%s", file + strlen("acc_"));
    tin_status status = set_names(r, file, &experiment, &user, err);
    if (status == TIN_OK)
        status = tin_path_join(acc_path, h->raw, file, err);
    if (status == TIN_OK)
        status = tin_path_join(gyro_path, h->raw, gyro_name, err);
    if (status == TIN_OK && !tin_file_exists(gyro_path))
        status = tin_fail_at(err, TIN_ERR_DATA, gyro_path, 0,
                             "this file is missing beside %s; unpack the data set again", file);
    if (status == TIN_OK)
        status = numbers_open(&acc, acc_path, err);
    if (status == TIN_OK)
        status = numbers_open(&gyro, gyro_path, err);
    if (status == TIN_OK)
        status = read_track(&acc, r, &n_acc, err);
    if (status == TIN_OK)
        status = read_track(&gyro, r, &n_gyro, err);
    if (status == TIN_OK && n_acc != n_gyro)
        status = tin_notes_add(&r->notes, err, "%s and %s differ by %ld samples; the longer one cut", file, gyro_name,
                               labs(n_acc - n_gyro));
    if (status == TIN_OK)
        status = add_spans(h, experiment, user, n_acc < n_gyro ? n_acc : n_gyro, r, err);
    tin_free(acc.text);
    tin_free(gyro.text);
    return status;
}

static tin_status find_folders(hapt *h, const char *folder, tin_error *err)
{
    char upper[TIN_PATH_MAX];
    tin_status status = tin_path_join(h->raw, folder, "RawData", err);
    if (status == TIN_OK)
        status = tin_path_join(h->labels_path, h->raw, "labels.txt", err);
    if (status == TIN_OK && tin_file_exists(h->labels_path))
        return tin_path_join(h->activities_path, folder, "activity_labels.txt", err);
    (void)snprintf(h->raw, sizeof h->raw, "%s", folder); /* the folder may be RawData itself */
    if (status == TIN_OK)
        status = tin_path_join(h->labels_path, h->raw, "labels.txt", err);
    if (status == TIN_OK && !tin_file_exists(h->labels_path))
        return tin_fail(
            err, TIN_ERR_DATA,
            "no RawData/labels.txt and no labels.txt in '%s'; set data.path to the folder that holds RawData", folder);
    if (status == TIN_OK)
        status = tin_path_join(h->activities_path, folder, "activity_labels.txt", err);
    if (status == TIN_OK && tin_file_exists(h->activities_path))
        return TIN_OK;
    if (status == TIN_OK)
        status = tin_path_join(upper, folder, "..", err);
    return status == TIN_OK ? tin_path_join(h->activities_path, upper, "activity_labels.txt", err) : status;
}

/* Labels of experiments whose files are not there. */
static tin_status note_missing(const hapt *h, tin_source *source, tin_error *err)
{
    size_t missing = 0;
    for (size_t i = 0; i < h->n_rows; i++) {
        bool found = false;
        for (size_t k = 0; k < h->files.n && !found; k++) {
            long experiment = -1;
            found = sscanf(h->files.names[k], "acc_exp%3ld", &experiment) == 1 && experiment == h->rows[i].experiment;
        }
        missing += !found;
    }
    return missing == 0 ? TIN_OK
                        : tin_notes_add(&source->notes, err,
                                        "labels.txt: %zu rows of experiments without a file; left out", missing);
}

tin_status tin_import_hapt(const tin_import *in, tin_source *source, tin_error *err)
{
    hapt *h = tin_alloc(1, sizeof *h, err);
    if (h == NULL)
        return TIN_ERR_MEMORY;
    source->name = "hapt";
    tin_status status = find_folders(h, in->folder, err);
    if (status == TIN_OK)
        status = tin_source_set_imu(source, "g", err);
    if (status == TIN_OK)
        status = read_activities(h, err);
    for (int i = 1; i <= MAX_ACTIVITY && status == TIN_OK; i++)
        if (h->activities[i] != NULL) /* postural transitions happen, the six activities last */
            status = tin_source_add_label(source, h->activities[i], strstr(h->activities[i], "_TO_") != NULL, err);
    if (status == TIN_OK)
        status = read_labels(h, err);
    if (status == TIN_OK)
        status = tin_file_list_make(&h->files, h->raw, "acc_exp*_user*.txt", err);
    if (status == TIN_OK && h->files.n == 0)
        status = tin_fail(err, TIN_ERR_DATA, "no acc_expNN_userNN.txt in '%s'; unpack the data set again", h->raw);
    if (status == TIN_OK)
        status = note_missing(h, source, err);
    if (status == TIN_OK)
        status = tin_source_read(in, source, h->files.n, read_recording, h, err);
    for (int i = 0; i <= MAX_ACTIVITY; i++)
        tin_free(h->activities[i]);
    tin_free(h->rows);
    tin_file_list_free(&h->files);
    tin_free(h);
    return status;
}
