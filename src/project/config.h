/* The project's settings: tinamou.yaml, read with libyaml into these structs. Every stage gets its own section.
 * A field says unit, range, what 0 means. Defaults are filled in by tin_config_load; an unknown key or wrong value is
 * TIN_ERR_CONFIG with file, line, value and the mend. */
#ifndef TIN_CONFIG_H
#define TIN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/model.h"

/* One class of the model and the labels of the source that become it. */
typedef struct tin_config_class {
    char *name;
    bool event;
    char **from; /* labels of the source; empty: the class's own name */
    unsigned from_count;
} tin_config_class;

/* How delimited text is written. */
typedef struct tin_config_text {
    char *separator;    /* "auto" (default), "comma", "semicolon", "tab", "blanks" (any number of blanks and tabs) */
    bool header;        /* the first line names the columns, default true; columns are numbers from 1 otherwise */
    int skip_lines;     /* above the header or the first row, default 0 */
    char *comment;      /* lines that begin with this text are passed over; "": none */
    bool decimal_comma; /* 1,5 is one and a half, default false */
    char *row_end;      /* one character that ends a row as a line end does; "": none */
    bool no_quotes;     /* no setting: formats whose texts may hold a " that quotes nothing */
} tin_config_text;

/* Channels that one sensor gives. */
typedef struct tin_config_channels {
    char **columns; /* names, numbers from 1, or ranges of numbers such as 5-7 */
    unsigned columns_count;
    char **names; /* one per column; empty: the names of the columns */
    unsigned names_count;
    char *unit;    /* "" (default): none */
    double factor; /* of the numbers, default 1: what makes the unit of them */
} tin_config_channels;

/* Files of one sensor. */
typedef struct tin_config_files {
    char *path;   /* pattern below data.path with captures: "acc_{subject}_{session}.txt" */
    char *format; /* "auto" (default): by the ending; "text": delimited text whatever the ending */
    char *entry;  /* array inside the file, where the format has several; "": its only one */
    tin_config_text text;
    char *layout;       /* "samples" (default): a row is a moment; "windows": a row is a recording of one channel */
    char *time_column;  /* "": rows are at rate_hz */
    char *time_unit;    /* "s", "ms", "us", "ns", "iso8601" */
    char *time_missing; /* rows with this text in the time column are left out; "": none */
    char *time_back;    /* a time before the one of the row above: "refuse" (default), or "split" the recording there */
    double
        rate_hz; /* of files without times; 0 (default): the file's own where its format says one, else data.rate_hz */
    char **missing; /* texts that stand for "no number": the sensor has no sample in that row */
    unsigned missing_count;
    bool skip_broken; /* rows with another number of fields or without numbers are left out, default false: refused */
    tin_config_channels *channels; /* one item per sensor in the file */
    unsigned channels_count;
} tin_config_files;

/* A column of a table of labels, and what it must be equal to for the row to belong to a recording. */
typedef struct tin_config_match {
    char *column;
    char *to; /* a capture of the path, "id" or "subject" */
} tin_config_match;

/* Where labels come from: a column of the samples, files of their own, the samples' format, or a {label} in the path. */
typedef struct tin_config_labels {
    char *column; /* of the first files; "": none */
    char *files;  /* pattern below data.path, with captures or {id} where each recording has its own; "": none */
    bool in_file; /* the format of the samples holds one label for the whole file, default false */
    char *format; /* "table" (default), "audacity", "label_studio", "rows" */
    tin_config_text text;    /* of tables and rows */
    tin_config_match *match; /* table: which recording a row belongs to; empty: column "stream" is the id */
    unsigned match_count;
    char *start, *end, *label; /* table: columns; rows: label's column */
    char *unit;                /* of start and end: "s" (default), "ms", "us", "ns", "iso8601", "samples" */
    char
        *clock; /* "recording" (default): start and end are on the clock of its times; "start": from its first sample */
    int first;  /* samples: number of the first one, 0 (default) or 1 */
    bool end_included;   /* the end still belongs to the label, default false */
    double mend_overlap; /* of two labels, in the unit: up to this the later one starts later; default 0 */
    char **names;        /* "VALUE = NAME" or "NAME": the labels that can be, in order; empty: any */
    unsigned names_count;
    char *names_file; /* the same as a file of lines "VALUE NAME", a pattern below data.path; "": none */
    char **none;      /* values that mean "no label", besides an empty one */
    unsigned none_count;
    char **events; /* patterns of label names that are events when data.classes says nothing */
    unsigned events_count;
} tin_config_labels;

