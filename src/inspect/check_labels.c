/* What people and labels tell without a look at the signal. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "inspect/check_parts.h"

#define FEWEST_EVENTS 20     /* of an event class; fewer are a warning */
#define MOST_EVENT_RATIO 20  /* events of the commonest class to those of the rarest */
#define MOST_STATE_RATIO 50  /* seconds likewise, of background states */
#define FEWEST_FRAMES 3      /* of a label */
#define FEWEST_LABELS 8      /* of a class, before its durations are compared */
#define OUTLIER_DEVIATIONS 5 /* robust standard deviations of the logarithm */
#define OUTLIER_RATIO 3      /* and at least so many times longer or shorter than the median */
#define UNLABELLED_NOTE 0.1  /* share of all frames */
#define UNLABELLED_WARNING 0.6
#define LONG_GAP_S 60.0 /* between two labels, and LONG_GAP_RATIO times the median gap */
#define LONG_GAP_RATIO 20

static const char *const role_names[] = {"training", "validation", "test"};

/* "Subject 07", "s7" and "S_07" are one key: words for people become one letter, case, signs and leading zeros go. */
static void person_key(char key[128], const char *name)
{
    static const char *const words[][2] = {{"subject", "s"}, {"subj", "s"}, {"sub", "s"}, {"participant", "p"},
                                           {"person", "p"},  {"part", "p"}, {"user", "u"}};
    size_t n = 0;
    while (*name && n < 120) {
        unsigned char c = (unsigned char)*name;
        if (isdigit(c)) {
            while (*name == '0' && isdigit((unsigned char)name[1])) {
                name++;
            }
            while (isdigit((unsigned char)*name) && n < 120) {
                key[n++] = *name++;
            }
        } else if (isalpha(c) || c >= 0x80) {
            size_t first = n;
            while ((isalpha((unsigned char)*name) || (unsigned char)*name >= 0x80) && n < 120) {
                key[n++] = (char)tolower((unsigned char)*name++);
            }
            for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
                size_t length = strlen(words[w][0]);
                if (n - first == length && memcmp(key + first, words[w][0], length) == 0 && *name) {
                    key[first] = words[w][1][0];
                    n = first + 1;
                    break;
                }
            }
        } else {
            name++;
        }
    }
    key[n] = '\0';
}

typedef struct person {
    char key[128];
    size_t first; /* stream */
} person;

static int by_key(const void *left, const void *right)
{
    const person *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order ? order : a->first < b->first ? -1 : a->first > b->first;
}

/* The name itself in two roles. */
static tin_status check_roles(tin_checking *c, const tin_people *people, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    tin_status status = TIN_OK;
    for (size_t i = 0; i < d->n_streams && !status; i++) {
        size_t first = people->first[people->of_stream[i]];
        if (d->streams[i].role != d->streams[first].role) {
            tin_finding f = tin_finding_of(TIN_CHECK_SUBJECT, TIN_FAULT);
            f.stream = (int64_t)i;
            f.other = (int64_t)first;
            status = tin_findings_add(c->findings, f, err, "'%s' is in the %s and the %s part (recordings %s and %s)",
                                      d->streams[i].subject, role_names[d->streams[first].role],
                                      role_names[d->streams[i].role], d->streams[first].id, d->streams[i].id);
        }
    }
    return status;
}

tin_status tin_check_subjects(tin_checking *c, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    tin_people people;
    tin_status status = tin_people_find(&people, d, err);
    if (status) {
        return status;
    }
    person *persons = tin_alloc(people.n, sizeof *persons, err);
    if (!persons) {
        tin_people_free(&people);
        return TIN_ERR_MEMORY;
    }
    status = check_roles(c, &people, err);
    for (size_t i = 0; i < people.n; i++) {
        persons[i].first = people.first[i];
        person_key(persons[i].key, d->streams[people.first[i]].subject);
    }
    qsort(persons, people.n, sizeof *persons, by_key);
    for (size_t i = 1; i < people.n && !status; i++) {
        const tin_stream *a = &d->streams[persons[i - 1].first], *b = &d->streams[persons[i].first];
        if (persons[i].key[0] != '\0' && strcmp(persons[i - 1].key, persons[i].key) == 0) {
            bool apart = a->role != b->role;
            tin_finding f = tin_finding_of(TIN_CHECK_SUBJECT, apart ? TIN_FAULT : TIN_WARNING);
            f.stream = (int64_t)persons[i].first;
            f.other = (int64_t)persons[i - 1].first;
            status =
                tin_findings_add(c->findings, f, err, "'%s' (%s) and '%s' (%s) look like two spellings of one person%s",
                                 a->subject, role_names[a->role], b->subject, role_names[b->role],
                                 apart ? ", who would then be on both sides of the split" : "");
        }
    }
    tin_free(persons);
    tin_people_free(&people);
    return status;
}

