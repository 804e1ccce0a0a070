#include "project/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"

#define BUSY_MS 30000

struct tin_runs {
    sqlite3 *db;
    int lock;                  /* file descriptor of the entered run's lock, -1: none */
    char folder[TIN_PATH_MAX]; /* PROJECT/runs */
    char path[TIN_PATH_MAX];   /* of the database */
};

/* Migration i brings user_version from i to i + 1. Never change one that was released: add the next. */
static const char *const migrations[] = {
    "CREATE TABLE run(id TEXT PRIMARY KEY, project TEXT NOT NULL, seed TEXT NOT NULL, version TEXT NOT NULL,"
    " config_hash TEXT NOT NULL, data_hash TEXT NOT NULL, config TEXT NOT NULL,"
    " started TEXT NOT NULL DEFAULT (datetime('now'))) STRICT;"
    "CREATE TABLE stage(run TEXT NOT NULL REFERENCES run(id), stage TEXT NOT NULL, figures TEXT NOT NULL,"
    " finished TEXT NOT NULL DEFAULT (datetime('now')), PRIMARY KEY(run, stage)) STRICT;"
    "CREATE TABLE file(run TEXT NOT NULL, stage TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,"
    " PRIMARY KEY(run, stage, name), FOREIGN KEY(run, stage) REFERENCES stage(run, stage) ON DELETE CASCADE) STRICT;",
    "CREATE TABLE tag(name TEXT NOT NULL, run TEXT NOT NULL REFERENCES run(id),"
    " PRIMARY KEY(name, run)) STRICT, WITHOUT ROWID;",
    "CREATE TABLE dataset(name TEXT NOT NULL, hash TEXT NOT NULL, reason TEXT NOT NULL,"
    " made TEXT NOT NULL DEFAULT (datetime('now')), PRIMARY KEY(name, hash)) STRICT;",
};
#define N_MIGRATIONS ((int)(sizeof migrations / sizeof *migrations))

const char *tin_stage_name(tin_stage stage)
{
    static const char *const names[] = {
#define X(stage, name) name,
        TIN_STAGE_LIST(X)
#undef X
    };
    return stage >= 0 && stage < TIN_STAGE_COUNT ? names[stage] : "?";
}

static tin_status database_failed(const tin_runs *runs, int code, tin_error *err)
{
    const char *why = runs->db ? sqlite3_errmsg(runs->db) : sqlite3_errstr(code);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return tin_fail_at(err, TIN_ERR_MEMORY, runs->path, 0, "out of memory in the run store");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return tin_fail_at(err, TIN_ERR_FORMAT, runs->path, 0,
                           "the run store is damaged (%s); move it away, the next run makes a new one", why);
    case SQLITE_BUSY:
        return tin_fail_at(err, TIN_ERR_IO, runs->path, 0,
                           "another process holds the run store for more than %d seconds; wait for it or stop it",
                           BUSY_MS / 1000);
    default:
        return tin_fail_at(err, TIN_ERR_IO, runs->path, 0,
                           "the run store cannot be used: %s; check the free space and permissions of the folder", why);
    }
}

static tin_status execute(tin_runs *runs, const char *sql, tin_error *err)
{
    int code = sqlite3_exec(runs->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? TIN_OK : database_failed(runs, code, err);
}

/* A statement with its texts bound, in order; `texts` ends with NULL and must outlive the statement. */
static tin_status prepare(tin_runs *runs, sqlite3_stmt **statement, const char *sql, const char *const texts[],
                          tin_error *err)
{
    int code = sqlite3_prepare_v2(runs->db, sql, -1, statement, NULL);
    for (int i = 0; code == SQLITE_OK && texts[i]; i++) {
        code = sqlite3_bind_text(*statement, i + 1, texts[i], -1, SQLITE_STATIC);
    }
    if (code == SQLITE_OK) {
        return TIN_OK;
    }
    tin_status status = database_failed(runs, code, err);
    sqlite3_finalize(*statement);
    *statement = NULL;
    return status;
}

/* A statement that gives no rows. */
static tin_status run_statement(tin_runs *runs, const char *sql, const char *const texts[], tin_error *err)
{
    sqlite3_stmt *statement = NULL;
    tin_status status = prepare(runs, &statement, sql, texts, err);
    if (status) {
        return status;
    }
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE) {
        status = database_failed(runs, code, err);
    }
    sqlite3_finalize(statement);
    return status;
}

