#include "evaluate/tuning.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_tools.h"
#include "base/memory.h"
#include "base/text.h"
#include "evaluate/tuned_rule.h"
#include "model/decision_json.h"

#define FILE_NAME "tuning.json"
#define FORMAT_VERSION 1
#define MOST_SHOWN 100 /* rules of the front */
#define SPREAD 256     /* score units, 1 in logits: how well a threshold is met on other people */

typedef tin_json_builder builder;

static const char *const preset_names[] = {
#define X(preset, name) name,
    TIN_PRESET_LIST(X)
#undef X
};

const char *tin_preset_name(tin_preset preset)
{
    return preset_names[preset];
}

tin_status tin_preset_find(const char *name, tin_preset *preset, tin_error *err)
{
    for (int i = 0; i < TIN_PRESET_COUNT; i++) {
        if (strcmp(preset_names[i], name) == 0) {
            *preset = (tin_preset)i;
            return TIN_OK;
        }
    }
    return tin_fail(err, TIN_ERR_USAGE, "the preset is '%.100s'; use responsive, balanced or strict", name);
}

static tin_rule_goal goal_for(const tin_config_evaluate *s, double rate_hz)
{
    return (tin_rule_goal){.max_fp_per_hour = (double)INFINITY,
                           .max_fnr = (double)INFINITY,
                           .max_latency_s = (double)INFINITY,
                           .rate_hz = rate_hz,
                           .deadline_frames = fmax(1, s->deadline_ms * rate_hz / 1000)};
}

static void set_aims(tin_rule_goal *goal, tin_aim first, tin_aim second, tin_aim third)
{
    const tin_aim aims[TIN_GOAL_AIMS] = {first, second, third};
    memcpy(goal->aims, aims, sizeof aims);
    goal->n_aims = TIN_GOAL_AIMS;
}

static tin_rule_goal goal_of_preset(tin_preset preset, const tin_config_evaluate *s, double rate_hz)
{
    tin_rule_goal goal = goal_for(s, rate_hz);
    if (preset == TIN_PRESET_BALANCED && s->max_fp_per_hour > 0) {
        goal.max_fp_per_hour = s->max_fp_per_hour;
        set_aims(&goal, TIN_AIM_MISSES, TIN_AIM_LATENCY, TIN_AIM_FALSE_ALARMS);
        return goal;
    }
    const bool overlap = s->objective != NULL && strcmp(s->objective, "iou_f1") == 0;
    goal.n_aims = 1;
    goal.spread = SPREAD;
    goal.aims[0] = preset == TIN_PRESET_RESPONSIVE ? TIN_AIM_PROMPT_F1
                   : preset == TIN_PRESET_STRICT   ? TIN_AIM_EVENT_F05
                   : overlap                       ? TIN_AIM_IOU_F1
                                                   : TIN_AIM_EVENT_F1;
    return goal;
}

/* What is not bounded is made best, misses first, then false alarms, then latency; what is bounded comes behind. */
static void aims_by_bounds(tin_rule_goal *goal)
{
    const struct {
        tin_aim aim;
        bool bounded;
    } all[TIN_GOAL_AIMS] = {{TIN_AIM_MISSES, isfinite(goal->max_fnr)},
                            {TIN_AIM_FALSE_ALARMS, isfinite(goal->max_fp_per_hour)},
                            {TIN_AIM_LATENCY, isfinite(goal->max_latency_s)}};
    for (int bounded = 0; bounded < 2; bounded++) {
        for (int i = 0; i < TIN_GOAL_AIMS; i++) {
            if (all[i].bounded == (bounded == 1)) {
                goal->aims[goal->n_aims++] = all[i].aim;
            }
        }
    }
}

