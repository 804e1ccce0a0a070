/* What decision rule a run has, and why: tuning.json (docs/metrics-format.md). Every evaluation writes it; it holds what was
 * asked, so that a choice made by hand (`tinamou tune`) stays when the evaluation is done again. Only validation people are
 * looked at here. */
#ifndef TIN_TUNING_H
#define TIN_TUNING_H

#include <jansson.h>

#include "base/pool.h"
#include "evaluate/rule_choice.h"
#include "evaluate/score_streams.h"
#include "project/config.h"

/* preset, name */
#define TIN_PRESET_LIST(X)                                                                                             \
    X(TIN_PRESET_RESPONSIVE, "responsive") /* greatest F1 of triggers, worth what is left of the deadline */           \
    X(TIN_PRESET_BALANCED, "balanced")     /* what the settings max_fp_per_hour and objective say */                   \
    X(TIN_PRESET_STRICT, "strict")         /* greatest F0.5 of triggers */
typedef enum tin_preset {
#define X(preset, name) preset,
    TIN_PRESET_LIST(X)
#undef X
        TIN_PRESET_COUNT
} tin_preset;
const char *tin_preset_name(tin_preset preset);
/* TIN_ERR_USAGE lists the names. */
tin_status tin_preset_find(const char *name, tin_preset *preset, tin_error *err) TIN_USE_RESULT;

/* What is asked of the rule. */
typedef struct tin_tuning_ask {
    bool by_hand;                                    /* false: the preset of the settings */
    tin_preset preset;                               /* TIN_PRESET_COUNT: bounds and aim below */
    double max_fp_per_hour, max_fnr, max_latency_ms; /* NaN: any */
    tin_aim aim;                                     /* TIN_AIM_COUNT: by the bounds, docs/metrics.md */
} tin_tuning_ask;

typedef struct tin_tuning_input {
    const tin_dataset *dataset;
    const tin_scored_set *validation;
    tin_margins margins;
    const tin_config_evaluate *settings;
    uint64_t seed; /* of the bootstrap */
    tin_pool *pool;
    bool quiet;
} tin_tuning_input;

/* What was chosen. `rules` and `json` belong to it: tin_tuning_free. */
typedef struct tin_tuning {
    tin_tuning_ask ask;
    tin_decision_rule rule;
    int64_t n_candidates; /* rules compared */
    json_t *test_rules;   /* the rules with which the test people of this run have been read, this one among them */
    json_t *json;         /* tuning.json */
} tin_tuning;

/* The ask of the run in `folder`: the one made by hand there, else the preset of the settings. With `forget` the latter in
 * any case. *test_rules (a new reference) are those that were read before. No file is no fault. */
tin_status tin_tuning_load(const char *folder, const tin_config_evaluate *settings, bool forget, tin_tuning_ask *ask,
                           json_t **test_rules, tin_error *err) TIN_USE_RESULT;
/* Chooses. TIN_ERR_DATA when the validation people have no event, TIN_ERR_USAGE when no rule holds what is asked.
 * test_rules as of tin_tuning_load, not taken over. */
tin_status tin_tuning_make(const tin_tuning_input *input, const tin_tuning_ask *ask, const json_t *test_rules,
                           tin_tuning *tuning, tin_error *err) TIN_USE_RESULT;
void tin_tuning_free(tin_tuning *tuning);

/* The streams as the sweep takes them; *streams is tin_free()d by the caller. */
tin_status tin_sweep_input_of(const tin_dataset *dataset, const tin_scored_set *set, const tin_margins *margins,
                              tin_sweep_stream **streams, tin_sweep_input *input, tin_error *err) TIN_USE_RESULT;

#endif