static tin_status read_integer(tin_runs *runs, const char *sql, int *value, tin_error *err)
{
    sqlite3_stmt *statement = NULL;
    tin_status status = prepare(runs, &statement, sql, (const char *const[]){NULL}, err);
    if (status) {
        return status;
    }
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *value = sqlite3_column_int(statement, 0);
    } else {
        status = database_failed(runs, code, err);
    }
    sqlite3_finalize(statement);
    return status;
}

/* Ends the transaction that was begun: commit after success, else roll back and keep the first error. */
static tin_status end_transaction(tin_runs *runs, tin_status status, tin_error *err)
{
    if (status == TIN_OK) {
        status = execute(runs, "COMMIT", err);
    }
    if (status != TIN_OK && !sqlite3_get_autocommit(runs->db)) {
        sqlite3_exec(runs->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

static tin_status migrate(tin_runs *runs, tin_error *err)
{
    int version = 0;
    tin_status status = read_integer(runs, "PRAGMA user_version", &version, err);
    if (status || version == N_MIGRATIONS) {
        return status;
    }
    status = execute(runs, "BEGIN IMMEDIATE", err);
    if (status) {
        return status;
    }
    status = read_integer(runs, "PRAGMA user_version", &version, err); /* another process may have been faster */
    if (status == TIN_OK && (version < 0 || version > N_MIGRATIONS)) {
        status = tin_fail_at(err, TIN_ERR_FORMAT, runs->path, 0,
                             "the run store has version %d, this program knows %d; use the newer tinamou that wrote it",
                             version, N_MIGRATIONS);
    }
    for (int i = version; i < N_MIGRATIONS && status == TIN_OK; i++) {
        status = execute(runs, migrations[i], err);
    }
    if (status == TIN_OK) {
        char sql[64];
        snprintf(sql, sizeof sql, "PRAGMA user_version = %d", N_MIGRATIONS);
        status = execute(runs, sql, err);
    }
    return end_transaction(runs, status, err);
}

/* One process at a time makes a store or changes its schema: two that switch an empty file to WAL at once get SQLITE_BUSY
 * without waiting, or SQLITE_NOTADB. The lock goes with its process. Its file descriptor in *lock; -1 after a failure. */
static tin_status lock_opening(const tin_runs *runs, int *lock, tin_error *err)
{
    char path[TIN_PATH_MAX];
    *lock = -1;
    tin_status status = tin_path_join(path, runs->folder, ".lock", err);
    if (status) {
        return status;
    }
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) {
        return tin_fail_errno(err, path, "cannot open");
    }
    int code = 0;
    for (int waited = 0; (code = flock(file, LOCK_EX | LOCK_NB)) < 0 && waited < BUSY_MS; waited++) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            break;
        }
        usleep(1000);
    }
    if (code < 0) {
        status =
            errno == EWOULDBLOCK ? database_failed(runs, SQLITE_BUSY, err) : tin_fail_errno(err, path, "cannot lock");
        close(file);
        return status;
    }
    *lock = file;
    return TIN_OK;
}

