#include <stdio.h>

#include "cli/cli.h"
#include "data/fetch.h"

static tin_status print_json_result(const tin_public_data *set, const tin_fetched *fetched, tin_error *err)
{
    json_t *object = json_pack("{s:s, s:s, s:b, s:b, s:s, s:s, s:s}", "name", set->name, "path", fetched->path,
                               "was_there", fetched->was_there, "first_time", fetched->first_time, "sha256",
                               fetched->sha256, "licence", set->licence, "cite", set->source);
    tin_status status = cli_print_json(object, err);
    json_decref(object);
    return status;
}

tin_status cli_command_data_fetch(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    const tin_public_data *set;
    tin_fetched fetched;
    tin_status status = tin_public_data_find(options->operands[0], &set, err);
    if (status) {
        return status;
    }
    if (!options->quiet) {
        fprintf(stderr, "%s: %s\nlicence: %s; cite %s\n", set->name, set->title, set->licence, set->source);
    }
    const tin_fetch fetch = {
        .set = set, .folder = options->project, .url = options->url, .force = options->force, .quiet = options->quiet};
    status = tin_fetch_data(&fetch, &fetched, err);
    if (status) {
        return status;
    }
    if (options->json) {
        return print_json_result(set, &fetched, err);
    }
    if (fetched.was_there) {
        printf("%s is there; --force fetches it again\n", fetched.path);
    } else if (fetched.first_time) {
        printf("%s\nSHA-256 of the archive %s; it was not known before and will be compared the next time\n",
               fetched.path, fetched.sha256);
    } else {
        printf("%s\nSHA-256 of the archive as known\n", fetched.path);
    }
    return TIN_OK;
}
