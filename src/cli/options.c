#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "deploy/deploy.h"
#include "deploy/estimate.h"
#include "deploy/package.h"

#define STAGE_COMMAND(name_, last_, summary_, description_)                                                            \
    {                                                                                                                  \
        .name = name_, .allowed = CLI_WORK, .summary = summary_,                                                       \
        .description = description_ "\nEarlier stages that are not done yet are done first; finished ones are "        \
                                    "skipped.",                                                                        \
        .examples = "  tinamou " name_ " my-gestures\n"                                                                \
                    "  tinamou " name_ " my-gestures --force            # redo it\n"                                   \
                    "  tinamou " name_ " my-gestures --json > out.json  # results for a program\n",                    \
        .run = cli_command_stages, .last_stage = last_                                                                 \
    }

const cli_command cli_commands[] = {
    {.name = "init",
     .allowed = CLI_DATA | CLI_SOURCE | CLI_QUIET | CLI_JSON,
     .summary = "make a project folder with its tinamou.yaml",
     .description =
         "Makes the folder and writes tinamou.yaml, which says where the recordings come from, which classes\n"
         "there are, the model and everything else. An existing tinamou.yaml is never overwritten.",
     .examples =
         "  tinamou init my-gestures                                   # simulated wrist gestures\n"
         "  tinamou init my-hapt --source hapt --data ~/hapt           # published data set HAPT\n"
         "  tinamou init my-watch --source spsw --data ~/spsw          # published data set SPSW\n"
         "  tinamou init my-sensor --source import --data ~/recordings # columns are taken from the first file\n",
     .run = cli_command_init},
    {.name = "run",
     .allowed = CLI_WORK | CLI_SEEDS | CLI_FOLDS | CLI_CODE,
     .summary = "all stages: data, train, compress, quantize, evaluate, deploy, report",
     .description =
         "Goes from recordings to verified Cortex-M4 code and a report. A stage that is done is skipped, a stage\n"
         "that was cut off goes on where it stopped; --force redoes all of them.",
     .examples = "  tinamou run my-gestures\n"
                 "  tinamou run my-gestures --seed 2              # another run, beside the first\n"
                 "  tinamou run my-gestures --seeds 1,2,3         # three runs side by side, mean and spread\n"
                 "  tinamou run my-gestures --folds 5             # everybody is tested once, by one of five runs\n"
                 "  tinamou run my-gestures --leave-one-out       # everybody is tested once, by a run of their own\n"
                 "  tinamou run examples/spsw --data ~/spsw       # recordings from another place\n"
                 "  tinamou run my-gestures --json > result.json  # results for a program\n",
     .run = cli_command_stages,
     .last_stage = TIN_STAGE_REPORT},
    STAGE_COMMAND("data", -1, "recordings in, dataset out",
                  "Imports or simulates the recordings, resamples them, splits them by person and writes the dataset."),
    {.name = "data check",
     .allowed = CLI_JSON | CLI_QUIET | CLI_THREADS | CLI_DATA | CLI_RUN | CLI_STRICT,
     .summary = "what is wrong with recordings and labels",
     .description = "Looks through the dataset: people on both sides of the split, duplicates, sensors that stand "
                    "still or are cut\n"
                    "off, wrong units and axes, labels that cannot be, borders that the signal puts elsewhere and, "
                    "with --run, labels\n"
                    "that the model contradicts. Writes data/check.html with a picture of each, and data/relabel.csv.\n"
                    "Exit code 0: nothing is certainly wrong, 1: there are faults or, with --strict, warnings.",
     .examples = "  tinamou data check my-gestures\n"
                 "  tinamou data check my-gestures --run 589e38143910  # and what its model says about the labels\n"
                 "  tinamou data check my-gestures --strict --json > findings.json\n",
     .run = cli_command_data_check},
    {.name = "data diff",
     .operands = "[OLD NEW]",
     .allowed = CLI_JSON,
     .summary = "what differs between two datasets",
     .description =
         "Compares two dataset files, or two of the project's by the name of data/NAME.tind: recordings added, "
         "removed\n"
         "and changed, labels that moved or changed and for how many seconds, roles, classes, channels and rate.\n"
         "Without OLD and NEW: the newest two versions of the project's dataset.\n"
         "Exit code 0: the same content, 1: there are differences.",
     .examples = "  tinamou data diff my-gestures\n"
                 "  tinamou data diff before.tind after.tind\n"
                 "  tinamou data diff 589e38143910 0c9a41d6e2b7 my-gestures --json\n",
     .run = cli_command_data_diff},
    {.name = "data preview",
     .allowed = CLI_JSON | CLI_QUIET | CLI_THREADS | CLI_SEED | CLI_DATA,
     .summary = "a page with what training sees: before and after each augmentation",
     .description =
         "Writes data/preview.html: three sequences of the training recordings as recorded, with each operation of\n"
         "train.augment alone, and with all of them together, and their labels. The page holds pieces of your\n"
         "recordings. The dataset is made first when it is not there.",
     .examples = "  tinamou data preview my-gestures\n"
                 "  tinamou data preview my-gestures --seed 7       # other sequences, other values\n",
     .run = cli_command_data_preview},
    {.name = "data fetch",
     .operands = "NAME",
     .folder = "where the folder NAME is made",
     .allowed = CLI_URL | CLI_FORCE | CLI_JSON | CLI_QUIET,
     .summary = "download a public data set",
     .description =
         "Downloads hapt, spsw, wisdm, pamap2, uci_har, opportunity or speech_commands into FOLDER/NAME: says the\n"
         "licence, goes on where a download was cut off, compares the checksum, and unpacks.",
     .examples = "  tinamou data fetch hapt ~/data\n"
                 "  tinamou data fetch hapt ~/data --url http://mirror.lan/hapt.zip   # the same file from elsewhere\n",
     .run = cli_command_data_fetch},
    {.name = "data stats",
     .allowed = CLI_JSON | CLI_QUIET | CLI_THREADS | CLI_DATA | CLI_STREAM,
     .summary = "what is in a dataset, and its signals to browse",
     .description = "Prints how much there is of each class and role, and writes data/stats.html: durations, people, "
                    "spectra, the\n"
                    "sources' rates and gaps, and the signals themselves, to zoom and to move through.",
     .examples = "  tinamou data stats my-gestures\n"
                 "  tinamou data stats my-gestures --stream p03  # this recording is in the page whatever its size\n"
                 "  tinamou data stats my-gestures --json > stats.json\n",
     .run = cli_command_data_stats},
    STAGE_COMMAND(
        "train", TIN_STAGE_TRAIN, "train the float model",
        "Trains the model on the training people and keeps the weights that are best on the validation people."),
    STAGE_COMMAND(
        "compress", TIN_STAGE_COMPRESS, "make the trained model smaller",
        "Goes through the steps of `compress` in tinamou.yaml, each with fine-tuning, and prints what each one saves."),
    STAGE_COMMAND(
        "quantize", TIN_STAGE_QUANTIZE, "make the integer model",
        "Folds, calibrates and fine-tunes the model with quantisation in the loop, then converts it to int8."),
    STAGE_COMMAND("evaluate", TIN_STAGE_EVALUATE, "measure on people that the model never saw",
                  "Chooses the threshold and decision rule on the validation people and reads the test people once."),
    {.name = "tune",
     .allowed = CLI_JSON | CLI_QUIET | CLI_THREADS | CLI_SEED | CLI_DATA | CLI_TUNE,
     .summary = "choose the decision rule: false alarms, misses and delay",
     .description =
         "Without a bound, preset or objective: shows what can be had (the Pareto front of false alarms, missed "
         "events and delay\n"
         "on the validation people), the presets, and what is chosen. With one: chooses the rule anew, from the scores "
         "that\n"
         "`tinamou evaluate` kept, without running a model. The choice stays in the run; deploy and report follow it "
         "when they\n"
         "are run next. `tinamou evaluate --force` goes back to what tinamou.yaml says.\n"
         "What is not bounded is made best, in this order: misses, false alarms, delay.",
     .examples = "  tinamou tune my-gestures\n"
                 "  tinamou tune my-gestures --preset strict\n"
                 "  tinamou tune my-gestures --max-fp-per-hour 0.5    # then fewest misses, then least delay\n"
                 "  tinamou tune my-gestures --max-fnr 0.05 --max-latency-ms 400 && tinamou deploy my-gestures\n",
     .run = cli_command_tune},
    {.name = "deploy",
     .allowed = CLI_WORK | CLI_CODE | CLI_MEASURE | CLI_PROFILE | CLI_PACKAGE | CLI_OUTPUT | CLI_FRAMES | CLI_VERIFY |
                CLI_BAUD,
     .summary = "generate, measure and verify the C code; packages of it",
     .description =
         "Generates the pair of C files, builds it for the Cortex-M4, runs it on the emulated core over the test\n"
         "recordings, and compares every result with the reference.\n"
         "Earlier stages that are not done yet are done first; finished ones are skipped.\n"
         "With --measure: then builds, runs and compares it on other emulated cores, prints sizes and instructions, "
         "and\n"
         "an estimate of cycles, duty and energy on devices.\n"
         "With --package: then writes the code as a library for CMake, Arduino, Zephyr, PlatformIO or ESP-IDF, with a\n"
         "self-test for the board and an example. A package holds a piece of your recordings: whoever gets the\n"
         "package gets those frames.\n"
         "With --verify: then sends recorded frames to a board that runs the package's example NAME_verify, reads the\n"
         "decisions back, compares every one with the reference, bit for bit, and reports the times of the board.",
     .examples = "  tinamou deploy my-gestures\n"
                 "  tinamou deploy my-gestures --force                      # redo it\n"
                 "  tinamou deploy my-gestures --json > out.json            # results for a program\n"
                 "  tinamou deploy my-gestures --measure m0,m33,rv32        # on other cores, with estimates of power\n"
                 "  tinamou deploy my-gestures --package cmake              # runs/ID/package/cmake/my_gestures\n"
                 "  tinamou deploy my-gestures --package arduino,zephyr --output ~/packages\n"
                 "  tinamou deploy my-gestures --verify /dev/ttyACM0        # a board on a serial line\n"
                 "  tinamou deploy my-gestures --verify /dev/ttyUSB0 --baud 921600 --frames 0\n",
     .run = cli_command_stages,
     .last_stage = TIN_STAGE_DEPLOY},
    {.name = "report",
     .allowed = CLI_WORK | CLI_FILES,
     .summary = "write report.html",
     .description = "Writes report.html, one file that opens offline.\n"
                    "Earlier stages that are not done yet are done first; finished ones are skipped.\n"
                    "With --relabel: then writes the labels that look wrong where the model is sure of its mistake, as "
                    "the setting\n"
                    "data.relabel takes them. Look at every row: the page shows each with its signal.\n"
                    "With --png, --svg, --csv or --figures: then writes what the page shows for other programs.",
     .examples = "  tinamou report my-gestures\n"
                 "  tinamou report my-gestures --force                  # redo it\n"
                 "  tinamou report my-gestures --relabel suspects.csv   # labels to look at\n"
                 "  tinamou report my-gestures --svg figure.svg         # its central figure, for a paper\n"
                 "  tinamou report my-gestures --csv events.csv         # every event, with what became of it\n",
     .run = cli_command_stages,
     .last_stage = TIN_STAGE_REPORT},
    {.name = "runs",
     .allowed = CLI_JSON | CLI_LIST,
     .summary = "list the runs of a project",
     .description =
         "Lists every run with its finished stages, main figures and tags, the newest first. A narrow terminal "
         "shows the most\nimportant columns.",
     .examples = "  tinamou runs my-gestures\n"
                 "  tinamou runs my-gestures --sort fnr           # the fewest missed events first\n"
                 "  tinamou runs my-gestures --tag baseline --json\n",
     .run = cli_command_runs},
    {.name = "runs show",
     .operands = "RUN",
     .allowed = CLI_JSON,
     .summary = "one run: figures, files with their hashes, settings",
     .description = "Shows all that is kept of one run. RUN is an ID, the beginning of one, or a tag.",
     .examples = "  tinamou runs show 589e my-gestures\n"
                 "  tinamou runs show baseline my-gestures --json\n",
     .run = cli_command_runs_show},
    {.name = "runs tag",
     .operands = "RUN NAME",
     .allowed = CLI_JSON,
     .summary = "give a run a name",
     .description =
         "Puts the tag NAME on a run; it then names the run wherever an ID is asked for. Several runs may carry "
         "one tag, such as\nthe seeds of an experiment: where several runs can be given it stands for all of "
         "them.",
     .examples = "  tinamou runs tag 589e38143910 baseline my-gestures\n",
     .run = cli_command_runs_tag},
    {.name = "runs untag",
     .operands = "RUN NAME",
     .allowed = CLI_JSON,
     .summary = "take a name from a run",
     .description = "Takes the tag NAME from a run.",
     .examples = "  tinamou runs untag 589e38143910 baseline my-gestures\n",
     .run = cli_command_runs_untag},
    {.name = "runs compare",
     .operands = "A B",
     .allowed = CLI_JSON | CLI_COMMON,
     .summary = "is run B better than run A, by how much, how sure",
     .description =
         "Compares two runs on the test people by a paired bootstrap over the people, and shows which settings "
         "differ. A and B\nare runs (an ID, the beginning of one, a tag) or several with commas between: the "
         "seeds of one experiment.\nBoth must have been measured on the same dataset.",
     .examples =
         "  tinamou runs compare baseline 589e my-gestures\n"
         "  tinamou runs compare 1a2b,3c4d,5e6f 7a8b,9c0d,1e2f my-gestures   # three seeds each\n"
         "  tinamou runs compare before after my-gestures --common           # people that both datasets share\n",
     .run = cli_command_runs_compare},
    {.name = "runs pool",
     .operands = "RUNS",
     .allowed = CLI_JSON,
     .summary = "the figures over the test people of several runs",
     .description =
         "The folds of one experiment as one: figures over all their test people with intervals, every person, and the "
         "worst one.\nRUNS are IDs, beginnings of them or tags, with commas between; `tinamou run --leave-one-out` and "
         "--folds put a tag on\ntheir runs. No recording may have been tested by two of them.",
     .examples = "  tinamou runs pool folds-1a2b3c4d my-gestures\n"
                 "  tinamou runs pool 589e,0c9a,77f1 my-gestures --json\n",
     .run = cli_command_runs_pool},
    {.name = "runs export",
     .operands = "RUN",
     .allowed = CLI_JSON | CLI_MLFLOW,
     .summary = "send a run to a tracking server",
     .description =
         "Sends settings, figures, hashes and files of a run to an MLflow server. The project is the experiment. A "
         "run\n"
         "that was sent before is brought up to date. User and password may stand in the address; the variable\n"
         "MLFLOW_TRACKING_TOKEN is a bearer token.",
     .examples = "  tinamou runs export 589e my-gestures --mlflow http://127.0.0.1:5000\n",
     .run = cli_command_runs_export},
    {.name = "check",
     .allowed = CLI_JSON | CLI_RUN | CLI_GATES | CLI_COMMON,
     .summary = "hold a run against bounds, for continuous integration",
     .description =
         "Takes the newest evaluated run, or that of --run, and compares its figures with the bounds given. A "
         "figure that the\nrun does not have fails. Exit code 0: all hold, 12: one does not.",
     .examples = "  tinamou check my-gestures --max-fnr 0.05 --max-fp-per-hour 2 --max-flash 16000\n"
                 "  tinamou check my-gestures --against baseline                      # not surely worse\n"
                 "  tinamou check my-gestures --against baseline --max-regression 1   # shares may fall by 1 point\n",
     .run = cli_command_check},
    {.name = NULL},
};

