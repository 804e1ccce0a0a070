/* `tinamou init`: an example's tinamou.yaml with the project's own name and place of the recordings. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"

extern const char cli_example_simulate[], cli_example_csv[], cli_example_spsw[], cli_example_hapt[];

#define MAX_HEADER 4096

/* The example file being edited. */
typedef struct draft {
    char *text;
    tin_error *err;
} draft;

/* Puts `value` behind the first line that starts with `key` (blanks included), whatever stood there. */
static tin_status set_line(draft *d, const char *key, const char *value)
{
    char *line = strncmp(d->text, key, strlen(key)) == 0 ? d->text : NULL;
    for (char *p = strchr(d->text, '\n'); p && !line; p = strchr(p + 1, '\n')) {
        if (strncmp(p + 1, key, strlen(key)) == 0) {
            line = p + 1;
        }
    }
    if (!line) {
        return tin_fail(d->err, TIN_ERR_CONFIG, "the example has no line '%s'; report this as a bug", key);
    }
    tin_text out = {0};
    tin_text_add_bytes(&out, d->text, (size_t)(line - d->text));
    tin_text_printf(&out, "%s %s", key, value);
    tin_text_add(&out, line + strcspn(line, "\n"));
    tin_status status = tin_text_check(&out, d->err);
    if (status) {
        tin_text_free(&out);
        return status;
    }
    tin_free(d->text);
    d->text = out.data;
    return TIN_OK;
}

/* YAML's double-quoted style for any text. */
static void quote(tin_text *out, const char *s)
{
    tin_text_add(out, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') {
            tin_text_printf(out, "\\%c", *s);
        } else if ((unsigned char)*s < 32) {
            tin_text_printf(out, "\\x%02x", (unsigned)*s);
        } else {
            tin_text_add_bytes(out, s, 1);
        }
    }
    tin_text_add(out, "\"");
}

static tin_status set_quoted(draft *d, const char *key, const char *value)
{
    tin_text out = {0};
    quote(&out, value);
    tin_status status = tin_text_check(&out, d->err);
    status = status ? status : set_line(d, key, out.data);
    tin_text_free(&out);
    return status;
}

/* Path of the first file of `folder` that matches; false when there is none. The folder's own name is no pattern. */
static bool first_match(const char *folder, const char *pattern, char path[TIN_PATH_MAX])
{
    char full[TIN_PATH_MAX], plain[TIN_PATH_MAX];
    size_t n = 0;
    for (const char *c = folder; *c && n + 3 < sizeof plain; c++) {
        if (strchr("*?[\\", *c)) {
            plain[n++] = '\\';
        }
        plain[n++] = *c;
    }
    plain[n] = '\0';
    glob_t found = {0};
    bool any =
        tin_path_join(full, plain, pattern, NULL) == TIN_OK && glob(full, 0, NULL, &found) == 0 && found.gl_pathc > 0;
    if (any) {
        snprintf(path, TIN_PATH_MAX, "%s", found.gl_pathv[0]);
    }
    globfree(&found);
    return any;
}

static const char *detect_source(const char *folder)
{
    static const struct {
        const char *pattern, *source;
    } signs[] = {{"RawData/labels.txt", "hapt"},
                 {"DATA/*/*_sw.csv", "spsw"},
                 {"*/*_sw.csv", "spsw"},
                 {"WISDM_ar_v1.1_raw.txt", "wisdm"},
                 {"Protocol/subject*.dat", "pamap2"},
                 {"train/Inertial Signals/total_acc_x_train.txt", "uci_har"},
                 {"S[1-4]-ADL1.dat", "opportunity"},
                 {"dataset/S[1-4]-ADL1.dat", "opportunity"},
                 {"testing_list.txt", "speech_commands"}};
    char path[TIN_PATH_MAX];
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (first_match(folder, signs[i].pattern, path)) {
            return signs[i].source;
        }
    }
    return "import";
}

static tin_status read_header(const char *path, char header[MAX_HEADER], tin_error *err)
{
    FILE *file = fopen(path, "rbe");
    if (!file) {
        return tin_fail_errno(err, path, "cannot open");
    }
    char *line = fgets(header, MAX_HEADER, file);
    fclose(file);
    if (!line || strlen(header) == MAX_HEADER - 1) {
        return tin_fail_at(err, TIN_ERR_DATA, path, 1,
                           "there is no header line with the names of the columns; add one");
    }
    return TIN_OK;
}

