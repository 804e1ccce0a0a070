#include "deploy/package.h"

#include <ctype.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "deploy/emit.h"
#include "deploy/golden.h"

#define RECORDED_BYTES 4096 /* of recorded counts, unless told otherwise */
#define RECORDED_MOST 32000 /* frames; their numbers are int16 */

/* ---- what is in a package ---- */

/* The templates, packages/NAME.in, as module.cmake embeds them. */
extern const char tin_package_selftest_h[], tin_package_selftest_c[], tin_package_serial_h[], tin_package_serial_c[],
    tin_package_example_c[], tin_package_example_ino[], tin_package_verify_c[], tin_package_verify_ino[],
    tin_package_verify_zephyr_c[], tin_package_verify_espidf_c[], tin_package_readme[], tin_package_readme_cmake[],
    tin_package_readme_arduino[], tin_package_readme_zephyr[], tin_package_readme_platformio[],
    tin_package_readme_espidf[], tin_package_cmake_lists[], tin_package_arduino_properties[],
    tin_package_zephyr_module[], tin_package_zephyr_cmake[], tin_package_zephyr_kconfig[],
    tin_package_zephyr_sample_cmake[], tin_package_zephyr_prj[], tin_package_zephyr_prj_verify[],
    tin_package_zephyr_sample_verify[], tin_package_zephyr_sample[], tin_package_platformio_library[],
    tin_package_platformio_ini[], tin_package_espidf_cmake[], tin_package_espidf_component[],
    tin_package_espidf_project[], tin_package_espidf_main_cmake[], tin_package_espidf_main_component[];

static const char *const names[TIN_PACKAGE_COUNT] = {
#define X(format, bit, name) [bit] = name,
    TIN_PACKAGE_LIST(X)
#undef X
};

static const char *const uses[TIN_PACKAGE_COUNT] = {tin_package_readme_cmake, tin_package_readme_arduino,
                                                    tin_package_readme_zephyr, tin_package_readme_platformio,
                                                    tin_package_readme_espidf};

/* Paths may hold @NAME@; a file without a template is copied from the folder of the code. */
static const struct {
    unsigned formats;
    const char *path, *template;
} files[] = {
    {TIN_PACKAGE_ALL, "README.md", tin_package_readme},
    {TIN_PACKAGE_ALL, "src/@NAME@.c", NULL},
    {TIN_PACKAGE_ALL, "src/@NAME@.h", NULL},
    {TIN_PACKAGE_ALL, "src/@NAME@_selftest.c", tin_package_selftest_c},
    {TIN_PACKAGE_ALL, "src/@NAME@_selftest.h", tin_package_selftest_h},
    {TIN_PACKAGE_ALL, "src/@NAME@_serial.c", tin_package_serial_c},
    {TIN_PACKAGE_ALL, "src/@NAME@_serial.h", tin_package_serial_h},
    {TIN_PACKAGE_CMAKE, "CMakeLists.txt", tin_package_cmake_lists},
    {TIN_PACKAGE_CMAKE, "examples/@NAME@/main.c", tin_package_example_c},
    {TIN_PACKAGE_CMAKE, "examples/@NAME@_verify/main.c", tin_package_verify_c},
    {TIN_PACKAGE_ARDUINO, "library.properties", tin_package_arduino_properties},
    {TIN_PACKAGE_ARDUINO, "examples/@NAME@/@NAME@.ino", tin_package_example_ino},
    {TIN_PACKAGE_ARDUINO, "examples/@NAME@_verify/@NAME@_verify.ino", tin_package_verify_ino},
    {TIN_PACKAGE_ZEPHYR, "zephyr/module.yml", tin_package_zephyr_module},
    {TIN_PACKAGE_ZEPHYR, "CMakeLists.txt", tin_package_zephyr_cmake},
    {TIN_PACKAGE_ZEPHYR, "Kconfig", tin_package_zephyr_kconfig},
    {TIN_PACKAGE_ZEPHYR, "samples/@NAME@/CMakeLists.txt", tin_package_zephyr_sample_cmake},
    {TIN_PACKAGE_ZEPHYR, "samples/@NAME@/prj.conf", tin_package_zephyr_prj},
    {TIN_PACKAGE_ZEPHYR, "samples/@NAME@/sample.yaml", tin_package_zephyr_sample},
    {TIN_PACKAGE_ZEPHYR, "samples/@NAME@/src/main.c", tin_package_example_c},
    {TIN_PACKAGE_ZEPHYR, "samples/@NAME@_verify/CMakeLists.txt", tin_package_zephyr_sample_cmake},
    {TIN_PACKAGE_ZEPHYR, "samples/@NAME@_verify/prj.conf", tin_package_zephyr_prj_verify},
    {TIN_PACKAGE_ZEPHYR, "samples/@NAME@_verify/sample.yaml", tin_package_zephyr_sample_verify},
    {TIN_PACKAGE_ZEPHYR, "samples/@NAME@_verify/src/main.c", tin_package_verify_zephyr_c},
    {TIN_PACKAGE_PLATFORMIO, "library.json", tin_package_platformio_library},
    {TIN_PACKAGE_PLATFORMIO, "examples/@NAME@/platformio.ini", tin_package_platformio_ini},
    {TIN_PACKAGE_PLATFORMIO, "examples/@NAME@/src/main.cpp", tin_package_example_ino},
    {TIN_PACKAGE_PLATFORMIO, "examples/@NAME@_verify/platformio.ini", tin_package_platformio_ini},
    {TIN_PACKAGE_PLATFORMIO, "examples/@NAME@_verify/src/main.cpp", tin_package_verify_ino},
    {TIN_PACKAGE_ESPIDF, "CMakeLists.txt", tin_package_espidf_cmake},
    {TIN_PACKAGE_ESPIDF, "idf_component.yml", tin_package_espidf_component},
    {TIN_PACKAGE_ESPIDF, "examples/@NAME@/CMakeLists.txt", tin_package_espidf_project},
    {TIN_PACKAGE_ESPIDF, "examples/@NAME@/main/CMakeLists.txt", tin_package_espidf_main_cmake},
    {TIN_PACKAGE_ESPIDF, "examples/@NAME@/main/idf_component.yml", tin_package_espidf_main_component},
    {TIN_PACKAGE_ESPIDF, "examples/@NAME@/main/main.c", tin_package_example_c},
    {TIN_PACKAGE_ESPIDF, "examples/@NAME@_verify/CMakeLists.txt", tin_package_espidf_project},
    {TIN_PACKAGE_ESPIDF, "examples/@NAME@_verify/main/CMakeLists.txt", tin_package_espidf_main_cmake},
    {TIN_PACKAGE_ESPIDF, "examples/@NAME@_verify/main/idf_component.yml", tin_package_espidf_main_component},
    {TIN_PACKAGE_ESPIDF, "examples/@NAME@_verify/main/main.c", tin_package_verify_espidf_c},
};
#define N_FILES (sizeof files / sizeof files[0])

