/* Private to src/data: the mapping made definite: which channels there are, which columns give them, and which files
 * make one recording. */
#ifndef TIN_IMPORT_PLAN_H
#define TIN_IMPORT_PLAN_H

#include "base/file.h"
#include "data/path_pattern.h"
#include "data/recording.h"
#include "data/samples.h"

/* One item of data.import.files. */
typedef struct tin_plan_files {
    tin_sample_layout layout;
    char where[40];
    bool windows;
    int n_channels, family; /* items that give the same channels are of one family */
} tin_plan_files;

/* Files of one recording, or of several that share them. */
typedef struct tin_file_set {
    char **names;                         /* [n_families] relative to data.path; owned */
    const tin_plan_files **files;         /* [n_families] the items that they match; owned array */
    tin_captures captures;                /* of all paths; point into names and the settings */
    char *id, *subject, *session, *label; /* label NULL: none in the path */
    bool has_role;
    tin_role role; /* of the published split */
} tin_file_set;

typedef struct tin_import_plan {
    const tin_config_import *settings;
    const tin_import *in;
    tin_plan_files *files; /* [settings->files_count] */
    int n_families;
    int *first_channels; /* [n_families + 1] of the source's channels */
    tin_file_set *sets;
    size_t n_sets;
} tin_import_plan;

/* Sets the source's channels too. The caller frees the plan, also after a failure. */
tin_status tin_import_plan_make(tin_import_plan *plan, const tin_import *in, tin_source *source,
                                tin_error *err) TIN_USE_RESULT;
/* The file below data.path, as errors name it. */
const char *tin_import_path(const tin_import_plan *plan, const char *name, char path[TIN_PATH_MAX]);
void tin_import_plan_free(tin_import_plan *plan);

/* True when the file's captures that the set has too (and {id}) are equal; numbers are compared as texts. */
bool tin_set_fits(const tin_file_set *set, const tin_captures *captures);

#endif