static const struct {
    unsigned bit;
    const char *text;
} option_help[] = {
    {CLI_SOURCE,
     "  --source NAME   simulate, import, or a ready mapping: hapt, spsw, wisdm, pamap2, uci_har, opportunity,\n"
     "                  speech_commands (default: what --data looks like, else simulate)"},
    {CLI_DATA, "  --data PATH     folder of the recordings"},
    {CLI_URL, "  --url ADDRESS   of a mirror, http or https; the checksum that is known must fit all the same"},
    {CLI_SEED, "  --seed N        another seed than the project's; gives a run of its own"},
    {CLI_SEEDS, "  --seeds LIST    a run per seed, side by side: 1,2,5, or 3 for 1,2,3; then mean and spread"},
    {CLI_FOLDS, "  --folds N       N runs side by side, each tested on another Nth of the people; then the figures "
                "over all people\n"
                "  --leave-one-out the same with a run per person (with data.split.by: session, per session)"},
    {CLI_THREADS, "  --threads N     threads to use, 0 for all cores; no effect on results"},
    {CLI_OPTIMIZE, "  --optimize NAME balanced, speed or size, another than the project's; gives a run of its own"},
    {CLI_SCHEDULE, "  --schedule NAME earliest or spread, another than the project's; gives a run of its own"},
    {CLI_FORCE, "  --force         redo the stage even when it is done"},
    {CLI_TARGET, "  --target NAME   the core that the code is made for: m0, m3, m4, m7, m33, m55 or rv32; gives a run "
                 "of its own, as\n"
                 "                  --backend does"},
    {CLI_BACKEND, "  --backend NAME  auto, or cmsis-nn for the functions of that library"},
    {CLI_CMSIS_NN, "  --cmsis-nn PATH folder of CMSIS-NN, with Include/ and libcmsis-nn.a"},
    {CLI_MEASURE,
     "  --measure LIST  emulated cores: m0, m3, m4, m7, m33, m55, rv32, avr, ppc, aarch64, x86-64, or all"},
    {CLI_PROFILE,
     "  --profile NAME  the device to estimate for: nrf51822, nrf52840, apollo3, stm32l4, stm32u5, esp32c3\n"
     "                  (default: all with a core that was measured)"},
    {CLI_PACKAGE, "  --package LIST  formats of packages to write: cmake, arduino, zephyr, platformio, espidf, or all"},
    {CLI_OUTPUT, "  --output PATH   folder for the packages (default: package in the folder of the run)"},
    {CLI_VERIFY, "  --verify PORT   serial line of a board to compare with the reference"},
    {CLI_BAUD, "  --baud N        speed of that line (default: 115200)"},
    {CLI_FILES,
     "  --relabel FILE  list of the labels that look wrong, of the validation and the test people\n"
     "  --png FILE      error rates over the threshold, confusions and a timeline as a picture; likewise --svg FILE\n"
     "  --csv FILE      every event and false report of the validation and the test people, a row each\n"
     "  --figures FILE  all data of the page as JSON"},
    {CLI_STRICT, "  --strict        exit code 1 for warnings too, not for faults alone"},
    {CLI_STREAM, "  --stream ID     recording that the page shows first"},
    {CLI_FRAMES,
     "  --frames N      frames of recordings: in a package (default: as many as fit 4 KB), to a board (default:\n"
     "                  5000; 0: all of the test recordings)"},
    {CLI_LIST,
     "  --sort KEY      time (default), seed, frame-accuracy, macro-f1, fnr, fcr, fp-per-hour, latency-ms, iou50-f1, "
     "flash, ram,\n"
     "                  stack, insn, ...: the best first\n"
     "  --tag NAME      only runs with this tag"},
    {CLI_COMMON,
     "  --common        where the datasets differ: the people whose test recordings are labelled alike in both"},
    {CLI_MLFLOW, "  --mlflow URL    address of the MLflow server"},
    {CLI_RUN, "  --run RUN       the run to look at: an ID, the beginning of one, or a tag"},
    {CLI_GATES,
     "  --max-fnr X, --max-fcr X, --max-fp-per-hour X, --max-latency-ms X, --max-flash N, --max-ram N, --max-stack N,\n"
     "  --max-insn N, --min-frame-accuracy X, --min-frame-accuracy-no-reset X, --min-balanced-accuracy X, --min-macro-f1 X,\n"
     "  --min-window-accuracy X, --min-deadline-recall X, --min-event-f1 X, --min-segment-f1 X, --min-iou50-f1 X,\n"
     "  --max-worst-fnr X    bounds of the figures\n"
     "  --against RUNS  nothing may be surely worse than in these runs: an ID, a tag, or several with commas between\n"
     "  --max-regression POINTS  with --against: shares (accuracy, F1, FNR, FCR) may be worse by so many points, 1 "
     "being "
     "0.01"},
    {CLI_TUNE,
     "  --max-fp-per-hour X, --max-fnr X, --max-latency-ms X    bounds that the rule holds on the validation people\n"
     "  --objective NAME  what is made best within them: event_f1, iou_f1, in_time_f1, prompt_f1, event_f0.5, "
     "misses, false_alarms, latency\n"
     "  --preset NAME   responsive, balanced or strict"},
    {CLI_JSON, "  --json          print one JSON object with the results on stdout"},
    {CLI_QUIET, "  --quiet         no progress and no log on stderr"},
};