/* The mapping: how files become recordings. docs/data.md explains it. */
typedef struct tin_config_import {
    char *id;      /* of a recording, of captures: "{subject}_{session}"; "" (default): the path without its ending */
    char *subject; /* likewise; "" (default): {subject}, else the file's name up to the first "_" */
    char *session; /* likewise; "" (default): {session}, else none */
    char *subject_column; /* of the first files: where it changes, a new recording begins; "": none */
    char *subject_file;   /* pattern of files with the person of each row of the first files; "": none */
    tin_config_files
        *files; /* with other channels: sensors of one recording; with the same: more places of that sensor */
    unsigned files_count;
    tin_config_labels labels;
    char *validation_list, *test_list; /* files of paths, one a line: recordings of the published split; "": none */
} tin_config_import;

typedef struct tin_config_simulate {
    int subjects;   /* people, default 12 */
    double minutes; /* of recording per person, default 8 */
} tin_config_simulate;

/* A rule that mends labels, see src/data/label_rules.h. */
typedef struct tin_config_label_rule {
    char *rule;     /* "relabel", "drop", "merge", "anchor" */
    char **classes; /* whose labels; empty: all */
    unsigned classes_count;
    double min_ms, max_ms;    /* labels at least as long, and shorter (0: however long) */
    char *after, *before;     /* the label before it, the one behind it is of this class; "": whatever */
    double within_ms;         /* as far away as this, default 1000 */
    char *to;                 /* relabel: class, or "ignore" */
    double gap_ms;            /* merge */
    char *at;                 /* anchor: "start" (default), "end", "peak" */
    double early_ms, late_ms; /* anchor: length before and behind it */
} tin_config_label_rule;

/* How units are spread over training, validation and test, see src/data/split.h. */
typedef struct tin_config_split {
    char *by;        /* "subject", "session", "time", "published"; "" (default): published where it is, else subject */
    char *folds;     /* "": 5; a number from 3 on, "all": as many as units (leave one out) */
    int fold;        /* that is tested, 1..folds; 0 (default): the last */
    bool stratify;   /* folds have the same share of each class, as far as units allow; default false */
    double guard_s;  /* by time: seconds left out between two roles, default 10 */
    bool allow_leak; /* training and test may hold the same signal; default false */
} tin_config_split;

typedef struct tin_config_data {
    char *source;       /* "simulate", "import" (by `import` or `mapping`), or a ready mapping's name */
    char *mapping;      /* file with the keys of `import`, relative to the settings; "": none */
    char *path;         /* folder of the recordings, relative to the project; unused by simulate */
    double rate_hz;     /* frames per second after resampling, default 50 */
    char *resample;     /* of faster recordings: "sinc" (default), "causal", "linear" */
    double range_accel; /* full scale of int16 counts in the unit of the accelerometer channels; 0: 8 g in that unit */
    double range_gyro;  /* likewise, 0: 2000 degrees per second in that unit */
    char *unlabelled;   /* class of frames with no label, or "ignore" */
    tin_config_class *classes;
    unsigned classes_count; /* 0: the classes of the source */
    char **validation;      /* subjects; empty: every fifth of the rest */
    unsigned validation_count;
    char **test; /* subjects; empty: every fifth */
    unsigned test_count;
    tin_config_split split;
    tin_config_label_rule *labels; /* in this order */
    unsigned labels_count;
    char *relabel;            /* list of labels that a person mended, relative to the project; "": none */
    tin_config_import import; /* filled from `mapping` or the ready mapping where these are named */
    tin_config_simulate simulate;
} tin_config_data;

