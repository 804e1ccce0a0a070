#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/run_names.h"

#define MOST_NAMED 6 /* runs of a side that are named one by one */

/* What was compared, for both ways of printing. */
typedef struct compared {
    cli_run_group sides[2];
    const char *given[2]; /* what the user called them */
    tin_comparison comparison;
    json_t *settings; /* differences of the first runs */
    int resamples;
} compared;

static const char *const verdicts[] = {"worse", "not clear", "better"}; /* B, behind a verdict of -1, 0, 1 */

/* Mean of a figure over the runs of a side that have it, scaled. */
static double mean_of(const cli_run_group *side, const cli_figure *figure)
{
    double sum = 0;
    int n = 0;
    for (size_t i = 0; i < side->n; i++) {
        json_t *figures = cli_row_figures(&side->rows[i], figure->stage);
        double value = cli_figure_value(figure, figures);
        json_decref(figures);
        sum += isnan(value) ? 0 : value;
        n += !isnan(value);
    }
    return n > 0 ? sum / n : (double)NAN;
}

/* "a1b2, c3d4", or of many what they were called: "folds-1a2b3c4d: 18 runs" */
static void name_side(const cli_run_group *side, const char *given, char *text, size_t size)
{
    text[0] = '\0';
    if (side->n > MOST_NAMED) {
        snprintf(text, size, "%.100s%s: %zu runs", given, strlen(given) > 100 ? "..." : "", side->n);
        return;
    }
    for (size_t i = 0; i < side->n; i++) {
        size_t used = strlen(text);
        const tin_run_row *row = &side->rows[i];
        snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", row->run.id);
        for (size_t t = 0; t < row->n_tags && side->n == 1; t++) {
            used = strlen(text);
            snprintf(text + used, size - used, " %s", row->tags[t]);
        }
    }
}

static tin_status add_row(cli_table *table, const char *const cells[], tin_error *err)
{
    tin_status status = TIN_OK;
    for (size_t i = 0; i < table->n_columns && !status; i++) {
        status = cli_table_add(table, cells[i], err);
    }
    return status;
}

static tin_status add_figure(cli_table *table, const tin_figure_comparison *g, tin_error *err)
{
    const cli_figure *f = cli_figure_by_key(g->key);
    char a[32], b[32], difference[32], low[32], high[32], bounds[80] = "-", sure[16] = "-";
    if (isnan(g->a) && isnan(g->b)) {
        return TIN_OK;
    }
    if (!isnan(g->bounds.low)) {
        snprintf(bounds, sizeof bounds, "%s to %s", cli_figure_text(low, f, f->scale * g->bounds.low, true),
                 cli_figure_text(high, f, f->scale * g->bounds.high, true));
        snprintf(sure, sizeof sure, "%.1f %%", 100 * g->b_better);
    }
    const char *const cells[] = {f->title,
                                 cli_figure_text(a, f, f->scale * g->a, false),
                                 cli_figure_text(b, f, f->scale * g->b, false),
                                 cli_figure_text(difference, f, f->scale * g->difference, true),
                                 bounds,
                                 sure,
                                 isnan(g->bounds.low) ? "-" : verdicts[1 + tin_comparison_verdict(g)]};
    return add_row(table, cells, err);
}

static tin_status add_size(cli_table *table, const cli_figure *f, const compared *c, tin_error *err)
{
    char a[32], b[32], difference[32], share[32] = "";
    double in_a = mean_of(&c->sides[0], f), in_b = mean_of(&c->sides[1], f);
    if (isnan(in_a) && isnan(in_b)) {
        return TIN_OK;
    }
    if (in_a > 0 && !isnan(in_b)) {
        snprintf(share, sizeof share, "%+.1f %%", 100 * (in_b - in_a) / in_a);
    }
    const char *const cells[] = {f->title,
                                 cli_figure_text(a, f, in_a, false),
                                 cli_figure_text(b, f, in_b, false),
                                 cli_figure_text(difference, f, in_b - in_a, true),
                                 share,
                                 "",
                                 in_b < in_a   ? "smaller"
                                 : in_b > in_a ? "greater"
                                               : ""};
    return add_row(table, cells, err);
}

