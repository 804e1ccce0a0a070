#include "evaluate/rule_choice.h"

#include "base/memory.h"

/* The grid. Hysteresis in score units: 0, 0.5, 1, 2, 4, 8 in logits. */
#define N_SHIFTS 4
static const int32_t HYSTERESIS[] = {0, 128, 256, 512, 1024, 2048};
static const int COUNTS[] = {1, 2, 3, 5};
#define N_HYSTERESIS (sizeof HYSTERESIS / sizeof *HYSTERESIS)
#define N_COUNTS (sizeof COUNTS / sizeof *COUNTS)
#define MAX_FAMILIES (N_COUNTS * N_HYSTERESIS * 2)

/* The best threshold of one family so far. */
typedef struct best {
    const tin_rule_goal *goal;
    bool any;
    double value; /* greater is better */
    tin_sweep_point point;
} best;

/* One family of the grid: a job of the pool. */
typedef struct family_job {
    tin_rule_family family;
    best best;
    tin_status status;
    tin_error err;
} family_job;

typedef struct grid {
    const tin_smoothed *smoothed;
    const int32_t *thresholds;
    size_t n_thresholds;
    bool overlap;
    family_job jobs[MAX_FAMILIES];
    int n_jobs;
} grid;

/* -1 when the point is not allowed. */
static double value_of(const tin_rule_goal *goal, const tin_event_counts *c)
{
    int64_t counted = c->true_positives + c->wrong_class + c->false_positives;
    switch (goal->objective) {
    case TIN_OBJECTIVE_FEWEST_MISS:
        return c->false_positives > goal->max_false_positives ? -1 : (double)c->true_positives;
    case TIN_OBJECTIVE_IOU_F1:
        return 2 * (double)c->overlap50 / (double)(c->n_segments + c->n_events);
    case TIN_OBJECTIVE_EVENT_F1:
    default:
        return 2 * (double)c->true_positives / (double)(counted + c->n_events);
    }
}

/* More triggers than this cannot reach `value`: at most n_events of them are matched, the others are false positives
 * (repeats too, as long as the caller does not allow them). Every trigger opens one segment, so the bound holds for
 * segments as well. */
static int64_t trigger_limit(const best *b, const tin_event_counts *c, bool allow_repeats)
{
    if (allow_repeats && b->goal->objective != TIN_OBJECTIVE_IOU_F1) {
        return INT64_MAX;
    }
    if (b->goal->objective == TIN_OBJECTIVE_FEWEST_MISS) {
        return b->goal->max_false_positives + c->n_events;
    }
    double most = b->value > 0 ? 2 * (double)c->n_events / b->value - (double)c->n_events : 1e18;
    return (int64_t)(most + 1); /* + 1: rounding must not shut out an equal */
}

typedef struct visitor {
    best *best;
    bool allow_repeats;
} visitor;

/* Thresholds come from high to low, so that `>` keeps the higher one on a tie. */
static int64_t compare_point(void *context, const tin_sweep_point *point)
{
    visitor *v = context;
    best *b = v->best;
    double value = value_of(b->goal, &point->counts);
    if (value >= 0 && (!b->any || value > b->value)) {
        b->any = true;
        b->value = value;
        b->point = *point;
    }
    return trigger_limit(b, &point->counts, v->allow_repeats);
}

static void run_family(void *context, int index, int thread)
{
    (void)thread;
    grid *g = context;
    family_job *job = &g->jobs[index];
    visitor v = {&job->best, false};
    v.allow_repeats = tin_smoothed_input(g->smoothed)->margins.allow_repeats;
    job->status = tin_sweep_run(g->smoothed, &job->family, g->thresholds, g->n_thresholds, g->overlap, compare_point,
                                &v, &job->err);
}