tin_status tin_package_formats(const char *text, unsigned *formats, tin_error *err)
{
    *formats = 0;
    for (const char *at = text; at != NULL; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        const size_t length = strcspn(at, ",");
        unsigned bit = length == 3 && strncmp(at, "all", 3) == 0 ? TIN_PACKAGE_ALL : 0;
        for (int f = 0; f < TIN_PACKAGE_COUNT; f++) {
            bit |= strlen(names[f]) == length && strncmp(at, names[f], length) == 0 ? 1U << f : 0;
        }
        if (bit == 0) {
            return tin_fail(err, TIN_ERR_USAGE,
                            "'%.*s' is no format of packages; give one or more of cmake, arduino, zephyr, platformio, "
                            "espidf with commas between them, or all",
                            (int)length, at);
        }
        *formats |= bit;
    }
    return TIN_OK;
}

const char *tin_package_name(int format)
{
    return names[format];
}

/* ---- templates ---- */

#define MAX_VALUES 24
typedef struct values {
    struct {
        const char *key, *text;
    } list[MAX_VALUES];
    int n;
    char upper[TIN_NAME_MAX + 1], hash12[13], hash_bytes[32 * 6 + 8], numbers[9][24];
    tin_text piece, use;
    tin_golden golden;
} values;

static void set(values *v, const char *key, const char *text)
{
    v->list[v->n].key = key;
    v->list[v->n++].text = text;
}

/* Puts the values in the place of @KEY@; any other @ stays. */
static void expand(const values *v, const char *template, tin_text *text)
{
    for (const char *at = template; *at != '\0';) {
        const char *mark = strchr(at, '@');
        const size_t plain = mark == NULL ? strlen(at) : (size_t)(mark - at);
        int key = 0;
        tin_text_add_bytes(text, at, plain);
        at += plain;
        for (; mark != NULL && key < v->n; key++) {
            const size_t length = strlen(v->list[key].key);
            if (strncmp(at + 1, v->list[key].key, length) == 0 && at[1 + length] == '@') {
                tin_text_add(text, v->list[key].text);
                at += length + 2;
                break;
            }
        }
        if (mark != NULL && key == v->n) {
            tin_text_add_bytes(text, at++, 1);
        }
    }
}