tin_status tin_runs_open(tin_runs **runs, const char *project_folder, tin_error *err)
{
    int lock = -1;
    *runs = NULL;
    tin_runs *r = tin_alloc(1, sizeof *r, err);
    if (!r) {
        return TIN_ERR_MEMORY;
    }
    r->lock = -1;
    tin_status status = tin_path_join(r->folder, project_folder, "runs", err);
    status = status ? status : tin_folder_make(r->folder, err);
    status = status ? status : tin_path_join(r->path, r->folder, "runs.sqlite", err);
    status = status ? status : lock_opening(r, &lock, err);
    if (status == TIN_OK) {
        int code = sqlite3_open_v2(r->path, &r->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
        status = code == SQLITE_OK ? TIN_OK : database_failed(r, code, err);
    }
    if (status == TIN_OK) {
        sqlite3_busy_timeout(r->db, BUSY_MS);
        status = execute(r, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", err);
    }
    status = status ? status : migrate(r, err);
    if (lock >= 0) {
        close(lock);
    }
    if (status) {
        tin_runs_close(r);
        return status;
    }
    *runs = r;
    return TIN_OK;
}

void tin_runs_close(tin_runs *runs)
{
    if (!runs) {
        return;
    }
    sqlite3_close(runs->db);
    if (runs->lock >= 0) {
        close(runs->lock);
    }
    tin_free(runs);
}

/* The kernel drops the lock with the process, so that kill -9 leaves none behind. */
static tin_status lock_run(tin_runs *runs, const tin_run *run, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_status status = tin_path_join(path, run->folder, "lock", err);
    if (status) {
        return status;
    }
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) {
        return tin_fail_errno(err, path, "cannot open");
    }
    if (flock(file, LOCK_EX | LOCK_NB) < 0) {
        status = errno == EWOULDBLOCK ? tin_fail_at(err, TIN_ERR_IO, path, 0,
                                                    "another process is at work in this run; wait for it or stop it")
                                      : tin_fail_errno(err, path, "cannot lock");
        close(file);
        return status;
    }
    if (runs->lock >= 0) {
        close(runs->lock);
    }
    runs->lock = file;
    return TIN_OK;
}

/* What tin_writer_open leaves when its process is killed: a result's name with six letters or digits behind it. */
static bool is_leftover(const char *name)
{
    static const char *const endings[] = {".json", ".safetensors", ".csv", ".html", ".txt", ".c", ".h"};
    size_t n = strlen(name);
    if (n < 8 || name[n - 7] != '.' ||
        strspn(name + n - 6, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != 6) {
        return false;
    }
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t length = strlen(endings[i]);
        if (n - 7 > length && strncmp(name + n - 7 - length, endings[i], length) == 0) {
            return true;
        }
    }
    return false;
}

/* The run is locked, so that no process still writes them. What cannot be removed does no harm. */
static void remove_leftovers(const tin_run *run)
{
    char folder[TIN_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", run->folder);
    FTS *walk = fts_open((char *const[]){folder, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    const FTSENT *entry;
    while (walk && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_F && is_leftover(entry->fts_name)) {
            (void)unlink(entry->fts_path);
        }
    }
    if (walk) {
        fts_close(walk);
    }
}

/* First 12 digits of SHA-256 over the version, the canonical settings and the data's hash. */
static tin_status name_run(const char *config, const char *data_hash, tin_run *run, tin_error *err)
{
    char hex[TIN_HASH_HEX];
    tin_hash *hash = NULL;
    tin_status status = tin_hash_bytes(config, strlen(config), run->config_hash, err);
    status = status ? status : tin_hash_begin(&hash, err);
    if (status) {
        return status;
    }
    const char *const parts[] = {"tinamou " TINAMOU_VERSION "\n", config, data_hash};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        tin_hash_add(hash, parts[i], strlen(parts[i]));
    }
    tin_hash_end(hash, hex);
    snprintf(run->id, sizeof run->id, "%.12s", hex);
    snprintf(run->data_hash, sizeof run->data_hash, "%s", data_hash);
    return TIN_OK;
}

tin_status tin_runs_enter(tin_runs *runs, const tin_config *config, const char *data_hash, tin_run *run, tin_error *err)
{
    char *text = NULL;
    char path[TIN_PATH_MAX], seed[24];
    *run = (tin_run){.seed = config->seed};
    snprintf(seed, sizeof seed, "%" PRIu64, config->seed);
    tin_status status = tin_config_canonical(config, false, &text, err);
    status = status ? status : name_run(text, data_hash, run, err);
    status = status ? status : tin_path_join(run->folder, runs->folder, run->id, err);
    status = status ? status : tin_folder_make(run->folder, err);
    status = status ? status : lock_run(runs, run, err);
    if (status == TIN_OK) {
        remove_leftovers(run);
    }
    status = status ? status : tin_path_join(path, run->folder, "config.txt", err);
    status = status ? status : tin_file_write(path, text, strlen(text), err);
    status = status ? status
                    : run_statement(runs,
                                    "INSERT INTO run(id, project, seed, version, config_hash, data_hash, config)"
                                    " VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                                    (const char *const[]){run->id, config->project, seed, TINAMOU_VERSION,
                                                          run->config_hash, run->data_hash, text, NULL},
                                    err);
    tin_free(text);
    return status;
}

/* Whether the file of the row (name, sha256) is there and unchanged. */
static tin_status file_holds(const tin_run *run, sqlite3_stmt *row, bool *holds, tin_error *err)
{
    char path[TIN_PATH_MAX], hex[TIN_HASH_HEX];
    const char *name = (const char *)sqlite3_column_text(row, 0), *expected = (const char *)sqlite3_column_text(row, 1);
    *holds = false;
    if (!name || !expected) {
        return tin_fail(err, TIN_ERR_MEMORY, "out of memory in the run store");
    }
    tin_status status = tin_path_join(path, run->folder, name, err);
    if (status || !tin_file_exists(path)) {
        return status;
    }
    status = tin_hash_file(path, hex, err);
    *holds = status == TIN_OK && strcmp(hex, expected) == 0;
    return status;
}

tin_status tin_runs_stage_done(tin_runs *runs, const tin_run *run, tin_stage stage, bool *done, tin_error *err)
{
    sqlite3_stmt *statement = NULL;
    const char *const key[] = {run->id, tin_stage_name(stage), NULL};
    *done = false;
    tin_status status = prepare(runs, &statement, "SELECT 1 FROM stage WHERE run = ? AND stage = ?", key, err);
    if (status) {
        return status;
    }
    int code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? TIN_OK : database_failed(runs, code, err);
    }
    status =
        prepare(runs, &statement, "SELECT name, sha256 FROM file WHERE run = ? AND stage = ? ORDER BY name", key, err);
    if (status) {
        return status;
    }
    bool holds = true;
    while (status == TIN_OK && holds && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        status = file_holds(run, statement, &holds, err);
    }
    if (status == TIN_OK && holds && code != SQLITE_DONE) {
        status = database_failed(runs, code, err);
    }
    sqlite3_finalize(statement);
    *done = status == TIN_OK && holds;
    return status;
}

