/* The dataset's file name is made from everything that decides its content: the settings of `data`, the seed where the
 * source uses one, the program's version, the file of the split, the list of mended labels, and for recordings the names,
 * sizes and times of their files. So a dataset that is there is the right one, and nothing else needs to be remembered. */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "cli/cli.h"

#define MAX_WARNINGS 8 /* printed */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* What the program itself writes changes with every command, and is no recording: its files, hidden ones, and all that lies
 * beside the run store. */
static bool is_own(const FTSENT *entry)
{
    char store[TIN_PATH_MAX];
    if (entry->fts_info == FTS_D) {
        return strcmp(entry->fts_name, "runs") == 0 &&
               tin_path_join(store, entry->fts_path, "runs.sqlite", NULL) == TIN_OK && tin_file_exists(store);
    }
    if (entry->fts_name[0] == '.') { /* the importers pass hidden files over, too */
        return true;
    }
    return tin_data_is_own_file(entry->fts_name);
}

/* Adds name, size and time of every file below `folder`, in order of their names. */
static tin_status stamp_files(tin_hash *hash, const char *folder, tin_error *err)
{
    char root[TIN_PATH_MAX], line[TIN_PATH_MAX + 64];
    snprintf(root, sizeof root, "%s", folder);
    char *const roots[] = {root, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!walk) {
        return tin_fail_errno(err, folder, "cannot list");
    }
    tin_status status = TIN_OK;
    FTSENT *entry;
    while (status == TIN_OK && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
            status = tin_fail_at(err, TIN_ERR_IO, entry->fts_path, 0, "cannot read: %s; mend the permissions",
                                 strerror(entry->fts_errno));
        } else if (is_own(entry)) {
            (void)fts_set(walk, entry, FTS_SKIP);
        } else if (entry->fts_info == FTS_F) {
            const struct stat *info = entry->fts_statp;
            int n = snprintf(line, sizeof line, "%s %" PRId64 " %" PRId64 ".%09ld\n", entry->fts_path + strlen(root),
                             (int64_t)info->st_size, (int64_t)info->st_mtim.tv_sec, info->st_mtim.tv_nsec);
            tin_hash_add(hash, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
        }
    }
    fts_close(walk);
    return status;
}

/* data.path below the project, unless it is absolute. */
static tin_status recordings_folder(const cli_session *session, char folder[TIN_PATH_MAX], tin_error *err)
{
    const char *path = session->config->data.path;
    struct stat info;
    tin_status status = TIN_OK;
    if (path[0] == '/') {
        snprintf(folder, TIN_PATH_MAX, "%s", path);
    } else {
        status = tin_path_join(folder, session->project, path, err);
    }
    if (status == TIN_OK && (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))) {
        status =
            tin_fail_at(err, TIN_ERR_DATA, folder, 0,
                        "there is no such folder of recordings; set data.path in tinamou.yaml or give --data FOLDER");
    }
    return status;
}

/* data/split-....json of the project; "" when the settings need none. */
static tin_status split_path(const cli_session *session, char path[TIN_PATH_MAX], tin_error *err)
{
    char folder[TIN_PATH_MAX], name[64];
    tin_data_split_name(&session->config->data, name);
    path[0] = '\0';
    tin_status status = tin_path_join(folder, session->project, "data", err);
    status = status ? status : tin_folder_make(folder, err);
    return status || !name[0] ? status : tin_path_join(path, folder, name, err);
}

tin_status cli_folds(const cli_session *session, tin_data_fold **folds, size_t *n, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_status status = split_path(session, path, err);
    return status ? status
                  : tin_data_folds(&session->config->data, session->dataset, path[0] ? path : NULL, folds, n, err);
}