static void describe_piece(values *v, const tin_expectation *x)
{
    const tin_piece *p = &v->golden.piece;
    tin_text_printf(&v->piece, "frames %lld to %lld of ", (long long)p->first, (long long)(p->first + p->n - 1));
    tin_emit_comment(&v->piece, p->stream->id);
    tin_text_printf(&v->piece, ", %.4g s", (double)p->n / x->model->rate_hz);
}

static const char *number(values *v, int i, double value)
{
    (void)snprintf(v->numbers[i], sizeof v->numbers[i], "%.9g", value);
    return v->numbers[i];
}

/* "    0x01, 0x23, ...," in two lines. */
static void hash_bytes(const char hash[65], char *out, size_t size)
{
    size_t n = 0;
    for (int i = 0; i < 32; i++) {
        n += (size_t)snprintf(out + n, size - n, "%s0x%.2s,", i == 0 ? "    " : i == 16 ? "\n    " : " ", hash + 2 * i);
    }
}

static void fill_values(values *v, const tin_package *p)
{
    const tin_qmodel *m = p->model;
    for (size_t i = 0; p->name[i] != '\0'; i++) {
        v->upper[i] = (char)toupper((unsigned char)p->name[i]);
    }
    (void)snprintf(v->hash12, sizeof v->hash12, "%.12s", m->hash);
    hash_bytes(m->hash, v->hash_bytes, sizeof v->hash_bytes);
    set(v, "NAME", p->name);
    set(v, "UPPER", v->upper);
    set(v, "VERSION", p->version);
    set(v, "HASH", m->hash);
    set(v, "HASH12", v->hash12);
    set(v, "HASH_BYTES", v->hash_bytes);
    set(v, "CHANNELS", number(v, 0, m->n_channels));
    set(v, "CLASSES", number(v, 1, m->n_classes));
    set(v, "HOP", number(v, 2, m->hop));
    set(v, "RATE", number(v, 3, m->rate_hz));
    set(v, "PIECE", v->piece.data);
    set(v, "N_RECORDED", number(v, 4, (double)v->golden.piece.n));
    set(v, "N_FIRST", number(v, 5, v->golden.n_first));
    set(v, "N_MADE", number(v, 6, TIN_GOLDEN_MADE));
    set(v, "RECORDED_STRETCH", number(v, 7, TIN_GOLDEN_RECORDED_STRETCH));
    set(v, "MADE_STRETCH", number(v, 8, TIN_GOLDEN_MADE_STRETCH));
    set(v, "RECORDED", v->golden.recorded.data);
    set(v, "FIRST", v->golden.first.data);
    set(v, "RECORDED_SUMS", v->golden.recorded_sums.data);
    set(v, "MADE_SUMS", v->golden.made_sums.data);
}

static tin_status make_values(values *v, const tin_package *p, tin_error *err)
{
    const int64_t hops = 4 * (int64_t)p->model->hop, fit = RECORDED_BYTES / (2 * p->model->n_channels);
    int64_t n = p->frames > 0 ? p->frames : fit > hops ? fit : hops;
    n = n < RECORDED_MOST ? n : RECORDED_MOST;
    tin_expectation x = {0};
    tin_piece piece;
    tin_status status = tin_expectation_begin(&x, p->model, p->rule, err);
    x.latency = p->latency;
    if (status == TIN_OK) {
        status = tin_piece_choose(&x, p->dataset, n, &piece, err);
    }
    if (status == TIN_OK) {
        status = tin_golden_make(&v->golden, &x, &piece, err);
    }
    if (status == TIN_OK) {
        describe_piece(v, &x);
        status = tin_text_check(&v->piece, err);
    }
    if (status == TIN_OK) {
        fill_values(v, p);
    }
    tin_expectation_end(&x);
    return status;
}

static void free_values(values *v)
{
    tin_golden_free(&v->golden);
    tin_text_free(&v->piece);
    tin_text_free(&v->use);
    tin_free(v);
}

/* ---- files ---- */

static tin_status expand_path(const values *v, const char *folder, const char *path, char out[TIN_PATH_MAX],
                              tin_error *err)
{
    tin_text text = {0};
    expand(v, path, &text);
    tin_status status = tin_text_check(&text, err);
    if (status == TIN_OK) {
        status = tin_path_join(out, folder, text.data, err);
    }
    tin_text_free(&text);
    return status;
}

