/* `tinamou report --relabel`: the labels that look wrong, for a person to judge. */
#include <sys/stat.h>

#include "cli/cli.h"
#include "data/data.h"
#include "evaluate/evaluate.h"

tin_status cli_check_relabel(const cli_session *session, tin_error *err)
{
    char named[TIN_PATH_MAX];
    struct stat ours, theirs;
    const char *path = session->options.relabel;
    if (!path) {
        return TIN_OK;
    }
    tin_status status = tin_data_relabel_path(&session->config->data, session->project, named, err);
    if (status == TIN_OK && named[0] && stat(path, &ours) == 0 && stat(named, &theirs) == 0 &&
        ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino) {
        status = tin_fail(err, TIN_ERR_USAGE,
                          "--relabel %s is the list of data.relabel, which a person wrote; give another name", path);
    }
    return status;
}

tin_status cli_report_relabel(cli_session *session, tin_error *err)
{
    tin_relabel_count count;
    const char *path = session->options.relabel;
    if (!path) {
        return TIN_OK;
    }
    tin_status status = tin_evaluate_relabel(session->dataset, session->run.folder, path, &count, err);
    if (status) {
        return status;
    }
    cli_log(
        session,
        "relabel: %zu labels look wrong, %zu of validation people and %zu of test people. Look at each in report.html",
        count.rows, count.rows - count.test_rows, count.test_rows);
    if (count.test_rows > 0) {
        cli_log(session,
                "relabel: warning: labels of test people that change only where the model disagrees flatter it; "
                "change what anybody would call wrong");
    }
    json_t *figures = json_object();
    status = figures ? TIN_OK : tin_fail(err, TIN_ERR_MEMORY, "out of memory");
    status = status ? status : cli_set(figures, "file", json_string(path), err);
    status = status ? status : cli_set(figures, "rows", json_integer((json_int_t)count.rows), err);
    status = status ? status : cli_set(figures, "test_rows", json_integer((json_int_t)count.test_rows), err);
    return status ? (json_decref(figures), status) : cli_set(session->results, "relabel", figures, err);
}