/* The split as it stands; it is made with the first dataset, whose name so is known only then. */
static tin_status stamp_split(const cli_session *session, tin_hash *hash, tin_error *err)
{
    char path[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    tin_status status = split_path(session, path, err);
    if (status == TIN_OK && path[0] && tin_file_exists(path)) {
        status = tin_file_read(path, &text, &size, err);
        tin_hash_add(hash, text ? text : "", size);
        tin_free(text);
    }
    return status;
}

/* Content of the list of labels that a person mended. `data check` writes its own list anew, and what it suggested would be
 * undone by the next check. */
static tin_status stamp_relabel(const cli_session *session, tin_hash *hash, tin_error *err)
{
    char path[TIN_PATH_MAX], written[TIN_PATH_MAX], *text = NULL;
    struct stat given, own;
    size_t size = 0;
    tin_status status = tin_data_relabel_path(&session->config->data, session->project, path, err);
    if (status || !path[0]) {
        return status;
    }
    status = tin_path_join(written, session->project, "data", err);
    status = status ? status : tin_path_join(written, written, CLI_RELABEL, err);
    if (status == TIN_OK && stat(path, &given) == 0 && stat(written, &own) == 0 && given.st_dev == own.st_dev &&
        given.st_ino == own.st_ino) {
        status = tin_fail_at(err, TIN_ERR_CONFIG, path, 0,
                             "`data check` writes this file anew each time; copy it, edit the copy, and name that one "
                             "in data.relabel");
    }
    status = status ? status : tin_file_read(path, &text, &size, err);
    if (status == TIN_OK) {
        tin_hash_add(hash, "relabel\n", 8);
        tin_hash_add(hash, text ? text : "", size);
    }
    tin_free(text);
    return status;
}

static tin_status dataset_path(const cli_session *session, char path[TIN_PATH_MAX], tin_error *err)
{
    bool simulated = strcmp(session->config->data.source, "simulate") == 0;
    char hex[TIN_HASH_HEX] = "", folder[TIN_PATH_MAX], head[96], name[32];
    char *settings = NULL;
    tin_hash *hash = NULL;
    tin_status status = tin_config_canonical(session->config, true, &settings, err);
    status = status ? status : tin_hash_begin(&hash, err);
    if (status == TIN_OK) {
        int n = snprintf(head, sizeof head, "tinamou %s dataset seed %" PRIu64 "\n", TINAMOU_VERSION,
                         simulated ? session->config->seed : 0);
        tin_hash_add(hash, head, (size_t)n);
        tin_hash_add(hash, settings, strlen(settings));
        status = stamp_split(session, hash, err);
        status = status ? status : stamp_relabel(session, hash, err);
    }
    if (status == TIN_OK && !simulated) {
        status = recordings_folder(session, folder, err);
        status = status ? status : stamp_files(hash, folder, err);
    }
    tin_hash_end(hash, hex);
    tin_free(settings);
    status = status ? status : tin_path_join(folder, session->project, "data", err);
    snprintf(name, sizeof name, "%.12s.tind", hex);
    return status ? status : tin_path_join(path, folder, name, err);
}

/* True when the dataset is there and its content still has its hash; a damaged one is said and made again. */
static bool dataset_holds(cli_session *session, const char *path)
{
    tin_error why = {0};
    if (!tin_file_exists(path)) {
        return false;
    }
    if (tin_dataset_open(&session->dataset, path, &why) == TIN_OK &&
        tin_dataset_verify(session->dataset, &why) == TIN_OK) {
        return true;
    }
    tin_dataset_close(session->dataset);
    session->dataset = NULL;
    cli_log(session, "data: %s; it is made again", tin_error_text(&why));
    return false;
}

static tin_status build_file(cli_session *session, const char *path, tin_error *err)
{
    tin_data_report report = {0};
    const tin_config *config = session->config;
    char split[TIN_PATH_MAX], *text = NULL;
    tin_status status = tin_config_canonical(config, true, &text, err);
    status = status ? status : split_path(session, split, err);
    if (status) {
        tin_free(text);
        return status;
    }
    const tin_data_options options = {.root = session->project,
                                      .settings_text = text,
                                      .split_file = split[0] ? split : NULL,
                                      .seed = config->seed,
                                      .pool = session->pool,
                                      .quiet = session->options.quiet};
    status = tin_data_build(&config->data, &options, path, NULL, &report, err);
    for (size_t i = 0; i < report.n_warnings && i < MAX_WARNINGS; i++) {
        cli_log(session, "data: warning: %s", report.warnings[i]);
    }
    if (report.n_warnings > MAX_WARNINGS) {
        cli_log(session, "data: and %zu more warnings like these", report.n_warnings - MAX_WARNINGS);
    }
    tin_data_report_free(&report);
    tin_free(text);
    return status;
}

/* Builds the dataset and puts it in its place. Its name may be another one than `path` now that the split is made; until that
 * is known the file has a name of this process, which counts as half-written: killed in between, no second dataset stays. */
static tin_status build(cli_session *session, char path[TIN_PATH_MAX], tin_error *err)
{
    char made[TIN_PATH_MAX], suffix[24];
    snprintf(suffix, sizeof suffix, ".%ld", (long)getpid());
    if (strlen(path) + strlen(suffix) >= sizeof made) {
        return tin_fail_at(err, TIN_ERR_IO, path, 0, "the path is too long; use shorter names");
    }
    stpcpy(stpcpy(made, path), suffix);
    tin_status status = build_file(session, made, err);
    if (status) {
        return status;
    }
    status = dataset_path(session, path, err);
    if (status == TIN_OK && rename(made, path) != 0) {
        status = tin_fail_errno(err, path, "cannot put the dataset in its place");
    }
    if (status) {
        (void)unlink(made);
        return status;
    }
    status = tin_dataset_open(&session->dataset, path, err);
    return status ? status : cli_record_version(session, path, err);
}

static size_t count_subjects(const tin_dataset *dataset, tin_role role)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n_streams; i++) {
        bool first = dataset->streams[i].role == role;
        for (size_t j = 0; j < i && first; j++) {
            first = dataset->streams[j].role != role ||
                    strcmp(dataset->streams[i].subject, dataset->streams[j].subject) != 0;
        }
        n += first;
    }
    return n;
}

static int count_event_classes(const tin_dataset *dataset)
{
    int n = 0;
    for (int i = 0; i < dataset->n_classes; i++) {
        n += dataset->classes[i].event;
    }
    return n;
}