/* One layer. Hand it on by tin_config_specs. */
typedef struct tin_config_layer {
    tin_layer_spec spec; /* all but its names */
    char *name;          /* "": op_N */
    char **from;         /* layers that it reads; empty: the one before it */
    unsigned from_count;
} tin_config_layer;

/* How the labels of one class fade at their start and end. */
typedef struct tin_config_border {
    char *class;              /* name */
    char *border;             /* "hard", "ignored", "ramp" (default), "gaussian" */
    double early_ms, late_ms; /* half the width at the start and at the end; 0 (default): hard */
} tin_config_border;

/* The operations of train.augment, each drawn anew for every sequence, which has it with its probability (0: off). They
 * act in the order in which they stand here, that of a signal on its way from the movement to the file. `accel`, `gyro`
 * and `other` are in the unit of the channels: triads of acceleration, of rotation, and all others. */
typedef struct tin_config_splice { /* events of other recordings are set into stretches without one */
    double probability;            /* of each place, default 0 */
    double every_ms;               /* longer stretches have a place for so long, default 8000 */
    double fade_ms;                /* of the cross-fade before and after an event, default 200 */
    char **events;                 /* classes; none: all events */
    unsigned events_count;
    char **into; /* classes of the places; none: all that are no event */
    unsigned into_count;
} tin_config_splice;

typedef struct tin_config_by { /* a factor in 1 +- by */
    double probability, by;
} tin_config_by;

typedef struct tin_config_warp { /* the speed changes smoothly within 1 +- by */
    double probability, by;      /* default 0 */
    double period_ms;            /* from one change to the next, default 2000 */
} tin_config_warp;

typedef struct tin_config_shift { /* the signal moves against its labels, both ways */
    double probability, ms;       /* default 0 */
} tin_config_shift;

typedef struct tin_config_mirror { /* the other side of the body */
    double probability;            /* default 0 */
    char *axis;                    /* "x", "y" or "z": the one that points from left to right; default x */
} tin_config_mirror;

typedef struct tin_config_turn { /* the device sits elsewhere around the limb or the waist */
    double probability, degrees; /* both ways, uniform; default 0 */
    char *axis;                  /* "x", "y" or "z": the one along the limb; default x */
} tin_config_turn;

typedef struct tin_config_rotate {
    double probability, degrees; /* up to this angle about a random axis, all triads together; default 15 */
} tin_config_rotate;

typedef struct tin_config_chance {
    double probability; /* default 0 */
} tin_config_chance;

typedef struct tin_config_gain {
    double probability, db[2]; /* of channels outside triads; default 0, [-10, 10] */
} tin_config_gain;

typedef struct tin_config_room { /* echoes, of channels outside triads */
    double probability;          /* default 0 */
    double decay_ms[2];          /* until they are 60 dB down, default [50, 300] */
    double direct_db[2];         /* the direct sound is so much louder than all of them, default [3, 15] */
} tin_config_room;

typedef struct tin_config_background { /* stretches of other training recordings are added */
    double probability, snr_db[2];     /* default 0, [5, 25] */
    char **classes;                    /* none: all that are no event */
    unsigned classes_count;
} tin_config_background;

typedef struct tin_config_sensors { /* bias: greatest; drift: deviation after a second, grows with the root of time */
    double probability, accel, gyro, other; /* default 0 */
} tin_config_sensors;

typedef struct tin_config_noise {
    double probability;
    double accel, gyro, other; /* greatest deviation; drawn log-uniform over a factor of 20 below it; default 0 */
    double accel_density;      /* of a data sheet, ug / sqrt(Hz), beside the above; default 0 */
    double gyro_density;       /* mdps / sqrt(Hz) */
    double bandwidth_hz;       /* 0: half the rate; default 0 */
} tin_config_noise;

