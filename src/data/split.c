/* Who trains, who chooses, who tests: always whole people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/class_map.h"
#include "data/file_list.h"

#define EVERY 5
#define VALIDATION_INDEX 3
#define TEST_INDEX 4

typedef struct subject {
    const char *name;
    tin_role role;
    bool listed;
} subject;

static int compare_subjects(const void *a, const void *b)
{
    return tin_natural_compare(((const subject *)a)->name, ((const subject *)b)->name);
}

static subject *find(subject *subjects, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(subjects[i].name, name) == 0)
            return &subjects[i];
    return NULL;
}

static void list_subjects(const subject *subjects, size_t n, char *list, size_t size)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < n && used < size - 1; i++) {
        int length = snprintf(list + used, size - used, "%s%s", i > 0 ? ", " : "", subjects[i].name);
        used += length > 0 ? (size_t)length : 0;
    }
}

static tin_status take_list(subject *subjects, size_t n, char *const *names, unsigned n_names, tin_role role,
                            tin_error *err)
{
    const char *setting = role == TIN_ROLE_TEST ? "data.test" : "data.validation";
    char list[400];
    list_subjects(subjects, n, list, sizeof list);
    for (unsigned i = 0; i < n_names; i++) {
        subject *s = find(subjects, n, names[i]);
        if (s == NULL)
            return tin_fail(err, TIN_ERR_CONFIG, "%s names the subject '%s', who is not there; there are: %s", setting,
                            names[i], list);
        if (s->listed && s->role != role)
            return tin_fail(err, TIN_ERR_CONFIG,
                            "subject '%s' is in data.validation and in data.test; keep the name in one list", names[i]);
        s->role = role;
        s->listed = true;
    }
    return TIN_OK;
}

/* What the lists leave open: of the subjects in no list every fifth. */
static void take_every_fifth(subject *subjects, size_t n, bool validation, bool test)
{
    size_t position = 0;
    for (size_t i = 0; i < n; i++) {
        if (subjects[i].listed)
            continue;
        if (validation && position % EVERY == VALIDATION_INDEX)
            subjects[i].role = TIN_ROLE_VALIDATION;
        if (test && position % EVERY == TEST_INDEX)
            subjects[i].role = TIN_ROLE_TEST;
        position++;
    }
}

static tin_status check_roles(const subject *subjects, size_t n, tin_error *err)
{
    if (n < 3)
        return tin_fail(err, TIN_ERR_DATA,
                        "the recordings are of %zu %s; one each is needed for training, validation and test: add "
                        "recordings of others",
                        n, n == 1 ? "person" : "people");
    static const char *const names[3] = {"training", "validation", "test"};
    static const char *const mends[3] = {"leave subjects out of data.validation and data.test",
                                         "list some in data.validation", "list some in data.test"};
    for (int role = TIN_ROLE_TRAIN; role <= TIN_ROLE_TEST; role++) {
        bool found = false;
        for (size_t i = 0; i < n && !found; i++)
            found = subjects[i].role == (tin_role)role;
        if (!found)
            return tin_fail(err, TIN_ERR_CONFIG, "of %zu subjects none is left for %s; %s", n, names[role],
                            mends[role]);
    }
    return TIN_OK;
}

tin_status tin_split(const tin_config_data *settings, const tin_source *source, tin_role *roles, tin_error *err)
{
    subject *subjects = tin_alloc(source->n_recordings, sizeof *subjects, err);
    if (subjects == NULL)
        return TIN_ERR_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < source->n_recordings; i++)
        if (find(subjects, n, source->recordings[i].subject) == NULL)
            subjects[n++] = (subject){.name = source->recordings[i].subject, .role = TIN_ROLE_TRAIN};
    qsort(subjects, n, sizeof *subjects, compare_subjects);
    tin_status status =
        take_list(subjects, n, settings->validation, settings->validation_count, TIN_ROLE_VALIDATION, err);
    if (status == TIN_OK)
        status = take_list(subjects, n, settings->test, settings->test_count, TIN_ROLE_TEST, err);
    if (status == TIN_OK) {
        take_every_fifth(subjects, n, settings->validation_count == 0, settings->test_count == 0);
        status = check_roles(subjects, n, err);
    }
    for (size_t i = 0; i < source->n_recordings && status == TIN_OK; i++)
        roles[i] = find(subjects, n, source->recordings[i].subject)->role;
    tin_free(subjects);
    return status;
}