static tin_status describe(cli_session *session, const char *path, tin_error *err)
{
    const tin_dataset *d = session->dataset;
    static const char *const keys[] = {"train", "validation", "test"};
    json_t *figures = json_object();
    size_t events = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        for (size_t k = 0; k < d->streams[i].n_intervals; k++) {
            int32_t class_index = d->streams[i].intervals[k].class_index; /* negative: ignored frames */
            events += class_index >= 0 && d->classes[class_index].event;
        }
    }
    tin_status status = cli_set(figures, "file", json_string(path), err);
    status = status ? status : cli_set(figures, "hash", json_string(d->hash), err);
    status = status ? status : cli_set(figures, "streams", json_integer((json_int_t)d->n_streams), err);
    status = status ? status : cli_set(figures, "events", json_integer((json_int_t)events), err);
    status = status ? status : cli_set_real(figures, "rate_hz", d->rate_hz, err);
    for (int role = 0; role < 3 && !status; role++) {
        json_t *part = json_object();
        status = cli_set(part, "subjects", json_integer((json_int_t)count_subjects(d, (tin_role)role)), err);
        status = status ? status : cli_set(part, "frames", json_integer(tin_dataset_frames(d, (tin_role)role)), err);
        status = status ? (json_decref(part), status) : cli_set(figures, keys[role], part, err);
    }
    if (status) {
        json_decref(figures);
        return status;
    }
    cli_log(session,
            "data: %zu recordings of %zu + %zu + %zu people (train, validation, test), %.1f hours, %zu events: %s",
            d->n_streams, count_subjects(d, TIN_ROLE_TRAIN), count_subjects(d, TIN_ROLE_VALIDATION),
            count_subjects(d, TIN_ROLE_TEST),
            (double)(tin_dataset_frames(d, TIN_ROLE_TRAIN) + tin_dataset_frames(d, TIN_ROLE_VALIDATION) +
                     tin_dataset_frames(d, TIN_ROLE_TEST)) /
                d->rate_hz / 3600,
            events, path);
    if (count_event_classes(d) == 0) {
        cli_log(session,
                "data: no class is an event, so that nothing triggers; mark some with `event: true` in data.classes");
    }
    return cli_set(session->results, "data", figures, err);
}

static tin_status describe_run(cli_session *session, tin_error *err)
{
    json_t *run = json_object();
    tin_status status = cli_set(run, "id", json_string(session->run.id), err);
    status = status ? status : cli_set(run, "folder", json_string(session->run.folder), err);
    /* a string: JSON numbers hold no 64 bits everywhere */
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, session->run.seed);
    status = status ? status : cli_set(run, "seed", json_string(seed), err);
    status = status ? status : cli_set(run, "config_hash", json_string(session->run.config_hash), err);
    status = status ? status : cli_set(run, "data_hash", json_string(session->run.data_hash), err);
    status = status ? status : cli_set(run, "version", json_string(TINAMOU_VERSION), err);
    if (status) {
        json_decref(run);
        return status;
    }
    cli_log(session, "run: %s", session->run.folder);
    return cli_set(session->results, "run", run, err);
}

/* What build and tin_writer_open make for a dataset and for its split. */
static bool is_half_written(const char *name)
{
    return fnmatch("*.tind.*", name, 0) == 0 || fnmatch("split-*.json.??????", name, 0) == 0;
}

static void remove_half_written(const char *folder)
{
    char path[TIN_PATH_MAX];
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        if (is_half_written(entry->d_name) && tin_path_join(path, folder, entry->d_name, NULL) == TIN_OK) {
            (void)unlink(path);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

/* Whoever may write datasets shares the lock of their folder; whoever has it alone knows that half-written files belong
 * to killed processes, and removes them. The system drops the lock with its process. Returns the lock's descriptor to
 * be closed, -1 where locks do not work: then nothing is removed. */
static int enter_folder(const char *dataset)
{
    char folder[TIN_PATH_MAX], path[TIN_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", dataset);
    *strrchr(folder, '/') = '\0';
    if (tin_path_join(path, folder, ".lock", NULL) != TIN_OK) {
        return -1;
    }
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) {
        remove_half_written(folder);
    }
    if (lock >= 0 && flock(lock, LOCK_SH) != 0) {
        close(lock);
        lock = -1;
    }
    return lock;
}

tin_status cli_open_dataset(cli_session *session, bool force, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_status status = dataset_path(session, path, err);
    if (status) {
        return status;
    }
    int lock = enter_folder(path);
    if (!force && dataset_holds(session, path)) {
        cli_log(session, "data: done before, skipped (--force redoes it)");
    } else {
        status = build(session, path, err);
    }
    if (lock >= 0) {
        close(lock);
    }
    return status ? status : describe(session, path, err);
}

tin_status cli_data_stage(cli_session *session, bool force, tin_error *err)
{
    tin_status status = cli_open_dataset(session, force, err);
    status =
        status ? status : tin_runs_enter(session->runs, session->config, session->dataset->hash, &session->run, err);
    return status ? status : describe_run(session, err);
}