static tin_status print_table(const compared *c, tin_error *err)
{
    static const cli_column columns[] = {{"figure", true, 0}, {"A", false, 0},    {"B", false, 0},
                                         {"B - A", false, 0}, {"95 %", false, 0}, {"B better", false, 1},
                                         {"B is", true, 0}};
    cli_table table = {.columns = columns, .n_columns = sizeof columns / sizeof *columns};
    tin_status status = TIN_OK;
    for (int f = 0; f < TIN_COMPARED_COUNT && !status; f++) {
        status = add_figure(&table, &c->comparison.figures[f], err);
    }
    for (const cli_figure *f = cli_figures; f->key && !status; f++) {
        status = f->stage == TIN_STAGE_DEPLOY ? add_size(&table, f, c, err) : TIN_OK;
    }
    if (status == TIN_OK) {
        cli_table_print(&table, cli_terminal_width());
    }
    cli_table_free(&table);
    return status;
}

static void print_settings(const json_t *settings)
{
    size_t i;
    const json_t *one;
    printf(json_array_size(settings) > 0 ? "\nsettings that differ\n" : "\nthe settings are the same\n");
    json_array_foreach(settings, i, one)
    {
        const char *a = json_string_value(json_object_get(one, "a")), *b = json_string_value(json_object_get(one, "b"));
        printf("  %s: %s -> %s\n", json_string_value(json_object_get(one, "key")), a ? a : "none", b ? b : "none");
    }
}

static tin_status print_text(const compared *c, tin_error *err)
{
    char names[2][1024];
    const tin_comparison *k = &c->comparison;
    name_side(&c->sides[0], c->given[0], names[0], sizeof names[0]);
    name_side(&c->sides[1], c->given[1], names[1], sizeof names[1]);
    printf("A  %s\nB  %s\n", names[0], names[1]);
    printf("on %zu test %s", k->n_people, k->n_people == 1 ? "person" : "people");
    if (k->n_left_out > 0) {
        printf(", %zu left out", k->n_left_out);
    }
    printf(k->same_data ? " of the same dataset" : ", labelled alike in different datasets");
    if (k->n_people > 1) {
        printf("; %d paired draws of people%s\n\n", c->resamples,
               k->n_runs[0] > 1 || k->n_runs[1] > 1 ? " and seeds" : "");
    } else {
        printf("; one person says nothing about others, so there are no intervals\n\n");
    }
    tin_status status = print_table(c, err);
    if (k->no_events) {
        printf("%s\n", k->no_events);
    }
    if (status == TIN_OK) {
        print_settings(c->settings);
    }
    return status;
}

static tin_status figure_object(json_t *figures, const tin_figure_comparison *g, tin_error *err)
{
    json_t *one = json_object();
    tin_status status = cli_set_real(one, "a", g->a, err);
    status = status ? status : cli_set_real(one, "b", g->b, err);
    status = status ? status : cli_set_real(one, "difference", g->difference, err);
    status = status ? status : cli_set_real(one, "low", g->bounds.low, err);
    status = status ? status : cli_set_real(one, "high", g->bounds.high, err);
    status = status ? status : cli_set_real(one, "b_better", g->b_better, err);
    if (status == TIN_OK) {
        const char *verdict = verdicts[1 + tin_comparison_verdict(g)];
        status = cli_set(one, "b_is", isnan(g->bounds.low) ? json_null() : json_string(verdict), err);
    }
    return status ? (json_decref(one), status) : cli_set(figures, g->key, one, err);
}

static tin_status size_object(json_t *figures, const cli_figure *f, const compared *c, tin_error *err)
{
    json_t *one = json_object();
    double a = mean_of(&c->sides[0], f), b = mean_of(&c->sides[1], f);
    tin_status status = cli_set_real(one, "a", a, err);
    status = status ? status : cli_set_real(one, "b", b, err);
    status = status ? status : cli_set_real(one, "difference", b - a, err);
    return status ? (json_decref(one), status) : cli_set(figures, f->key, one, err);
}

