/* SPSW, stand up - turn - walk - sit down, as its publisher ships it: DATA/sNN/sNN_MM_sw.csv with the columns below,
 * watch recordings at about 100 Hz. The phone's files (_sp) are left out. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/csv_import.h"
#include "data/file_list.h"

static const char *const columns[6] = {"x_acc", "y_acc", "z_acc", "x_gyro", "y_gyro", "z_gyro"};
static const char *const labels[5] = {"SEATED", "STANDING_UP", "WALKING", "TURNING", "SITTING_DOWN"};
static const bool events[5] = {false, true, false, true, true};

typedef struct spsw {
    const char *folder;
    tin_file_list files;
} spsw;

static char *copy_part(const char *from, size_t length, tin_error *err)
{
    char *part = tin_alloc(length + 1, 1, err);
    if (part != NULL)
        memcpy(part, from, length);
    return part;
}

/* "DATA/s01/s01_02_sw.csv": id "s01_02", subject "s01". */
static tin_status set_names(tin_recording *r, const char *name, tin_error *err)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash == NULL ? name : slash + 1;
    const size_t subject = strcspn(base, "_");
    const size_t id = strlen(base) - strlen("_sw.csv");
    if (subject == 0 || subject >= id)
        return tin_fail_at(err, TIN_ERR_DATA, name, 0, "the name is not sNN_MM_sw.csv; rename or remove the file");
    r->id = copy_part(base, id, err);
    r->subject = copy_part(base, subject, err);
    r->session = copy_part(base + subject + 1, id - subject - 1, err);
    r->origin = tin_strdup(name, err);
    return r->id == NULL || r->subject == NULL || r->session == NULL || r->origin == NULL ? TIN_ERR_MEMORY : TIN_OK;
}

static tin_status read_recording(const void *context, size_t index, tin_recording *r, tin_error *err)
{
    const spsw *s = context;
    const tin_csv_layout layout = {.columns = columns,
                                   .n_columns = 6,
                                   .time_column = "timestamp",
                                   .ticks_per_second = 1e3,
                                   .label_column = "label",
                                   .subject_column = "",
                                   .labels = labels,
                                   .n_labels = 5};
    char path[TIN_PATH_MAX];
    tin_status status = set_names(r, s->files.names[index], err);
    if (status == TIN_OK)
        status = tin_path_join(path, s->folder, s->files.names[index], err);
    return status == TIN_OK ? tin_csv_read_samples(&layout, path, r, err) : status;
}

tin_status tin_import_spsw(const tin_import *in, tin_source *source, tin_error *err)
{
    static const char *const patterns[3] = {"DATA/*/*_sw.csv", "*/*_sw.csv", "*_sw.csv"};
    spsw s = {.folder = in->folder};
    source->name = "spsw";
    tin_status status = tin_source_set_imu(source, "m/s^2", err);
    for (int i = 0; i < 5 && status == TIN_OK; i++)
        status = tin_source_add_label(source, labels[i], events[i], err);
    for (int i = 0; i < 3 && status == TIN_OK && s.files.n == 0; i++) {
        tin_file_list_free(&s.files);
        status = tin_file_list_make(&s.files, in->folder, patterns[i], err);
    }
    if (status == TIN_OK && s.files.n == 0)
        status = tin_fail(err, TIN_ERR_DATA,
                          "no DATA/sNN/sNN_MM_sw.csv in '%s'; set data.path to the folder that holds DATA", in->folder);
    if (status == TIN_OK)
        status = tin_source_read(in, source, s.files.n, read_recording, &s, err);
    tin_file_list_free(&s.files);
    return status;
}
