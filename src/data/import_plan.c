#include "data/import_plan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/natural_order.h"
#include "data/file_list.h"

#define MAX_WINDOW 1024 /* columns of a row that is a window */

/* "5-7" as 5 and 7; anything else is one column. */
static bool is_range(const char *text, unsigned long *first, unsigned long *last)
{
    char *end = NULL;
    if (!isdigit((unsigned char)text[0]))
        return false;
    *first = strtoul(text, &end, 10);
    if (*end != '-' || !isdigit((unsigned char)end[1]))
        return false;
    *last = strtoul(end + 1, &end, 10);
    return *end == '\0' && *first >= 1 && *last >= *first && *last <= 100000;
}

static char *number_text(unsigned long number, tin_error *err)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lu", number);
    return tin_strdup(text, err);
}

/* One sensor's columns behind those before it. */
static tin_status add_columns(tin_plan_files *f, int sensor, int most, tin_error *err)
{
    const tin_config_channels *c = &f->layout.settings->channels[sensor];
    for (unsigned i = 0; i < c->columns_count; i++) {
        unsigned long first = 1, last = 1;
        const bool range = is_range(c->columns[i], &first, &last);
        last = range ? last : first;
        for (unsigned long k = first; k <= last; k++) {
            if (f->layout.n_columns == most)
                return tin_fail(err, TIN_ERR_CONFIG, "%s has more than %d columns; take fewer", f->where, most);
            tin_sample_column *column = &f->layout.columns[f->layout.n_columns];
            *column = (tin_sample_column){.sensor = sensor, .factor = c->factor};
            column->name = range ? number_text(k, err) : tin_strdup(c->columns[i], err);
            if (column->name == NULL)
                return TIN_ERR_MEMORY;
            f->layout.n_columns++;
        }
    }
    return TIN_OK;
}

/* Fills the columns of the item, and checks that there are as many names as channels. */
static tin_status plan_columns(tin_plan_files *f, tin_error *err)
{
    const tin_config_files *s = f->layout.settings;
    const int most = f->windows ? MAX_WINDOW : TIN_MAX_CHANNELS;
    f->layout.columns = tin_alloc((size_t)most, sizeof *f->layout.columns, err);
    tin_status status = f->layout.columns == NULL ? TIN_ERR_MEMORY : tin_pattern_check(s->path, f->where, err);
    if (status == TIN_OK && f->windows && (s->channels_count != 1 || s->channels[0].names_count != 1))
        return tin_fail(err, TIN_ERR_CONFIG,
                        "%s: with `layout: windows` a file holds one channel; write channels: [{columns: [1-128], "
                        "names: [ax]}]",
                        f->where);
    for (unsigned i = 0; i < s->channels_count && status == TIN_OK; i++) {
        const int before = f->layout.n_columns;
        status = add_columns(f, (int)i, most, err);
        const unsigned n = f->windows ? 1 : (unsigned)(f->layout.n_columns - before);
        if (status == TIN_OK && s->channels[i].names_count != 0 && s->channels[i].names_count != n)
            status = tin_fail(err, TIN_ERR_CONFIG, "%s.channels[%u] has %u names for %u columns; give one for each",
                              f->where, i + 1, s->channels[i].names_count, n);
        f->n_channels += (int)n;
    }
    return status;
}

/* Name and unit of a channel of the item. */
static void channel_of(const tin_plan_files *f, int channel, const char **name, const char **unit)
{
    const tin_config_files *s = f->layout.settings;
    const int sensor = f->windows ? 0 : f->layout.columns[channel].sensor;
    int first = channel;
    while (!f->windows && first > 0 && f->layout.columns[first - 1].sensor == sensor)
        first--;
    const tin_config_channels *c = &s->channels[sensor];
    *name = c->names_count > 0 ? c->names[channel - first] : f->layout.columns[channel].name;
    *unit = c->unit;
}

static bool same_channels(const tin_plan_files *a, const tin_plan_files *b)
{
    bool same = a->n_channels == b->n_channels;
    for (int i = 0; i < a->n_channels && same; i++) {
        const char *names[2], *units[2];
        channel_of(a, i, &names[0], &units[0]);
        channel_of(b, i, &names[1], &units[1]);
        same = strcmp(names[0], names[1]) == 0;
    }
    return same;
}

