#include "evaluate/rule_choice.h"

#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"

/* What each element of a rule may be. Score units: 256 is 1 in logits. */
static const int SHIFTS[] = {0, 1, 2, 3};
static const int32_t HYSTERESIS[] = {0, 128, 256, 512, 1024, 2048};
static const struct {
    int needed, of;
} COUNTS[] = {{1, 1}, {2, 2}, {3, 3}, {5, 5}, {2, 3}, {3, 5}, {4, 6}, {5, 8}};
static const int32_t LEADS[] = {0, 128, 256, 512, 1024};
static const int LENGTHS[] = {0, 2, 4, 8, 16};
#define N(array) ((int)(sizeof(array) / sizeof *(array)))
#define N_PLAIN_COUNTS 4 /* of COUNTS: all of the last decisions */

/* How much of a rule is free. */
enum { LEVEL_PLAIN, LEVEL_ALL, LEVEL_CLASSES, N_LEVELS };
#define MOST_ROUNDS 8
#define SPREAD 256 /* score units */

#define EVERYBODY TIN_CHOICE_PEOPLE /* index behind those of the people left out */
typedef struct measured {
    tin_sweep_point point;  /* without the person left out */
    tin_sweep_point judged; /* the same, summed over the neighbourhood of the threshold: what the aims look at */
    tin_sweep_counts own;   /* of the person left out */
} measured;

typedef struct best {
    bool any;
    tin_decision_rule rule;
    measured is;
} best;
typedef best bests[TIN_CHOICE_GOALS][TIN_CHOICE_PEOPLE + 1];

typedef struct search {
    tin_sweep_input input; /* people left out together are one */
    const tin_rule_goal *goals;
    int n_goals;
    const tin_choice_options *options;
    bool overlap;
    int64_t limit; /* triggers of interest */
    bests best[N_LEVELS];
    tin_front *fronts;    /* [n_threads] */
    struct visit *visits; /* [n_threads][RING] */
    int n_threads;
    tin_sweep_family *tried; /* [n_tried] */
    size_t n_tried, tried_capacity;
    int64_t n_candidates;
    atomic_long n_done; /* families */
    tin_progress progress;
} search;

/* For the bar: how many families the climb and the classes take at most cannot be known. */
#define ABOUT_FAMILIES 600

/* What is known at one visited threshold; it holds down to the next one. Column 0: everybody, then each person. */
typedef struct visit {
    int32_t t;
    tin_sweep_counts counts[TIN_CHOICE_PEOPLE + 1];
    tin_sweep_counts above[TIN_CHOICE_PEOPLE + 1]; /* sum over all thresholds from t on */
} visit;

/* One family: a job of the pool. */
typedef struct job {
    const search *s;
    const tin_smoothed *smoothed;
    const tin_sweep_family *family;
    tin_front *front;
    visit *visits;                /* ring [RING]: those in reach of the thresholds that are not judged yet */
    size_t first, next, n_visits; /* counted from the first visit: the oldest kept, the next to be judged, all */
    bests best;
    tin_status status;
    tin_error err;
} job;
/* Visited thresholds are different whole numbers, and two times SPREAD of them, and one on either side, matter. */
#define RING (4 * (size_t)SPREAD)

typedef struct batch {
    search *s;
    job *jobs;
} batch;

static visit *visit_at(const job *j, size_t i)
{
    return &j->visits[i % RING];
}

static void offer(const job *j, best *b, const tin_rule_goal *goal, const measured *m)
{
    /* thresholds come from high to low: of equals the higher one stays */
    if (tin_goal_met(goal, &m->point) && (!b->any || tin_goal_compare(goal, &m->judged, &b->is.judged) > 0)) {
        const tin_sweep_input *input = &j->s->input;
        b->any = true;
        b->is = *m;
        b->rule = tin_sweep_rule(j->family, input->classes, input->n_classes, m->point.on);
    }
}

