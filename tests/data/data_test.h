/* Shared by the tests of the data stage: a folder of small files, and a build of it. */
#ifndef DATA_TEST_H
#define DATA_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/data.h"
#include "project/config.h"

static inline void write_text(const char *folder, const char *name, const char *text)
{
    char path[TIN_PATH_MAX], parent[TIN_PATH_MAX];
    assert_int_equal(tin_path_join(path, folder, name, NULL), TIN_OK);
    strcpy(parent, path);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(tin_folder_make(parent, NULL), TIN_OK);
    assert_int_equal(tin_file_write(path, text, strlen(text), NULL), TIN_OK);
}

/* The section data of a tinamou.yaml with these lines, as a project would read it; tin_config_free it. */
static inline tin_config *load_settings(const char *data)
{
    char text[8000];
    tin_config *c = NULL;
    tin_error err = {0};
    (void)snprintf(text, sizeof text, "project: t\nmodel: {layers: [{op: dense}]}\ndata:\n  path: \"\"\n%s", data);
    write_text(TEST_TEMPORARY, "settings.yaml", text);
    if (tin_config_load(&c, TEST_TEMPORARY "/settings.yaml", &err) != TIN_OK)
        fail_msg("%s", tin_error_text(&err));
    return c;
}

/* Builds FOLDER.tind and opens it; *d is NULL after a failure. */
static inline tin_status build_threads(const tin_config_data *settings, const char *folder, int threads,
                                       tin_data_report *report, tin_dataset **d, tin_error *err)
{
    char path[TIN_PATH_MAX + 8];
    tin_pool *pool = NULL;
    *d = NULL;
    *report = (tin_data_report){0};
    (void)snprintf(path, sizeof path, "%s.tind", folder);
    tin_status status = tin_pool_create(&pool, threads, err);
    if (status == TIN_OK)
        status = tin_data_build(settings, &(tin_data_options){.root = folder, .seed = 1, .pool = pool, .quiet = true},
                                path, NULL, report, err);
    if (status == TIN_OK)
        status = tin_dataset_open(d, path, err);
    tin_pool_destroy(pool);
    return status;
}

static inline tin_dataset *build_well(const tin_config_data *settings, const char *folder, tin_data_report *report)
{
    tin_error err = {0};
    tin_dataset *d = NULL;
    if (build_threads(settings, folder, 1, report, &d, &err) != TIN_OK)
        fail_msg("%s", tin_error_text(&err));
    return d;
}

/* The build must fail with this status at FOLDER/file:line (file NULL: no place), and say the words. */
static inline void build_fails(const tin_config_data *settings, const char *folder, tin_status expected,
                               const char *file, long line, const char *words)
{
    tin_error err = {0};
    tin_dataset *d = NULL;
    tin_data_report report;
    assert_int_equal(build_threads(settings, folder, 1, &report, &d, &err), expected);
    assert_null(d);
    tin_data_report_free(&report);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", tin_error_text(&err), words);
    if (file != NULL) {
        char path[TIN_PATH_MAX];
        assert_int_equal(tin_path_join(path, folder, file, NULL), TIN_OK);
        assert_string_equal(err.file, path);
    }
    if (err.line != line)
        fail_msg("%s: line %ld instead of %ld", tin_error_text(&err), err.line, line);
}

static inline const tin_stream *stream_by_id(const tin_dataset *d, const char *id)
{
    for (size_t i = 0; i < d->n_streams; i++)
        if (strcmp(d->streams[i].id, id) == 0)
            return &d->streams[i];
    fail_msg("there is no stream %s", id);
    return NULL;
}

static inline bool warns(const tin_data_report *report, const char *words)
{
    for (size_t i = 0; i < report->n_warnings; i++)
        if (strstr(report->warnings[i], words) != NULL)
            return true;
    return false;
}

#endif