static void fill_grid(grid *g, const tin_rule_goal *goal, int shift)
{
    g->n_jobs = 0;
    for (size_t c = 0; c < N_COUNTS; c++) {
        for (size_t h = 0; h < N_HYSTERESIS; h++) {
            for (int r = 0; r < (goal->refractory > 0 ? 2 : 1); r++) {
                tin_rule_family family = {shift, HYSTERESIS[h], COUNTS[c], r * goal->refractory};
                g->jobs[g->n_jobs++] = (family_job){.family = family, .best = {.goal = goal}};
            }
        }
    }
}

/* Takes over what a better family found; on a tie the one with fewer false positives, then the earlier (simpler) one
 * stays. */
static tin_status reduce(const grid *g, best *overall, tin_rule_choice *choice, tin_error *err)
{
    for (int i = 0; i < g->n_jobs; i++) {
        const family_job *job = &g->jobs[i];
        if (job->status != TIN_OK) {
            return tin_fail(err, job->status, "%s", job->err.message);
        }
        choice->n_candidates += (int64_t)g->n_thresholds;
        const best *b = &job->best;
        bool better =
            b->any &&
            (!overall->any || b->value > overall->value ||
             (b->value == overall->value && b->point.counts.false_positives < overall->point.counts.false_positives));
        if (better) {
            *overall = *b;
            choice->family = job->family;
        }
    }
    return TIN_OK;
}

static tin_status try_shift(const tin_sweep_input *input, const tin_rule_goal *goal, int shift, tin_pool *pool, grid *g,
                            best *overall, tin_rule_choice *choice, tin_error *err)
{
    tin_smoothed *smoothed = NULL;
    int32_t *thresholds = NULL;
    tin_status status = tin_smoothed_create(&smoothed, input, shift, err);
    if (status == TIN_OK) {
        status = tin_sweep_thresholds(smoothed, &thresholds, &g->n_thresholds, err);
    }
    if (status == TIN_OK) {
        g->smoothed = smoothed;
        g->thresholds = thresholds;
        fill_grid(g, goal, shift);
        if (pool != NULL) {
            tin_pool_run(pool, g->n_jobs, run_family, g);
        } else {
            for (int i = 0; i < g->n_jobs; i++) {
                run_family(g, i, 0);
            }
        }
        status = reduce(g, overall, choice, err);
    }
    tin_free(thresholds);
    tin_smoothed_free(smoothed);
    return status;
}

tin_status tin_rule_choose(const tin_sweep_input *validation, const tin_rule_goal *goal, tin_pool *pool,
                           tin_rule_choice *choice, tin_error *err)
{
    *choice = (tin_rule_choice){0};
    int64_t n_events = 0;
    for (size_t i = 0; i < validation->n_streams; i++) {
        n_events += (int64_t)validation->streams[i].scene.n_events;
    }
    if (n_events == 0) {
        return tin_fail(
            err, TIN_ERR_DATA,
            "the validation people have no event, so that no threshold can be chosen; put a person with events into "
            "data.validation");
    }
    grid *g = tin_alloc(1, sizeof *g, err);
    if (g == NULL) {
        return TIN_ERR_MEMORY;
    }
    g->overlap = goal->objective == TIN_OBJECTIVE_IOU_F1;
    best overall = {.goal = goal};
    tin_status status = TIN_OK;
    for (int shift = 0; shift < N_SHIFTS && status == TIN_OK; shift++) {
        status = try_shift(validation, goal, shift, pool, g, &overall, choice, err);
    }
    tin_free(g);
    if (status == TIN_OK && !overall.any) {
        status = tin_fail(
            err, TIN_ERR_DATA,
            "the validation streams are too short for one decision; put a longer recording into data.validation");
    }
    if (status == TIN_OK) {
        choice->rule = tin_rule_of(&choice->family, overall.point.on);
        for (int k = 0; k < TIN_MAX_CLASSES; k++) {
            choice->rule.on[k] = k < validation->n_classes && validation->classes[k].event ? overall.point.on : 0;
        }
        choice->counts = overall.point.counts;
    }
    return status;
}
