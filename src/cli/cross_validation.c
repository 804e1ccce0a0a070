/* train.cross_validation: nobody is set apart for validation. The stages that make a model make one more for each part of the
 * people, in a folder of its own below the run's, trained without them; what these say of their parts chooses the decision
 * rule of the model that is trained on all. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"

static int parts_of(const cli_session *session)
{
    return session->config->train.cross_validation;
}

/* `role` for the part (0: all parts), `others` for the rest of them. */
static void set_roles(const cli_session *session, int part, tin_role role, tin_role others)
{
    for (size_t i = 0; i < session->dataset->n_streams; i++) {
        if (session->part_of[i] > 0) {
            session->dataset->streams[i].role = part == 0 || session->part_of[i] == part ? role : others;
        }
    }
}

/* People by turns, in order of their first recording. */
static int number_people(const tin_dataset *d, int n_parts, int *part_of)
{
    int n = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        for (size_t j = 0; j < i && part_of[i] == 0 && d->streams[i].role != TIN_ROLE_TEST; j++) {
            part_of[i] = strcmp(d->streams[j].subject, d->streams[i].subject) == 0 ? part_of[j] : 0;
        }
        if (part_of[i] == 0 && d->streams[i].role != TIN_ROLE_TEST) {
            part_of[i] = n++ % n_parts + 1;
        }
    }
    return n;
}

tin_status cli_cross_begin(cli_session *session, tin_error *err)
{
    int n_parts = parts_of(session);
    if (n_parts == 0) {
        return TIN_OK;
    }
    session->part_of = tin_alloc(session->dataset->n_streams, sizeof *session->part_of, err);
    if (!session->part_of) {
        return TIN_ERR_MEMORY;
    }
    int n = number_people(session->dataset, n_parts, session->part_of);
    if (n < n_parts) {
        return tin_fail(err, TIN_ERR_CONFIG,
                        "train.cross_validation asks for %d parts, but besides the test people there are %d; write %d or "
                        "less",
                        n_parts, n, n);
    }
    cli_log(session, "cross-validation: a model for each of %d parts of %d people, and one of all", n_parts, n);
    cli_cross_leave(session);
    return TIN_OK;
}

tin_status cli_cross_enter(cli_session *session, int part, tin_error *err)
{
    char name[16];
    set_roles(session, part, part > 0 ? TIN_ROLE_VALIDATION : TIN_ROLE_TRAIN, TIN_ROLE_TRAIN);
    if (part == 0) {
        return TIN_OK;
    }
    snprintf(name, sizeof name, "part%d", part);
    tin_status status = tin_path_join(session->run.folder, session->run.folder, name, err);
    if (status == TIN_OK) {
        session->part = part;
        status = tin_folder_make(session->run.folder, err);
    }
    return status;
}

void cli_cross_leave(cli_session *session)
{
    if (session->part > 0) {
        *strrchr(session->run.folder, '/') = '\0';
    }
    session->part = 0;
    set_roles(session, 0, TIN_ROLE_VALIDATION, TIN_ROLE_VALIDATION);
}

static tin_status load_part(cli_cross_models *models, cli_session *session, int part, tin_error *err)
{
    char name[64], path[TIN_PATH_MAX];
    snprintf(name, sizeof name, "part%d/%s", part, cli_float_model(session));
    tin_status status = cli_in_run(session, path, name, err);
    status = status ? status : tin_model_load(&models->models[part - 1], path, err);
    snprintf(name, sizeof name, "part%d/model_int8", part);
    status = status ? status : cli_in_run(session, path, name, err);
    return status ? status : tin_qmodel_load(&models->qmodels[part - 1], path, err);
}

tin_status cli_cross_models_load(cli_cross_models *models, cli_session *session, tin_error *err)
{
    tin_status status = TIN_OK;
    models->view = (tin_cross_models){.n = parts_of(session),
                                      .part = session->part_of,
                                      .qmodels = models->qmodels,
                                      .models = models->models};
    for (int part = 1; part <= models->view.n && status == TIN_OK; part++) {
        status = load_part(models, session, part, err);
    }
    return status;
}

void cli_cross_models_free(cli_cross_models *models)
{
    for (int i = 0; i < models->view.n; i++) {
        tin_qmodel_free(models->qmodels[i]);
        tin_model_free(models->models[i]);
    }
}