static const char *project_argument(const cli_command *command)
{
    return command->run == cli_command_init ? "FOLDER" : "[FOLDER]";
}

void cli_print_usage(FILE *stream)
{
    fprintf(stream, "Tinamou: from labelled sensor recordings to verified microcontroller code.\n\n"
                    "  tinamou COMMAND [FOLDER] [OPTIONS]\n\n");
    for (const cli_command *c = cli_commands; c->name; c++) {
        fprintf(stream, "  %-12s %s\n", c->name, c->summary);
    }
    fprintf(stream, "  %-12s %s\n\n", "help", "show this, or the help of a command: tinamou help run");
    fprintf(stream, "First success:\n  tinamou init my-gestures\n  tinamou run my-gestures\n");
}

void cli_print_help(const cli_command *command)
{
    const char *operands = command->operands ? command->operands : "";
    printf("tinamou %s %s%s%s [OPTIONS]\n\n%s\n", command->name, operands, operands[0] ? " " : "",
           project_argument(command), command->description);
    printf("FOLDER is %s%s.\n\nOptions:\n", command->folder ? command->folder : "the project",
           command->run == cli_command_init ? "" : " (default: this folder)");
    for (size_t i = 0; i < sizeof option_help / sizeof *option_help; i++) {
        if (command->allowed & option_help[i].bit) {
            printf("%s\n", option_help[i].text);
        }
    }
    printf("  --help          show this\n\nExamples:\n%s", command->examples);
}

