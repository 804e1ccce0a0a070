/* Private to src/data: files below a folder by pattern, in an order that does not depend on the file system. */
#ifndef TIN_FILE_LIST_H
#define TIN_FILE_LIST_H

#include <stddef.h>

#include "base/error.h"

typedef struct tin_file_list {
    char **names; /* relative to the folder */
    size_t n, capacity;
} tin_file_list;

/* Regular files below `folder` whose relative path matches `pattern` (path_pattern.h), in natural order. None is not an
 * error. Names that begin with "." are passed over. */
tin_status tin_file_list_make(tin_file_list *list, const char *folder, const char *pattern,
                              tin_error *err) TIN_USE_RESULT;
void tin_file_list_free(tin_file_list *list);

#endif