static tin_rule_goal goal_of_ask(const tin_tuning_ask *ask, const tin_config_evaluate *s, double rate_hz)
{
    if (ask->preset < TIN_PRESET_COUNT) {
        return goal_of_preset(ask->preset, s, rate_hz);
    }
    tin_rule_goal goal = goal_for(s, rate_hz);
    goal.max_fp_per_hour = isnan(ask->max_fp_per_hour) ? goal.max_fp_per_hour : ask->max_fp_per_hour;
    goal.max_fnr = isnan(ask->max_fnr) ? goal.max_fnr : ask->max_fnr;
    goal.max_latency_s = isnan(ask->max_latency_ms) ? goal.max_latency_s : ask->max_latency_ms / 1000;
    bool any = isfinite(goal.max_fp_per_hour) || isfinite(goal.max_fnr) || isfinite(goal.max_latency_s);
    if (ask->aim < TIN_AIM_COUNT) {
        goal.aims[goal.n_aims++] = ask->aim;
        goal.spread =
            any || ask->aim == TIN_AIM_MISSES || ask->aim == TIN_AIM_FALSE_ALARMS || ask->aim == TIN_AIM_LATENCY
                ? 0
                : SPREAD;
    } else {
        aims_by_bounds(&goal);
    }
    return goal;
}

/* What the goal says, in words. *text is tin_free()d by the caller. */
static tin_status describe(char **text, const tin_rule_goal *goal, tin_error *err)
{
    static const char *const words[TIN_AIM_COUNT] = {
        [TIN_AIM_EVENT_F1] = "greatest F1 of triggers",
        [TIN_AIM_IOU_F1] = "greatest F1 of active segments at an overlap of 0.5",
        [TIN_AIM_IN_TIME_F1] = "greatest F1 of triggers that come by the deadline",
        [TIN_AIM_PROMPT_F1] = "greatest F1 of triggers, worth what is left of the deadline",
        [TIN_AIM_EVENT_F05] = "greatest F0.5 of triggers",
        [TIN_AIM_MISSES] = "fewest missed and misnamed events",
        [TIN_AIM_FALSE_ALARMS] = "fewest false alarms",
        [TIN_AIM_LATENCY] = "least delay",
    };
    tin_text t = {0};
    if (isfinite(goal->max_fp_per_hour)) {
        tin_text_printf(&t, "at most %g false alarms per hour, ", goal->max_fp_per_hour);
    }
    if (isfinite(goal->max_fnr)) {
        tin_text_printf(&t, "at most %g of the events missed, ", goal->max_fnr);
    }
    if (isfinite(goal->max_latency_s)) {
        tin_text_printf(&t, "a mean delay of at most %g ms, ", 1000 * goal->max_latency_s);
    }
    for (int i = 0; i < goal->n_aims; i++) {
        tin_text_printf(&t, "%s%s", i > 0 ? ", then " : "", words[goal->aims[i]]);
    }
    tin_status status = tin_text_check(&t, err);
    *text = status == TIN_OK ? t.data : NULL;
    if (status != TIN_OK) {
        tin_text_free(&t);
    }
    return status;
}

tin_status tin_sweep_input_of(const tin_dataset *dataset, const tin_scored_set *set, const tin_margins *margins,
                              tin_sweep_stream **streams, tin_sweep_input *input, tin_error *err)
{
    *input = (tin_sweep_input){.n_streams = set->n,
                               .classes = dataset->classes,
                               .n_classes = dataset->n_classes,
                               .timing = set->timing,
                               .margins = *margins};
    *streams = tin_alloc(set->n, sizeof **streams, err);
    if (*streams == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < set->n; i++) {
        const tin_scored_stream *s = &set->items[i];
        const tin_scene scene = {s->events, s->n_events, s->labels, s->stream->n_frames};
        size_t same = 0;
        while (strcmp(set->items[same].stream->subject, s->stream->subject) != 0) {
            same++;
        }
        size_t person = same < i ? (*streams)[same].person : input->n_people++;
        (*streams)[i] = (tin_sweep_stream){scene, s->scores, s->n_decisions, person};
    }
    input->streams = *streams;
    return TIN_OK;
}

static const char *const ask_bounds[] = {"max_fp_per_hour", "max_fnr", "max_latency_ms"};