static tin_status parse_number(const char *option, const char *text, unsigned long long most, unsigned long long *value,
                               tin_error *err)
{
    char *end = NULL;
    errno = 0;
    *value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno == ERANGE || *value > most) {
        return tin_fail(err, TIN_ERR_USAGE, "%s is '%s'; give a whole number from 0 to %llu", option, text, most);
    }
    return TIN_OK;
}

/* "4,5,9", or "3" for 1,2,3. */
static tin_status parse_seeds(const char *text, cli_options *options, tin_error *err)
{
    char item[24];
    unsigned long long number = 0;
    options->n_seeds = 0;
    for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        size_t length = strcspn(at, ",");
        if (options->n_seeds == CLI_MAX_SEEDS || length >= sizeof item) {
            return tin_fail(err, TIN_ERR_USAGE, "--seeds is '%s'; give up to %d seeds", text, CLI_MAX_SEEDS);
        }
        memcpy(item, at, length);
        item[length] = '\0';
        tin_status status = parse_number("--seeds", item, UINT64_MAX, &number, err);
        if (status) {
            return status;
        }
        for (int i = 0; i < options->n_seeds; i++) {
            if (options->seeds[i] == number) {
                return tin_fail(err, TIN_ERR_USAGE, "--seeds is '%s'; give each seed once", text);
            }
        }
        options->seeds[options->n_seeds++] = number;
    }
    if (strchr(text, ',')) {
        return TIN_OK;
    }
    if (number < 1 || number > CLI_MAX_SEEDS) {
        return tin_fail(err, TIN_ERR_USAGE, "--seeds is '%s'; give a list such as 1,2,3 or how many, 1 to %d", text,
                        CLI_MAX_SEEDS);
    }
    options->n_seeds = (int)number;
    for (int i = 0; i < options->n_seeds; i++) {
        options->seeds[i] = (uint64_t)i + 1;
    }
    return TIN_OK;
}

