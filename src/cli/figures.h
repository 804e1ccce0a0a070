/* Private to src/cli: the figures that the command line shows of a run, from one list: what they are called, how they are
 * written, which direction is better, and the option of `tinamou check` that bounds them. */
#ifndef TIN_CLI_FIGURES_H
#define TIN_CLI_FIGURES_H

#include <jansson.h>

#include "project/runs.h"

typedef struct cli_figure {
    tin_stage stage;     /* whose figures hold it */
    const char *key;     /* there, and in --json */
    const char *name;    /* of --sort and, behind max- or min-, of the option of `tinamou check` */
    const char *heading; /* of its column; NULL: not in the list of runs */
    int rank;            /* of that column: what a narrow terminal leaves out first has the greatest */
    const char *title;   /* in a sentence */
    int decimals;
    int better;   /* +1: greater is better, -1: smaller */
    double scale; /* from the stored figure to what `name` and people count in */
    bool share;   /* 0..1, so that a difference has points: hundredths */
} cli_figure;

extern const cli_figure cli_figures[]; /* ends with a NULL key */
enum { CLI_MOST_FIGURES = 24 };

/* NULL when there is none. */
const cli_figure *cli_figure_by_name(const char *name);
const cli_figure *cli_figure_by_key(const char *key);
/* The figure in a stage's figures, scaled; NaN when it is not there. */
double cli_figure_value(const cli_figure *figure, const json_t *figures);
/* "0.912", "+0.012" with a sign, "-" for NaN. */
const char *cli_figure_text(char text[32], const cli_figure *figure, double scaled, bool sign);
/* "max-fnr", "min-macro-f1": its option of `tinamou check`. */
void cli_figure_gate(char name[64], const cli_figure *figure);

#endif
