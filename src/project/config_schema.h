/* Private to src/project: the one list of every setting, from which tinamou.yaml is read, checked, given its defaults,
 * written as canonical text and freed. A new setting is a member in config.h, a row in config_schema.c and a row in
 * docs/configuration.md. */
#ifndef TIN_CONFIG_SCHEMA_H
#define TIN_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

typedef enum tin_setting_kind {
    TIN_SETTING_INT,     /* int */
    TIN_SETTING_REAL,    /* double */
    TIN_SETTING_REAL32,  /* float */
    TIN_SETTING_RANGE,   /* double[2], least and greatest; one number in the file is both */
    TIN_SETTING_BOOL,    /* bool */
    TIN_SETTING_SEED,    /* uint64_t */
    TIN_SETTING_TEXT,    /* char *, owned */
    TIN_SETTING_OP,      /* tin_op */
    TIN_SETTING_TEXTS,   /* char **, owned, and unsigned count */
    TIN_SETTING_SECTION, /* struct inside the struct; offset 0: the keys are grouped in the file only */
    TIN_SETTING_LIST     /* array of structs, owned, and unsigned count */
} tin_setting_kind;

typedef struct tin_setting {
    const char *key; /* NULL ends a list of settings */
    tin_setting_kind kind;
    size_t offset, count_offset;      /* members in the struct of the section; the count of TEXTS and LIST */
    double low, high, fallback;       /* INT, REAL, RANGE (and fallback of BOOL, SEED): inclusive range, default */
    double fallback_high;             /* RANGE: default of the greatest */
    const char *text;                 /* TEXT: default; NULL: must be given */
    const char *choices;              /* TEXT: the only legal values, separated by blanks; NULL: any text */
    const struct tin_setting *fields; /* SECTION, LIST */
    size_t item_size, max_items;      /* LIST, TEXTS */
    bool neutral;                     /* no part of the canonical text: changes no result, or only its last bits */
    const char *meaning;              /* for messages: what to write */
} tin_setting;

extern const tin_setting tin_settings[];
extern const tin_setting tin_augment_settings[];      /* of train.augment */
extern const tin_setting *const tin_mapping_settings; /* of a tin_config_import */

/* The ready mappings, src/project/mappings/NAME.yaml: the names are values of data.source. */
#define TIN_MAPPING_NAMES "hapt spsw wisdm pamap2 uci_har opportunity speech_commands"
/* The text of a ready mapping; NULL: there is none of this name. */
const char *tin_mapping_text(const char *name);

#endif
