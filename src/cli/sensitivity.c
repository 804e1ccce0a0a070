/* What was measured when bits were chosen: a table for people, a file for programs. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "quantize/quantize.h"

static const char *change_of(const tin_trial *trial)
{
    return trial->kind == TIN_TRIAL_WEIGHTS_4 ? "4-bit weights" : "16 bits";
}

static const char *place_of(const tin_model *folded, const tin_trial *trial)
{
    return trial->layer == TIN_FROM_INPUT ? "input" : folded->layers[trial->layer].name;
}

static void show_table(const cli_session *session, const tin_model *folded, const tin_sensitivity *s)
{
    const bool nobody = session->part_of && session->part == 0; /* validates the model of all */
    cli_log(session, "quantize: sensitivity, over %lld decisions of the %s people", (long long)s->n_decisions,
            nobody ? "training" : "validation");
    cli_log(session, "  %-20s %-14s %12s %10s %12s", "layer", "change", "divergence", "agreement", "bytes saved");
    cli_log(session, "  %-20s %-14s %12.5f %10.4f", "(none)", "", s->before.kl, s->before.agreement);
    for (int i = 0; i < s->n_trials; i++) {
        const tin_trial *t = &s->trials[i];
        if (t->possible) {
            cli_log(session, "  %-20s %-14s %12.5f %10.4f %12zu%s", place_of(folded, t), change_of(t), t->nearness.kl,
                    t->nearness.agreement, t->bytes_saved, t->chosen ? "  taken" : "");
        } else {
            cli_log(session, "  %-20s %-14s could overflow", place_of(folded, t), change_of(t));
        }
    }
    cli_log(session, "  %-20s %-14s %12.5f %10.4f", "(what was taken)", "", s->after.kl, s->after.agreement);
}

static json_t *nearness_json(const tin_nearness *n)
{
    return json_pack("{s:f, s:f}", "kl", n->kl, "agreement", n->agreement);
}

static json_t *sensitivity_json(const tin_model *folded, const tin_sensitivity *s)
{
    json_t *trials = json_array();
    bool ok = trials != NULL;
    for (int i = 0; i < s->n_trials && ok; i++) {
        const tin_trial *t = &s->trials[i];
        json_t *trial =
            json_pack("{s:s, s:s, s:b, s:b, s:o}", "layer", place_of(folded, t), "change",
                      t->kind == TIN_TRIAL_WEIGHTS_4 ? "weights_4" : "activations_16", "possible", t->possible, "taken",
                      t->chosen, "nearness", t->possible ? nearness_json(&t->nearness) : json_null());
        ok = trial && json_object_set_new(trial, "bytes_saved", json_integer((json_int_t)t->bytes_saved)) == 0;
        ok = ok ? json_array_append_new(trials, trial) == 0 : (json_decref(trial), false);
    }
    if (!ok) {
        json_decref(trials);
        return NULL;
    }
    return json_pack("{s:I, s:o, s:o, s:I, s:I, s:o}", "decisions", (json_int_t)s->n_decisions, "before",
                     nearness_json(&s->before), "after", nearness_json(&s->after), "weight_bytes_before",
                     (json_int_t)s->weight_bytes_before, "weight_bytes", (json_int_t)s->weight_bytes, "trials", trials);
}

tin_status cli_report_sensitivity(const cli_session *session, const tin_model *folded, const tin_sensitivity *s,
                                  cli_files *files, tin_error *err)
{
    char path[TIN_PATH_MAX];
    if (s->n_decisions == 0) {
        return TIN_OK;
    }
    show_table(session, folded, s);
    tin_status status = tin_path_join(path, session->run.folder, "quantize_sensitivity.json", err);
    if (status) {
        return status;
    }
    json_t *root = sensitivity_json(folded, s);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    status = text ? tin_file_write(path, text, strlen(text), err) : tin_fail(err, TIN_ERR_MEMORY, "out of memory");
    free(text);
    json_decref(root);
    return status ? status : cli_add_file(files, session, true, err, "quantize_sensitivity.json");
}