/* share: 1 is all. */
static tin_status parse_bound(const char *option, const char *text, bool share, double *value, tin_error *err)
{
    char *end = NULL;
    *value = strtod(text, &end);
    if (end == text || *end || !isfinite(*value) || *value < 0) {
        return tin_fail(err, TIN_ERR_USAGE, "--%s is '%.100s'; give a number from 0 on", option, text);
    }
    if (share && *value > 1) {
        return tin_fail(err, TIN_ERR_USAGE, "--%s is '%.100s'; give a share from 0 to 1, 0.05 for 5 %%", option, text);
    }
    return TIN_OK;
}

/* --against, --max-regression, or the bound of a figure. */
static tin_status take_gate(const char *name, const char *value, cli_options *options, tin_error *err)
{
    if (strcmp(name, "against") == 0) {
        options->against = value;
        return TIN_OK;
    }
    if (strcmp(name, "max-regression") == 0) {
        return parse_bound(name, value, false, &options->max_regression, err);
    }
    const cli_figure *figure = cli_figure_by_name(name + strlen("max-"));
    return parse_bound(name, value, figure->share, &options->gates[figure - cli_figures], err);
}

/* --folds N, or --leave-one-out. */
static tin_status take_folds(const char *name, const char *value, cli_options *options, tin_error *err)
{
    if (strcmp(name, "leave-one-out") == 0) {
        options->leave_one_out = true;
        return TIN_OK;
    }
    unsigned long long number = 0;
    tin_status status = parse_number("--folds", value, CLI_MAX_SEEDS, &number, err);
    options->n_folds = (int)number;
    return status || number >= 3
               ? status
               : tin_fail(err, TIN_ERR_USAGE, "--folds is '%s'; give a whole number from 3 to %d, or --leave-one-out",
                          value, CLI_MAX_SEEDS);
}

