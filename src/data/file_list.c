#include "data/file_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/natural_order.h"
#include "data/data.h"
#include "data/path_pattern.h"

#define MOST_FOLDERS 16 /* that a "**" goes down */

static int compare_names(const void *a, const void *b)
{
    return tin_natural_compare(*(char *const *)a, *(char *const *)b);
}

static tin_status add(tin_file_list *list, const char *name, tin_error *err)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        char **names = tin_grow(list->names, list->n, capacity, sizeof *names, err);
        if (names == NULL)
            return TIN_ERR_MEMORY;
        list->names = names;
        list->capacity = capacity;
    }
    list->names[list->n] = tin_strdup(name, err);
    if (list->names[list->n] == NULL)
        return TIN_ERR_MEMORY;
    list->n++;
    return TIN_OK;
}

/* `below` is "" or "sub/folder"; descends `depth` folders further, so this ends. */
static tin_status walk(tin_file_list *list, const char *folder, const char *below, const char *pattern, int depth,
                       tin_error *err)
{
    char path[TIN_PATH_MAX], name[TIN_PATH_MAX];
    tin_status status = TIN_OK;
    DIR *dir = NULL;
    if (below[0] == '\0')
        (void)snprintf(path, sizeof path, "%s", folder);
    else
        status = tin_path_join(path, folder, below, err);
    if (status == TIN_OK && (dir = opendir(path)) == NULL)
        status = tin_fail_errno(err, path, "cannot open the folder");
    for (struct dirent *entry; status == TIN_OK && (errno = 0, entry = readdir(dir)) != NULL;) {
        struct stat info;
        char full[TIN_PATH_MAX];
        tin_captures captures;
        if (entry->d_name[0] == '.' || tin_data_is_own_file(entry->d_name))
            continue;
        if (below[0] == '\0')
            (void)snprintf(name, sizeof name, "%s", entry->d_name);
        else
            status = tin_path_join(name, below, entry->d_name, err);
        if (status == TIN_OK)
            status = tin_path_join(full, folder, name, err);
        if (status != TIN_OK || stat(full, &info) != 0) /* a dangling link is no file */
            continue;
        if (S_ISDIR(info.st_mode) && depth > 0)
            status = walk(list, folder, name, pattern, depth - 1, err);
        else if (S_ISREG(info.st_mode) && tin_pattern_match(pattern, name, &captures))
            status = add(list, name, err);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return status;
}

tin_status tin_file_list_make(tin_file_list *list, const char *folder, const char *pattern, tin_error *err)
{
    int depth = 0;
    for (const char *s = pattern; *s != '\0'; s++)
        depth += *s == '/';
    if (strstr(pattern, "**/") != NULL)
        depth = MOST_FOLDERS;
    *list = (tin_file_list){0};
    tin_status status = walk(list, folder, "", pattern, depth, err);
    if (status == TIN_OK && list->n > 0)
        qsort(list->names, list->n, sizeof *list->names, compare_names);
    return status;
}

void tin_file_list_free(tin_file_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        tin_free(list->names[i]);
    tin_free(list->names);
    *list = (tin_file_list){0};
}