static tin_status set_channels(tin_import_plan *p, tin_source *source, tin_error *err)
{
    const char *names[TIN_MAX_CHANNELS], *units[TIN_MAX_CHANNELS];
    int n = 0;
    for (int family = 0; family < p->n_families; family++) {
        const tin_plan_files *f = p->files;
        while (f->family != family)
            f++;
        p->first_channels[family] = n;
        for (int i = 0; i < f->n_channels; i++, n++) {
            if (n == TIN_MAX_CHANNELS)
                return tin_fail(err, TIN_ERR_CONFIG, "data.import.files give more than %d channels; take fewer columns",
                                TIN_MAX_CHANNELS);
            channel_of(f, i, &names[n], &units[n]);
            for (int k = 0; k < n; k++)
                if (strcmp(names[k], names[n]) == 0)
                    return tin_fail(err, TIN_ERR_CONFIG,
                                    "two channels are called '%s'; give them other names in channels.names", names[n]);
        }
    }
    p->first_channels[p->n_families] = n;
    return tin_source_set_channels(source, names, units, n, err);
}

static tin_status plan_files(tin_import_plan *p, tin_error *err)
{
    const tin_config_import *s = p->settings;
    p->files = tin_alloc(s->files_count, sizeof *p->files, err);
    p->first_channels = tin_alloc(s->files_count + 1, sizeof *p->first_channels, err);
    if (p->files == NULL || p->first_channels == NULL)
        return TIN_ERR_MEMORY;
    for (unsigned i = 0; i < s->files_count; i++) {
        tin_plan_files *f = &p->files[i];
        f->windows = strcmp(s->files[i].layout, "windows") == 0;
        (void)snprintf(f->where, sizeof f->where, "data.import.files[%u]", i + 1);
        f->layout = (tin_sample_layout){.settings = &s->files[i],
                                        .where = f->where,
                                        .rate_hz = p->in->settings->rate_hz,
                                        .label_column = "",
                                        .subject_column = ""};
        tin_status status = plan_columns(f, err);
        if (status != TIN_OK)
            return status;
        f->family = p->n_families;
        for (unsigned k = 0; k < i && f->family == p->n_families; k++)
            if (same_channels(&p->files[k], f))
                f->family = p->files[k].family;
        p->n_families += f->family == p->n_families;
        if (f->windows != p->files[0].windows)
            return tin_fail(err, TIN_ERR_CONFIG, "%s has another layout than the first files; give all the same",
                            f->where);
        if (f->family == 0) { /* the first files have what is said once */
            f->layout.label_column = s->labels.column;
            f->layout.subject_column = s->subject_column;
        }
    }
    return TIN_OK;
}

/* One file of a family and the item that it matches. */
typedef struct found_file {
    char *name;
    const tin_plan_files *files;
} found_file;

typedef struct found_files {
    found_file *items;
    size_t n;
} found_files;

static int compare_found(const void *a, const void *b)
{
    return tin_natural_compare(((const found_file *)a)->name, ((const found_file *)b)->name);
}

/* The list of data.relabel, which a pattern such as "*.csv" takes in where it lies among the recordings. */
static bool is_relabel(const tin_import *in, const char *name)
{
    char path[TIN_PATH_MAX];
    struct stat list, file;
    return in->relabel != NULL && in->relabel[0] != '\0' && stat(in->relabel, &list) == 0 &&
           tin_path_join(path, in->folder, name, NULL) == TIN_OK && stat(path, &file) == 0 &&
           file.st_dev == list.st_dev && file.st_ino == list.st_ino;
}

