/* What the tests of deployment share. Include after cmocka.h. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "deploy/deploy.h"
#include "deploy/random_model.h"

/* A name, and nothing known besides. */
static inline tin_generate_facts facts_of(const char *name)
{
    return (tin_generate_facts){.name = name,
                                .version = "test",
                                .data_hash = "",
                                .config_hash = "",
                                .command = "tinamou deploy",
                                .frame_accuracy = NAN,
                                .fnr = NAN,
                                .fcr = NAN,
                                .fp_per_hour = NAN,
                                .latency_mean_s = NAN};
}

static inline void must(tin_status status, tin_error *err)
{
    if (status != TIN_OK) {
        fail_msg("%s", tin_error_text(err));
    }
}

/* Runs a program that must succeed; its words are shown when it does not. */
static inline void run(const char *const argv[])
{
    tin_error err = {0};
    tin_process_result result = {0};
    must(tin_process_run(argv, 120, &result, &err), &err);
    if (result.exit_code != 0 || (result.errors[0] != '\0' && strstr(argv[0], "cc") != NULL)) {
        fail_msg("%s %s ... ended with %d:\n%s%s", argv[0], argv[1], result.exit_code, result.output, result.errors);
    }
    tin_process_free(&result);
}

static inline char *path_of(const char *file)
{
    static char ring[8][TIN_PATH_MAX];
    static int next;
    char *path = ring[next++ % 8];
    (void)snprintf(path, TIN_PATH_MAX, "%s/%s", TEST_TEMPORARY, file);
    return path;
}

/* Of a file in TEST_TEMPORARY; to be freed. */
__attribute__((noinline, unused)) static char *read_text(const char *file)
{
    tin_error err = {0};
    char *text = NULL;
    size_t size = 0;
    must(tin_file_read(path_of(file), &text, &size, &err), &err);
    return text;
}

#endif
