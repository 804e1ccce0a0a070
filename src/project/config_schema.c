#include "project/config_schema.h"

#include "base/pool.h"
#include "project/config.h"

/* The kind follows from the member's type, so that a row and config.h cannot disagree. */
#define KIND(section, member)                                                                                          \
    _Generic(((section *)0)->member,                                                                                   \
        int: TIN_SETTING_INT,                                                                                          \
        double: TIN_SETTING_REAL,                                                                                      \
        float: TIN_SETTING_REAL32,                                                                                     \
        bool: TIN_SETTING_BOOL,                                                                                        \
        uint64_t: TIN_SETTING_SEED,                                                                                    \
        char *: TIN_SETTING_TEXT,                                                                                      \
        double *: TIN_SETTING_RANGE,                                                                                   \
        tin_op: TIN_SETTING_OP)
#define NUMBER(section, member, low_, high_, fallback_, meaning_)                                                      \
    {                                                                                                                  \
        .key = #member, .kind = KIND(section, member), .offset = offsetof(section, member), .low = low_,               \
        .high = high_, .fallback = fallback_, .meaning = meaning_                                                      \
    }
#define RANGE(section, member, low_, high_, from_, to_, meaning_)                                                      \
    {                                                                                                                  \
        .key = #member, .kind = KIND(section, member), .offset = offsetof(section, member), .low = low_,               \
        .high = high_, .fallback = from_, .fallback_high = to_, .meaning = meaning_                                    \
    }
/* A budget: 0 is none. It changes no result, so a run that is done is held against another one without being redone. */
#define LIMIT(section, member, high_, meaning_)                                                                        \
    {                                                                                                                  \
        .key = #member, .kind = KIND(section, member), .offset = offsetof(section, member), .high = high_,             \
        .neutral = true, .meaning = meaning_                                                                           \
    }
#define BOOL(section, member, fallback_, meaning_) NUMBER(section, member, 0, 1, fallback_, meaning_)
#define TEXT(section, member, text_, choices_, meaning_)                                                               \
    {                                                                                                                  \
        .key = #member, .kind = KIND(section, member), .offset = offsetof(section, member), .text = text_,             \
        .choices = choices_, .meaning = meaning_                                                                       \
    }
