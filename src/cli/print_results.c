#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

/* A number of object[key], NAN when it is not there. */
static double real(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static double number(const json_t *results, const char *section, const char *key)
{
    return real(json_object_get(results, section), key);
}

/* "0.912", or "-" for a figure that does not apply. */
static const char *show(char text[32], int decimals, double value)
{
    snprintf(text, 32, "-");
    if (isfinite(value)) {
        snprintf(text, 32, "%.*f", decimals, value);
    }
    return text;
}

static void print_footprint(const json_t *r)
{
    char a[32], b[32], c[32];
    printf("  Cortex-M4   flash %s bytes, RAM %s, stack %s\n", show(a, 0, number(r, "deploy", "flash_bytes")),
           show(b, 0, number(r, "deploy", "ram_bytes")), show(c, 0, number(r, "deploy", "stack_bytes")));
    printf("              instructions: %s per decision; %s per frame on average, %s in the worst frame\n",
           show(a, 0, number(r, "deploy", "insn_per_decision")), show(b, 0, number(r, "deploy", "insn_per_frame")),
           show(c, 0, number(r, "deploy", "insn_worst_frame")));
    printf("  verified    %s frames on the emulated core, %s differ from the reference\n",
           show(a, 0, number(r, "deploy", "verified_frames")), show(b, 0, number(r, "deploy", "mismatches")));
}

static void print_compression(const json_t *r)
{
    const json_t *steps = json_object_get(json_object_get(r, "compress"), "steps"), *step;
    size_t i;
    puts("  compression      parameters   not zero   flash, about   MAC/decision   changed      tuned");
    json_array_foreach(steps, i, step)
    {
        char changed[32], tuned[32];
        printf("  %-16s %10.0f %10.0f %14.0f %14.0f %9s %10s\n", json_string_value(json_object_get(step, "step")),
               json_number_value(json_object_get(step, "parameters")),
               json_number_value(json_object_get(step, "nonzero")),
               json_number_value(json_object_get(step, "flash_bytes_estimate")),
               json_number_value(json_object_get(step, "macs_per_decision")),
               show(changed, 4, real(step, "changed_validation_score")), show(tuned, 4, real(step, "validation_score")));
    }
}

static void print_place(const json_t *results, const char *label, const char *section, const char *key)
{
    const char *path = json_string_value(json_object_get(json_object_get(results, section), key));
    if (path) {
        printf("  %-11s %s\n", label, path);
    }
}

static void print_board(const json_t *r)
{
    char a[32], b[32], c[32];
    printf("  board       %s frames, %s decisions, %s differ from the reference\n",
           show(a, 0, number(r, "verify", "frames")), show(b, 0, number(r, "verify", "decisions")),
           show(c, 0, number(r, "verify", "mismatches")));
    if (isfinite(number(r, "verify", "step_mean_s"))) {
        printf("              step %s us on average, %s us in the worst frame, by the board's clock\n",
               show(a, 1, 1e6 * number(r, "verify", "step_mean_s")),
               show(b, 1, 1e6 * number(r, "verify", "step_worst_s")));
    }
    printf("              a packet of up to %s frames and its answer: %s ms on average, %s ms at most\n",
           show(a, 0, number(r, "verify", "frames_per_packet")),
           show(b, 2, 1e3 * number(r, "verify", "round_trip_mean_s")),
           show(c, 2, 1e3 * number(r, "verify", "round_trip_worst_s")));
}

tin_status cli_print_json(const json_t *value, tin_error *err)
{
    char *text = value ? json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    if (!text) {
        return tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results");
    }
    puts(text);
    free(text);
    return TIN_OK;
}

tin_status cli_print_results(const cli_session *session, tin_error *err)
{
    const json_t *r = session->results, *folder;
    size_t i;
    if (session->options.json) {
        return cli_print_json(r, err);
    }
    printf("%s, run %s\n", session->config->project, session->run.id);
    if (json_object_get(r, "compress")) {
        print_compression(r);
    }
    if (json_object_get(r, "evaluate")) {
        tin_status status = cli_print_quality(session, err);
        if (status) {
            return status;
        }
    }
    if (json_object_get(r, "deploy")) {
        print_footprint(r);
    }
    if (json_object_get(r, "measure")) {
        cli_print_measure(json_object_get(r, "measure"));
    }
    if (json_object_get(r, "verify")) {
        print_board(r);
    }
    print_place(r, "dataset", "data", "file");
    print_place(r, "code", "deploy", "code");
    print_place(r, "header", "deploy", "header");
    print_place(r, "report", "report", "file");
    print_place(r, "relabel", "relabel", "file");
    print_place(r, "picture", "files", "png");
    print_place(r, "picture", "files", "svg");
    print_place(r, "events", "files", "csv");
    print_place(r, "figures", "files", "figures");
    json_array_foreach(json_object_get(json_object_get(r, "package"), "folders"), i, folder)
    {
        printf("  %-11s %s\n", i == 0 ? "packages" : "", json_string_value(folder));
    }
    return TIN_OK;
}
