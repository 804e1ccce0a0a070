/* What `tinamou deploy` does with the finished stage when it is asked to: other cores, packages. */
#include <stdio.h>

#include "cli/cli.h"
#include "deploy/package.h"
#include "evaluate/evaluate.h"

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
                           .frames = session->options.frames,
                           .formats = session->options.packages};
    tin_status status = cli_in_run(session, code, "code", err);
    status = status                    ? status
             : session->options.output ? tin_path_join(output, session->options.output, "", err)
                                       : cli_in_run(session, output, "package", err);
    status = status ? status : cli_latency(session, qmodel, &package.latency, err);
    status = status ? status : tin_package_write(&package, output, err);
    return status ? status : add_folders(session, &package, output, err);
}

tin_status cli_deploy_actions(cli_session *session, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_qmodel *qmodel = NULL;
    tin_evaluate_summary summary;
    if (session->options.packages == 0 && session->options.targets == 0) {
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
    tin_qmodel_free(qmodel);
    return status;
}