/* What there is of one class. */
typedef struct amount {
    int64_t frames[3], labels; /* frames per role */
    size_t n_people, last_person;
    size_t stream; /* the first that has it */
} amount;

static void count(const tin_dataset *d, const tin_people *people, amount *amounts)
{
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *s = &d->streams[i];
        int64_t outside = s->n_frames;
        for (size_t k = 0; k <= s->n_intervals; k++) { /* the last round: frames outside every interval */
            bool inside = k < s->n_intervals;
            int32_t class_index = inside ? s->intervals[k].class_index : d->unlabelled;
            int64_t frames = inside ? s->intervals[k].end - s->intervals[k].start : outside;
            outside -= inside ? frames : 0;
            if (class_index < 0 || frames == 0) {
                continue;
            }
            amount *a = &amounts[class_index];
            a->frames[s->role] += frames;
            a->labels += inside;
            if (a->n_people == 0) {
                a->stream = i;
            }
            if (a->n_people == 0 || a->last_person != people->of_stream[i]) {
                a->n_people++; /* one more, or one seen before whose streams do not follow one another: an upper bound */
                a->last_person = people->of_stream[i];
            }
        }
    }
}

static tin_status check_parts(tin_checking *c, const amount *a, int k, const int64_t in_role[3], tin_error *err)
{
    const char *name = c->dataset->classes[k].name;
    tin_finding f = tin_finding_of(TIN_CHECK_CLASS, TIN_FAULT);
    tin_status status = TIN_OK;
    f.class_index = k;
    f.value = 0;
    if (a->frames[0] + a->frames[1] + a->frames[2] == 0) {
        return tin_findings_add(c->findings, f, err, "no recording has a label '%s'", name);
    }
    for (int role = 0; role < 3 && !status; role++) {
        f.severity = role == TIN_ROLE_TRAIN ? TIN_FAULT : TIN_WARNING;
        if (a->frames[role] == 0 && in_role[role] > 0) {
            status = tin_findings_add(c->findings, f, err, "the %s part has no '%s'", role_names[role], name);
        }
    }
    return status;
}

static tin_status check_rarity(tin_checking *c, const amount *amounts, int k, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    const amount *a = &amounts[k];
    tin_finding f = tin_finding_of(TIN_CHECK_BALANCE, TIN_WARNING);
    tin_status status = TIN_OK;
    f.class_index = k;
    f.stream = (int64_t)a->stream;
    if (d->classes[k].event && a->labels < FEWEST_EVENTS) {
        f.value = (double)a->labels;
        f.limit = FEWEST_EVENTS;
        status = tin_findings_add(c->findings, f, err, "there are only %lld events '%s'", (long long)a->labels,
                                  d->classes[k].name);
    }
    if (a->n_people == 1 && d->n_streams > 1 && !status) {
        f.value = 1;
        f.limit = 2;
        status = tin_findings_add(c->findings, f, err, "only one person, %s, has '%s'", d->streams[a->stream].subject,
                                  d->classes[k].name);
    }
    return status;
}

/* The rarest class against the commonest of its kind. */
static tin_status check_ratio(tin_checking *c, const amount *amounts, bool event, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    int least = -1, most = -1;
    double sizes[TIN_MAX_CLASSES];
    for (int k = 0; k < d->n_classes; k++) {
        const amount *a = &amounts[k];
        sizes[k] = event ? (double)a->labels : tin_seconds(d, a->frames[0] + a->frames[1] + a->frames[2]);
        if (d->classes[k].event == event && sizes[k] > 0) {
            least = least < 0 || sizes[k] < sizes[least] ? k : least;
            most = most < 0 || sizes[k] > sizes[most] ? k : most;
        }
    }
    double limit = event ? MOST_EVENT_RATIO : MOST_STATE_RATIO;
    if (least < 0 || sizes[most] / sizes[least] <= limit) {
        return TIN_OK;
    }
    tin_finding f = tin_finding_of(TIN_CHECK_BALANCE, TIN_NOTE);
    f.class_index = least;
    f.value = sizes[most] / sizes[least];
    f.limit = limit;
    return tin_findings_add(c->findings, f, err, "there is %.0f times as much of '%s' (%.0f %s) as of '%s' (%.0f %s)",
                            f.value, d->classes[most].name, sizes[most], event ? "events" : "s", d->classes[least].name,
                            sizes[least], event ? "events" : "s");
}