static tin_status side_object(json_t *root, const char *key, const cli_run_group *side, tin_error *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < side->n; i++) {
        json_array_append_new(list, json_string(side->rows[i].run.id));
    }
    return cli_set(root, key, json_pack("{s:o, s:s}", "runs", list, "data_hash", side->rows[0].run.data_hash), err);
}

static tin_status print_json(const compared *c, tin_error *err)
{
    const tin_comparison *k = &c->comparison;
    json_t *root = json_object(), *figures = json_object(), *people = json_array();
    tin_status status = side_object(root, "a", &c->sides[0], err);
    status = status ? status : side_object(root, "b", &c->sides[1], err);
    for (size_t i = 0; i < k->n_people; i++) {
        json_array_append_new(people, json_string(k->people[i]));
    }
    for (int f = 0; f < TIN_COMPARED_COUNT && !status; f++) {
        status = figure_object(figures, &k->figures[f], err);
    }
    for (const cli_figure *f = cli_figures; f->key && !status; f++) {
        status = f->stage == TIN_STAGE_DEPLOY ? size_object(figures, f, c, err) : TIN_OK;
    }
    status = status ? status : cli_set(root, "people", json_incref(people), err);
    status = status ? status : cli_set(root, "people_left_out", json_integer((json_int_t)k->n_left_out), err);
    status = status ? status : cli_set(root, "draws", json_integer(k->n_people > 1 ? c->resamples : 0), err);
    status = status ? status : cli_set(root, "note", k->no_events ? json_string(k->no_events) : json_null(), err);
    status = status ? status : cli_set(root, "figures", json_incref(figures), err);
    status = status ? status : cli_set(root, "settings", json_incref(c->settings), err);
    status = status ? status : cli_print_json(root, err);
    json_decref(figures);
    json_decref(people);
    json_decref(root);
    return status;
}

/* The runs of a side should differ in their seeds only; if not, say so and go on. */
static tin_status look_at_side(const cli_session *session, const cli_run_group *side, tin_error *err)
{
    for (size_t i = 1; i < side->n; i++) {
        json_t *differences = NULL;
        tin_status status = cli_settings_diff(&side->rows[0], &side->rows[i], false, &differences, err);
        size_t n = json_array_size(differences);
        if (status == TIN_OK && n > 0) {
            cli_log(session, "note: %s and %s are on one side, but differ in %zu settings besides the seed, %s first",
                    side->rows[0].run.id, side->rows[i].run.id, n,
                    json_string_value(json_object_get(json_array_get(differences, 0), "key")));
        }
        json_decref(differences);
        if (status) {
            return status;
        }
    }
    return TIN_OK;
}

tin_status cli_command_runs_compare(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    cli_session session = {0};
    compared c = {0};
    tin_status status = cli_session_open(&session, options, err);
    for (int i = 0; i < 2 && !status; i++) {
        c.given[i] = options->operands[i];
        status = cli_find_group(session.runs, options->operands[i], &c.sides[i], err);
        status = status ? status : look_at_side(&session, &c.sides[i], err);
    }
    if (status == TIN_OK) {
        c.resamples = session.config->evaluate.bootstrap;
        const tin_compare_side a = {c.sides[0].folders, (int)c.sides[0].n}, b = {c.sides[1].folders, (int)c.sides[1].n};
        const tin_compare_options how = {options->common, c.resamples, session.config->seed};
        status = tin_compare_runs(&a, &b, &how, &c.comparison, err);
    }
    if (status == TIN_OK) {
        bool seeds = c.sides[0].n == 1 && c.sides[1].n == 1;
        status = cli_settings_diff(&c.sides[0].rows[0], &c.sides[1].rows[0], seeds, &c.settings, err);
    }
    if (status == TIN_OK) {
        status = options->json ? print_json(&c, err) : print_text(&c, err);
    }
    json_decref(c.settings);
    tin_comparison_free(&c.comparison);
    cli_run_group_free(&c.sides[0]);
    cli_run_group_free(&c.sides[1]);
    cli_session_close(&session);
    return status;
}