/* `name` tells options apart that share a bit. */
static tin_status take_option(int bit, const char *name, const char *value, cli_options *options, tin_error *err)
{
    unsigned long long number = 0;
    tin_status status = TIN_OK;
    switch (bit) {
    case CLI_JSON:
        options->json = true;
        break;
    case CLI_QUIET:
        options->quiet = true;
        break;
    case CLI_FORCE:
        options->force = true;
        break;
    case CLI_DATA:
        options->data = value;
        break;
    case CLI_OPTIMIZE:
        options->optimize = value;
        break;
    case CLI_SCHEDULE:
        options->schedule = value;
        break;
    case CLI_URL:
        options->url = value;
        break;
    case CLI_SOURCE:
        options->source = value;
        break;
    case CLI_FOLDS:
        status = take_folds(name, value, options, err);
        break;
    case CLI_SEEDS:
        status = parse_seeds(value, options, err);
        break;
    case CLI_TARGET:
        options->target = value;
        break;
    case CLI_BACKEND:
        options->backend = value;
        break;
    case CLI_CMSIS_NN:
        options->cmsis_nn = value;
        break;
    case CLI_MEASURE:
        status = tin_target_list(value, &options->targets, err);
        break;
    case CLI_PROFILE:
        options->profile = value;
        break;
    case CLI_PACKAGE:
        status = tin_package_formats(value, &options->packages, err);
        break;
    case CLI_OUTPUT:
        options->output = value;
        status = value[0] != '\0' ? TIN_OK : tin_fail(err, TIN_ERR_USAGE, "--output is empty; give a folder");
        break;
    case CLI_FRAMES:
        status = parse_number("--frames", value, 1000000000, &number, err);
        options->frames = (int64_t)number;
        break;
    case CLI_STREAM:
        options->stream = value;
        break;
    case CLI_FILES:
        *(strcmp(name, "png") == 0       ? &options->png
          : strcmp(name, "svg") == 0     ? &options->svg
          : strcmp(name, "csv") == 0     ? &options->csv
          : strcmp(name, "figures") == 0 ? &options->figures
                                         : &options->relabel) = value;
        break;
    case CLI_STRICT:
        options->strict = true;
        break;
    case CLI_VERIFY:
        options->verify = value;
        break;
    case CLI_BAUD:
        status = parse_number("--baud", value, 100000000, &number, err);
        options->baud = (long)number;
        break;
    case CLI_LIST:
        *(strcmp(name, "sort") == 0 ? &options->sort : &options->tag) = value;
        break;
    case CLI_MLFLOW:
        options->mlflow = value;
        break;
    case CLI_COMMON:
        options->common = true;
        break;
    case CLI_RUN:
        options->run = value;
        break;
    case CLI_TUNE:
        *(strcmp(name, "preset") == 0 ? &options->preset : &options->objective) = value;
        break;
    case CLI_GATES:
    case CLI_BOUNDS:
        status = take_gate(name, value, options, err);
        break;
    case CLI_THREADS:
        status = parse_number("--threads", value, TIN_MAX_THREADS, &number, err);
        options->threads = (int)number;
        break;
    default:
        status = parse_number("--seed", value, UINT64_MAX, &number, err);
        options->has_seed = true;
        options->seed = number;
        break;
    }
    return status;
}