/* Inside a transaction: this stage's row and those of later stages go, with their files; then the new ones come. */
static tin_status record_stage(tin_runs *runs, const tin_run *run, tin_stage stage, const char *const files[],
                               int n_files, char (*hashes)[TIN_HASH_HEX], const char *figures_json, tin_error *err)
{
    tin_status status = TIN_OK;
    for (int later = (int)stage; later < TIN_STAGE_COUNT && status == TIN_OK; later++) {
        status = run_statement(runs, "DELETE FROM stage WHERE run = ? AND stage = ?",
                               (const char *const[]){run->id, tin_stage_name((tin_stage)later), NULL}, err);
    }
    status = status ? status
                    : run_statement(runs, "INSERT INTO stage(run, stage, figures) VALUES(?, ?, ?)",
                                    (const char *const[]){run->id, tin_stage_name(stage), figures_json, NULL}, err);
    for (int i = 0; i < n_files && status == TIN_OK; i++) {
        status = run_statement(runs, "INSERT INTO file(run, stage, name, sha256) VALUES(?, ?, ?, ?)",
                               (const char *const[]){run->id, tin_stage_name(stage), files[i], hashes[i], NULL}, err);
    }
    return status;
}

tin_status tin_runs_stage_finish(tin_runs *runs, const tin_run *run, tin_stage stage, const char *const files[],
                                 int n_files, const char *figures_json, tin_error *err)
{
    char path[TIN_PATH_MAX];
    char(*hashes)[TIN_HASH_HEX] = tin_alloc((size_t)n_files, TIN_HASH_HEX, err);
    if (!hashes) {
        return TIN_ERR_MEMORY;
    }
    tin_status status = TIN_OK;
    for (int i = 0; i < n_files && status == TIN_OK; i++) {
        status = tin_path_join(path, run->folder, files[i], err);
        status = status ? status : tin_hash_file(path, hashes[i], err);
    }
    status = status ? status : execute(runs, "BEGIN IMMEDIATE", err);
    if (status == TIN_OK) {
        status = record_stage(runs, run, stage, files, n_files, hashes, figures_json, err);
        status = end_transaction(runs, status, err);
    }
    tin_free(hashes);
    return status;
}