static json_t *ask_json(builder *b, const tin_tuning_ask *ask)
{
    const double bounds[] = {ask->max_fp_per_hour, ask->max_fnr, ask->max_latency_ms};
    json_t *o = json_object();
    tin_json_put(b, o, "by_hand", json_boolean(ask->by_hand));
    tin_json_put(b, o, "preset", ask->preset < TIN_PRESET_COUNT ? json_string(preset_names[ask->preset]) : json_null());
    tin_json_put(b, o, "objective", ask->aim < TIN_AIM_COUNT ? json_string(tin_aim_name(ask->aim)) : json_null());
    for (size_t i = 0; i < 3; i++) {
        tin_json_put(b, o, ask_bounds[i], tin_json_real(bounds[i]));
    }
    return o;
}

static tin_status damaged(const char *folder, const char *key, tin_error *err)
{
    return tin_fail_at(err, TIN_ERR_FORMAT, folder, 0,
                       FILE_NAME ": \"%s\" is missing or damaged; make it again with `tinamou evaluate --force`", key);
}

/* Only asks by hand are read: the settings know the others. */
static tin_status read_ask(const json_t *o, const char *folder, tin_tuning_ask *ask, tin_error *err)
{
    double *bounds[] = {&ask->max_fp_per_hour, &ask->max_fnr, &ask->max_latency_ms};
    const json_t *preset = json_object_get(o, "preset"), *aim = json_object_get(o, "objective");
    *ask = (tin_tuning_ask){.by_hand = true, .preset = TIN_PRESET_COUNT, .aim = TIN_AIM_COUNT};
    if (!(json_is_null(preset) ||
          (json_is_string(preset) && tin_preset_find(json_string_value(preset), &ask->preset, NULL) == TIN_OK))) {
        return damaged(folder, "asked.preset", err);
    }
    if (!(json_is_null(aim) || (json_is_string(aim) && tin_aim_find(json_string_value(aim), &ask->aim)))) {
        return damaged(folder, "asked.objective", err);
    }
    for (size_t i = 0; i < 3; i++) {
        const json_t *value = json_object_get(o, ask_bounds[i]);
        *bounds[i] = json_is_number(value) ? json_number_value(value) : (double)NAN;
        if (!json_is_null(value) && !(*bounds[i] >= 0)) {
            return damaged(folder, ask_bounds[i], err);
        }
    }
    return TIN_OK;
}

tin_status tin_tuning_load(const char *folder, const tin_config_evaluate *settings, bool forget, tin_tuning_ask *ask,
                           json_t **test_rules, tin_error *err)
{
    json_t *root = NULL;
    char path[TIN_PATH_MAX];
    const double nan = (double)NAN;
    *ask = (tin_tuning_ask){false, TIN_PRESET_BALANCED, nan, nan, nan, TIN_AIM_COUNT};
    *test_rules = NULL;
    tin_status status = tin_path_join(path, folder, FILE_NAME, err);
    if (status == TIN_OK && settings->preset != NULL) {
        status = tin_preset_find(settings->preset, &ask->preset, err);
    }
    if (status != TIN_OK || !tin_file_exists(path)) {
        return status;
    }
    status = tin_json_load(&root, folder, FILE_NAME, err);
    if (status != TIN_OK) {
        return status;
    }
    const json_t *asked = json_object_get(root, "asked"), *by_hand = json_object_get(asked, "by_hand");
    json_t *rules = json_object_get(root, "test_rules");
    if (!json_is_boolean(by_hand)) {
        status = damaged(folder, "asked.by_hand", err);
    } else if (!json_is_array(rules)) {
        status = damaged(folder, "test_rules", err);
    } else if (json_is_true(by_hand) && !forget) {
        status = read_ask(asked, folder, ask, err);
    }
    if (status == TIN_OK) {
        *test_rules = json_incref(rules);
    }
    json_decref(root);
    return status;
}

/* Everything of one call of tin_tuning_make. */
typedef struct work {
    const tin_tuning_input *in;
    const tin_tuning_ask *ask;
    tin_sweep_input input;
    tin_rule_goal goals[TIN_CHOICE_GOALS];
    int n_goals, asked; /* index of the goal that decides */
    tin_choices choices;
    tin_tuned_rule *tuned; /* [n_tuned] the best for each goal, then the front */
    size_t n_tuned;
    tin_status *status; /* [n_tuned] */
} work;