/* sum += sign * the sum over all thresholds from t on. The counts of visit i hold at t. */
static void add_above(const visit *v, int column, int32_t t, int sign, tin_sweep_counts *sum)
{
    tin_sweep_counts_add(sum, &v->above[column], sign);
    tin_sweep_counts_add(sum, &v->counts[column], sign * (v->t - t));
}

/* The visit whose counts hold at t: the lowest threshold at or above it; the first one above all. */
static const visit *visit_for(const job *j, int32_t t)
{
    size_t low = j->first, high = j->n_visits;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (visit_at(j, middle)->t >= t) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return visit_at(j, low);
}

/* Offers the threshold of visit i to all goals. */
static void judge(job *j, size_t i)
{
    const search *s = j->s;
    const visit *v = visit_at(j, i);
    const visit *low = visit_for(j, v->t - SPREAD), *high = visit_for(j, v->t + SPREAD + 1);
    tin_sweep_counts around[TIN_CHOICE_PEOPLE + 1] = {0};
    int n_columns = s->input.n_people > 1 ? (int)s->input.n_people + 1 : 1;
    for (int c = 0; c < n_columns; c++) {
        add_above(low, c, v->t - SPREAD, 1, &around[c]);
        add_above(high, c, v->t + SPREAD + 1, -1, &around[c]);
    }
    for (int c = 0; c < n_columns; c++) {
        measured m = {.point = {v->t, v->counts[0]}, .judged.counts = around[0]};
        if (c > 0) {
            tin_sweep_counts_add(&m.point.counts, &v->counts[c], -1);
            tin_sweep_counts_add(&m.judged.counts, &around[c], -1);
            m.own = v->counts[c];
        }
        const tin_sweep_counts spread = m.judged.counts;
        for (int g = 0; g < s->n_goals; g++) {
            m.judged.counts = s->goals[g].spread > 0 ? spread : m.point.counts;
            offer(j, &j->best[g][c > 0 ? c - 1 : EVERYBODY], &s->goals[g], &m);
        }
    }
}

static int64_t look(void *context, const tin_sweep_point *point, const tin_sweep_point *people)
{
    job *j = context;
    const search *s = j->s;
    if (j->status == TIN_OK) {
        j->status = tin_front_add(j->front, j->family, point, &j->err);
    }
    visit *v = visit_at(j, j->n_visits);
    *v = (visit){.t = point->on};
    for (size_t c = 0; c <= s->input.n_people; c++) {
        v->counts[c] = c == 0 ? point->counts : people[c - 1].counts;
        if (j->n_visits > 0) { /* what the one before says holds for the thresholds between the two */
            const visit *before = visit_at(j, j->n_visits - 1);
            v->above[c] = before->above[c];
            tin_sweep_counts_add(&v->above[c], &before->counts[c], before->t - point->on - 1);
        }
        tin_sweep_counts_add(&v->above[c], &v->counts[c], 1);
    }
    j->n_visits++;
    while (j->next < j->n_visits && visit_at(j, j->next)->t - SPREAD > point->on) {
        judge(j, j->next++);
    }
    while (j->first + 1 < j->next && visit_at(j, j->first + 1)->t > visit_at(j, j->next)->t + SPREAD) {
        j->first++;
    }
    return s->limit;
}

static void run_job(void *context, int index, int thread)
{
    batch *b = context;
    job *j = &b->jobs[index];
    int32_t *thresholds = NULL;
    size_t n = 0;
    j->front = &b->s->fronts[thread];
    j->visits = &b->s->visits[(size_t)thread * RING];
    if (tin_stop_requested()) {
        j->status = tin_fail(&j->err, TIN_ERR_INTERRUPTED, "stopped by the user; run again to go on");
        return;
    }
    j->status = tin_sweep_thresholds(j->smoothed, j->family->swept, &thresholds, &n, &j->err);
    if (j->status == TIN_OK) {
        tin_status status = tin_sweep_run(j->smoothed, j->family, thresholds, n, b->s->overlap, look, j, &j->err);
        j->status = j->status != TIN_OK ? j->status : status;
    }
    while (j->next < j->n_visits) {
        judge(j, j->next++);
    }
    tin_free(thresholds);
    long done = atomic_fetch_add(&b->s->n_done, 1) + 1;
    if (thread == 0) { /* the bar belongs to one thread */
        tin_progress_update(&b->s->progress, done < ABOUT_FAMILIES ? done : ABOUT_FAMILIES, NULL);
    }
}

