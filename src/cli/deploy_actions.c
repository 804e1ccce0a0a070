/* What `tinamou deploy` does with the finished stage when it is asked to: other cores, packages, validation on a
 * board. */
#include <inttypes.h>
#include <math.h>

#include "cli/cli.h"
#include "deploy/package.h"
#include "deploy/verify.h"
#include "evaluate/evaluate.h"

#define BAUD 115200
#define FRAMES 5000 /* to a board: some ten seconds at that speed */

static tin_status add_folders(cli_session *session, const tin_package *package, const char *output, tin_error *err)
{
    char path[TIN_PATH_MAX];
    json_t *folders = json_array();
    tin_status status = folders ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results");
    for (int format = 0; format < TIN_PACKAGE_COUNT && status == TIN_OK; format++) {
        if ((package->formats >> format & 1) == 0) {
            continue;
        }
        status = tin_path_join(path, output, tin_package_name(format), err);
        status = status ? status : tin_path_join(path, path, package->name, err);
        if (status == TIN_OK && json_array_append_new(folders, json_string(path)) != 0) {
            status = tin_fail(err, TIN_ERR_USAGE, "the name of the folder '%s' is not valid UTF-8; rename it", path);
        }
    }
    if (status) {
        json_decref(folders);
        return status;
    }
    return cli_set(session->results, "package", json_pack("{s:o}", "folders", folders), err);
}

static tin_status write_packages(cli_session *session, const tin_qmodel *qmodel, const tin_decision_rule *rule,
                                 tin_error *err)
{
    char code[TIN_PATH_MAX], output[TIN_PATH_MAX];
    tin_package package = {.model = qmodel,
                           .rule = rule,
                           .dataset = session->dataset,
                           .code = code,
                           .name = session->config->deploy.name,
                           .version = TINAMOU_VERSION,
                           .frames = session->options.frames > 0 ? session->options.frames : 0,
                           .formats = session->options.packages};
    tin_status status = cli_in_run(session, code, "code", err);
    status = status                    ? status
             : session->options.output ? tin_path_join(output, session->options.output, "", err)
                                       : cli_in_run(session, output, "package", err);
    status = status ? status : cli_latency(session, qmodel, &package.latency, err);
    status = status ? status : tin_package_write(&package, output, err);
    return status ? status : add_folders(session, &package, output, err);
}

static tin_status verify_figures(cli_session *session, const tin_verify_result *r, long baud, tin_error *err)
{
    json_t *figures = json_object();
    const struct {
        const char *key;
        int64_t value;
    } counts[] = {{"baud", baud},
                  {"frames", r->frames},
                  {"decisions", r->decisions},
                  {"mismatches", r->mismatches},
                  {"frames_per_packet", r->frames_per_packet},
                  {"packets_resent", r->resent}};
    const struct {
        const char *key;
        double value;
    } times[] = {{"step_mean_s", r->has_clock ? r->step_mean_s : (double)NAN},
                 {"step_worst_s", r->has_clock ? r->step_worst_s : (double)NAN},
                 {"round_trip_mean_s", r->round_trip_mean_s},
                 {"round_trip_worst_s", r->round_trip_worst_s},
                 {"seconds", r->seconds}};
    tin_status status = figures ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory for the results");
    for (size_t i = 0; i < sizeof counts / sizeof *counts && !status; i++) {
        status = cli_set(figures, counts[i].key, json_integer(counts[i].value), err);
    }
    for (size_t i = 0; i < sizeof times / sizeof *times && !status; i++) {
        status = cli_set_real(figures, times[i].key, times[i].value, err);
    }
    if (status) {
        json_decref(figures);
        return status;
    }
    return cli_set(session->results, "verify", figures, err);
}

static tin_status verify_board(cli_session *session, const tin_qmodel *qmodel, const tin_decision_rule *rule,
                               tin_error *err)
{
    tin_verify_result result;
    const cli_options *given = &session->options;
    tin_verify_options options = {.port = given->verify,
                                  .baud = given->baud > 0 ? given->baud : BAUD,
                                  .frames = given->frames >= 0 ? given->frames : FRAMES,
                                  .quiet = given->quiet};
    tin_status status = cli_latency(session, qmodel, &options.latency, err);
    status = status ? status : tin_verify(qmodel, rule, session->dataset, &options, &result, err);
    if (status == TIN_OK) {
        cli_log(session, "board: %" PRId64 " frames and %" PRId64 " decisions equal the reference, bit for bit",
                result.frames, result.decisions);
        status = verify_figures(session, &result, options.baud, err);
    }
    return status;
}

tin_status cli_deploy_actions(cli_session *session, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_qmodel *qmodel = NULL;
    tin_evaluate_summary summary;
    if (session->options.packages == 0 && session->options.targets == 0 && !session->options.verify) {
        return TIN_OK;
    }
    tin_status status = cli_in_run(session, path, "model_int8", err);
    status = status ? status : tin_qmodel_load(&qmodel, path, err);
    status = status ? status : tin_evaluate_load(session->run.folder, &summary, err);
    if (status == TIN_OK && session->options.targets != 0) {
        status = cli_measure_targets(session, qmodel, &summary.rule, err);
    }
    if (status == TIN_OK && session->options.packages != 0) {
        status = write_packages(session, qmodel, &summary.rule, err);
    }
    if (status == TIN_OK && session->options.verify) {
        status = verify_board(session, qmodel, &summary.rule, err);
    }
    tin_qmodel_free(qmodel);
    return status;
}