#define TEXTS(section, member, max_, meaning_)                                                                         \
    {                                                                                                                  \
        .key = #member, .kind = TIN_SETTING_TEXTS, .offset = offsetof(section, member),                                \
        .count_offset = offsetof(section, member##_count), .max_items = max_, .meaning = meaning_                      \
    }
#define SECTION(section, member, fields_)                                                                              \
    {                                                                                                                  \
        .key = #member, .kind = TIN_SETTING_SECTION, .offset = offsetof(section, member), .fields = fields_,           \
        .meaning = "settings, one `key: value` per line, indented"                                                     \
    }
#define LIST(section, member, item, fields_, max_, meaning_)                                                           \
    {                                                                                                                  \
        .key = #member, .kind = TIN_SETTING_LIST, .offset = offsetof(section, member),                                 \
        .count_offset = offsetof(section, member##_count), .fields = fields_, .item_size = sizeof(item),               \
        .max_items = max_, .meaning = meaning_                                                                         \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        .key = NULL                                                                                                    \
    }

static const tin_setting class_settings[] = {
    TEXT(tin_config_class, name, NULL, NULL, "the name of the class"),
    BOOL(tin_config_class, event, 0, "true for something that happens and triggers, false for a background state"),
    TEXTS(tin_config_class, from, 200, "the labels of the recordings that become this class"),
    END,
};

/* Members of a tin_config_text inside `section`; the keys stand beside the section's own. */
#define TEXT_SETTINGS(section)                                                                                         \
    {.key = "separator",                                                                                               \
     .kind = TIN_SETTING_TEXT,                                                                                         \
     .offset = offsetof(section, text.separator),                                                                      \
     .text = "auto",                                                                                                   \
     .choices = "auto comma semicolon tab blanks",                                                                     \
     .meaning = "what stands between two columns"},                                                                    \
        {.key = "header",                                                                                              \
         .kind = TIN_SETTING_BOOL,                                                                                     \
         .offset = offsetof(section, text.header),                                                                     \
         .high = 1,                                                                                                    \
         .fallback = 1,                                                                                                \
         .meaning = "true when the first line names the columns"},                                                     \
        {.key = "skip_lines",                                                                                          \
         .kind = TIN_SETTING_INT,                                                                                      \
         .offset = offsetof(section, text.skip_lines),                                                                 \
         .high = 1000000,                                                                                              \
         .meaning = "lines above the table"},                                                                          \
        {.key = "comment",                                                                                             \
         .kind = TIN_SETTING_TEXT,                                                                                     \
         .offset = offsetof(section, text.comment),                                                                    \
         .text = "",                                                                                                   \
         .meaning = "what lines that are no rows begin with"},                                                         \
        {.key = "decimal_comma",                                                                                       \
         .kind = TIN_SETTING_BOOL,                                                                                     \
         .offset = offsetof(section, text.decimal_comma),                                                              \
         .high = 1,                                                                                                    \
         .meaning = "true when 1,5 is one and a half"},                                                                \
    {                                                                                                                  \
        .key = "row_end", .kind = TIN_SETTING_TEXT, .offset = offsetof(section, text.row_end), .text = "",             \
        .meaning = "a character that ends a row as a line end does"                                                    \
    }

static const tin_setting channels_settings[] = {
    TEXTS(tin_config_channels, columns, TIN_MAX_CHANNELS, "the columns: names, numbers from 1, or ranges such as 5-7"),
    TEXTS(tin_config_channels, names, TIN_MAX_CHANNELS, "one name per channel"),
    TEXT(tin_config_channels, unit, "", NULL, "the unit of the channels: g, m/s^2, rad/s, ..."),
    NUMBER(tin_config_channels, factor, -1e12, 1e12, 1, "what the numbers are multiplied by to be in the unit"),
    END,
};

static const tin_setting files_settings[] = {
    TEXT(tin_config_files, path, NULL, NULL, "a pattern below data.path, e.g. \"{subject}_*.csv\""),
    TEXT(tin_config_files, format, "auto", "auto text",
         "auto: by the ending; text: delimited text whatever the ending"),
    TEXT(tin_config_files, entry, "", NULL, "the array inside the file"),
    TEXT_SETTINGS(tin_config_files),
    TEXT(tin_config_files, layout, "samples", "samples windows", "what a row is"),
    TEXT(tin_config_files, time_column, "", NULL, "the column with the time"),
    TEXT(tin_config_files, time_unit, "s", "s ms us ns iso8601", "the unit of the time column"),
    TEXT(tin_config_files, time_missing, "", NULL, "the text that stands for a missing time"),
    TEXT(tin_config_files, time_back, "refuse", "refuse split", "what to do where time runs backwards"),
    NUMBER(tin_config_files, rate_hz, 0, 1e6, 0, "rows per second where there is no time column"),
    TEXTS(tin_config_files, missing, 16, "texts that stand for a missing number"),
    BOOL(tin_config_files, skip_broken, 0, "true to leave broken rows out"),
    LIST(tin_config_files, channels, tin_config_channels, channels_settings, TIN_MAX_CHANNELS,
         "a list of sensors: - {columns: [ax, ay, az], unit: g}"),
    END,
};

static const tin_setting match_settings[] = {
    TEXT(tin_config_match, column, NULL, NULL, "a column of the table of labels"),
    TEXT(tin_config_match, to, NULL, NULL, "a capture of the path, id or subject"),
    END,
};

static const tin_setting labels_settings[] = {
    TEXT(tin_config_labels, column, "", NULL, "the column with the label of each row"),
    TEXT(tin_config_labels, files, "", NULL, "a pattern of label files below data.path"),
    BOOL(tin_config_labels, in_file, 0, "true for the one label that the format of a file holds"),
    TEXT(tin_config_labels, format, "table", "table audacity label_studio rows", "the format of the label files"),
    TEXT_SETTINGS(tin_config_labels),
    LIST(tin_config_labels, match, tin_config_match, match_settings, 8,
         "which recording a row belongs to: - {column: 1, to: experiment}"),
    TEXT(tin_config_labels, start, "start", NULL, "the column with the start"),
    TEXT(tin_config_labels, end, "end", NULL, "the column with the end"),
    TEXT(tin_config_labels, label, "label", NULL, "the column with the label"),
    TEXT(tin_config_labels, unit, "s", "s ms us ns iso8601 samples", "the unit of start and end"),
    TEXT(tin_config_labels, clock, "recording", "recording start", "what start and end count from"),
    NUMBER(tin_config_labels, first, 0, 1, 0, "the number of the first sample"),
    BOOL(tin_config_labels, end_included, 0, "true when the end still belongs to the label"),
    NUMBER(tin_config_labels, mend_overlap, 0, 1e9, 0, "what two labels may share before it is an error, in the unit"),
    TEXTS(tin_config_labels, names, 2000, "the labels, as NAME or \"VALUE = NAME\""),
    TEXT(tin_config_labels, names_file, "", NULL, "a pattern of files with lines VALUE NAME"),
    TEXTS(tin_config_labels, none, 100, "values that mean no label"),
    TEXTS(tin_config_labels, events, 200, "patterns of the labels that are events"),
    END,
};

static const tin_setting import_settings[] = {
    TEXT(tin_config_import, id, "", NULL, "the id of a recording, e.g. \"{subject}_{session}\""),
    TEXT(tin_config_import, subject, "", NULL, "the person, e.g. \"{subject}\""),
    TEXT(tin_config_import, session, "", NULL, "the session, e.g. \"{session}\""),
    TEXT(tin_config_import, subject_column, "", NULL, "the column with the person"),
    TEXT(tin_config_import, subject_file, "", NULL, "a pattern of files with the person of each row"),
    LIST(tin_config_import, files, tin_config_files, files_settings, 64,
         "a list of files: - {path: \"*.csv\", channels: [...]}"),
    SECTION(tin_config_import, labels, labels_settings),
    TEXT(tin_config_import, validation_list, "", NULL, "a file with the paths of the validation recordings"),
    TEXT(tin_config_import, test_list, "", NULL, "a file with the paths of the test recordings"),
    END,
};

/* The keys of a mapping in a file of its own. */
const tin_setting *const tin_mapping_settings = import_settings;

static const tin_setting simulate_settings[] = {
    NUMBER(tin_config_simulate, subjects, 5, 1000, 12, "people"),
    NUMBER(tin_config_simulate, minutes, 0.2, 1440, 8, "minutes per person"),
    END,
};

static const tin_setting rule_settings[] = {
    TEXT(tin_config_label_rule, rule, NULL, "relabel drop merge anchor", "what the rule does"),
    TEXTS(tin_config_label_rule, classes, TIN_MAX_CLASSES, "the classes whose labels it is about"),
    NUMBER(tin_config_label_rule, min_ms, 0, 1e9, 0, "milliseconds, labels at least as long"),
    NUMBER(tin_config_label_rule, max_ms, 0, 1e9, 0, "milliseconds, labels shorter than this, 0: however long"),
    TEXT(tin_config_label_rule, after, "", NULL, "the class of the label before it"),
    TEXT(tin_config_label_rule, before, "", NULL, "the class of the label behind it"),
    NUMBER(tin_config_label_rule, within_ms, 0, 1e9, 1000, "milliseconds, how far away after and before may be"),
    TEXT(tin_config_label_rule, to, "", NULL, "the class that they become, or ignore"),
    NUMBER(tin_config_label_rule, gap_ms, 0, 1e9, 0, "milliseconds between labels that become one"),
    TEXT(tin_config_label_rule, at, "start", "start end peak", "the place of a label that stays"),
    NUMBER(tin_config_label_rule, early_ms, 0, 1e9, 0, "milliseconds before that place"),
    NUMBER(tin_config_label_rule, late_ms, 0, 1e9, 0, "milliseconds behind that place"),
    END,
};

static const tin_setting split_settings[] = {
    TEXT(tin_config_split, by, "", "subject session time published", "what stays together"),
    TEXT(tin_config_split, folds, "", NULL, "how many folds, or all for one per unit"),
    NUMBER(tin_config_split, fold, 0, 100000, 0, "the fold that is tested, 0: the last"),
    BOOL(tin_config_split, stratify, 0, "true: folds have the same share of each class"),
    NUMBER(tin_config_split, guard_s, 0, 86400, 10, "seconds left out between two roles, by time"),
    BOOL(tin_config_split, allow_leak, 0, "true: training and test may hold the same signal"),
    END,
};

static const tin_setting data_settings[] = {
    TEXT(tin_config_data, source, "simulate", "simulate import " TIN_MAPPING_NAMES, "where the recordings come from"),
    {.key = "mapping",
     .kind = TIN_SETTING_TEXT,
     .offset = offsetof(tin_config_data, mapping),
     .text = "",
     .neutral = true, /* what it says is in `import` */
     .meaning = "a file with the keys of data.import"},
    {.key = "path",
     .kind = TIN_SETTING_TEXT,
     .offset = offsetof(tin_config_data, path),
     .text = "recordings",
     .neutral = true,
     .meaning = "the folder of the recordings, relative to the project"},
    NUMBER(tin_config_data, rate_hz, 1, 48000, 50, "frames per second after resampling"),
    TEXT(tin_config_data, resample, "sinc", "sinc causal linear", "the low-pass filter of recordings that are faster"),
    NUMBER(tin_config_data, range_accel, 0, 1e6, 0, "full scale of the accelerometer in its unit, 0: 8 g"),
    NUMBER(tin_config_data, range_gyro, 0, 1e6, 0,
           "full scale of the gyroscope in its unit, 0: 2000 degrees per second"),
    TEXT(tin_config_data, unlabelled, "", NULL, "the class of frames without a label, or ignore"),
    LIST(tin_config_data, classes, tin_config_class, class_settings, TIN_MAX_CLASSES,
         "a list of classes: - {name: WAVE, event: true}"),
    TEXTS(tin_config_data, validation, 10000, "the people on whom thresholds are chosen"),
    TEXTS(tin_config_data, test, 10000, "the people on whom the result is read once"),
    SECTION(tin_config_data, split, split_settings),
    LIST(tin_config_data, labels, tin_config_label_rule, rule_settings, 100,
         "a list of rules: - {rule: drop, classes: [WAVE], max_ms: 100}"),
    {.key = "relabel",
     .kind = TIN_SETTING_TEXT,
     .offset = offsetof(tin_config_data, relabel),
     .text = "",
     .neutral = true, /* its content decides, not its name */
     .meaning = "a list of labels to change, as `data check` suggests them"},
    SECTION(tin_config_data, import, import_settings),
    SECTION(tin_config_data, simulate, simulate_settings),
    END,
};

/* A member of tin_layer_spec. */
#define LAYER(member, low_, high_, meaning_)                                                                           \
    {                                                                                                                  \
        .key = #member, .kind = KIND(tin_layer_spec, member), .offset = offsetof(tin_config_layer, spec.member),       \
        .low = low_, .high = high_, .meaning = meaning_                                                                \
    }

static const tin_setting layer_settings[] = {
    {.key = "op",
     .kind = TIN_SETTING_OP,
     .offset = offsetof(tin_config_layer, spec.op),
     .meaning = "the operation of the layer"},
    TEXT(tin_config_layer, name, "", NULL, "a name for the layer, for the from of others"),
    TEXTS(tin_config_layer, from, TIN_MAX_FROM, "the names of the layers that it reads, or input"),
    LAYER(units, 0, TIN_MAX_WIDTH, "output channels or units, 0: the default of the layer"),
    LAYER(kernel, 0, 1024, "rows that the layer looks at"),
    LAYER(stride, 0, 1024, "input rows per output row"),
    LAYER(dilation, 0, 1024, "rows from one tap to the next"),
    LAYER(depthwise, 0, 1, "true: each channel has its own filter"),
    LAYER(rate, 0, 0.95, "the probability of zero (dropout)"),
    LAYER(reset_before, 0, 1, "true: the original gru, reset before the product"),
    LAYER(shift, 0, 12, "the past that an ema or high_pass covers is 2^shift rows"),
    LAYER(levels, 0, 8, "octaves of log_energy"),
    LAYER(bands, 0, 255, "bands of log_mel; mask: the widest mask, in channels"),
    LAYER(rows, 0, 16384, "the longest mask, in rows"),
    LAYER(count, 0, 16, "masks of either kind per sequence"),
    LAYER(low_hz, 0, 24000, "hertz, where the lowest band of log_mel begins"),
    LAYER(high_hz, 0, 24000, "hertz, where its highest band ends, 0: half of the rate"),
    END,
};

static const tin_setting model_settings[] = {
    LIST(tin_config, layers, tin_config_layer, layer_settings, TIN_MAX_LAYERS,
         "a list of layers: - {op: gru, units: 24}"),
    NUMBER(tin_config, delay_ms, 0, 60000, 0,
           "milliseconds by which every decision comes later, a multiple of the hop"),
    END,
};

static const tin_setting border_settings[] = {
    TEXT(tin_config_border, class, NULL, NULL, "the name of the class"),
    TEXT(tin_config_border, border, "ramp", "hard ignored ramp gaussian", "how its labels change at their borders"),
    NUMBER(tin_config_border, early_ms, 0, 10000, 0, "milliseconds, half the width of the border at its start"),
    NUMBER(tin_config_border, late_ms, 0, 10000, 0, "milliseconds, half the width of the border at its end"),
    END,
};

/* ---- train.augment ---- */

#define PROBABILITY(section, fallback_)                                                                                \
    NUMBER(section, probability, 0, 1, fallback_, "the probability that a sequence has it, 0: off")

static const tin_setting splice_settings[] = {
    NUMBER(tin_config_splice, probability, 0, 1, 0, "the probability that a place gets an event, 0: off"),
    NUMBER(tin_config_splice, every_ms, 100, 3.6e6, 8000, "milliseconds of a stretch without an event for each place"),
    NUMBER(tin_config_splice, fade_ms, 0, 60000, 200, "milliseconds of the cross-fade before and after the event"),
    TEXTS(tin_config_splice, events, TIN_MAX_CLASSES, "the classes of the events; none: all events"),
    TEXTS(tin_config_splice, into, TIN_MAX_CLASSES, "the classes of the places; none: all that are no event"),
    END,
};
static const tin_setting speed_settings[] = {
    PROBABILITY(tin_config_by, 1),
    NUMBER(tin_config_by, by, 0, 0.9, 0.1, "the share by which the speed changes, 0: off"),
    END,
};
static const tin_setting warp_settings[] = {
    PROBABILITY(tin_config_warp, 1),
    NUMBER(tin_config_warp, by, 0, 0.9, 0, "the share by which the speed changes on the way, 0: off"),
    NUMBER(tin_config_warp, period_ms, 1, 600000, 2000, "milliseconds from one change of the speed to the next"),
    END,
};
static const tin_setting shift_settings[] = {
    PROBABILITY(tin_config_shift, 1),
    NUMBER(tin_config_shift, ms, 0, 60000, 0, "milliseconds by which the signal moves against its labels, 0: off"),
    END,
};
static const tin_setting mirror_settings[] = {
    PROBABILITY(tin_config_mirror, 0),
    TEXT(tin_config_mirror, axis, "x", "x y z", "the axis that points from left to right"),
    END,
};
static const tin_setting turn_settings[] = {
    PROBABILITY(tin_config_turn, 1),
    NUMBER(tin_config_turn, degrees, 0, 180, 0, "degrees, the greatest turn of the device around the limb, 0: off"),
    TEXT(tin_config_turn, axis, "x", "x y z", "the axis along the limb"),
    END,
};
static const tin_setting rotate_settings[] = {
    PROBABILITY(tin_config_rotate, 1),
    NUMBER(tin_config_rotate, degrees, 0, 180, 15, "degrees, the greatest random rotation, 0: off"),
    END,
};
static const tin_setting scale_settings[] = {
    PROBABILITY(tin_config_by, 1),
    NUMBER(tin_config_by, by, 0, 0.9, 0.1, "the share by which signals are scaled, 0: off"),
    END,
};
static const tin_setting chance_settings[] = {
    PROBABILITY(tin_config_chance, 0),
    END,
};
static const tin_setting gain_settings[] = {
    PROBABILITY(tin_config_gain, 0),
    RANGE(tin_config_gain, db, -60, 60, -10, 10, "the gain in dB"),
    END,
};
static const tin_setting room_settings[] = {
    PROBABILITY(tin_config_room, 0),
    RANGE(tin_config_room, decay_ms, 1, 2000, 50, 300, "milliseconds until the echoes are 60 dB down"),
    RANGE(tin_config_room, direct_db, -20, 60, 3, 15, "dB by which the direct sound is louder than its echoes"),
    END,
};
static const tin_setting background_settings[] = {
    PROBABILITY(tin_config_background, 0),
    RANGE(tin_config_background, snr_db, -30, 60, 5, 25, "dB of the signal over what is added"),
    TEXTS(tin_config_background, classes, TIN_MAX_CLASSES, "the classes it is taken from; none: all that are no event"),
    END,
};
static const tin_setting bias_settings[] = {
    PROBABILITY(tin_config_sensors, 1),
    NUMBER(tin_config_sensors, accel, 0, 1e6, 0, "in the accelerometer's unit, 0: none"),
    NUMBER(tin_config_sensors, gyro, 0, 1e6, 0, "in the gyroscope's unit, 0: none"),
    NUMBER(tin_config_sensors, other, 0, 1e6, 0, "in the unit of all other channels, 0: none"),
    END,
};
static const tin_setting noise_settings[] = {
    PROBABILITY(tin_config_noise, 1),
    NUMBER(tin_config_noise, accel, 0, 1e6, 0, "in the accelerometer's unit, 0: none"),
    NUMBER(tin_config_noise, gyro, 0, 1e6, 0, "in the gyroscope's unit, 0: none"),
    NUMBER(tin_config_noise, other, 0, 1e6, 0, "in the unit of all other channels, 0: none"),
    NUMBER(tin_config_noise, accel_density, 0, 1e6, 0, "noise density of the accelerometer, ug / sqrt(Hz), 0: none"),
    NUMBER(tin_config_noise, gyro_density, 0, 1e6, 0, "noise density of the gyroscope, mdps / sqrt(Hz), 0: none"),
    NUMBER(tin_config_noise, bandwidth_hz, 0, 1e6, 0, "bandwidth of the densities in Hz, 0: half the rate"),
    END,
};
static const tin_setting range_settings[] = {
    PROBABILITY(tin_config_range, 0),
    RANGE(tin_config_range, share, 0.001, 1, 0.25, 1, "the share of full scale that the sensor can measure"),
    END,
};
static const tin_setting resolution_settings[] = {
    PROBABILITY(tin_config_resolution, 0),
    RANGE(tin_config_resolution, bits, 1, 16, 8, 12, "bits of full scale"),
    END,
};
static const tin_setting drop_settings[] = {
    PROBABILITY(tin_config_drop, 0),
    NUMBER(tin_config_drop, per_minute, 0.01, 1000, 10, "stretches of lost samples per minute"),
    RANGE(tin_config_drop, ms, 1, 60000, 20, 200, "milliseconds that are lost"),
    BOOL(tin_config_drop, hold, 1, "true: the last sample stands for them, false: zeros"),
    END,
};

const tin_setting tin_augment_settings[] = {
    SECTION(tin_config_augment, splice, splice_settings),
    SECTION(tin_config_augment, speed, speed_settings),
    SECTION(tin_config_augment, warp, warp_settings),
    SECTION(tin_config_augment, shift, shift_settings),
    SECTION(tin_config_augment, mirror, mirror_settings),
    SECTION(tin_config_augment, turn, turn_settings),
    SECTION(tin_config_augment, rotate, rotate_settings),
    SECTION(tin_config_augment, scale, scale_settings),
    SECTION(tin_config_augment, gain, gain_settings),
    SECTION(tin_config_augment, room, room_settings),
    SECTION(tin_config_augment, background, background_settings),
    SECTION(tin_config_augment, bias, bias_settings),
    SECTION(tin_config_augment, drift, bias_settings),
    SECTION(tin_config_augment, noise, noise_settings),
    SECTION(tin_config_augment, range, range_settings),
    SECTION(tin_config_augment, resolution, resolution_settings),
    SECTION(tin_config_augment, drop, drop_settings),
    SECTION(tin_config_augment, mute, chance_settings),
    END,
};

static const tin_setting train_settings[] = {
    NUMBER(tin_config_train, steps, 1, 10000000, 1500, "optimiser steps"),
    NUMBER(tin_config_train, batch, 1, 4096, 32, "sequences per step"),
    NUMBER(tin_config_train, chunk, 1, 100000, 500, "input frames per sequence and step"),
    BOOL(tin_config_train, stateful, 1, "true: carry the state from chunk to chunk"),
    NUMBER(tin_config_train, carry_over, 0, 1, 0.5,
           "stateful: the share of recordings that go on from the state which the one before left"),
    TEXT(tin_config_train, optimiser, "adamw", "adamw adam sgd", "the optimiser"),
    NUMBER(tin_config_train, momentum, 0, 0.9999, 0.9, "the momentum of sgd"),
    BOOL(tin_config_train, nesterov, 1, "true: sgd looks ahead by its momentum"),
    NUMBER(tin_config_train, learning_rate, 1e-8, 10, 4e-3, "the greatest learning rate"),
    TEXT(tin_config_train, schedule, "cosine", "cosine constant linear step one_cycle", "how the learning rate goes"),
    NUMBER(tin_config_train, final_rate, 0, 1, 0.02, "the share of the learning rate at the end of cosine and linear"),
    NUMBER(tin_config_train, decay_every, 1, 10000000, 500, "steps from one fall of the schedule step to the next"),
    NUMBER(tin_config_train, decay_factor, 0, 1, 0.3, "what the schedule step multiplies the learning rate by"),
    NUMBER(tin_config_train, weight_decay, 0, 10, 1e-4, "weight decay"),
    NUMBER(tin_config_train, warmup, 0, 10000000, 50, "steps of rising learning rate"),
    NUMBER(tin_config_train, clip, 0, 1e6, 1, "the greatest global gradient norm, 0: off"),
    NUMBER(tin_config_train, class_weight_power, 0, 4, 0.5, "the power of the class weights, 0: no weights"),
    NUMBER(tin_config_train, class_weight_beta, 0, 0.999999, 0,
           "the beta of class weights by effective number, 0: class_weight_power"),
    NUMBER(tin_config_train, focal_gamma, 0, 5, 0, "the gamma of the focal loss, 0: off"),
    NUMBER(tin_config_train, event_balance, 0, 1, 0, "1: each event carries the same weight, 0: each frame"),
    NUMBER(tin_config_train, margin_ms, 0, 10000, 0, "milliseconds around a label border that weigh less, 0: none"),
    NUMBER(tin_config_train, margin_weight, 0, 1, 0.1, "the weight of a frame right at a label border"),
    NUMBER(tin_config_train, label_smoothing, 0, 0.5, 0, "the share of label smoothing"),
    TEXT(tin_config_train, border, "ramp", "hard ignored ramp gaussian", "how labels change at their borders"),
    NUMBER(tin_config_train, border_ms, 0, 10000, 0, "milliseconds, half the width of soft label borders, 0: hard"),
    LIST(tin_config_train, borders, tin_config_border, border_settings, TIN_MAX_CLASSES,
         "a list of classes: - {class: WAVE, border: gaussian, early_ms: 60, late_ms: 200}"),
    NUMBER(tin_config_train, evaluate_every, 1, 10000000, 75, "steps between validations"),
    TEXT(tin_config_train, metric, "macro_f1", "accuracy macro_f1 balanced_accuracy loss event_f1 iou_f1",
         "what the best weights are best in"),
    BOOL(tin_config_train, keep_last, 0, "true: keep the last weights, not the best ones"),
    NUMBER(tin_config_train, cross_validation, 0, TIN_MAX_CROSS, 0,
           "models that choose the decision rule, each trained without a part of the people, 0: validation people do"),
    NUMBER(tin_config_train, patience, 0, 10000000, 600,
           "steps without a better validation before the stop, 0: never stop"),
    NUMBER(tin_config_train, checkpoint_every, 1, 10000000, 75, "steps between checkpoints"),
    NUMBER(tin_config_train, max_memory_mb, 0, 10000000, 4096, "MB that a training may take, 0: no bound"),
    {.key = "kernels",
     .kind = KIND(tin_config_train, kernels),
     .offset = offsetof(tin_config_train, kernels),
     .text = "auto",
     .choices = "auto baseline avx2 avx512 amx",
     .neutral = true, /* so that a run can go on where others are the best */
     .meaning = "the instructions that training computes with"},
    NUMBER(tin_config_train, average_decay, 0, 1, 0, "the decay of the average of weights, 1: plain mean, 0: off"),
    NUMBER(tin_config_train, average_from, 0, 1, 0, "the share of the steps after which the average begins"),
    NUMBER(tin_config_train, mixup, 0, 1, 0, "alpha of the mixing of pairs of sequences, 0: off"),
    BOOL(tin_config_train, windows, 0, "true: train on windows inside one label"),
    NUMBER(tin_config_train, history_frames, 0, 100000, 0, "frames of a chunk that come before the window"),
    SECTION(tin_config_train, augment, tin_augment_settings),
    END,
};

static const tin_setting compress_settings[] = {
    TEXT(tin_config_compress, method, NULL, "prune sparse low_rank share distill", "what is done to the model"),
    NUMBER(tin_config_compress, keep, 0, 1, 0,
           "the share that stays, of parameters (prune, low_rank) or blocks (sparse)"),
    NUMBER(tin_config_compress, energy, 0.1, 1, 0.9, "low_rank: the share of the squared singular values that stays"),
    NUMBER(tin_config_compress, entries, 4, 16, 16, "share: different values in four rows of a matrix"),
    NUMBER(tin_config_compress, steps, 0, 10000000, 1000, "fine-tuning steps, 0: none"),
    NUMBER(tin_config_compress, learning_rate, 1e-8, 10, 1e-3, "the learning rate of the fine-tuning"),
    TEXT(tin_config_compress, teacher, "", NULL, "distill: the ID of another run of this project"),
    LIST(tin_config_compress, layers, tin_config_layer, layer_settings, TIN_MAX_LAYERS,
         "distill: the layers of a teacher that is trained first, none: those of the model"),
    NUMBER(tin_config_compress, teachers, 1, TIN_MAX_TEACHERS, 1,
           "distill: how many teachers are trained, whose mean teaches"),
    NUMBER(tin_config_compress, weight, 0, 1, 0.5, "distill: the teacher's share of the loss"),
    NUMBER(tin_config_compress, temperature, 0.1, 100, 2, "distill: what the teacher's scores are divided by"),
    NUMBER(tin_config_compress, delay_ms, 0, 60000, 0, "distill: how much later the teacher decides, milliseconds"),
    END,
};

static const tin_setting quantize_settings[] = {
    TEXT(tin_config_quantize, method, "percentile", "percentile minmax mse kl", "how calibration finds ranges"),
    NUMBER(tin_config_quantize, percentile, 0.9, 1, 0.999, "the share of the input inside the int8 range"),
    NUMBER(tin_config_quantize, activation_percentile, 0.9, 1, 0.9999,
           "the share of each activation inside the int8 range"),
    BOOL(tin_config_quantize, equalize, 0, "true: bring the channels of a tensor nearer in size before"),
    TEXT(tin_config_quantize, weight_bits, "8", "8 4 auto", "bits of the weights"),
    TEXT(tin_config_quantize, activation_bits, "8", "8 16 auto", "bits of the activations"),
    TEXT(tin_config_quantize, input_bits, "8", "8 16 auto", "bits of the input"),
    NUMBER(tin_config_quantize, max_weight_bytes, 0, 1e9, 0, "bytes of all weights together, 0: no limit"),
    BOOL(tin_config_quantize, power_of_two, 0, "true: all scales are powers of two"),
    NUMBER(tin_config_quantize, steps, 0, 10000000, 300, "fine-tuning steps, 0: none"),
    NUMBER(tin_config_quantize, learning_rate, 1e-8, 10, 5e-4, "the learning rate of the fine-tuning"),
    BOOL(tin_config_quantize, learn_scales, 0, "true: fine-tuning trains the scales of the activations too"),
    END,
};

static const tin_setting margin_settings[] = {
    TEXT(tin_config_margin, class, NULL, NULL, "the name of a class with event: true"),
    NUMBER(tin_config_margin, early_ms, 0, 600000, -1, "milliseconds before its events in which a trigger counts"),
    NUMBER(tin_config_margin, late_ms, 0, 600000, -1, "milliseconds after its events in which a trigger counts"),
    END,
};

static const tin_setting evaluate_settings[] = {
    NUMBER(tin_config_evaluate, early_ms, 0, 600000, 500, "milliseconds before an event in which a trigger counts"),
    NUMBER(tin_config_evaluate, late_ms, 0, 600000, 1000, "milliseconds after an event in which a trigger counts"),
    LIST(tin_config_evaluate, margins, tin_config_margin, margin_settings, TIN_MAX_CLASSES,
         "a list of classes: - {class: WAVE, early_ms: 200, late_ms: 1500}"),
    NUMBER(tin_config_evaluate, deadline_ms, 0, 600000, 1000,
           "milliseconds after the start of an event in which it must be reported to be found in time"),
    NUMBER(tin_config_evaluate, collar_ms, 0, 600000, 200,
           "milliseconds by which the start or the end of a segment may be off in event-based F1"),
    BOOL(tin_config_evaluate, allow_repeats, 0, "true: further triggers inside an event are no false positives"),
    NUMBER(tin_config_evaluate, max_fp_per_hour, 0, 1e6, 0,
           "false positives per hour that are allowed, 0: greatest event F1"),
    TEXT(tin_config_evaluate, objective, "event_f1", "event_f1 iou_f1",
         "what is made greatest when max_fp_per_hour is 0"),
    TEXT(tin_config_evaluate, preset, "balanced", "responsive balanced strict", "which decision rule the code gets"),
    NUMBER(tin_config_evaluate, window_frames, 0, 100000, 0, "frames per window, 0: no windows"),
    NUMBER(tin_config_evaluate, window_step, 0, 100000, 0, "frames from one window to the next"),
    NUMBER(tin_config_evaluate, window_history, 0, 1000000, 0, "frames before each window, 0: none"),
    NUMBER(tin_config_evaluate, bootstrap, 0, 100000, 2000, "resamples of people for the confidence intervals"),
    END,
};

static const tin_setting deploy_settings[] = {
    TEXT(tin_config_deploy, name, "", NULL, "the prefix of the generated code, a C identifier"),
    TEXT(tin_config_deploy, target, "m4", "m0 m3 m4 m7 m33 m55 rv32", "the core that the code is made for"),
    TEXT(tin_config_deploy, backend, "auto", "auto cmsis-nn", "what computes the layers"),
    {.key = "cmsis_nn",
     .kind = TIN_SETTING_TEXT,
     .offset = offsetof(tin_config_deploy, cmsis_nn),
     .text = "",
     .neutral = true,
     .meaning = "the folder of CMSIS-NN, with Include/ and libcmsis-nn.a"},
    TEXT(tin_config_deploy, schedule, "earliest", "earliest spread", "when layers run"),
    TEXT(tin_config_deploy, optimize, "balanced", "balanced speed size", "what the code is optimised for"),
    NUMBER(tin_config_deploy, verify_frames, 0, 2000000000, 0, "frames checked on the emulated core, 0: all"),
    LIMIT(tin_config_deploy, max_flash_bytes, 2000000000, "the flash that code and weights may take, 0: any"),
    LIMIT(tin_config_deploy, max_ram_bytes, 2000000000, "the RAM that state and stack may take, 0: any"),
    END,
};

const tin_setting tin_settings[] = {
    TEXT(tin_config, project, NULL, NULL, "the name of the project"),
    {.key = "seed",
     .kind = TIN_SETTING_SEED,
     .offset = offsetof(tin_config, seed),
     .fallback = 1,
     .meaning = "a whole number from which all random numbers come"},
    {.key = "threads",
     .kind = TIN_SETTING_INT,
     .offset = offsetof(tin_config, threads),
     .low = 0,
     .high = TIN_MAX_THREADS,
     .neutral = true,
     .meaning = "threads, 0: all cores"},
    SECTION(tin_config, data, data_settings),
    {.key = "model",
     .kind = TIN_SETTING_SECTION,
     .offset = 0,
     .fields = model_settings,
     .meaning = "settings, one `key: value` per line, indented"},
    SECTION(tin_config, train, train_settings),
    LIST(tin_config, compress, tin_config_compress, compress_settings, TIN_MAX_COMPRESS,
         "a list of steps: - {method: prune, keep: 0.75}"),
    SECTION(tin_config, quantize, quantize_settings),
    SECTION(tin_config, evaluate, evaluate_settings),
    SECTION(tin_config, deploy, deploy_settings),
    END,
};
