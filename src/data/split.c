#include "data/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/natural_order.h"
#include "data/data.h"

#define DEFAULT_FOLDS 5 /* three for training, the fourth for validation, the fifth for the test */
#define VALIDATION_EVERY 5

/* What stays together. */
typedef struct unit {
    const char *name; /* for people and for the file */
    char *made;       /* the same when it was put together, owned */
    const char *subject, *session;
    double *seconds; /* [n_classes] of each class */
    int fold;        /* from 1 on, 0: none */
    int before;      /* how many folds before the tested one */
    tin_role role;
    bool listed; /* in data.validation or data.test */
} unit;

typedef struct units {
    unit *items;
    size_t n;
} units;

static const char *by_of(const tin_config_data *settings)
{
    return settings->split.by != NULL && settings->split.by[0] != '\0' ? settings->split.by : "subject";
}

/* Asked for, or by itself where the source publishes a split and nothing else is asked for. */
static bool is_published(const tin_config_data *settings, const tin_source *source)
{
    const tin_config_split *s = &settings->split;
    const bool other = settings->validation_count + settings->test_count > 0 || (s->by != NULL && s->by[0] != '\0') ||
                       (s->folds != NULL && s->folds[0] != '\0');
    return strcmp(by_of(settings), "published") == 0 || (!other && source->recordings[0].has_role);
}

static int by_name(const void *a, const void *b)
{
    return tin_natural_compare(((const unit *)a)->name, ((const unit *)b)->name);
}

static unit *find_unit(const units *u, const tin_recording *r, bool sessions)
{
    for (size_t i = 0; i < u->n; i++)
        if (strcmp(u->items[i].subject, r->subject) == 0 && (!sessions || strcmp(u->items[i].session, r->session) == 0))
            return &u->items[i];
    return NULL;
}

static double end_of(const tin_recording *r, double rate_hz)
{
    const tin_piece *last = r->n_pieces > 0 ? &r->pieces[r->n_pieces - 1] : NULL;
    return last != NULL ? last->start + (double)last->n_frames / rate_hz : 0;
}

/* Labelled seconds of the recording by class. */
static void add_seconds(unit *u, const tin_recording *r, const tin_class_map *map, double rate_hz)
{
    double end = end_of(r, rate_hz), covered = 0;
    for (size_t i = 0; i < r->n_spans; i++) {
        const tin_span *s = &r->spans[i];
        int32_t class_index = map->targets[tin_class_map_find(map, s->label)];
        double seconds = fmax(0, fmin(s->end, end) - fmax(s->start, 0));
        covered += seconds;
        if (class_index != TIN_LABEL_IGNORE)
            u->seconds[class_index] += seconds;
    }
    if (map->unlabelled != TIN_LABEL_IGNORE)
        u->seconds[map->unlabelled] += fmax(0, end - covered);
}

static tin_status name_unit(unit *u, bool sessions, tin_error *err)
{
    u->name = u->subject;
    if (!sessions || u->session[0] == '\0')
        return TIN_OK;
    u->made = tin_alloc(strlen(u->subject) + strlen(u->session) + 2, 1, err);
    if (u->made == NULL)
        return TIN_ERR_MEMORY;
    (void)sprintf(u->made, "%s/%s", u->subject, u->session);
    u->name = u->made;
    return TIN_OK;
}

/* All units in order of their names. */
static tin_status collect_units(units *u, const tin_config_data *settings, const tin_source *source,
                                const tin_class_map *map, tin_error *err)
{
    const bool sessions = strcmp(by_of(settings), "session") == 0;
    u->items = tin_alloc(source->n_recordings, sizeof *u->items, err);
    if (u->items == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < source->n_recordings; i++) {
        const tin_recording *r = &source->recordings[i];
        unit *found = find_unit(u, r, sessions);
        if (found == NULL) {
            found = &u->items[u->n++];
            *found = (unit){.subject = r->subject, .session = r->session, .role = TIN_ROLE_TRAIN};
            found->seconds = tin_alloc((size_t)map->n_classes, sizeof *found->seconds, err);
            if (found->seconds == NULL || name_unit(found, sessions, err) != TIN_OK)
                return TIN_ERR_MEMORY;
        }
        add_seconds(found, r, map, settings->rate_hz);
    }
    qsort(u->items, u->n, sizeof *u->items, by_name);
    return TIN_OK;
}