static bool is_any(const char *name, const char *const words[])
{
    for (; *words; words++) {
        if (strcasecmp(name, *words) == 0) {
            return true;
        }
    }
    return false;
}

/* What the names of the columns tell. */
typedef struct guess {
    tin_text channels;
    const char *unit; /* of the columns before */
    char time[128], label[128];
    int n;
} guess;

static void guess_column(guess *g, const char *name)
{
    static const char *const times[] = {"time", "timestamp", "t", "time_s", "seconds", "ms", NULL};
    static const char *const labels[] = {"label", "class", "activity", "event", "gesture", NULL};
    if (is_any(name, times)) {
        snprintf(g->time, sizeof g->time, "%s", name);
    } else if (is_any(name, labels)) {
        snprintf(g->label, sizeof g->label, "%s", name);
    } else {
        bool gyro = strcasestr(name, "gyr") || strcasestr(name, "rot") || strchr("gwGW", name[0]);
        const char *unit = gyro ? "rad/s" : "m/s^2";
        if (g->n == 0) {
            tin_text_add(&g->channels, "[{columns: [");
        } else if (unit != g->unit) {
            tin_text_printf(&g->channels, "], unit: %s}, {columns: [", g->unit);
        } else {
            tin_text_add(&g->channels, ", ");
        }
        quote(&g->channels, name);
        g->unit = unit;
        g->n++;
    }
}

/* Columns of the first CSV file; the units are a guess that the user is asked to check. */
static tin_status adopt_columns(draft *d, const char *folder)
{
    char path[TIN_PATH_MAX], header[MAX_HEADER];
    if (!first_match(folder, "*.csv", path)) {
        return tin_fail_at(d->err, TIN_ERR_DATA, folder, 0,
                           "there is no *.csv file in this folder; give the folder of the recordings");
    }
    tin_status status = read_header(path, header, d->err);
    if (status) {
        return status;
    }
    guess g = {.n = 0};
    char *rest = strncmp(header, "\xef\xbb\xbf", 3) == 0 ? header + 3 : header, *name;
    while ((name = strsep(&rest, ",;\t\r\n")) != NULL) {
        name += strspn(name, " \"");
        name[strcspn(name, "\"")] = '\0';
        if (name[0]) {
            guess_column(&g, name);
        }
    }
    if (g.n == 0) {
        status =
            tin_fail_at(d->err, TIN_ERR_DATA, path, 1, "the header names no signal column; add one column per signal");
    } else {
        tin_text_printf(&g.channels, "], unit: %s}] # units guessed from the names: check them", g.unit);
        status = tin_text_check(&g.channels, d->err);
        status = status ? status : set_quoted(d, "        time_column:", g.time);
        status = status ? status : set_quoted(d, "      column:", g.label);
        status = status ? status : set_line(d, "        channels:", g.channels.data);
    }
    tin_text_free(&g.channels);
    return status;
}

static tin_status choose_example(const cli_options *options, const char *source, const char **example, tin_error *err)
{
    static const struct {
        const char *source, *text;
    } examples[] = {
        {"simulate", cli_example_simulate}, {"import", cli_example_csv},      {"spsw", cli_example_spsw},
        {"hapt", cli_example_hapt},         {"wisdm", cli_example_csv},       {"pamap2", cli_example_csv},
        {"uci_har", cli_example_csv},       {"opportunity", cli_example_csv}, {"speech_commands", cli_example_csv}};
    tin_text known = {0};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        if (strcmp(source, examples[i].source) == 0) {
            *example = examples[i].text;
            tin_text_free(&known);
            return options->data && i == 0
                       ? tin_fail(err, TIN_ERR_USAGE, "--source simulate takes no --data; leave one of them out")
                       : TIN_OK;
        }
        tin_text_printf(&known, "%s%s", i > 0 ? ", " : "", examples[i].source);
    }
    tin_status status = tin_text_check(&known, err);
    status = status ? status : tin_fail(err, TIN_ERR_USAGE, "--source is '%s'; give one of %s", source, known.data);
    tin_text_free(&known);
    return status;
}