static void judge_one(void *context, int index, int thread)
{
    (void)thread;
    work *w = context;
    tin_error err;
    w->status[index] = tin_tuned_rule_judge(&w->tuned[index], &w->input, w->in->dataset->rate_hz,
                                            w->in->settings->bootstrap, w->in->seed, &err);
}

static tin_status judge_all(work *w, tin_error *err)
{
    const tin_choices *c = &w->choices;
    size_t n_front = c->n_front < MOST_SHOWN ? c->n_front : MOST_SHOWN;
    w->tuned = tin_alloc((size_t)w->n_goals + n_front, sizeof *w->tuned, err);
    w->status = tin_alloc((size_t)w->n_goals + n_front, sizeof *w->status, err);
    if (w->tuned == NULL || w->status == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (int g = 0; g < w->n_goals; g++) {
        w->tuned[w->n_tuned++].rule = c->of[g].rule;
    }
    for (size_t i = 0; i < n_front; i++) { /* evenly, with both ends */
        size_t from = n_front < MOST_SHOWN ? i : i * (c->n_front - 1) / (MOST_SHOWN - 1);
        w->tuned[w->n_tuned++].rule = c->front[from].rule;
    }
    if (w->in->pool != NULL) {
        tin_pool_run(w->in->pool, (int)w->n_tuned, judge_one, w);
    } else {
        for (size_t i = 0; i < w->n_tuned; i++) {
            judge_one(w, (int)i, 0);
        }
    }
    for (size_t i = 0; i < w->n_tuned; i++) {
        if (w->status[i] != TIN_OK) {
            return tin_fail(err, w->status[i], "out of memory while the rules were measured");
        }
    }
    return TIN_OK;
}

static json_t *rule_json(const work *w, builder *b, const tin_tuned_rule *t)
{
    json_t *o = json_object();
    tin_json_put(b, o, "rule", tin_decision_json(b, &t->rule, w->input.classes, w->input.n_classes));
    tin_json_put(b, o, "validation", tin_tuned_rule_json(b, t, w->in->dataset->rate_hz));
    return o;
}

static tin_status choice_json(const work *w, builder *b, int g, json_t **object, tin_error *err)
{
    char *why = NULL;
    const tin_rule_choice *c = &w->choices.of[g];
    const tin_event_counts left_out = tin_sweep_counts_all(&c->left_out.counts);
    tin_status status = describe(&why, &w->goals[g], err);
    if (status != TIN_OK) {
        return status;
    }
    *object = rule_json(w, b, &w->tuned[g]);
    tin_json_put(b, *object, "why", json_string(why));
    tin_json_put(b, *object, "left_out",
                 c->n_left_out > 0 ? tin_tuned_counts_json(b, &left_out, w->in->dataset->rate_hz) : json_null());
    tin_free(why);
    return TIN_OK;
}

/* The rules read before and this one, each once. */
static json_t *test_rules_json(const work *w, builder *b, const json_t *before)
{
    size_t i;
    json_t *list = before != NULL ? json_deep_copy(before) : json_array(), *other;
    json_t *rule = tin_decision_json(b, &w->tuned[w->asked].rule, w->input.classes, w->input.n_classes);
    bool there = false;
    json_array_foreach(list, i, other)
    {
        there = there || json_equal(other, rule) == 1;
    }
    if (there) {
        json_decref(rule);
    } else {
        tin_json_append(b, list, rule);
    }
    return list;
}

static tin_status make_json(const work *w, const json_t *test_rules, tin_tuning *tuning, tin_error *err)
{
    builder b = {false};
    json_t *root = json_object(), *presets = json_object(), *front = json_array(), *one = NULL;
    tuning->json = root;
    tuning->test_rules = test_rules_json(w, &b, test_rules);
    tin_status status = TIN_OK;
    for (int p = 0; p < TIN_PRESET_COUNT && status == TIN_OK; p++) {
        status = choice_json(w, &b, p, &one, err);
        if (status == TIN_OK) {
            tin_json_put(&b, presets, preset_names[p], one);
        }
    }
    for (size_t i = (size_t)w->n_goals; i < w->n_tuned; i++) {
        tin_json_append(&b, front, rule_json(w, &b, &w->tuned[i]));
    }
    if (status == TIN_OK) {
        status = choice_json(w, &b, w->asked, &one, err);
    }
    if (status == TIN_OK) {
        tin_json_put(&b, root, "chosen", one);
    }
    tin_json_put(&b, root, "format", json_integer(FORMAT_VERSION));
    tin_json_put(&b, root, "data_hash", json_string(w->in->dataset->hash));
    tin_json_put(&b, root, "asked", ask_json(&b, w->ask));
    tin_json_put(&b, root, "presets", presets);
    tin_json_put(&b, root, "front", front);
    tin_json_put(&b, root, "front_size", json_integer((json_int_t)w->choices.n_front));
    tin_json_put(&b, root, "rules_compared", json_integer(w->choices.n_candidates));
    tin_json_put(&b, root, "test_rules", json_incref(tuning->test_rules));
    tin_json_put(&b, root, "test_reads", json_integer((json_int_t)json_array_size(tuning->test_rules)));
    return status == TIN_OK && b.failed ? tin_fail(err, TIN_ERR_MEMORY, "out of memory while " FILE_NAME " was made")
                                        : status;
}

/* The goals of one search help each other to rules. So that a preset is the same rule whatever else is asked for, the
 * presets have a search of their own. */
static tin_status choose(work *w, tin_error *err)
{
    const tin_choice_options options = {(int)(w->input.margins.most.late / w->input.timing.hop), w->in->pool,
                                        w->in->quiet};
    for (int p = 0; p < TIN_PRESET_COUNT; p++) {
        w->goals[w->n_goals++] = goal_of_preset((tin_preset)p, w->in->settings, w->in->dataset->rate_hz);
    }
    w->asked = (int)w->ask->preset;
    tin_status status = tin_rules_choose(&w->input, w->goals, w->n_goals, &options, &w->choices, err);
    if (status == TIN_OK && w->ask->preset == TIN_PRESET_COUNT) {
        tin_choices presets = w->choices;
        w->goals[w->n_goals++] = goal_of_ask(w->ask, w->in->settings, w->in->dataset->rate_hz);
        status = tin_rules_choose(&w->input, w->goals, w->n_goals, &options, &w->choices, err);
        memcpy(w->choices.of, presets.of, TIN_PRESET_COUNT * sizeof *presets.of);
        tin_choices_free(&presets);
    }
    if (status == TIN_OK && !w->choices.of[w->asked].any) {
        status = tin_fail(err, TIN_ERR_USAGE,
                          "no decision rule holds these bounds on the validation people; `tinamou tune` without bounds "
                          "shows what can be had, or train a better model");
    }
    return status;
}

tin_status tin_tuning_make(const tin_tuning_input *input, const tin_tuning_ask *ask, const json_t *test_rules,
                           tin_tuning *tuning, tin_error *err)
{
    work w = {.in = input, .ask = ask};
    tin_sweep_stream *streams = NULL;
    *tuning = (tin_tuning){.ask = *ask};
    tin_status status = tin_sweep_input_of(input->dataset, input->validation, &input->margins, &streams, &w.input, err);
    if (status == TIN_OK) {
        status = choose(&w, err);
    }
    if (status == TIN_OK) {
        status = judge_all(&w, err);
    }
    if (status == TIN_OK) {
        status = make_json(&w, test_rules, tuning, err);
    }
    if (status == TIN_OK) {
        tuning->rule = w.choices.of[w.asked].rule;
        tuning->n_candidates = w.choices.n_candidates;
    }
    tin_choices_free(&w.choices);
    tin_free(w.tuned);
    tin_free(w.status);
    tin_free(streams);
    if (status != TIN_OK) {
        tin_tuning_free(tuning);
    }
    return status;
}

void tin_tuning_free(tin_tuning *tuning)
{
    json_decref(tuning->json);
    json_decref(tuning->test_rules);
    *tuning = (tin_tuning){0};
}