static tin_status make_parent(const char *path, tin_error *err)
{
    char folder[TIN_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    return tin_folder_make(folder, err);
}

static tin_status copy_code(const tin_package *p, const char *path, tin_error *err)
{
    char source[TIN_PATH_MAX], *data = NULL;
    size_t size = 0;
    tin_status status = tin_path_join(source, p->code, strrchr(path, '/') + 1, err);
    if (status == TIN_OK) {
        status = tin_file_read(source, &data, &size, err);
    }
    if (status == TIN_OK) {
        status = tin_file_write(path, data, size, err);
    }
    tin_free(data);
    return status;
}

static tin_status write_template(const values *v, const char *template, const char *path, tin_error *err)
{
    tin_text text = {0};
    expand(v, template, &text);
    tin_status status = tin_text_check(&text, err);
    if (status == TIN_OK) {
        status = tin_file_write(path, text.data, text.size, err);
    }
    tin_text_free(&text);
    return status;
}

static tin_status write_files(const values *v, const tin_package *p, int format, const char *folder, tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < N_FILES && status == TIN_OK; i++) {
        char path[TIN_PATH_MAX];
        if ((files[i].formats >> format & 1) == 0) {
            continue;
        }
        status = expand_path(v, folder, files[i].path, path, err);
        if (status == TIN_OK) {
            status = make_parent(path, err);
        }
        if (status == TIN_OK) {
            status =
                files[i].template == NULL ? copy_code(p, path, err) : write_template(v, files[i].template, path, err);
        }
    }
    return status;
}

static tin_status is_ours(const values *v, int format, const char *folder, const char *path, bool *ours, tin_error *err)
{
    tin_status status = TIN_OK;
    *ours = false;
    for (size_t i = 0; i < N_FILES && status == TIN_OK && !*ours; i++) {
        char known[TIN_PATH_MAX];
        status = expand_path(v, folder, files[i].path, known, err);
        *ours = status == TIN_OK && (files[i].formats >> format & 1) != 0 && strcmp(known, path) == 0;
    }
    return status;
}

/* An earlier package gives way; a folder with anything else in it does not. */
static tin_status check_earlier(const values *v, int format, const char *folder, tin_error *err)
{
    char root[TIN_PATH_MAX];
    (void)snprintf(root, sizeof root, "%s", folder);
    FTS *walk = fts_open((char *const[]){root, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    tin_status status = TIN_OK;
    const FTSENT *entry;
    while (walk != NULL && status == TIN_OK && (entry = fts_read(walk)) != NULL) {
        bool ours = entry->fts_info == FTS_D || entry->fts_info == FTS_DP || entry->fts_info == FTS_NS;
        if (!ours) {
            status = is_ours(v, format, folder, entry->fts_path, &ours, err);
        }
        if (status == TIN_OK && !ours) {
            status = tin_fail_at(err, TIN_ERR_IO, entry->fts_path, 0,
                                 "is no file of a package, and the folder would be replaced; move it away, or give "
                                 "another --output");
        }
    }
    if (walk != NULL) {
        (void)fts_close(walk);
    }
    return status;
}

static tin_status write_format(values *v, const tin_package *p, int format, const char *output, tin_error *err)
{
    char folder[TIN_PATH_MAX], made[TIN_PATH_MAX], hidden[TIN_NAME_MAX + 16];
    (void)snprintf(hidden, sizeof hidden, ".%s.half-written", p->name);
    tin_status status = tin_path_join(folder, output, names[format], err);
    if (status == TIN_OK) {
        status = tin_path_join(made, folder, hidden, err);
    }
    if (status == TIN_OK) {
        status = tin_path_join(folder, folder, p->name, err);
    }
    if (status == TIN_OK) {
        status = check_earlier(v, format, folder, err);
    }
    if (status == TIN_OK) { /* of a process that was killed */
        status = tin_folder_remove(made, err);
    }
    if (status == TIN_OK) {
        status = write_files(v, p, format, made, err);
    }
    if (status == TIN_OK) {
        status = tin_folder_replace(made, folder, err);
    }
    if (status != TIN_OK) {
        const tin_status left = tin_folder_remove(made, NULL); /* the first error counts */
        (void)left;
    }
    return status;
}

tin_status tin_package_write(const tin_package *p, const char *output, tin_error *err)
{
    tin_status status = tin_emit_check_name(p->name, err);
    values *v = status == TIN_OK ? tin_alloc(1, sizeof *v, err) : NULL;
    if (v == NULL) {
        return status == TIN_OK ? TIN_ERR_MEMORY : status;
    }
    status = make_values(v, p, err);
    for (int f = 0; f < TIN_PACKAGE_COUNT && status == TIN_OK; f++) {
        if ((p->formats >> f & 1) == 0) {
            continue;
        }
        const int n = v->n;
        v->use.size = 0;
        expand(v, uses[f], &v->use);
        status = tin_text_check(&v->use, err);
        if (status == TIN_OK) {
            set(v, "USE", v->use.data);
            status = write_format(v, p, f, output, err);
        }
        v->n = n;
    }
    free_values(v);
    return status;
}