static tin_status copy_column(sqlite3_stmt *row, int column, char **text, tin_error *err)
{
    const char *value = (const char *)sqlite3_column_text(row, column);
    *text = tin_strdup(value ? value : "", err);
    return *text ? TIN_OK : TIN_ERR_MEMORY;
}

tin_status tin_runs_stage_figures(tin_runs *runs, const tin_run *run, tin_stage stage, char **json, tin_error *err)
{
    sqlite3_stmt *statement = NULL;
    *json = NULL;
    tin_status status = prepare(runs, &statement, "SELECT figures FROM stage WHERE run = ? AND stage = ?",
                                (const char *const[]){run->id, tin_stage_name(stage), NULL}, err);
    if (status) {
        return status;
    }
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        status = copy_column(statement, 0, json, err);
    } else if (code != SQLITE_DONE) {
        status = database_failed(runs, code, err);
    }
    sqlite3_finalize(statement);
    return status;
}

static int stage_of(const char *name)
{
    int stage = 0;
    while (stage < TIN_STAGE_COUNT && strcmp(name, tin_stage_name((tin_stage)stage)) != 0) {
        stage++;
    }
    return stage;
}

/* Calls take() for every row of the statement. Texts of a row are NULL only for lack of memory: no column allows NULL. */
static tin_status each_row(tin_runs *runs, const char *sql, const char *const texts[],
                           tin_status (*take)(sqlite3_stmt *row, void *context, tin_error *err), void *context,
                           tin_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_DONE;
    tin_status status = prepare(runs, &statement, sql, texts, err);
    while (status == TIN_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement) && !status; i++) {
            status = sqlite3_column_text(statement, i)
                         ? TIN_OK
                         : tin_fail(err, TIN_ERR_MEMORY, "out of memory in the run store");
        }
        status = status ? status : take(statement, context, err);
    }
    if (status == TIN_OK && code != SQLITE_DONE) {
        status = database_failed(runs, code, err);
    }
    sqlite3_finalize(statement);
    return status;
}

static void copy_text(char *text, size_t size, sqlite3_stmt *row, int column)
{
    snprintf(text, size, "%s", (const char *)sqlite3_column_text(row, column));
}

/* Room for one more item, zeroed; capacities are 8, 16, 32, ... */
static void *one_more(void *items, size_t n, size_t size, tin_error *err)
{
    if (n == 0) {
        return tin_alloc(8, size, err);
    }
    return n >= 8 && (n & (n - 1)) == 0 ? tin_grow(items, n, 2 * n, size, err) : items;
}

static tin_status take_stage(sqlite3_stmt *statement, void *context, tin_error *err)
{
    tin_run_row *row = context;
    int stage = stage_of((const char *)sqlite3_column_text(statement, 0));
    if (stage == TIN_STAGE_COUNT) {
        return TIN_OK;
    }
    copy_text(row->finished[stage], sizeof row->finished[stage], statement, 2);
    return copy_column(statement, 1, &row->figures[stage], err);
}

static tin_status take_tag(sqlite3_stmt *statement, void *context, tin_error *err)
{
    tin_run_row *row = context;
    char **tags = one_more(row->tags, row->n_tags, sizeof *tags, err);
    if (!tags) {
        return TIN_ERR_MEMORY;
    }
    row->tags = tags;
    tin_status status = copy_column(statement, 0, &tags[row->n_tags], err);
    row->n_tags += status == TIN_OK;
    return status;
}

typedef struct row_list {
    tin_runs *runs;
    tin_run_row *rows;
    size_t n;
} row_list;