/* All files of a family, sorted by name; a file that two of its items match belongs to the first of them. */
static tin_status find_family(const tin_import_plan *p, int family, found_files *found, tin_error *err)
{
    tin_status status = TIN_OK;
    for (unsigned i = 0; i < p->settings->files_count && status == TIN_OK; i++) {
        const tin_plan_files *f = &p->files[i];
        tin_file_list list = {0};
        if (f->family != family)
            continue;
        status = tin_file_list_make(&list, p->in->folder, f->layout.settings->path, err);
        found_file *items =
            status == TIN_OK ? tin_grow(found->items, found->n, found->n + list.n, sizeof *items, err) : NULL;
        if (status == TIN_OK && items == NULL)
            status = TIN_ERR_MEMORY;
        if (items != NULL)
            found->items = items;
        const size_t before = found->n;
        for (size_t k = 0; k < list.n && status == TIN_OK; k++) {
            const found_file one = {.name = list.names[k], .files = f};
            tin_captures captures;
            if (p->settings->labels.files[0] != '\0' &&
                tin_pattern_match(p->settings->labels.files, one.name, &captures)) /* "*.csv" may take label files in */
                continue;
            if (is_relabel(p->in, one.name))
                continue;
            if (before > 0 && bsearch(&one, items, before, sizeof *items, compare_found) != NULL)
                continue;
            items[found->n++] = one;
            list.names[k] = NULL; /* handed over */
        }
        tin_file_list_free(&list);
        if (found->n > 0)
            qsort(found->items, found->n, sizeof *found->items, compare_found);
    }
    return status;
}

