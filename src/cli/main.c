#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "cli/cli.h"

static int report_failure(tin_error *err, tin_status status)
{
    if (status == TIN_ERR_INTERRUPTED) {
        fprintf(stderr, "tinamou: stopped. What is finished stays; run the same command again to go on.\n");
    } else {
        err->status = status;
        fprintf(stderr, "tinamou: %s\n", tin_error_text(err));
    }
    return tin_status_exit_code(status);
}

/* A full disk or closed pipe must not look like success. */
static int finish_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return code;
    }
    tin_error err = {0};
    tin_status status =
        tin_fail_errno(&err, "standard output", "cannot write the results; free some space and run again");
    return code ? code : report_failure(&err, status);
}

/* Words of `name` ("data diff") when it is what `words` begin with, else 0. */
static int match_words(const char *name, int n, char **words)
{
    int i = 0;
    for (; *name != '\0' && i < n; i++) {
        size_t length = strcspn(name, " ");
        if (strncmp(words[i], name, length) != 0 || words[i][length] != '\0') {
            return 0;
        }
        name += length + (name[length] == ' ');
    }
    return *name == '\0' ? i : 0;
}

/* The command with the most words that stand at the beginning: `data diff` before `data`. NULL when there is none. */
static const cli_command *find_command(int n, char **words, int *n_words)
{
    const cli_command *found = NULL;
    *n_words = 0;
    for (const cli_command *c = cli_commands; c->name; c++) {
        int matched = match_words(c->name, n, words);
        if (matched > *n_words) {
            found = c;
            *n_words = matched;
        }
    }
    return found;
}

static int unknown_command(const char *name)
{
    fprintf(stderr, "tinamou: there is no command '%s'; `tinamou help` lists them\n", name);
    return tin_status_exit_code(TIN_ERR_USAGE);
}

static int help(int argc, char **argv)
{
    if (argc < 3) {
        cli_print_usage(stdout);
        return 0;
    }
    int n_words;
    const cli_command *command = find_command(argc - 2, argv + 2, &n_words);
    if (!command) {
        return unknown_command(argv[2]);
    }
    cli_print_help(command);
    return 0;
}

/* With a closed standard stream the next file that is opened would take its number, and messages would go into it. What
 * stands in for it refuses them, so that lost results are noticed. */
static void fill_standard_streams(void)
{
    for (;;) {
        int file = open("/dev/null", O_RDONLY);
        if (file > STDERR_FILENO) {
            close(file);
        }
        if (file < 0 || file > STDERR_FILENO) {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    fill_standard_streams();
    if (argc < 2) {
        cli_print_usage(stderr);
        return tin_status_exit_code(TIN_ERR_USAGE);
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return finish_output(help(argc, argv));
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("tinamou %s\n", TINAMOU_VERSION);
        return finish_output(0);
    }
    int n_words;
    const cli_command *command = find_command(argc - 1, argv + 1, &n_words);
    if (!command) {
        return unknown_command(argv[1]);
    }
    tin_error err = {0};
    cli_options options;
    bool wants_help = false;
    tin_status status = cli_parse(command, argc - n_words, argv + n_words, &options, &wants_help, &err);
    if (status) {
        return report_failure(&err, status);
    }
    if (wants_help) {
        cli_print_help(command);
        return finish_output(0);
    }
    tin_stop_install();
    /* A full disk, a limit of a file's size and a closed pipe come back as errors of write, which are reported. */
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    status = command->run(command, &options, &err);
    bool failed = status && status != TIN_DIFFERENT && status != TIN_REFUSED;
    return finish_output(failed ? report_failure(&err, status) : tin_status_exit_code(status));
}