static void take(const search *s, best *into, const tin_rule_goal *goal, const best *from)
{
    int order = !from->any ? -1 : !into->any ? 1 : tin_goal_compare(goal, &from->is.judged, &into->is.judged);
    if (order > 0 ||
        (order == 0 && tin_rule_simpler(&from->rule, &into->rule, s->input.classes, s->input.n_classes) > 0)) {
        *into = *from;
    }
}

/* Jobs of one smoothing. */
static tin_status run_jobs(search *s, job *jobs, int n, int level, tin_error *err)
{
    batch b = {s, jobs};
    if (s->options->pool != NULL) {
        tin_pool_run(s->options->pool, n, run_job, &b);
    } else {
        for (int i = 0; i < n; i++) {
            run_job(&b, i, 0);
        }
    }
    for (int i = 0; i < n; i++) {
        if (jobs[i].status != TIN_OK) {
            return tin_fail(err, jobs[i].status, "%s", jobs[i].err.message);
        }
        s->n_candidates += (int64_t)jobs[i].n_visits;
        for (int g = 0; g < s->n_goals; g++) {
            for (int p = 0; p <= EVERYBODY; p++) {
                take(s, &s->best[level][g][p], &s->goals[g], &jobs[i].best[g][p]);
            }
        }
    }
    return TIN_OK;
}

