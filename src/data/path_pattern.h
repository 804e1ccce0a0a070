/* Private to src/data: patterns of paths with named parts, such as "RawData/acc_exp{experiment}_user{subject}.txt".
 *
 * `*` is any text, `?` any character, [a-z] one of a set, all within one folder; a leading or inner `**` and a slash is
 * any number of folders, also none. {name} is a capture: one or more characters within one folder, as few as the rest
 * allows; where a name stands twice, both are the same text. {id} may hold slashes. */
#ifndef TIN_PATH_PATTERN_H
#define TIN_PATH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define TIN_MAX_CAPTURES 8

typedef struct tin_capture {
    const char *name, *text; /* in the pattern and in the path */
    size_t name_size, size;
} tin_capture;

typedef struct tin_captures {
    tin_capture items[TIN_MAX_CAPTURES];
    int n;
} tin_captures;

/* TIN_ERR_CONFIG for braces that do not pair, empty names and too many of them. */
tin_status tin_pattern_check(const char *pattern, const char *setting, tin_error *err) TIN_USE_RESULT;
/* True when the whole path matches. The captures point into both texts. */
bool tin_pattern_match(const char *pattern, const char *path, tin_captures *captures);
/* The capture of this name, or NULL. */
const tin_capture *tin_capture_find(const tin_captures *captures, const char *name, size_t name_size);
/* "exp{experiment}" with its names replaced; {subject:d} without leading zeros. TIN_ERR_CONFIG for a name that there is
 * not. The caller frees *text. */
tin_status tin_pattern_fill(const char *pattern, const tin_captures *captures, const char *setting, char **text,
                            tin_error *err) TIN_USE_RESULT;

#endif