static tin_status take_run(sqlite3_stmt *statement, void *context, tin_error *err)
{
    row_list *list = context;
    tin_run_row *rows = one_more(list->rows, list->n, sizeof *rows, err);
    if (!rows) {
        return TIN_ERR_MEMORY;
    }
    list->rows = rows;
    tin_run_row *row = &rows[list->n++];
    copy_text(row->run.id, sizeof row->run.id, statement, 0);
    copy_text(row->started, sizeof row->started, statement, 1);
    row->run.seed = strtoull((const char *)sqlite3_column_text(statement, 2), NULL, 10);
    copy_text(row->run.config_hash, sizeof row->run.config_hash, statement, 3);
    copy_text(row->run.data_hash, sizeof row->run.data_hash, statement, 4);
    tin_status status = tin_path_join(row->run.folder, list->runs->folder, row->run.id, err);
    status = status ? status : copy_column(statement, 5, &row->project, err);
    status = status ? status : copy_column(statement, 6, &row->version, err);
    status = status ? status : copy_column(statement, 7, &row->config, err);
    const char *const key[] = {row->run.id, NULL};
    status = status ? status
                    : each_row(list->runs, "SELECT stage, figures, finished FROM stage WHERE run = ?", key, take_stage,
                               row, err);
    return status ? status
                  : each_row(list->runs, "SELECT name FROM tag WHERE run = ? ORDER BY name", key, take_tag, row, err);
}

/* The runs for which the condition holds; ?1 in it is `text`. */
static tin_status select_runs(tin_runs *runs, const char *condition, const char *text, tin_run_row **rows, size_t *n,
                              tin_error *err)
{
    char sql[400];
    row_list list = {.runs = runs};
    snprintf(sql, sizeof sql,
             "SELECT id, started, seed, config_hash, data_hash, project, version, config FROM run WHERE %s"
             " ORDER BY started DESC, rowid DESC",
             condition);
    tin_status status = each_row(runs, sql, (const char *const[]){text, NULL}, take_run, &list, err);
    if (status) {
        tin_runs_list_free(list.rows, list.n);
        list = (row_list){0};
    }
    *rows = list.rows;
    *n = list.n;
    return status;
}

#define HAS_TAG "id IN (SELECT run FROM tag WHERE name = ?1)"

tin_status tin_runs_list(tin_runs *runs, const char *tag, tin_run_row **rows, size_t *n, tin_error *err)
{
    return select_runs(runs, tag ? HAS_TAG : "1", tag, rows, n, err);
}

tin_status tin_runs_find(tin_runs *runs, const char *name, tin_run_row **rows, size_t *n, tin_error *err)
{
    tin_status status = select_runs(runs, "id = ?1", name, rows, n, err);
    if (status == TIN_OK && *n == 0) {
        status = select_runs(runs, HAS_TAG, name, rows, n, err);
    }
    if (status || *n > 0) {
        return status;
    }
    status = select_runs(runs, "substr(id, 1, length(?1)) = ?1", name, rows, n, err);
    if (status == TIN_OK && (*n != 1 || !name[0])) {
        status = *n > 1 && name[0]
                     ? tin_fail(err, TIN_ERR_USAGE, "%zu runs begin with '%s', e.g. %s and %s; give more of the ID", *n,
                                name, (*rows)[0].run.id, (*rows)[1].run.id)
                     : tin_fail(err, TIN_ERR_USAGE, "there is no run or tag '%.100s'; `tinamou runs` lists them", name);
        tin_runs_list_free(*rows, *n);
        *rows = NULL;
        *n = 0;
    }
    return status;
}

void tin_runs_list_free(tin_run_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tin_free(rows[i].project);
        tin_free(rows[i].version);
        tin_free(rows[i].config);
        for (int k = 0; k < TIN_STAGE_COUNT; k++) {
            tin_free(rows[i].figures[k]);
        }
        for (size_t k = 0; k < rows[i].n_tags; k++) {
            tin_free(rows[i].tags[k]);
        }
        tin_free(rows[i].tags);
    }
    tin_free(rows);
}

tin_status tin_runs_tag(tin_runs *runs, const tin_run *run, const char *tag, tin_error *err)
{
    size_t n = strlen(tag);
    if (n < 1 || n > 64 || strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != n ||
        tag[0] == '-') {
        return tin_fail(err, TIN_ERR_USAGE,
                        "the tag is '%.100s'; use 1 to 64 letters, digits and ._- that begin with no hyphen", tag);
    }
    if (n == sizeof run->id - 1 && strspn(tag, "0123456789abcdef") == n) {
        return tin_fail(err, TIN_ERR_USAGE, "the tag '%s' looks like the ID of a run; take another", tag);
    }
    return run_statement(runs, "INSERT INTO tag(name, run) VALUES(?, ?) ON CONFLICT DO NOTHING",
                         (const char *const[]){tag, run->id, NULL}, err);
}