/* A device's profile is of no use without the core that it has. */
static tin_status check_profile(const cli_options *options, tin_error *err)
{
    const tin_power_profile *profile = NULL;
    if (!options->profile) {
        return TIN_OK;
    }
    tin_status status = tin_power_profile_find(&profile, options->profile, err);
    if (status) {
        return status;
    }
    for (int i = 0; tin_target_name(i); i++) {
        if ((options->targets >> i & 1) && strcmp(tin_target_name(i), profile->target) == 0) {
            return TIN_OK;
        }
    }
    return tin_fail(err, TIN_ERR_USAGE, "the profile %s is of a device with the core %s; give --measure %s",
                    profile->name, profile->target, profile->target);
}

/* Options that mean nothing without another one. */
static tin_status check_together(const cli_options *options, tin_error *err)
{
    if (options->output && options->packages == 0) {
        return tin_fail(err, TIN_ERR_USAGE, "--output belongs to --package; say which package, e.g. --package cmake");
    }
    if (options->baud > 0 && !options->verify) {
        return tin_fail(err, TIN_ERR_USAGE, "--baud belongs to --verify; say which board, e.g. --verify /dev/ttyACM0");
    }
    if (options->frames >= 0 && options->packages == 0 && !options->verify) {
        return tin_fail(err, TIN_ERR_USAGE, "--frames belongs to --package or --verify; give one of them");
    }
    if (options->max_regression >= 0 && !options->against) {
        return tin_fail(err, TIN_ERR_USAGE,
                        "--max-regression belongs to --against; say which run, e.g. --against baseline");
    }
    bool bounded = options->objective != NULL;
    for (int i = 0; i < CLI_MOST_FIGURES; i++) {
        bounded = bounded || !isnan(options->gates[i]);
    }
    if (options->preset && bounded) {
        return tin_fail(err, TIN_ERR_USAGE, "--preset excludes bounds and --objective; give one or the other");
    }
    return check_profile(options, err);
}

/* Moves optind behind the operands. Those in brackets are there or not, all together: with at most a folder they are not. */
static tin_status take_operands(const cli_command *command, int argc, char **argv, cli_options *options, tin_error *err)
{
    int n = command->operands ? 1 : 0;
    for (const char *at = command->operands; at && (at = strchr(at, ' ')) != NULL; at++) {
        n++;
    }
    if (n == 0 || (command->operands[0] == '[' && argc - optind <= 1)) {
        return TIN_OK;
    }
    if (argc - optind < n) {
        return tin_fail(err, TIN_ERR_USAGE, "`tinamou %s` needs %s; see `tinamou %s --help`", command->name,
                        command->operands, command->name);
    }
    for (int i = 0; i < n; i++) {
        options->operands[i] = argv[optind++];
    }
    return TIN_OK;
}

/* Behind the fixed options: one per figure, then the end. */
static void add_gates(struct option *known, int n, char (*names)[64])
{
    for (const cli_figure *f = cli_figures; f->key; f++) {
        char *name = names[f - cli_figures];
        cli_figure_gate(name, f);
        bool bound =
            strcmp(f->key, "fp_per_hour") == 0 || strcmp(f->key, "fnr") == 0 || strcmp(f->key, "latency_mean_s") == 0;
        known[n++] = (struct option){name, required_argument, NULL, bound ? CLI_BOUNDS : CLI_GATES};
    }
    known[n] = (struct option){NULL, 0, NULL, 0};
}