tin_status tin_check_classes(tin_checking *c, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    tin_people people;
    tin_status status = tin_people_find(&people, d, err);
    amount *amounts = status ? NULL : tin_alloc((size_t)d->n_classes, sizeof *amounts, err);
    if (!amounts) {
        tin_people_free(&people);
        return status ? status : TIN_ERR_MEMORY;
    }
    int64_t in_role[3];
    for (int role = 0; role < 3; role++) {
        in_role[role] = tin_dataset_frames(d, (tin_role)role);
        if (in_role[role] == 0 && !status) {
            status = tin_findings_add(c->findings, tin_finding_of(TIN_CHECK_CLASS, TIN_WARNING), err,
                                      "there are no recordings in the %s part", role_names[role]);
        }
    }
    count(d, &people, amounts);
    for (int k = 0; k < d->n_classes && !status; k++) {
        status = check_parts(c, &amounts[k], k, in_role, err);
        if (!status && amounts[k].frames[0] + amounts[k].frames[1] + amounts[k].frames[2] > 0) {
            status = check_rarity(c, amounts, k, err);
        }
    }
    status = status ? status : check_ratio(c, amounts, true, err);
    status = status ? status : check_ratio(c, amounts, false, err);
    tin_free(amounts);
    tin_people_free(&people);
    return status;
}

static tin_status too_short(tin_checking *c, size_t stream, const tin_interval *v, tin_error *err)
{
    int64_t frames = v->end - v->start;
    tin_finding f = tin_finding_of(TIN_CHECK_DURATION, TIN_WARNING);
    f.stream = (int64_t)stream;
    f.start = v->start;
    f.end = v->end;
    f.class_index = v->class_index;
    f.value = tin_seconds(c->dataset, frames);
    f.limit = tin_seconds(c->dataset, FEWEST_FRAMES);
    f.rank = 1e6 - (double)frames;
    return tin_findings_add(c->findings, f, err, "'%s' lasts %.3g s, %lld frame%s",
                            c->dataset->classes[v->class_index].name, f.value, (long long)frames,
                            frames == 1 ? "" : "s");
}

/* Labels of class k against its median. logs: memory for all of them. */
static tin_status check_class_durations(tin_checking *c, int k, double *logs, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    size_t n = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        for (size_t j = 0; j < d->streams[i].n_intervals; j++) {
            const tin_interval *v = &d->streams[i].intervals[j];
            if (v->class_index == k) {
                logs[n++] = log((double)(v->end - v->start));
            }
        }
    }
    if (n < FEWEST_LABELS) {
        return TIN_OK;
    }
    double median = tin_median(logs, n);
    for (size_t i = 0; i < n; i++) {
        logs[i] = fabs(logs[i] - median);
    }
    double deviation = fmax(1.4826 * tin_median(logs, n), 0.1),
           far = fmax(OUTLIER_DEVIATIONS * deviation, log(OUTLIER_RATIO));
    tin_status status = TIN_OK;
    for (size_t i = 0; i < d->n_streams && !status; i++) {
        for (size_t j = 0; j < d->streams[i].n_intervals && !status; j++) {
            const tin_interval *v = &d->streams[i].intervals[j];
            double away = v->class_index == k ? log((double)(v->end - v->start)) - median : 0;
            if (fabs(away) <= far || v->end - v->start < FEWEST_FRAMES) {
                continue;
            }
            tin_finding f = tin_finding_of(TIN_CHECK_DURATION, d->classes[k].event ? TIN_WARNING : TIN_NOTE);
            f.stream = (int64_t)i;
            f.start = v->start;
            f.end = v->end;
            f.class_index = k;
            f.value = tin_seconds(d, v->end - v->start);
            f.limit = exp(median + (away > 0 ? far : -far)) / d->rate_hz;
            f.rank = fabs(away) / deviation;
            status = tin_findings_add(c->findings, f, err, "'%s' lasts %.3g s, the median is %.3g s",
                                      d->classes[k].name, f.value, exp(median) / d->rate_hz);
        }
    }
    return status;
}

tin_status tin_check_durations(tin_checking *c, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    tin_status status = TIN_OK;
    size_t n = 0;
    for (size_t i = 0; i < d->n_streams && !status; i++) {
        n += d->streams[i].n_intervals;
        for (size_t j = 0; j < d->streams[i].n_intervals && !status; j++) {
            const tin_interval *v = &d->streams[i].intervals[j];
            if (v->class_index >= 0 && v->end - v->start < FEWEST_FRAMES) {
                status = too_short(c, i, v, err);
            }
        }
    }
    double *logs = tin_alloc(n, sizeof *logs, err);
    if (!logs) {
        return TIN_ERR_MEMORY;
    }
    for (int k = 0; k < d->n_classes && !status; k++) {
        status = check_class_durations(c, k, logs, err);
    }
    tin_free(logs);
    return status;
}