/* All families, at any smoothing. */
static tin_status run_families(search *s, const tin_sweep_family *families, size_t n, int level, tin_error *err)
{
    tin_status status = TIN_OK;
    job *jobs = tin_alloc(n, sizeof *jobs, err);
    if (jobs == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (int i = 0; i < N(SHIFTS) && status == TIN_OK; i++) {
        tin_smoothed *smoothed = NULL;
        int n_jobs = 0;
        for (size_t f = 0; f < n; f++) {
            if (families[f].rule.smooth_shift == SHIFTS[i]) {
                jobs[n_jobs++] = (job){.s = s, .family = &families[f]};
            }
        }
        if (n_jobs == 0) {
            continue;
        }
        status = tin_smoothed_create(&smoothed, &s->input, SHIFTS[i], NULL, err);
        for (int j = 0; j < n_jobs; j++) {
            jobs[j].smoothed = smoothed;
        }
        if (status == TIN_OK) {
            status = run_jobs(s, jobs, n_jobs, level, err);
        }
        tin_smoothed_free(smoothed);
    }
    tin_free(jobs);
    return status;
}

/* Adds a family unless it was tried. */
static tin_status add_family(search *s, tin_decision_rule rule, tin_error *err)
{
    memset(rule.on, 0, sizeof rule.on);
    const tin_sweep_family family = {rule, TIN_SWEEP_ALL};
    for (size_t i = 0; i < s->n_tried; i++) {
        if (tin_rule_simpler(&s->tried[i].rule, &rule, s->input.classes, s->input.n_classes) == 0) {
            return TIN_OK;
        }
    }
    if (s->n_tried == s->tried_capacity) {
        size_t capacity = 2 * s->tried_capacity + 256;
        tin_sweep_family *grown = s->tried != NULL ? tin_grow(s->tried, s->tried_capacity, capacity, sizeof *grown, err)
                                                   : tin_alloc(capacity, sizeof *grown, err);
        if (grown == NULL) {
            return TIN_ERR_MEMORY;
        }
        s->tried = grown;
        s->tried_capacity = capacity;
    }
    s->tried[s->n_tried++] = family;
    return TIN_OK;
}

static tin_status plain_grid(search *s, tin_error *err)
{
    tin_status status = TIN_OK;
    for (int i = 0; i < N(SHIFTS) * N(HYSTERESIS) * N_PLAIN_COUNTS * 2 && status == TIN_OK; i++) {
        tin_decision_rule rule = {.smooth_shift = SHIFTS[i / 2 / N_PLAIN_COUNTS / N(HYSTERESIS)],
                                  .hysteresis = HYSTERESIS[i / 2 / N_PLAIN_COUNTS % N(HYSTERESIS)],
                                  .needed = COUNTS[i / 2 % N_PLAIN_COUNTS].needed,
                                  .of = COUNTS[i / 2 % N_PLAIN_COUNTS].of,
                                  .refractory = i % 2 * s->options->refractory};
        status = add_family(s, rule, err);
    }
    return status == TIN_OK ? run_families(s, s->tried, s->n_tried, LEVEL_PLAIN, err) : status;
}

/* The rules that differ from this one in one element. */
static tin_status add_moves(search *s, const tin_decision_rule *from, tin_error *err)
{
    tin_status status = TIN_OK;
    tin_decision_rule r = *from;
    for (int i = 0; i < N(SHIFTS) && status == TIN_OK; i++, r = *from) {
        r.smooth_shift = SHIFTS[i];
        status = add_family(s, r, err);
    }
    for (int i = 0; i < N(HYSTERESIS) && status == TIN_OK; i++, r = *from) {
        r.hysteresis = HYSTERESIS[i];
        status = add_family(s, r, err);
    }
    for (int i = 0; i < N(COUNTS) && status == TIN_OK; i++, r = *from) {
        r.needed = COUNTS[i].needed;
        r.of = COUNTS[i].of;
        status = add_family(s, r, err);
    }
    for (int i = 0; i < N(LEADS) && status == TIN_OK; i++, r = *from) {
        r.lead = LEADS[i];
        status = add_family(s, r, err);
    }
    for (int i = 0; i < N(LENGTHS) && status == TIN_OK; i++, r = *from) {
        r.min_length = LENGTHS[i];
        status = add_family(s, r, err);
    }
    for (int i = 0; i < 2 && status == TIN_OK; i++, r = *from) {
        r.refractory = i * s->options->refractory;
        status = add_family(s, r, err);
    }
    return status;
}

/* From the best of all, and of all but each person, one element after the other, as long as something gets better. */
static tin_status climb(search *s, tin_error *err)
{
    tin_status status = TIN_OK;
    memcpy(s->best[LEVEL_ALL], s->best[LEVEL_PLAIN], sizeof s->best[LEVEL_ALL]);
    for (int round = 0; round < MOST_ROUNDS && status == TIN_OK; round++) {
        size_t before = s->n_tried;
        for (int g = 0; g < s->n_goals; g++) {
            for (int p = 0; p <= EVERYBODY && status == TIN_OK; p++) {
                if (s->best[LEVEL_ALL][g][p].any) {
                    status = add_moves(s, &s->best[LEVEL_ALL][g][p].rule, err);
                }
            }
        }
        if (status != TIN_OK || s->n_tried == before) {
            break;
        }
        status = run_families(s, s->tried + before, s->n_tried - before, LEVEL_ALL, err);
    }
    return status;
}

/* The rules that are best for a goal without a person, each once, as families of class k. Returns how many. */
static size_t class_families(const search *s, int k, tin_sweep_family *families)
{
    size_t n = 0;
    for (int i = 0; i < s->n_goals * (EVERYBODY + 1); i++) {
        const best *b = &s->best[LEVEL_CLASSES][i / (EVERYBODY + 1)][i % (EVERYBODY + 1)];
        bool there = !b->any;
        for (size_t f = 0; f < n && !there; f++) {
            there = tin_rule_simpler(&families[f].rule, &b->rule, s->input.classes, s->input.n_classes) == 0;
        }
        if (!there) {
            families[n++] = (tin_sweep_family){b->rule, k};
        }
    }
    return n;
}

/* Thresholds of single classes, one after the other, from the best common one. What is best for one class is compared at
 * the thresholds of this class only: elsewhere others are moved for the neighbourhood. */
static tin_status split_classes(search *s, tin_error *err)
{
    bests *at = &s->best[LEVEL_CLASSES];
    tin_status status = TIN_OK;
    memcpy(at, s->best[LEVEL_ALL], sizeof *at);
    tin_sweep_family *families = tin_alloc(TIN_CHOICE_GOALS * (EVERYBODY + 1), sizeof *families, err);
    bests *before = tin_alloc(1, sizeof *before, err);
    if (families == NULL || before == NULL) {
        status = TIN_ERR_MEMORY;
    }
    for (int k = 0; k < s->input.n_classes && status == TIN_OK; k++) {
        if (s->input.classes[k].event) {
            size_t n = class_families(s, k, families);
            memcpy(before, at, sizeof *at);
            memset(at, 0, sizeof *at);
            status = run_families(s, families, n, LEVEL_CLASSES, err);
            for (int i = 0; i < s->n_goals * (EVERYBODY + 1); i++) {
                best *b = &(*at)[i / (EVERYBODY + 1)][i % (EVERYBODY + 1)];
                *b = b->any ? *b : (*before)[i / (EVERYBODY + 1)][i % (EVERYBODY + 1)];
            }
        }
    }
    tin_free(families);
    tin_free(before);
    return status;
}

static tin_status prepare(search *s, tin_error *err)
{
    int64_t n_events = 0, rejection = 0, most;
    for (size_t i = 0; i < s->input.n_streams; i++) {
        tin_event_counts counts = {0};
        tin_event_count_frames(&s->input.streams[i].scene, &s->input.margins, &counts);
        rejection += counts.rejection_frames;
        n_events += (int64_t)s->input.streams[i].scene.n_events;
    }
    if (n_events == 0) {
        return tin_fail(
            err, TIN_ERR_DATA,
            "the validation people have no event, so that no threshold can be chosen; put a person with events into "
            "data.validation");
    }
    most = n_events;
    for (int g = 0; g < s->n_goals; g++) {
        int64_t allowed = tin_goal_false_positives(&s->goals[g], rejection);
        most = allowed < INT64_MAX && allowed > most ? allowed : most;
        s->overlap = s->overlap || tin_goal_overlap(&s->goals[g]);
    }
    /* at most n_events triggers are matched, the others are false positives, but for repeats that are allowed */
    s->limit = s->input.margins.allow_repeats ? INT64_MAX : most + n_events;
    s->n_threads = s->options->pool != NULL ? tin_pool_threads(s->options->pool) : 1;
    s->fronts = tin_alloc((size_t)s->n_threads, sizeof *s->fronts, err);
    s->visits = tin_alloc((size_t)s->n_threads * RING, sizeof *s->visits, err);
    tin_status status = s->fronts != NULL && s->visits != NULL ? TIN_OK : TIN_ERR_MEMORY;
    for (int i = 0; i < s->n_threads && status == TIN_OK; i++) {
        status = tin_front_create(&s->fronts[i], s->input.classes, s->input.n_classes, n_events, err);
    }
    return status;
}

/* More people than are left out in turn are put together. *streams is tin_free()d by the caller. */
static tin_status group_people(search *s, const tin_sweep_input *input, tin_sweep_stream **streams, tin_error *err)
{
    s->input = *input;
    *streams = tin_alloc(input->n_streams, sizeof **streams, err);
    if (*streams == NULL) {
        return TIN_ERR_MEMORY;
    }
    if (s->input.n_people > TIN_CHOICE_PEOPLE) {
        s->input.n_people = TIN_CHOICE_PEOPLE;
    }
    for (size_t i = 0; i < input->n_streams; i++) {
        (*streams)[i] = input->streams[i];
        (*streams)[i].person %= s->input.n_people;
    }
    s->input.streams = *streams;
    return TIN_OK;
}

static void search_clear(search *s)
{
    for (int i = 0; s->fronts != NULL && i < s->n_threads; i++) {
        tin_front_free(&s->fronts[i]);
    }
    tin_free(s->fronts);
    tin_free(s->visits);
    tin_free(s->tried);
}

static tin_rule_choice choice_at(const search *s, int level, int g)
{
    const best *b = s->best[level][g];
    tin_rule_choice c = {.any = b[EVERYBODY].any, .rule = b[EVERYBODY].rule, .point = b[EVERYBODY].is.point};
    bool all = s->input.n_people > 1;
    for (size_t i = 0; i < s->input.n_people; i++) {
        all = all && b[i].any;
        tin_sweep_counts_add(&c.left_out.counts, &b[i].is.own, 1);
    }
    c.n_left_out = all ? (int)s->input.n_people : 0;
    return c;
}

/* More of a rule is made free only where that is better for people on whom nothing was chosen. A bound that they do not
 * hold counts as little as one that they hold by chance: there F1 decides. */
static tin_rule_choice choose_level(const search *s, int g)
{
    static const tin_rule_goal f1 = {.aims = {TIN_AIM_EVENT_F1}, .n_aims = 1};
    const tin_rule_goal *goal = s->goals[g].spread > 0 ? &s->goals[g] : &f1;
    tin_rule_choice chosen = choice_at(s, LEVEL_PLAIN, g);
    for (int level = LEVEL_PLAIN + 1; level < N_LEVELS; level++) {
        const tin_rule_choice c = choice_at(s, level, g);
        if (!chosen.any ||
            (c.n_left_out > 0 && chosen.n_left_out > 0 && tin_goal_compare(goal, &c.left_out, &chosen.left_out) > 0)) {
            chosen = c;
        }
    }
    return chosen;
}

static tin_status finish(search *s, tin_choices *choices, tin_error *err)
{
    tin_status status = TIN_OK;
    for (int g = 0; g < s->n_goals; g++) {
        choices->of[g] = choose_level(s, g);
    }
    for (int i = 1; i < s->n_threads && status == TIN_OK; i++) {
        status = tin_front_join(&s->fronts[0], &s->fronts[i], err);
    }
    return status == TIN_OK ? tin_front_rules(&s->fronts[0], &choices->front, &choices->n_front, err) : status;
}

tin_status tin_rules_choose(const tin_sweep_input *validation, const tin_rule_goal *goals, int n_goals,
                            const tin_choice_options *options, tin_choices *choices, tin_error *err)
{
    *choices = (tin_choices){0};
    search *s = tin_alloc(1, sizeof *s, err);
    if (s == NULL) {
        return TIN_ERR_MEMORY;
    }
    s->goals = goals;
    s->n_goals = n_goals;
    s->options = options;
    tin_sweep_stream *streams = NULL;
    tin_progress_begin(&s->progress, "choose rule", ABOUT_FAMILIES, options->quiet);
    tin_status status = group_people(s, validation, &streams, err);
    if (status == TIN_OK) {
        status = prepare(s, err);
    }
    if (status == TIN_OK) {
        status = plain_grid(s, err);
    }
    if (status == TIN_OK) {
        status = climb(s, err);
    }
    if (status == TIN_OK) {
        status = split_classes(s, err);
    }
    if (status == TIN_OK) {
        status = finish(s, choices, err);
    }
    tin_progress_end(&s->progress, NULL);
    if (status == TIN_OK && s->n_candidates == 0) {
        status = tin_fail(
            err, TIN_ERR_DATA,
            "the validation streams are too short for one decision; put a longer recording into data.validation");
    }
    choices->n_candidates = s->n_candidates;
    search_clear(s);
    tin_free(s);
    tin_free(streams);
    return status;
}

void tin_choices_free(tin_choices *choices)
{
    tin_free(choices->front);
    *choices = (tin_choices){0};
}