static void free_units(units *u)
{
    for (size_t i = 0; u->items != NULL && i < u->n; i++) {
        tin_free(u->items[i].made);
        tin_free(u->items[i].seconds);
    }
    tin_free(u->items);
}

static void list_names(const units *u, char *list, size_t size)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < u->n && used < size - 1; i++) {
        int length = snprintf(list + used, size - used, "%s%s", i > 0 ? ", " : "", u->items[i].name);
        used += length > 0 ? (size_t)length : 0;
    }
}

static tin_status take_list(const units *u, char *const *names, unsigned n_names, tin_role role, tin_error *err)
{
    const char *setting = role == TIN_ROLE_TEST ? "data.test" : "data.validation";
    char list[400];
    list_names(u, list, sizeof list);
    for (unsigned i = 0; i < n_names; i++) {
        unit *s = NULL;
        for (size_t k = 0; k < u->n; k++)
            s = strcmp(u->items[k].name, names[i]) == 0 ? &u->items[k] : s;
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

/* Without stratification one after the other: 1, 2, ..., n_folds, 1, 2, ... (0: a fold each), going on behind those that
 * have a fold already. */
static void fill_in_turn(units *u, int n_folds, int n_known, int most_known)
{
    for (size_t i = 0; i < u->n; i++) {
        unit *one = &u->items[i];
        if (one->listed || one->fold > 0)
            continue;
        one->fold = n_folds > 0 ? n_known++ % n_folds + 1 : ++most_known;
    }
}

/* How alike the classes of the unit and of the fold are: sum over classes of the product of their shares. A fold takes
 * units until it has as much of every class as the others. */
static double likeness(const unit *one, const double *in_fold, const double *total, int n_classes)
{
    double sum = 0;
    for (int c = 0; c < n_classes; c++)
        sum += total[c] > 0 ? in_fold[c] / total[c] * one->seconds[c] / total[c] : 0;
    return sum;
}

/* The unit without a fold that has the greatest share of any class, so that rare classes are spread first. */
static unit *most_telling(const units *u, const double *total, int n_classes)
{
    unit *found = NULL;
    double most = -1;
    for (size_t i = 0; i < u->n; i++) {
        double share = 0;
        for (int c = 0; c < n_classes; c++)
            share = fmax(share, total[c] > 0 ? u->items[i].seconds[c] / total[c] : 0);
        if (!u->items[i].listed && u->items[i].fold == 0 && share > most) {
            most = share;
            found = &u->items[i];
        }
    }
    return found;
}

/* Greedy: each unit goes where least of its classes is; sum over folds and classes of the squared shares grows least. */
static tin_status fill_stratified(units *u, int n_folds, int n_classes, tin_error *err)
{
    double *sums = tin_alloc((size_t)(n_folds + 1) * (size_t)n_classes, sizeof *sums, err); /* fold 0: all */
    if (sums == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < u->n; i++)
        for (int c = 0; c < n_classes && !u->items[i].listed; c++) {
            sums[c] += u->items[i].seconds[c];
            if (u->items[i].fold > 0)
                sums[u->items[i].fold * n_classes + c] += u->items[i].seconds[c];
        }
    for (unit *one; (one = most_telling(u, sums, n_classes)) != NULL;) {
        double least = INFINITY;
        for (int f = 1; f <= n_folds; f++) {
            double alike = likeness(one, sums + f * n_classes, sums, n_classes);
            if (alike < least) {
                least = alike;
                one->fold = f;
            }
        }
        for (int c = 0; c < n_classes; c++)
            sums[one->fold * n_classes + c] += one->seconds[c];
    }
    tin_free(sums);
    return TIN_OK;
}

/* Folds by the file, then by the rule; what is new goes into the file. */
static tin_status assign_folds(units *u, const tin_config_data *settings, int n_folds, int n_classes,
                               const char *frozen, tin_error *err)
{
    tin_split_file file = {0};
    int n_known = 0, most_known = 0;
    bool added = false;
    tin_status status = frozen != NULL ? tin_split_file_read(&file, frozen, by_of(settings), n_folds, err) : TIN_OK;
    for (size_t k = 0; k < file.n && status == TIN_OK; k++) {
        n_known++;
        most_known = file.units[k].fold > most_known ? file.units[k].fold : most_known;
        for (size_t i = 0; i < u->n; i++)
            if (strcmp(u->items[i].name, file.units[k].name) == 0)
                u->items[i].fold = file.units[k].fold;
    }
    if (status == TIN_OK && settings->split.stratify && n_folds > 0)
        status = fill_stratified(u, n_folds, n_classes, err);
    else
        fill_in_turn(u, n_folds, n_known, most_known);
    for (size_t i = 0; i < u->n && status == TIN_OK && frozen != NULL; i++) {
        tin_split_unit *known = u->items[i].listed ? NULL : tin_split_file_unit(&file, u->items[i].name, err);
        if (u->items[i].listed)
            continue;
        if (known == NULL)
            status = TIN_ERR_MEMORY;
        else if (known->fold == 0) {
            known->fold = u->items[i].fold;
            added = true;
        }
    }
    if (status == TIN_OK && added)
        status = tin_split_file_write(&file, frozen, by_of(settings), n_folds, err);
    tin_split_file_free(&file);
    return status;
}

/* The fold before the one that is tested validates, and every fifth before that: one of five, however many there are, and over
 * all test folds each does so equally often. */
static bool validates(int folds_before_test)
{
    return folds_before_test % VALIDATION_EVERY == 1;
}

/* Folds lie in a ring; those that no unit is left of (the file remembers them) do not count. */
static tin_status assign_roles(const units *u, const tin_config_data *settings, int n_folds, int test_fold,
                               tin_error *err)
{
    int *rank = tin_alloc((size_t)n_folds + 1, sizeof *rank, err); /* of a fold: how many up to it have units */
    if (rank == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < u->n; i++)
        rank[u->items[i].fold] = 1;
    rank[0] = 0;
    for (int f = 1; f <= n_folds; f++)
        rank[f] += rank[f - 1];
    for (size_t i = 0; i < u->n; i++) {
        unit *one = &u->items[i];
        if (one->listed)
            continue;
        one->before = (rank[test_fold] - rank[one->fold] + rank[n_folds]) % rank[n_folds];
        if (one->fold == test_fold && settings->test_count == 0)
            one->role = TIN_ROLE_TEST;
        else if (validates(one->before) && settings->validation_count == 0)
            one->role = TIN_ROLE_VALIDATION;
    }
    tin_free(rank);
    return TIN_OK;
}

static size_t count_with(const units *u, tin_role role, int class_index)
{
    size_t n = 0;
    for (size_t i = 0; i < u->n; i++)
        n += u->items[i].role == role && u->items[i].seconds[class_index] > 0;
    return n;
}

/* Whether training keeps every class of the unit without it. */
static bool can_leave_training(const units *u, const unit *one, int n_classes)
{
    for (int c = 0; c < n_classes; c++)
        if (one->seconds[c] > 0 && count_with(u, TIN_ROLE_TRAIN, c) < 2)
            return false;
    return true;
}

/* Leaving one out must not end because the few who validate never show a class: then the nearest one before the test who
 * does validates too, where training can spare them. */
static void complete_validation(const units *u, int n_classes)
{
    for (int c = 0; c < n_classes; c++) {
        unit *nearest = NULL;
        size_t n = count_with(u, TIN_ROLE_VALIDATION, c) > 0 ? 0 : u->n;
        for (size_t i = 0; i < n; i++) {
            unit *one = &u->items[i];
            if (one->role == TIN_ROLE_TRAIN && !one->listed && one->seconds[c] > 0 &&
                (nearest == NULL || one->before < nearest->before) && can_leave_training(u, one, n_classes))
                nearest = one;
        }
        if (nearest != NULL)
            nearest->role = TIN_ROLE_VALIDATION;
    }
}

static tin_status check_roles(const units *u, const char *by, const char *frozen, tin_error *err)
{
    if (u->n < 3 && strcmp(by, "session") == 0)
        return tin_fail(err, TIN_ERR_DATA,
                        "the recordings are of %zu sessions; one each is needed for training, validation and test: add "
                        "recordings, or write data.split.by: time",
                        u->n);
    if (u->n < 3)
        return tin_fail(err, TIN_ERR_DATA,
                        "the recordings are of %zu %s; one each is needed for training, validation and test: add "
                        "recordings of others",
                        u->n, u->n == 1 ? "person" : "people");
    static const char *const names[3] = {"training", "validation", "test"};
    static const char *const mends[3] = {"leave subjects out of data.validation and data.test",
                                         "list some in data.validation", "list some in data.test"};
    for (int role = TIN_ROLE_TRAIN; role <= TIN_ROLE_TEST; role++) {
        bool found = false;
        for (size_t i = 0; i < u->n && !found; i++)
            found = u->items[i].role == (tin_role)role;
        if (!found)
            return tin_fail(err, TIN_ERR_CONFIG, "of %zu %ss none is left for %s; %s%s%s", u->n, by, names[role],
                            mends[role], frozen != NULL ? ", or change the folds in " : "",
                            frozen != NULL ? frozen : "");
    }
    return TIN_OK;
}

/* Number of folds by the settings, 0: as many as units. */
static tin_status count_folds(const tin_config_data *settings, int *n_folds, tin_error *err)
{
    const char *text = settings->split.folds != NULL ? settings->split.folds : "";
    bool all = strcmp(text, "all") == 0;
    char *end = NULL;
    long n = text[0] == '\0' ? DEFAULT_FOLDS : strtol(text, &end, 10);
    *n_folds = all ? 0 : (int)n;
    if (!all && ((end != NULL && *end != '\0') || n < 3 || n > TIN_SPLIT_MOST_FOLDS))
        return tin_fail(err, TIN_ERR_CONFIG,
                        "data.split.folds is '%s'; write a whole number from 3 to %d, or all for a fold per unit", text,
                        TIN_SPLIT_MOST_FOLDS);
    if (text[0] != '\0' && settings->validation_count + settings->test_count > 0)
        return tin_fail(err, TIN_ERR_CONFIG,
                        "data.split.folds says who is tested, and data.validation or data.test too; give one of them");
    return TIN_OK;
}

static tin_status check_fold(const tin_config_data *settings, int n_folds, int *fold, tin_error *err)
{
    *fold = settings->split.fold > 0 ? settings->split.fold : n_folds;
    return *fold <= n_folds
               ? TIN_OK
               : tin_fail(err, TIN_ERR_CONFIG, "data.split.fold is %d; there are %d folds", *fold, n_folds);
}

static tin_status check_time(const tin_config_data *settings, int n_folds, tin_error *err)
{
    if (settings->validation_count + settings->test_count > 0)
        return tin_fail(err, TIN_ERR_CONFIG,
                        "data.validation and data.test name people, but data.split.by is time; remove them");
    return n_folds > 0 ? TIN_OK
                       : tin_fail(err, TIN_ERR_CONFIG,
                                  "data.split.by is time, and data.split.folds all; write how many blocks there are");
}

static tin_status split_units(tin_split *split, const tin_config_data *settings, const tin_source *source,
                              const tin_class_map *map, const char *frozen, tin_error *err)
{
    units u = {0};
    const bool sessions = strcmp(by_of(settings), "session") == 0;
    tin_status status = collect_units(&u, settings, source, map, err);
    if (status == TIN_OK && sessions && settings->validation_count + settings->test_count > 0)
        status = tin_fail(err, TIN_ERR_CONFIG,
                          "data.validation and data.test name people, but data.split.by is session; remove them");
    if (status == TIN_OK)
        status = take_list(&u, settings->validation, settings->validation_count, TIN_ROLE_VALIDATION, err);
    if (status == TIN_OK)
        status = take_list(&u, settings->test, settings->test_count, TIN_ROLE_TEST, err);
    const bool needed = settings->validation_count == 0 || settings->test_count == 0;
    if (status == TIN_OK && needed)
        status = assign_folds(&u, settings, split->n_folds, map->n_classes, frozen, err);
    for (size_t i = 0; i < u.n && split->n_folds == 0; i++)
        split->test_fold = u.items[i].fold > split->test_fold ? u.items[i].fold : split->test_fold;
    int n_folds = split->n_folds > 0 ? split->n_folds : split->test_fold;
    if (status == TIN_OK && needed)
        status = check_fold(settings, n_folds, &split->test_fold, err);
    if (status == TIN_OK && needed)
        status = assign_roles(&u, settings, n_folds, split->test_fold, err);
    if (status == TIN_OK && split->n_folds == 0 && settings->validation_count == 0)
        complete_validation(&u, map->n_classes);
    if (status == TIN_OK)
        status = check_roles(&u, by_of(settings), needed ? frozen : NULL, err);
    for (size_t i = 0; i < source->n_recordings && status == TIN_OK; i++)
        split->roles[i] = find_unit(&u, &source->recordings[i], sessions)->role;
    free_units(&u);
    return status;
}

/* The name of the unit that the stream belongs to, as name_unit makes it. NULL: no memory. */
static char *unit_of_stream(const tin_stream *stream, bool sessions, tin_error *err)
{
    unit made = {.subject = stream->subject, .session = stream->session};
    if (name_unit(&made, sessions, err) != TIN_OK)
        return NULL;
    return made.made != NULL ? made.made : tin_strdup(made.name, err);
}

static int by_fold(const void *a, const void *b)
{
    const tin_data_fold *left = a, *right = b;
    return (left->fold > right->fold) - (left->fold < right->fold);
}

/* Adds the unit's name to its fold. */
static tin_status add_to_fold(tin_data_fold *folds, size_t *n, int fold, const char *name, tin_error *err)
{
    size_t i = 0;
    while (i < *n && folds[i].fold != fold)
        i++;
    size_t used = i < *n ? strlen(folds[i].units) : 0;
    char *grown = tin_grow(i < *n ? folds[i].units : NULL, used, used + strlen(name) + 3, 1, err);
    if (grown == NULL)
        return TIN_ERR_MEMORY;
    (void)sprintf(grown + used, "%s%s", used > 0 ? ", " : "", name);
    folds[i] = (tin_data_fold){fold, grown};
    *n += i == *n;
    return TIN_OK;
}

static tin_status folds_of_units(const tin_split_file *file, bool sessions, const tin_dataset *dataset,
                                 tin_data_fold *folds, size_t *n, tin_error *err)
{
    bool *seen = tin_alloc(file->n, sizeof *seen, err);
    tin_status status = seen != NULL ? TIN_OK : TIN_ERR_MEMORY;
    for (size_t i = 0; i < dataset->n_streams && status == TIN_OK; i++) {
        char *name = unit_of_stream(&dataset->streams[i], sessions, err);
        status = name != NULL ? TIN_OK : TIN_ERR_MEMORY;
        for (size_t k = 0; k < file->n && status == TIN_OK; k++) {
            if (seen[k] || strcmp(file->units[k].name, name) != 0)
                continue;
            seen[k] = true;
            status = add_to_fold(folds, n, file->units[k].fold, name, err);
        }
        tin_free(name);
    }
    tin_free(seen);
    return status;
}

tin_status tin_data_folds(const tin_config_data *settings, const tin_dataset *dataset, const char *split_file,
                          tin_data_fold **folds, size_t *n, tin_error *err)
{
    int n_folds = 0;
    tin_split_file file = {0};
    *folds = NULL;
    *n = 0;
    tin_status status = count_folds(settings, &n_folds, err);
    if (status == TIN_OK && split_file != NULL)
        status = tin_split_file_read(&file, split_file, by_of(settings), n_folds, err);
    if (status == TIN_OK) {
        *folds = tin_alloc(file.n + (size_t)n_folds, sizeof **folds, err);
        status = *folds != NULL ? TIN_OK : TIN_ERR_MEMORY;
    }
    for (int f = 1; f <= n_folds && split_file == NULL && status == TIN_OK; f++)
        status = add_to_fold(*folds, n, f, "", err);
    if (status == TIN_OK)
        status = folds_of_units(&file, strcmp(by_of(settings), "session") == 0, dataset, *folds, n, err);
    if (status == TIN_OK)
        qsort(*folds, *n, sizeof **folds, by_fold);
    tin_split_file_free(&file);
    return status;
}

void tin_data_folds_free(tin_data_fold *folds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tin_free(folds[i].units);
    tin_free(folds);
}

void tin_data_split_name(const tin_config_data *settings, char name[64])
{
    const bool needed = settings->validation_count == 0 || settings->test_count == 0;
    char folds[16];
    int n_folds = 0;
    name[0] = '\0';
    if (needed && strcmp(by_of(settings), "time") != 0 && count_folds(settings, &n_folds, NULL) == TIN_OK) {
        (void)snprintf(folds, sizeof folds, "%d", n_folds);
        (void)snprintf(name, 64, "split-%s-%s%s.json", by_of(settings), n_folds > 0 ? folds : "all",
                       settings->split.stratify ? "-stratified" : "");
    }
}

static int by_subject(const void *a, const void *b)
{
    return tin_natural_compare(*(const char *const *)a, *(const char *const *)b);
}

/* A publisher who thought of training and test alone: every fifth person of the training validates, at least the last. */
static tin_status validate_by_fifth(tin_split *split, const tin_source *source, tin_error *err)
{
    const char **names = tin_alloc(source->n_recordings, sizeof *names, err);
    size_t n = 0, kept = 0;
    if (names == NULL)
        return TIN_ERR_MEMORY;
    for (size_t i = 0; i < source->n_recordings; i++)
        if (split->roles[i] == TIN_ROLE_TRAIN)
            names[n++] = source->recordings[i].subject;
    qsort(names, n, sizeof *names, by_subject);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
            names[kept++] = names[i];
    for (size_t i = 0; i < source->n_recordings && kept > 1; i++)
        for (size_t k = kept < 4 ? kept - 1 : 3; k < kept && split->roles[i] == TIN_ROLE_TRAIN; k += 5)
            if (strcmp(source->recordings[i].subject, names[k]) == 0)
                split->roles[i] = TIN_ROLE_VALIDATION;
    tin_free(names);
    return TIN_OK;
}

static tin_status take_published(tin_split *split, const tin_source *source, tin_error *err)
{
    bool found[3] = {false};
    for (size_t i = 0; i < source->n_recordings; i++) {
        const tin_recording *r = &source->recordings[i];
        if (!r->has_role)
            return tin_fail_at(err, TIN_ERR_CONFIG, r->origin, 0,
                               "data.split.by is published, but its source publishes no split; write subject");
        split->roles[i] = r->role;
        found[r->role] = true;
    }
    if (found[TIN_ROLE_TRAIN] && found[TIN_ROLE_TEST] && !found[TIN_ROLE_VALIDATION]) {
        tin_status status = validate_by_fifth(split, source, err);
        for (size_t i = 0; i < source->n_recordings; i++)
            found[TIN_ROLE_VALIDATION] |= split->roles[i] == TIN_ROLE_VALIDATION;
        if (status != TIN_OK)
            return status;
    }
    return found[0] && found[1] && found[2]
               ? TIN_OK
               : tin_fail(err, TIN_ERR_DATA,
                          "the published split leaves nobody for training, for validation or for the test; write "
                          "data.split.by: subject");
}

tin_status tin_split_make(tin_split *split, const tin_config_data *settings, const tin_source *source,
                          const tin_class_map *map, const char *frozen, tin_error *err)
{
    tin_status status = count_folds(settings, &split->n_folds, err);
    if (status != TIN_OK)
        return status;
    if (strcmp(by_of(settings), "time") == 0) {
        split->guard_s = settings->split.guard_s;
        status = check_time(settings, split->n_folds, err);
        return status != TIN_OK ? status : check_fold(settings, split->n_folds, &split->test_fold, err);
    }
    split->roles = tin_alloc(source->n_recordings, sizeof *split->roles, err);
    if (split->roles != NULL && is_published(settings, source))
        return take_published(split, source, err);
    return split->roles != NULL ? split_units(split, settings, source, map, frozen, err) : TIN_ERR_MEMORY;
}

void tin_split_free(tin_split *split)
{
    tin_free(split->roles);
    *split = (tin_split){0};
}

static tin_role role_of_fold(const tin_split *split, int fold)
{
    int before = (split->test_fold - fold + split->n_folds) % split->n_folds;
    return before == 0 ? TIN_ROLE_TEST : validates(before) ? TIN_ROLE_VALIDATION : TIN_ROLE_TRAIN;
}

size_t tin_split_segments(const tin_split *split, size_t recording, double end,
                          tin_split_segment segments[TIN_SPLIT_MOST_FOLDS])
{
    size_t n = 0;
    if (split->roles != NULL) {
        segments[0] = (tin_split_segment){-INFINITY, INFINITY, split->roles[recording]};
        return 1;
    }
    for (int fold = 1; fold <= split->n_folds; fold++) {
        tin_role role = role_of_fold(split, fold);
        double from = (fold - 1) * end / split->n_folds, to = fold * end / split->n_folds;
        if (n > 0 && segments[n - 1].role == role) {
            segments[n - 1].end = to;
            continue;
        }
        if (n > 0) { /* half of the guard on each side */
            segments[n - 1].end -= split->guard_s / 2;
            from += split->guard_s / 2;
        }
        segments[n++] = (tin_split_segment){from, to, role};
    }
    segments[n - 1].end = INFINITY;
    return n;
}