/* The example of own recordings as one of a ready mapping: its name stands for the section `import`. */
static tin_status adopt_ready(draft *d, const char *source)
{
    static const struct {
        const char *source, *rate_hz;
    } rates[] = {
        {"wisdm", "20"}, {"pamap2", "100"}, {"uci_har", "50"}, {"opportunity", "30"}, {"speech_commands", "16000"}};
    char *import = strstr(d->text, "  import:\n"), *model = strstr(d->text, "model:\n");
    for (size_t i = 0; import && model && i < sizeof rates / sizeof *rates; i++) {
        if (strcmp(source, rates[i].source) == 0) {
            memmove(import, model, strlen(model) + 1);
            tin_status status = set_line(d, "  source:", source);
            return status ? status : set_line(d, "  rate_hz:", rates[i].rate_hz);
        }
    }
    return TIN_OK;
}

#define MAX_NAME 60 /* bytes of a project's name */

/* The last part of the folder's name, as much as a project's name may have; "tinamou" for "." and the like. */
static const char *project_name(const char *folder, char name[TIN_PATH_MAX])
{
    snprintf(name, TIN_PATH_MAX, "%s", folder);
    for (size_t n = strlen(name); n > 0 && name[n - 1] == '/'; n--) {
        name[n - 1] = '\0';
    }
    char *last = strrchr(name, '/');
    last = last ? last + 1 : name;
    if (strlen(last) > MAX_NAME) {
        size_t n = MAX_NAME;
        while (n > 0 && ((unsigned char)last[n] & 0xC0) == 0x80) { /* not inside a character */
            n--;
        }
        last[n] = '\0';
    }
    return last[0] && strcmp(last, ".") != 0 && strcmp(last, "..") != 0 ? last : "tinamou";
}

static tin_status write_project(const cli_options *options, const char *path, const char *source, tin_error *err)
{
    char name[TIN_PATH_MAX], absolute[TIN_PATH_MAX];
    const char *example = NULL;
    draft d = {.err = err};
    tin_status status = choose_example(options, source, &example, err);
    if (status) {
        return status;
    }
    d.text = tin_strdup(example, err);
    status = d.text ? set_quoted(&d, "project:", project_name(options->project, name)) : TIN_ERR_MEMORY;
    status = status ? status : adopt_ready(&d, source);
    if (status == TIN_OK && options->data) {
        status = realpath(options->data, absolute)
                     ? set_quoted(&d, "  path:", absolute)
                     : tin_fail_errno(err, options->data, "cannot find the folder of --data");
        if (status == TIN_OK && strcmp(source, "import") == 0) {
            status = adopt_columns(&d, absolute);
        }
    }
    status = status ? status : tin_folder_make(options->project, err);
    status = status ? status : tin_file_write(path, d.text, strlen(d.text), err);
    tin_free(d.text);
    return status;
}

tin_status cli_command_init(const cli_command *command, const cli_options *options, tin_error *err)
{
    (void)command;
    char path[TIN_PATH_MAX];
    const char *source = options->source ? options->source : options->data ? detect_source(options->data) : "simulate";
    tin_status status = cli_check_folder(options->project, err);
    status = status ? status : tin_path_join(path, options->project, CLI_PROJECT_FILE, err);
    if (status == TIN_OK && tin_file_exists(path)) {
        status =
            tin_fail_at(err, TIN_ERR_USAGE, path, 0, "the project exists already; edit this file, or remove it first");
    }
    status = status ? status : write_project(options, path, source, err);
    if (status) {
        return status;
    }
    if (options->json) {
        json_t *object = json_pack("{s:s, s:s}", "settings", path, "source", source);
        if (!object || json_dumpf(object, stdout, JSON_INDENT(2)) != 0) {
            json_decref(object);
            return tin_fail(err, TIN_ERR_IO, "cannot write the results");
        }
        puts("");
        json_decref(object);
    } else if (!options->quiet) {
        printf("%s\nNext: tinamou run %s\n", path, options->project);
    }
    return TIN_OK;
}
