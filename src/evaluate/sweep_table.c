#include "evaluate/sweep_table.h"

#include <inttypes.h>
#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/qmodel.h"

typedef struct filler {
    tin_sweep_table *table;
    size_t next; /* rows are filled from the end: thresholds come falling */
} filler;

static int64_t fill_row(void *context, const tin_sweep_point *point, const tin_sweep_point *people)
{
    (void)people;
    filler *f = context;
    tin_sweep_row *row = &f->table->rows[--f->next];
    row->on = point->on;
    row->validation = *point;
    row->test.on = point->on;
    return INT64_MAX;
}

/* The thresholds of all classes move together; t is that of the first event class. */
static tin_sweep_family family_of(const tin_decision_rule *rule, const tin_sweep_input *input)
{
    tin_sweep_family family = {*rule, TIN_SWEEP_ALL};
    int first = 0;
    while (first < input->n_classes - 1 && !input->classes[first].event) {
        first++;
    }
    for (int k = 0; k < input->n_classes; k++) {
        family.rule.on[k] = input->classes[k].event ? rule->on[k] - rule->on[first] : 0;
    }
    return family;
}

tin_status tin_sweep_table_make(tin_sweep_table *table, const tin_sweep_input *validation,
                                const tin_decision_rule *rule, tin_error *err)
{
    const tin_sweep_family family = family_of(rule, validation);
    *table = (tin_sweep_table){0};
    tin_smoothed *of_validation = NULL;
    int32_t *thresholds = NULL;
    tin_status status = tin_smoothed_create(&of_validation, validation, rule->smooth_shift, family.rule.on, err);
    if (status != TIN_OK) {
        goto cleanup;
    }
    status = tin_sweep_thresholds(of_validation, TIN_SWEEP_ALL, &thresholds, &table->n_rows, err);
    if (status != TIN_OK) {
        goto cleanup;
    }
    table->rows = tin_alloc(table->n_rows, sizeof *table->rows, err);
    if (table->rows == NULL) {
        status = TIN_ERR_MEMORY;
        goto cleanup;
    }
    filler f = {table, table->n_rows};
    status = tin_sweep_run(of_validation, &family, thresholds, table->n_rows, true, fill_row, &f, err);
cleanup:
    tin_free(thresholds);
    tin_smoothed_free(of_validation);
    if (status != TIN_OK) {
        tin_sweep_table_free(table);
    }
    return status;
}

static int64_t add_row(void *context, const tin_sweep_point *point, const tin_sweep_point *people)
{
    (void)people;
    filler *f = context;
    tin_sweep_point *sum = &f->table->rows[--f->next].test;
    tin_sweep_counts_add(&sum->counts, &point->counts, 1);
    return INT64_MAX;
}

tin_status tin_sweep_table_add_test(tin_sweep_table *table, const tin_sweep_input *test, const tin_decision_rule *rule,
                                    tin_error *err)
{
    const tin_sweep_family family = family_of(rule, test);
    tin_smoothed *smoothed = NULL;
    filler f = {table, table->n_rows};
    int32_t *thresholds = tin_alloc(table->n_rows, sizeof *thresholds, err);
    tin_status status = thresholds != NULL
                            ? tin_smoothed_create(&smoothed, test, rule->smooth_shift, family.rule.on, err)
                            : TIN_ERR_MEMORY;
    for (size_t i = 0; i < table->n_rows && status == TIN_OK; i++) {
        thresholds[i] = table->rows[table->n_rows - 1 - i].on;
    }
    if (status == TIN_OK) {
        status = tin_sweep_run(smoothed, &family, thresholds, table->n_rows, true, add_row, &f, err);
    }
    tin_smoothed_free(smoothed);
    tin_free(thresholds);
    return status;
}

void tin_sweep_table_free(tin_sweep_table *table)
{
    tin_free(table->rows);
    *table = (tin_sweep_table){0};
}

/* An empty field where there is nothing to divide. */
static void put_number(FILE *out, double value)
{
    if (isfinite(value)) {
        fprintf(out, ",%.6g", value);
    } else {
        fputc(',', out);
    }
}

static void put_point(FILE *out, const tin_sweep_point *point, double rate_hz)
{
    const tin_event_counts all = tin_sweep_counts_all(&point->counts), *c = &all;
    tin_event_figures f = tin_event_figures_of(c, rate_hz);
    fprintf(out, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64, c->n_events, c->true_positives,
            c->wrong_class, c->missed, c->false_positives);
    put_number(out, f.fnr);
    put_number(out, f.fcr);
    put_number(out, f.fp_per_hour);
    put_number(out,
               c->true_positives > 0 ? (double)c->latency_frames / (double)c->true_positives / rate_hz : (double)NAN);
    put_number(out, f.f1);
    put_number(out, f.iou50_f1);
}

static void put_header(FILE *out, const char *set)
{
    static const char *const columns[] = {"events",          "true",     "wrong",   "missed",
                                          "false_positives", "fnr",      "fcr",     "fp_per_hour",
                                          "latency_mean_s",  "event_f1", "iou50_f1"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        fprintf(out, ",%s_%s", set, columns[i]);
    }
}

tin_status tin_sweep_table_save(const tin_sweep_table *table, double rate_hz, const char *folder, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_writer writer = {0};
    tin_status status = tin_path_join(path, folder, "sweep.csv", err);
    if (status == TIN_OK) {
        status = tin_writer_open(&writer, path, err);
    }
    if (status != TIN_OK) {
        return status;
    }
    fputs("on,on_logit", writer.stream);
    put_header(writer.stream, "validation");
    put_header(writer.stream, "test");
    fputc('\n', writer.stream);
    for (size_t i = 0; i < table->n_rows; i++) {
        const tin_sweep_row *row = &table->rows[i];
        fprintf(writer.stream, "%" PRId32 ",%.6g", row->on, (double)row->on / TIN_SCORE_ONE);
        put_point(writer.stream, &row->validation, rate_hz);
        put_point(writer.stream, &row->test, rate_hz);
        fputc('\n', writer.stream);
    }
    status = tin_writer_commit(&writer, err);
    tin_writer_abort(&writer);
    return status;
}