tin_status cli_parse(const cli_command *command, int argc, char **argv, cli_options *options, bool *help,
                     tin_error *err)
{
    static const struct option fixed[] = {
        {"json", no_argument, NULL, CLI_JSON},
        {"quiet", no_argument, NULL, CLI_QUIET},
        {"force", no_argument, NULL, CLI_FORCE},
        {"threads", required_argument, NULL, CLI_THREADS},
        {"seed", required_argument, NULL, CLI_SEED},
        {"seeds", required_argument, NULL, CLI_SEEDS},
        {"folds", required_argument, NULL, CLI_FOLDS},
        {"leave-one-out", no_argument, NULL, CLI_FOLDS},
        {"data", required_argument, NULL, CLI_DATA},
        {"source", required_argument, NULL, CLI_SOURCE},
        {"url", required_argument, NULL, CLI_URL},
        {"target", required_argument, NULL, CLI_TARGET},
        {"backend", required_argument, NULL, CLI_BACKEND},
        {"cmsis-nn", required_argument, NULL, CLI_CMSIS_NN},
        {"measure", required_argument, NULL, CLI_MEASURE},
        {"profile", required_argument, NULL, CLI_PROFILE},
        {"package", required_argument, NULL, CLI_PACKAGE},
        {"schedule", required_argument, NULL, CLI_SCHEDULE},
        {"optimize", required_argument, NULL, CLI_OPTIMIZE},
        {"output", required_argument, NULL, CLI_OUTPUT},
        {"frames", required_argument, NULL, CLI_FRAMES},
        {"verify", required_argument, NULL, CLI_VERIFY},
        {"baud", required_argument, NULL, CLI_BAUD},
        {"sort", required_argument, NULL, CLI_LIST},
        {"tag", required_argument, NULL, CLI_LIST},
        {"mlflow", required_argument, NULL, CLI_MLFLOW},
        {"common", no_argument, NULL, CLI_COMMON},
        {"run", required_argument, NULL, CLI_RUN},
        {"against", required_argument, NULL, CLI_GATES},
        {"max-regression", required_argument, NULL, CLI_GATES},
        {"stream", required_argument, NULL, CLI_STREAM},
        {"strict", no_argument, NULL, CLI_STRICT},
        {"preset", required_argument, NULL, CLI_TUNE},
        {"objective", required_argument, NULL, CLI_TUNE},
        {"relabel", required_argument, NULL, CLI_FILES},
        {"png", required_argument, NULL, CLI_FILES},
        {"svg", required_argument, NULL, CLI_FILES},
        {"csv", required_argument, NULL, CLI_FILES},
        {"figures", required_argument, NULL, CLI_FILES},
        {"help", no_argument, NULL, 'h'},
    };
    enum { N_FIXED = sizeof fixed / sizeof *fixed };
    struct option known[N_FIXED + CLI_MOST_FIGURES];
    char gates[CLI_MOST_FIGURES][64];
    add_gates(memcpy(known, fixed, sizeof fixed), N_FIXED, gates);
    *options = (cli_options){.threads = -1, .frames = -1, .max_regression = (double)NAN};
    for (int i = 0; i < CLI_MOST_FIGURES; i++) {
        options->gates[i] = (double)NAN;
    }
    opterr = 0;
    for (;;) {
        int which = 0;
        optopt = 0;
        int bit = getopt_long(argc, argv, ":hq", known, &which);
        if (bit == -1) {
            break;
        }
        const char *word = argv[optind - 1]; /* getopt has moved the option here, behind a value one further */
        const char letter[3] = {'-', (char)(bit == 'q' ? 'q' : optopt)};
        if (optarg != NULL && word == optarg) {
            word = argv[optind - 2];
        } else if (bit == 'q' || (bit == '?' && isalpha(optopt))) {
            word = letter;
        }
        if (bit == 'h') {
            *help = true;
            return TIN_OK;
        }
        if (bit == 'q') {
            bit = CLI_QUIET;
        }
        if (bit == ':') {
            return tin_fail(err, TIN_ERR_USAGE, "%s needs a value; see `tinamou %s --help`", word, command->name);
        }
        if (bit == '?' || !(command->allowed & (unsigned)bit)) {
            return tin_fail(err, TIN_ERR_USAGE, "`tinamou %s` has no option %s; see `tinamou %s --help`", command->name,
                            word, command->name);
        }
        tin_status status = take_option(bit, known[which].name, optarg, options, err);
        if (status) {
            return status;
        }
    }
    if ((options->n_folds > 0) + (options->n_seeds > 0) + options->leave_one_out > 1) {
        return tin_fail(err, TIN_ERR_USAGE,
                        "--seeds, --folds and --leave-one-out exclude each other; give one of them");
    }
    if (options->has_seed && options->n_seeds > 0) {
        return tin_fail(err, TIN_ERR_USAGE, "--seed and --seeds exclude each other; give one of them");
    }
    tin_status status = check_together(options, err);
    if (status) {
        return status;
    }
    status = take_operands(command, argc, argv, options, err);
    if (status) {
        return status;
    }
    if (argc - optind > 1) {
        return tin_fail(err, TIN_ERR_USAGE, "one folder at a time; '%s' is too much", argv[optind + 1]);
    }
    if (optind < argc) {
        options->project = argv[optind];
    } else if (command->run == cli_command_init) {
        return tin_fail(err, TIN_ERR_USAGE, "which folder? e.g. `tinamou init my-gestures`");
    } else {
        options->project = ".";
    }
    return TIN_OK;
}