typedef struct tin_config_range {
    double probability, share[2]; /* of full scale that the sensor can measure, log-uniform; default 0, [0.25, 1] */
} tin_config_range;

typedef struct tin_config_resolution {
    double probability, bits[2]; /* of full scale, whole numbers; default 0, [8, 12] */
} tin_config_resolution;

typedef struct tin_config_drop { /* stretches of samples that did not arrive */
    double probability;          /* default 0 */
    double per_minute;           /* default 10 */
    double ms[2];                /* how long, default [20, 200] */
    bool hold;                   /* the last sample stands for them; false: zeros; default true */
} tin_config_drop;

typedef struct tin_config_augment {
    tin_config_splice splice;
    tin_config_by speed; /* default 0.1, always */
    tin_config_warp warp;
    tin_config_shift shift;
    tin_config_mirror mirror;
    tin_config_turn turn;
    tin_config_rotate rotate;
    tin_config_by scale; /* one factor for rotation, one for all others; default 0.1, always */
    tin_config_gain gain;
    tin_config_room room;
    tin_config_background background;
    tin_config_sensors bias, drift;
    tin_config_noise noise;
    tin_config_range range;
    tin_config_resolution resolution;
    tin_config_drop drop;
    tin_config_chance mute; /* one channel is zero */
} tin_config_augment;

typedef struct tin_config_train {
    int steps;            /* optimiser steps, default 1500 */
    int batch;            /* sequences per step, default 32 */
    int chunk;            /* input frames per sequence and step, a multiple of hop, default 500 */
    bool stateful;        /* carry state from chunk to chunk of one recording (a device never resets), default true */
    double carry_over;    /* stateful: the share of recordings that go on from what the one before left, default 0.5 */
    char *optimiser;      /* "adamw" (default), "adam", "sgd" */
    double momentum;      /* of sgd, 0..1, default 0.9 */
    bool nesterov;        /* sgd looks ahead by its momentum, default true */
    double learning_rate; /* default 4e-3 */
    char *schedule;       /* of the learning rate: "cosine" (default), "constant", "linear", "step", "one_cycle" */
    double final_rate;    /* share of the learning rate at the end of cosine and linear, default 0.02 */
    int decay_every;      /* step: steps from one fall to the next, default 500 */
    double decay_factor;  /* step: what the rate is multiplied by, 0..1, default 0.3 */
    double weight_decay;  /* adamw: decoupled; adam, sgd: added to the gradient; default 1e-4 */
    int warmup;           /* steps of linear rise, default 50; one_cycle has its own */
    double clip;          /* global gradient norm, default 1; 0: off */
    double class_weight_power;  /* weight of a class = (mean count / its count)^power, default 0.5; 0: no weights */
    double class_weight_beta;   /* weight of a class by its effective number (Cui et al. 2019), in seconds; 0: off, by
                                  class_weight_power; default 0 */
    double focal_gamma;         /* focal loss (Lin et al. 2017), 0..5; 0: off */
    double event_balance;       /* 0..1: 1: each event carries the same weight however long it is; default 0 */
    double margin_ms;           /* frames nearer than this to a label border weigh less; 0: off */
    double margin_weight;       /* weight right at the border, 0..1, default 0.1 */
    double label_smoothing;     /* 0..0.5, default 0 */
    char *border;               /* how labels change at their borders, see tin_config_border; "ramp" */
    double border_ms;           /* half the width of every label border; 0: hard */
    tin_config_border *borders; /* of single classes, instead */
    unsigned borders_count;
    int evaluate_every; /* steps between validations, default 75 */
    char *metric;   /* what the best weights are best in: "macro_f1" (default), "accuracy", "balanced_accuracy", "loss",
                     "event_f1", "iou_f1"; on the validation streams */
    bool keep_last; /* the last weights are kept, not the best ones on validation; default false */
    int cross_validation; /* nobody is set apart for validation: so many models, each trained without one part of the people,
                             choose the decision rule, and the one that is shipped is trained on all; then keep_last is
                             true; 0: off, default */
    int patience;         /* stop after this many steps without a better validation; 0: never; default 600 */
    int checkpoint_every; /* steps, default 75 */
    int max_memory_mb;    /* MB; a training that would take more is refused; 0: no bound, default 4096 */
    char *kernels; /* instructions: "auto" (default, the best that the machine has), "baseline", "avx2", "avx512",
                             "amx"; NULL: auto */
    double average_decay; /* of the average of weights that is validated too; 1: plain mean; 0: off, default */
    double average_from;  /* share of the steps after which it begins, 0..1, default 0 */
    double mixup;         /* alpha of Beta(alpha, alpha), 0..1: pairs of lanes are mixed; 0: off, default */
    bool windows; /* train on windows of `chunk` frames inside one label, state reset, only the last decision counts */
    int history_frames; /* windows: so many of the first frames of a chunk come before the window, whatever their label;
                           below chunk, default 0 */
    tin_config_augment augment;
} tin_config_train;

