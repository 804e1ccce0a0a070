#include <stdio.h>

#include "cli/cli.h"
#include "inspect/stats.h"

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Seconds in three digits: "0.98", "12.5", "340", "5600". */
static void print_seconds(double seconds)
{
    printf(" %8.*f", seconds < 9.995 ? 2 : seconds < 99.95 ? 1 : 0, seconds);
}

static void print_classes(const json_t *root)
{
    size_t i;
    const json_t *c;
    printf("%-24s %8s %8s %7s %8s %8s %8s %7s %8s %8s %8s\n", "class", "labels", "seconds", "share", "shortest",
           "median", "longest", "people", "train s", "valid. s", "test s");
    json_array_foreach(json_object_get(root, "classes"), i, c)
    {
        const json_t *durations = json_object_get(c, "durations"), *roles = json_object_get(c, "roles");
        printf("%-24s %8.0f", text(c, "name"), number(c, "labels"));
        print_seconds(number(c, "seconds"));
        printf(" %5.1f %%", 100 * number(c, "share"));
        if (json_is_object(durations)) {
            print_seconds(number(durations, "min_s"));
            print_seconds(number(durations, "median_s"));
            print_seconds(number(durations, "max_s"));
        } else {
            printf(" %8s %8s %8s", "-", "-", "-");
        }
        printf(" %7.0f", number(c, "people"));
        print_seconds(number(roles, "train"));
        print_seconds(number(roles, "validation"));
        print_seconds(number(roles, "test"));
        printf("\n");
    }
    const json_t *none = json_object_get(root, "no_class");
    if (number(none, "seconds") > 0) {
        printf("%-24s %8s", "(no class)", "");
        print_seconds(number(none, "seconds"));
        printf(" %5.1f %%\n", 100 * number(none, "share"));
    }
}

static void print_parts(const json_t *root)
{
    size_t i;
    const json_t *o;
    json_array_foreach(json_object_get(root, "roles"), i, o)
    {
        printf("%-12s %4.0f people, %5.0f recordings, %6.2f hours, %6.0f labels\n", text(o, "name"),
               number(o, "people"), number(o, "streams"), number(o, "seconds") / 3600, number(o, "labels"));
    }
    double gaps = 0, duplicates = 0, clipped = 0, slowest = 0, fastest = 0, jitter = 0;
    json_array_foreach(json_object_get(root, "streams"), i, o)
    {
        double rate = number(o, "source_rate_hz"); /* null is 0: unknown */
        gaps += number(o, "source_gaps");
        duplicates += number(o, "source_duplicates");
        clipped += number(o, "clipped_values");
        slowest = rate > 0 && (slowest <= 0 || rate < slowest) ? rate : slowest;
        fastest = rate > fastest ? rate : fastest;
        jitter = number(o, "source_jitter_s") > jitter ? number(o, "source_jitter_s") : jitter;
    }
    if (fastest > 0) {
        printf("sources      %.4g to %.4g Hz, jitter up to %.3g ms, %.0f gaps, %.0f repeated times, %.0f values out of "
               "range\n",
               slowest, fastest, 1000 * jitter, gaps, duplicates, clipped);
    }
}

tin_status cli_command_data_stats(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    char folder[TIN_PATH_MAX], page[TIN_PATH_MAX];
    cli_session session = {0};
    json_t *json = NULL;
    tin_status status = cli_session_open(&session, options, err);
    status = status ? status : cli_open_dataset(&session, false, err);
    status = status ? status : tin_stats_json(&json, session.dataset, err);
    status = status ? status : tin_path_join(folder, session.project, "data", err);
    status = status ? status : tin_path_join(page, folder, CLI_STATS_PAGE, err);
    status =
        status ? status : tin_stats_page(page, session.config->project, options->stream, json, session.dataset, err);
    if (status == TIN_OK) {
        cli_log(&session, "stats: %s", page);
        if (options->json) {
            status = cli_print_json(json, err);
        } else {
            print_classes(json);
            print_parts(json);
        }
    }
    json_decref(json);
    cli_session_close(&session);
    return status;
}