tin_status tin_runs_untag(tin_runs *runs, const tin_run *run, const char *tag, tin_error *err)
{
    tin_status status = run_statement(runs, "DELETE FROM tag WHERE name = ? AND run = ?",
                                      (const char *const[]){tag, run->id, NULL}, err);
    if (status == TIN_OK && sqlite3_changes(runs->db) == 0) {
        status =
            tin_fail(err, TIN_ERR_USAGE, "run %s has no tag '%.100s'; `tinamou runs` shows the tags", run->id, tag);
    }
    return status;
}

typedef struct file_list {
    tin_run_file *files;
    size_t n;
} file_list;

static tin_status take_file(sqlite3_stmt *statement, void *context, tin_error *err)
{
    file_list *list = context;
    tin_run_file *files = one_more(list->files, list->n, sizeof *files, err);
    if (!files) {
        return TIN_ERR_MEMORY;
    }
    list->files = files;
    tin_run_file *file = &files[list->n];
    copy_text(file->sha256, sizeof file->sha256, statement, 1);
    tin_status status = copy_column(statement, 0, &file->name, err);
    list->n += status == TIN_OK;
    return status;
}

tin_status tin_runs_files(tin_runs *runs, const tin_run *run, tin_run_file **files, size_t *n, tin_error *err)
{
    file_list list = {0};
    tin_status status = TIN_OK;
    for (int s = 0; s < TIN_STAGE_COUNT && !status; s++) {
        size_t before = list.n;
        status = each_row(runs, "SELECT name, sha256 FROM file WHERE run = ? AND stage = ? ORDER BY name",
                          (const char *const[]){run->id, tin_stage_name((tin_stage)s), NULL}, take_file, &list, err);
        for (size_t i = before; i < list.n; i++) {
            list.files[i].stage = (tin_stage)s;
        }
    }
    if (status) {
        tin_runs_files_free(list.files, list.n);
        list = (file_list){0};
    }
    *files = list.files;
    *n = list.n;
    return status;
}

void tin_runs_files_free(tin_run_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tin_free(files[i].name);
    }
    tin_free(files);
}

tin_status tin_runs_add_dataset(tin_runs *runs, const char *name, const char *hash, const char *reason, tin_error *err)
{
    return run_statement(runs, "INSERT OR IGNORE INTO dataset(name, hash, reason) VALUES(?, ?, ?)",
                         (const char *const[]){name, hash, reason, NULL}, err);
}

typedef struct dataset_list {
    tin_dataset_row *rows;
    size_t n;
} dataset_list;

static tin_status take_dataset(sqlite3_stmt *statement, void *context, tin_error *err)
{
    dataset_list *list = context;
    tin_dataset_row *rows = one_more(list->rows, list->n, sizeof *rows, err);
    if (!rows) {
        return TIN_ERR_MEMORY;
    }
    list->rows = rows;
    tin_dataset_row *row = &rows[list->n++];
    copy_text(row->name, sizeof row->name, statement, 0);
    copy_text(row->hash, sizeof row->hash, statement, 1);
    copy_text(row->made, sizeof row->made, statement, 2);
    return copy_column(statement, 3, &row->reason, err);
}

tin_status tin_runs_datasets(tin_runs *runs, tin_dataset_row **rows, size_t *n, tin_error *err)
{
    dataset_list list = {0};
    tin_status status = each_row(runs, "SELECT name, hash, made, reason FROM dataset ORDER BY rowid DESC",
                                 (const char *const[]){NULL}, take_dataset, &list, err);
    if (status) {
        tin_runs_datasets_free(list.rows, list.n);
        list = (dataset_list){0};
    }
    *rows = list.rows;
    *n = list.n;
    return status;
}

void tin_runs_datasets_free(tin_dataset_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tin_free(rows[i].reason);
    }
    tin_free(rows);
}