#define TIN_MAX_CROSS 20 /* parts of cross-validation */

#define TIN_MAX_COMPRESS 8 /* steps */
#define TIN_MAX_TEACHERS 16

/* One step of compression: a change of the model, then fine-tuning. */
typedef struct tin_config_compress {
    char *method;  /* "prune", "sparse", "low_rank", "share", "distill" */
    double keep;   /* prune, low_rank: share of the parameters that stay; sparse: of the 4x4 blocks; 0: not given */
    double energy; /* low_rank without keep: share of the squared singular values that stays, default 0.9 */
    int entries;   /* share: values in four rows of a matrix, 4..16, default 16 */
    int steps;     /* of fine-tuning, default 1000; 0: none */
    double learning_rate;     /* of fine-tuning, default 1e-3 */
    char *teacher;            /* distill: ID of another run of the project; "": teachers are trained first */
    tin_config_layer *layers; /* distill: the teacher's; none: the model's */
    unsigned layers_count;
    int teachers;       /* distill: so many are trained, their mean teaches; default 1 */
    double weight;      /* distill: share of the loss that is the teacher's, default 0.5 */
    double temperature; /* distill: the teacher's scores are divided by it, default 2 */
    double
        delay_ms; /* distill: the teacher of `layers` decides so much later than the model, and so sees what comes; default 0 */
} tin_config_compress;

typedef struct tin_config_quantize {
    char *method;                 /* how calibration finds ranges: "percentile" (default), "minmax", "mse", "kl" */
    double percentile;            /* method percentile: share of the input's |x| inside the range, default 0.999 */
    double activation_percentile; /* the same for activations, default 0.9999; 1: greatest value seen */
    bool equalize;                /* bring the channels of a tensor nearer in size before; costs the device nothing */
    char *weight_bits;            /* "8" (default), "4", "auto": 4 where it costs least until max_weight_bytes holds */
    char *activation_bits; /* "8" (default), "16" (where integers may be so wide), "auto": 16 where it gains most */
    char *input_bits;      /* "8" (default), "16", "auto" */
    int max_weight_bytes;  /* all matrices together; 0 (default): no limit */
    bool power_of_two;     /* all scales are powers of two, so that requantisation is a shift; default false */
    int steps;             /* fine-tuning steps with quantisation in the loop, default 300; 0: post-training only */
    double learning_rate;  /* default 5e-4 */
    bool learn_scales;     /* fine-tuning trains the scales of the activations too; default false */
} tin_config_quantize;

/* The acceptance margin around the events of one class. */
typedef struct tin_config_margin {
    char *class;
    double early_ms, late_ms; /* negative (default): that of all classes */
} tin_config_margin;