static bool equal_capture(const tin_capture *a, const tin_capture *b)
{
    return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

bool tin_set_fits(const tin_file_set *set, const tin_captures *captures)
{
    for (int i = 0; i < captures->n; i++) {
        const tin_capture *c = &captures->items[i];
        const tin_capture *own = tin_capture_find(&set->captures, c->name, c->name_size);
        if (own != NULL ? !equal_capture(own, c)
                        : c->name_size == 2 && memcmp(c->name, "id", 2) == 0 &&
                              (strlen(set->id) != c->size || memcmp(set->id, c->text, c->size) != 0))
            return false;
    }
    return true;
}

/* What stands in the path before its ending. */
static char *without_ending(const char *name, tin_error *err)
{
    const char *slash = strrchr(name, '/'), *base = slash != NULL ? slash + 1 : name, *dot = strrchr(base, '.');
    size_t size = dot != NULL && dot != base ? (size_t)(dot - name) : strlen(name);
    char *text = tin_alloc(size + 1, 1, err);
    if (text != NULL)
        memcpy(text, name, size);
    return text;
}

/* The file's name up to the first "_", or its ending. */
static char *person_of(const char *name, tin_error *err)
{
    const char *slash = strrchr(name, '/'), *base = slash != NULL ? slash + 1 : name;
    char *text = without_ending(base, err);
    if (text != NULL && text[0] != '_')
        text[strcspn(text, "_")] = '\0';
    return text;
}

static tin_status fill(const char *pattern, const char *name, const tin_captures *captures, const char *setting,
                       char **text, tin_error *err)
{
    char own[16];
    (void)snprintf(own, sizeof own, "{%s}", name);
    if (pattern[0] == '\0' && tin_capture_find(captures, name, strlen(name)) == NULL)
        return TIN_OK;
    return tin_pattern_fill(pattern[0] != '\0' ? pattern : own, captures, setting, text, err);
}

/* Names of a set from its first file and all captures. */
static tin_status name_set(const tin_import_plan *p, tin_file_set *set, tin_error *err)
{
    const tin_config_import *s = p->settings;
    const tin_captures *c = &set->captures;
    tin_status status = TIN_OK;
    const bool late =
        s->subject_column[0] != '\0' || s->subject_file[0] != '\0'; /* the person is known when it is read */
    if (!late)
        status = fill(s->subject, "subject", c, "data.import.subject", &set->subject, err);
    if (!late && status == TIN_OK && set->subject == NULL && (set->subject = person_of(set->names[0], err)) == NULL)
        status = TIN_ERR_MEMORY;
    if (status == TIN_OK && (!late || strstr(s->id, "{subject") == NULL))
        status = s->id[0] == '\0' ? TIN_OK : tin_pattern_fill(s->id, c, "data.import.id", &set->id, err);
    if (status == TIN_OK && set->id == NULL && (set->id = without_ending(set->names[0], err)) == NULL)
        status = TIN_ERR_MEMORY;
    if (status == TIN_OK)
        status = fill(s->session, "session", c, "data.import.session", &set->session, err);
    if (status == TIN_OK && set->session == NULL && (set->session = tin_strdup("", err)) == NULL)
        status = TIN_ERR_MEMORY;
    if (status == TIN_OK)
        status = fill("", "label", c, "the path", &set->label, err);
    const tin_capture *role = tin_capture_find(c, "role", 4);
    static const char *const roles[3] = {"train", "validation", "test"};
    for (int i = 0; role != NULL && i < 3; i++)
        if (strlen(roles[i]) == role->size && memcmp(roles[i], role->text, role->size) == 0) {
            set->has_role = true;
            set->role = (tin_role)i;
        }
    return status;
}

/* The set takes the file and its captures. */
static tin_status join_file(const tin_import_plan *p, tin_file_set *set, int family, found_file *file,
                            const tin_captures *captures, tin_error *err)
{
    char path[TIN_PATH_MAX];
    if (set->names[family] != NULL)
        return tin_fail_at(err, TIN_ERR_DATA, tin_import_path(p, file->name, path), 0,
                           "this file and %s are the same sensor of one recording; tell them apart by a {name} in the "
                           "path, or remove one",
                           set->names[family]);
    set->names[family] = file->name;
    set->files[family] = file->files;
    file->name = NULL;
    for (int i = 0; i < captures->n; i++) {
        const tin_capture *c = &captures->items[i];
        if (tin_capture_find(&set->captures, c->name, c->name_size) != NULL)
            continue;
        if (set->captures.n == TIN_MAX_CAPTURES)
            return tin_fail(err, TIN_ERR_CONFIG, "the paths of data.import.files have more than %d captures; use *",
                            TIN_MAX_CAPTURES);
        set->captures.items[set->captures.n++] = *c;
    }
    return TIN_OK;
}

static tin_status make_sets(tin_import_plan *p, found_files *first, tin_error *err)
{
    p->sets = tin_alloc(first->n, sizeof *p->sets, err);
    if (p->sets == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < first->n; i++) {
        tin_file_set *set = &p->sets[i];
        tin_captures captures;
        set->names = tin_alloc((size_t)p->n_families, sizeof *set->names, err);
        set->files = tin_alloc((size_t)p->n_families, sizeof *set->files, err);
        p->n_sets++;
        if (set->names == NULL || set->files == NULL)
            return TIN_ERR_MEMORY;
        (void)tin_pattern_match(first->items[i].files->layout.settings->path, first->items[i].name, &captures);
        tin_status status = join_file(p, set, 0, &first->items[i], &captures, err);
        if (status != TIN_OK)
            return status;
    }
    return TIN_OK;
}

/* The files of a further family go to the sets whose captures they share. */
static tin_status join_family(tin_import_plan *p, int family, found_files *found, tin_source *source, tin_error *err)
{
    for (size_t i = 0; i < found->n; i++) {
        found_file *file = &found->items[i];
        tin_captures captures;
        tin_file_set *set = NULL;
        (void)tin_pattern_match(file->files->layout.settings->path, file->name, &captures);
        for (size_t k = 0; k < p->n_sets && set == NULL; k++)
            if (tin_set_fits(&p->sets[k], &captures))
                set = &p->sets[k];
        tin_status status =
            set != NULL ? join_file(p, set, family, file, &captures, err)
                        : tin_notes_add(&source->notes, err,
                                        "%s: there is no file of the first sensor beside it; left out", file->name);
        if (status != TIN_OK)
            return status;
    }
    for (size_t k = 0; k < p->n_sets; k++)
        if (p->sets[k].names[family] == NULL) {
            const tin_plan_files *f = p->files;
            char path[TIN_PATH_MAX];
            while (f->family != family)
                f++;
            return tin_fail_at(err, TIN_ERR_DATA, tin_import_path(p, p->sets[k].names[0], path), 0,
                               "no file '%s' belongs to it; unpack the data set again, or remove the file",
                               f->layout.settings->path);
        }
    return TIN_OK;
}

static tin_status find_sets(tin_import_plan *p, tin_source *source, tin_error *err)
{
    tin_status status = TIN_OK;
    for (int family = 0; family < p->n_families && status == TIN_OK; family++) {
        found_files found = {0};
        status = find_family(p, family, &found, err);
        if (status == TIN_OK && found.n == 0)
            status = tin_fail(err, TIN_ERR_DATA, "no file '%s' in '%s'; correct data.path, or the path in %s",
                              p->files[0].layout.settings->path, p->in->folder, p->files[0].where);
        if (status == TIN_OK)
            status = family == 0 ? make_sets(p, &found, err) : join_family(p, family, &found, source, err);
        for (size_t i = 0; i < found.n; i++)
            tin_free(found.items[i].name);
        tin_free(found.items);
    }
    for (size_t i = 0; i < p->n_sets && status == TIN_OK; i++)
        status = name_set(p, &p->sets[i], err);
    return status;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A list of paths, one a line: the sets of these files get the role. */
static tin_status read_list(tin_import_plan *p, const char *name, tin_role role, tin_error *err)
{
    char path[TIN_PATH_MAX], *text = NULL, **lines = NULL;
    size_t size = 0, n = 0;
    if (name[0] == '\0')
        return TIN_OK;
    tin_status status = tin_path_join(path, p->in->folder, name, err);
    if (status == TIN_OK)
        status = tin_file_read(path, &text, &size, err);
    if (status == TIN_OK && (lines = tin_alloc(size / 2 + 1, sizeof *lines, err)) == NULL)
        status = TIN_ERR_MEMORY;
    char *rest = text;
    for (char *line; status == TIN_OK && (line = strsep(&rest, "\r\n")) != NULL;)
        if (line[0] != '\0')
            lines[n++] = line;
    if (n > 0)
        qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; n > 0 && i < p->n_sets; i++) /* the paths count from any folder that the file is in */
        for (const char *s = p->sets[i].names[0]; s != NULL && !p->sets[i].has_role;) {
            p->sets[i].has_role = bsearch(&s, lines, n, sizeof *lines, compare_lines) != NULL;
            p->sets[i].role = role;
            s = strchr(s, '/');
            s = s != NULL ? s + 1 : NULL;
        }
    tin_free(lines);
    tin_free(text);
    return status;
}

tin_status tin_import_plan_make(tin_import_plan *p, const tin_import *in, tin_source *source, tin_error *err)
{
    *p = (tin_import_plan){.settings = &in->settings->import, .in = in};
    tin_status status = plan_files(p, err);
    if (status == TIN_OK)
        status = set_channels(p, source, err);
    if (status == TIN_OK)
        status = find_sets(p, source, err);
    if (status == TIN_OK)
        status = read_list(p, p->settings->validation_list, TIN_ROLE_VALIDATION, err);
    if (status == TIN_OK)
        status = read_list(p, p->settings->test_list, TIN_ROLE_TEST, err);
    const bool lists = p->settings->validation_list[0] != '\0' || p->settings->test_list[0] != '\0';
    for (size_t i = 0; lists && i < p->n_sets; i++)
        if (!p->sets[i].has_role) {
            p->sets[i].has_role = true;
            p->sets[i].role = TIN_ROLE_TRAIN;
        }
    return status;
}

const char *tin_import_path(const tin_import_plan *p, const char *name, char path[TIN_PATH_MAX])
{
    return tin_path_join(path, p->in->folder, name, NULL) == TIN_OK ? path : name;
}

void tin_import_plan_free(tin_import_plan *p)
{
    for (unsigned i = 0; p->files != NULL && i < p->settings->files_count; i++) {
        for (int k = 0; k < p->files[i].layout.n_columns; k++)
            tin_free(p->files[i].layout.columns[k].name);
        tin_free(p->files[i].layout.columns);
    }
    for (size_t i = 0; i < p->n_sets; i++) {
        tin_file_set *set = &p->sets[i];
        for (int k = 0; set->names != NULL && k < p->n_families; k++)
            tin_free(set->names[k]);
        tin_free(set->names);
        tin_free(set->files);
        tin_free(set->id);
        tin_free(set->subject);
        tin_free(set->session);
        tin_free(set->label);
    }
    tin_free(p->sets);
    tin_free(p->files);
    tin_free(p->first_channels);
    *p = (tin_import_plan){0};
}
