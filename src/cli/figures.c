#include "cli/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EVALUATE(key_, name_, heading_, rank_, title_, decimals_, better_, scale_, share_)                             \
    {                                                                                                                  \
        TIN_STAGE_EVALUATE, key_, name_, heading_, rank_, title_, decimals_, better_, scale_, share_                   \
    }
#define DEPLOY(key_, name_, heading_, rank_, title_)                                                                   \
    {                                                                                                                  \
        TIN_STAGE_DEPLOY, key_, name_, heading_, rank_, title_, 0, -1, 1, false                                        \
    }

const cli_figure cli_figures[] = {
    EVALUATE("frame_accuracy", "frame-accuracy", "accuracy", 1, "frame accuracy", 4, 1, 1, true),
    EVALUATE("float_frame_accuracy", "float-frame-accuracy", NULL, 0, "frame accuracy, float", 4, 1, 1, true),
    EVALUATE("frame_accuracy_no_reset", "frame-accuracy-no-reset", NULL, 0, "frame accuracy, no reset", 4, 1, 1, true),
    EVALUATE("balanced_accuracy", "balanced-accuracy", NULL, 0, "balanced accuracy", 4, 1, 1, true),
    EVALUATE("macro_f1", "macro-f1", NULL, 0, "macro F1", 4, 1, 1, true),
    EVALUATE("window_accuracy", "window-accuracy", NULL, 0, "window accuracy", 4, 1, 1, true),
    EVALUATE("fnr", "fnr", "missed", 1, "events missed (FNR)", 3, -1, 1, true),
    EVALUATE("fcr", "fcr", "wrong", 5, "events misnamed (FCR)", 3, -1, 1, true),
    EVALUATE("worst_fnr", "worst-fnr", NULL, 0, "events missed, worst person", 3, -1, 1, true),
    EVALUATE("deadline_recall", "deadline-recall", NULL, 0, "events found in time", 3, 1, 1, true),
    EVALUATE("fp_per_hour", "fp-per-hour", "FP/h", 1, "false positives per hour", 2, -1, 1, false),
    EVALUATE("latency_mean_s", "latency-ms", "latency", 9, "latency, ms", 0, -1, 1000, false),
    EVALUATE("event_f1", "event-f1", NULL, 0, "event F1", 3, 1, 1, true),
    EVALUATE("segment_f1", "segment-f1", NULL, 0, "segment F1", 3, 1, 1, true),
    EVALUATE("iou50_f1", "iou50-f1", "IoU.5", 6, "IoU.5 F1", 3, 1, 1, true),
    DEPLOY("flash_bytes", "flash", "flash", 1, "flash, bytes"),
    DEPLOY("ram_bytes", "ram", "RAM", 1, "RAM, bytes"),
    DEPLOY("stack_bytes", "stack", NULL, 0, "stack, bytes"),
    DEPLOY("insn_per_decision", "insn", "insn", 8, "instructions per decision"),
    {.key = NULL},
};
_Static_assert(sizeof cli_figures / sizeof *cli_figures <= CLI_MOST_FIGURES, "more figures than CLI_MOST_FIGURES");

const cli_figure *cli_figure_by_name(const char *name)
{
    for (const cli_figure *f = cli_figures; f->key; f++) {
        if (strcmp(f->name, name) == 0) {
            return f;
        }
    }
    return NULL;
}

const cli_figure *cli_figure_by_key(const char *key)
{
    for (const cli_figure *f = cli_figures; f->key; f++) {
        if (strcmp(f->key, key) == 0) {
            return f;
        }
    }
    return NULL;
}

double cli_figure_value(const cli_figure *figure, const json_t *figures)
{
    const json_t *value = json_object_get(figures, figure->key);
    return json_is_number(value) ? figure->scale * json_number_value(value) : (double)NAN;
}

const char *cli_figure_text(char text[32], const cli_figure *figure, double scaled, bool sign)
{
    snprintf(text, 32, "-");
    if (isfinite(scaled)) {
        snprintf(text, 32, sign ? "%+.*f" : "%.*f", figure->decimals, scaled);
    }
    return text;
}

void cli_figure_gate(char name[64], const cli_figure *figure)
{
    snprintf(name, 64, "%s-%s", figure->better > 0 ? "min" : "max", figure->name);
}