typedef struct tin_config_evaluate {
    double early_ms, late_ms;   /* acceptance margin around an event, default 500 and 1000 */
    tin_config_margin *margins; /* of single classes, instead */
    unsigned margins_count;
    double deadline_ms;     /* an event is found in time when it is reported this long after its start; default 1000 */
    double collar_ms;       /* by so much a start or end may be off in event-based F1, default 200 */
    bool allow_repeats;     /* duplicates are no false positives; default false */
    double max_fp_per_hour; /* the threshold is the one with fewest misses and wrong classes at or below this on
                                validation; 0: greatest   event F1 instead; default 0 */
    char *objective; /* "event_f1" or "iou_f1": what is made greatest when max_fp_per_hour is 0: F1 of triggers, or F1
                          of active segments at an IoU of 0.5; default "event_f1" */
    char *preset; /* "responsive", "balanced" (default: as max_fp_per_hour and objective say) or "strict": which rule */
    int window_frames; /* also score windows inside one label: length in frames, 0: off */
    int window_step;
    int window_history; /* frames before each window that the network has seen since its reset, where the recording has
                           them; whole decisions; default 0 */
    int bootstrap;      /* resamples of subjects, default 2000 */
} tin_config_evaluate;

typedef struct tin_config_deploy {
    char *name; /* prefix of the generated code, a C identifier; default: project name made one */
    char *
        target; /* "m4" (default), "m0", "m3", "m7", "m33", "m55", "rv32": the core that kernels and encodings are chosen for */
    char *backend;  /* "auto" (default): own kernels; "cmsis-nn": the library's functions where they give the result */
    char *cmsis_nn; /* folder of the library, with Include/ and libcmsis-nn.a; "" (default): none */
    char *schedule; /* "earliest" (default), or "spread": no frame has much more work than the others */
    char *optimize; /* "balanced" (default), "speed" or "size": encodings of weights, and -O2 or -Os */
    int verify_frames; /* frames of the test recordings checked on the emulated core, 0: all (default) */
    int max_flash_bytes, max_ram_bytes; /* budgets: code and weights; state and greatest stack; 0 (default): none */
} tin_config_deploy;

typedef struct tin_config {
    char *project; /* name */
    uint64_t seed;
    int threads; /* 0: all cores; no effect on results */
    tin_config_data data;
    tin_config_layer *layers; /* model: layers */
    unsigned layers_count;
    double delay_ms; /* fixed delay of every decision, a multiple of the hop, default 0 */
    tin_config_train train;
    tin_config_compress *compress; /* in this order */
    unsigned compress_count;       /* 0: no compression */
    tin_config_quantize quantize;
    tin_config_evaluate evaluate;
    tin_config_deploy deploy;
} tin_config;

tin_status tin_config_load(tin_config **config, const char *path, tin_error *err) TIN_USE_RESULT;
void tin_config_free(tin_config *config);
/* Gives a setting of `deploy` that is a text another value; `key` is one of its keys. TIN_ERR_USAGE lists the choices. */
tin_status tin_config_set_deploy(tin_config *config, const char *key, const char *value, tin_error *err) TIN_USE_RESULT;
/* The layers as tin_model_create takes them, [count]; the names belong to the config. */
void tin_config_specs(const tin_config_layer *layers, unsigned count, tin_layer_spec specs[TIN_MAX_LAYERS]);
/* Canonical text of the augmentation, which is part of a training's name. */
void tin_config_augment_text(const tin_config_augment *augment, tin_text *text);
/* Canonical text of everything that changes a result (not threads): what the run's hash is made from. *text is
 * tin_free()d by the caller. */
/* With data_only: the section `data` alone, what a dataset's name is made from. */
tin_status tin_config_canonical(const tin_config *config, bool data_only, char **text, tin_error *err) TIN_USE_RESULT;

/* One setting of a canonical text, for people: key "model.layers.0.units", value "24"; texts of a list are "a, b". */
typedef struct tin_config_item {
    char *key, *value;
} tin_config_item;
/* The settings of a canonical text in its order. TIN_ERR_FORMAT when it is none. tin_config_items_free in any case. */
tin_status tin_config_items(const char *canonical, tin_config_item **items, size_t *n, tin_error *err) TIN_USE_RESULT;
void tin_config_items_free(tin_config_item *items, size_t n);

#endif