/* Stretches outside every label and, where it counts as none, labelled `ignore`. */
typedef struct gaps {
    int64_t unlabelled, frames;
    int64_t longest, start; /* of the longest stretch */
    size_t stream;
} gaps;

static void see_gap(gaps *g, size_t stream, int64_t start, int64_t end)
{
    g->unlabelled += end - start;
    if (end - start > g->longest) {
        g->longest = end - start;
        g->start = start;
        g->stream = stream;
    }
}

static tin_status long_gap(tin_checking *c, size_t stream, int64_t start, int64_t end, double limit_s, tin_error *err)
{
    tin_finding f = tin_finding_of(TIN_CHECK_UNLABELLED, TIN_NOTE);
    f.stream = (int64_t)stream;
    f.start = start;
    f.end = end;
    f.value = tin_seconds(c->dataset, end - start);
    f.limit = limit_s;
    f.rank = f.value;
    return f.value <= limit_s
               ? TIN_OK
               : tin_findings_add(c->findings, f, err, "%.0f s without a label, much longer than between other labels",
                                  f.value);
}

/* Between labels, and behind the last one: labelling may have been broken off there. */
static tin_status check_long_gaps(tin_checking *c, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    size_t n = 0, n_gaps = 0;
    tin_status status = TIN_OK;
    for (size_t i = 0; i < d->n_streams; i++) {
        n += d->streams[i].n_intervals;
    }
    double *lengths = tin_alloc(n, sizeof *lengths, err);
    if (!lengths) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < d->n_streams; i++) {
        for (size_t j = 1; j < d->streams[i].n_intervals; j++) {
            const tin_interval *v = d->streams[i].intervals;
            if (v[j].start > v[j - 1].end) {
                lengths[n_gaps++] = tin_seconds(d, v[j].start - v[j - 1].end);
            }
        }
    }
    double limit = n_gaps > 0 ? fmax(LONG_GAP_S, LONG_GAP_RATIO * tin_median(lengths, n_gaps)) : (double)INFINITY;
    tin_free(lengths);
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *s = &d->streams[i];
        for (size_t j = 1; j <= s->n_intervals && !status; j++) {
            status = long_gap(c, i, s->intervals[j - 1].end, j < s->n_intervals ? s->intervals[j].start : s->n_frames,
                              limit, err);
        }
    }
    return status;
}

static tin_status check_bare(tin_checking *c, size_t n_bare, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    tin_status status = TIN_OK;
    for (size_t i = 0; i < d->n_streams && n_bare < d->n_streams && !status; i++) {
        if (d->streams[i].n_intervals == 0) {
            tin_finding f = tin_finding_of(TIN_CHECK_UNLABELLED, TIN_WARNING);
            f.stream = (int64_t)i;
            f.value = tin_seconds(d, d->streams[i].n_frames);
            f.rank = f.value;
            status = tin_findings_add(c->findings, f, err, "the whole recording has no label, %.0f s", f.value);
        }
    }
    return status;
}

tin_status tin_check_unlabelled(tin_checking *c, tin_error *err)
{
    const tin_dataset *d = c->dataset;
    gaps g = {0};
    size_t n_bare = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *s = &d->streams[i];
        int64_t end = 0;
        n_bare += s->n_intervals == 0;
        g.frames += s->n_frames;
        for (size_t j = 0; j < s->n_intervals; j++) {
            const tin_interval *v = &s->intervals[j];
            see_gap(&g, i, end, v->start);
            if (v->class_index == TIN_LABEL_IGNORE) {
                see_gap(&g, i, v->start, v->end);
            }
            end = v->end;
        }
        see_gap(&g, i, end, s->n_frames);
    }
    tin_status status = check_bare(c, n_bare, err);
    status = status ? status : check_long_gaps(c, err);
    double share = g.frames > 0 ? (double)g.unlabelled / (double)g.frames : 0;
    if (status || share <= UNLABELLED_NOTE || d->unlabelled != TIN_LABEL_IGNORE) {
        return status;
    }
    tin_finding f = tin_finding_of(TIN_CHECK_UNLABELLED, share > UNLABELLED_WARNING ? TIN_WARNING : TIN_NOTE);
    f.value = share;
    f.limit = UNLABELLED_NOTE;
    f.rank = 1e9;
    return tin_findings_add(
        c->findings, f, err,
        "%.0f %% of all frames have no label and teach nothing; the longest stretch, %.1f s, begins at "
        "%.1f s of %s",
        100 * share, tin_seconds(d, g.longest), tin_seconds(d, g.start), d->streams[g.stream].id);
}
