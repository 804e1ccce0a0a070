/* Builds the generated code for an emulated core, looks at what came out, runs it and fills the footprint. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "deploy/emit.h"
#include "deploy/measure.h"

#define TARGET_FILES(X)                                                                                                \
    X(harness, "harness.c")                                                                                            \
    X(board_arm, "board_arm.h")                                                                                        \
    X(board_riscv, "board_riscv.h")                                                                                    \
    X(board_avr, "board_avr.h")                                                                                        \
    X(board_hosted, "board_hosted.h")                                                                                  \
    X(semihosting, "semihosting.h")                                                                                    \
    X(link, "link.ld")
#define DECLARE(symbol, file)                                                                                          \
    extern const char tin_target_##symbol[];                                                                           \
    extern const size_t tin_target_##symbol##_size;
TARGET_FILES(DECLARE)

typedef struct build {
    const tin_target *target;
    tin_target with_library; /* the target of a build with CMSIS-NN: its functions may be called */
    int n_sections;          /* of a profile */
    const char *folder;      /* of NAME.c */
    const char *name;
    const char *optimize; /* "-O2" or "-Os" */
    char upper[TIN_NAME_MAX + 1];
    char build[TIN_PATH_MAX];
    char source[TIN_PATH_MAX], object[TIN_PATH_MAX], su[TIN_PATH_MAX];
    char include[TIN_PATH_MAX], library[TIN_PATH_MAX]; /* of CMSIS-NN; "": none */
    char helpers[256];
    char harness[TIN_PATH_MAX], link[TIN_PATH_MAX], elf[TIN_PATH_MAX], profile_elf[TIN_PATH_MAX];
} build;

static tin_status path_in(char dst[TIN_PATH_MAX], const char *folder, const char *stem, const char *ending,
                          tin_error *err)
{
    char file[TIN_NAME_MAX + 32];
    (void)snprintf(file, sizeof file, "%s%s", stem, ending);
    return tin_path_join(dst, folder, file, err);
}

/* Paths as C strings, so that any folder name is right. */
static tin_status write_paths(const build *b, const tin_emulation *e, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_text text = {0};
    tin_text_add(&text, "#define FRAMES_PATH ");
    tin_emit_string(&text, e->frames);
    tin_text_add(&text, "\n#define RESULTS_PATH ");
    tin_emit_string(&text, e->results);
    tin_text_add(&text, "\n");
    tin_status status = tin_text_check(&text, err);
    if (status == TIN_OK) {
        status = tin_path_join(path, b->build, "paths.h", err);
    }
    if (status == TIN_OK) {
        status = tin_file_write(path, text.data, text.size, err);
    }
    tin_text_free(&text);
    return status;
}

static tin_status write_target_files(const build *b, tin_error *err)
{
#define ROW(symbol, file) {file, tin_target_##symbol, tin_target_##symbol##_size},
    const struct {
        const char *name, *text;
        size_t size;
    } files[] = {TARGET_FILES(ROW)};
    tin_status status = TIN_OK;
    for (size_t i = 0; i < sizeof files / sizeof files[0] && status == TIN_OK; i++) {
        char path[TIN_PATH_MAX];
        status = tin_path_join(path, b->build, files[i].name, err);
        if (status == TIN_OK) {
            status = tin_file_write(path, files[i].text, files[i].size, err);
        }
    }
    return status;
}

/* What a build with CMSIS-NN has besides. */
static tin_status use_cmsis_nn(build *b, const char *folder, tin_error *err)
{
    if (folder == NULL || folder[0] == '\0') {
        return TIN_OK;
    }
    b->with_library = *b->target;
    (void)snprintf(b->helpers, sizeof b->helpers, "%s%s%s", b->target->helpers, b->target->helpers[0] ? " " : "",
                   "arm_fully_connected_per_channel_s8 arm_nn_mat_mult_nt_t_s8_s32 arm_depthwise_conv_s8");
    b->with_library.helpers = b->helpers;
    b->target = &b->with_library;
    tin_status status = tin_cmsis_nn_check(folder, err);
    status = status ? status : tin_path_join(b->include, folder, "Include", err);
    return status ? status : tin_path_join(b->library, folder, "libcmsis-nn.a", err);
}

static tin_status prepare(build *b, tin_emulation *e, const tin_measure_options *options, tin_error *err)
{
    tin_status status = tin_emit_check_name(b->name, err);
    if (status) {
        return status;
    }
    if (strcmp(options->optimize, "speed") != 0 && strcmp(options->optimize, "balanced") != 0 &&
        strcmp(options->optimize, "size") != 0) {
        return tin_fail(err, TIN_ERR_CONFIG, "optimize is \"%s\"; use \"size\", \"balanced\" or \"speed\"",
                        options->optimize);
    }
    b->optimize = strcmp(options->optimize, "size") == 0 ? "-Os" : "-O2";
    for (size_t i = 0; b->name[i] != '\0'; i++) {
        b->upper[i] = (char)toupper((unsigned char)b->name[i]);
    }
    const struct {
        char *path;
        const char *stem, *ending;
    } files[] = {{b->object, b->name, ".o"},   {b->su, b->name, ".su"},       {b->harness, "harness", ".c"},
                 {b->link, "link", ".ld"},     {b->elf, b->name, ".elf"},     {b->profile_elf, b->name, "-profile.elf"},
                 {e->frames, "frames", ".in"}, {e->results, "frames", ".out"}};
    char folder[32];
    (void)snprintf(folder, sizeof folder, "build-%s", b->target->name);
    status = path_in(b->source, b->folder, b->name, ".c", err);
    if (status == TIN_OK) {
        status = options->build ? tin_path_join(b->build, options->build, "", err)
                                : tin_path_join(b->build, b->folder, folder, err);
    }
    if (status == TIN_OK) {
        status = tin_folder_make(b->build, err);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0] && status == TIN_OK; i++) {
        status = path_in(files[i].path, b->build, files[i].stem, files[i].ending, err);
    }
    if (status == TIN_OK) {
        status = write_target_files(b, err);
    }
    return status == TIN_OK ? write_paths(b, e, err) : status;
}

/* gcc with the flags of the core and the level of optimisation. */
static void add_compiler(tin_command *command, const build *b)
{
    tin_command_format(command, "%sgcc", b->target->tools);
    tin_command_words(command, b->target->flags);
    tin_command_add(command, b->optimize);
    if (b->include[0] != '\0') {
        tin_command_add(command, "-isystem");
        tin_command_add(command, b->include);
    }
}

static tin_status compile_object(const build *b, tin_error *err)
{
    tin_process_result result = {0};
    tin_command command = {0};
    add_compiler(&command, b);
    tin_command_words(&command, "-std=c99 -ffunction-sections -Wall -Wextra -Werror -pedantic -fstack-usage -c");
    tin_command_add(&command, b->source);
    tin_command_add(&command, "-o");
    tin_command_add(&command, b->object);
    const tin_status status = tin_command_run(&command, 120, &result, err);
    tin_process_free(&result);
    return status;
}

/* The harness with the object, or, for `profile`, with the source compiled anew with its marks. */
static tin_status link_program(const build *b, bool profile, tin_error *err)
{
    tin_process_result result = {0};
    tin_command command = {0};
    add_compiler(&command, b);
    tin_command_words(&command, "-std=gnu11 -ffunction-sections -fno-lto -I");
    tin_command_add(&command, b->folder);
    tin_command_add(&command, "-I");
    tin_command_add(&command, b->build);
    tin_command_format(&command, "-DMODEL=%s", b->name);
    tin_command_format(&command, "-DUPPER=%s", b->upper);
    tin_command_format(&command, "-DHEADER=\"%s.h\"", b->name);
    if (profile) {
        tin_command_format(&command, "-D%s_PROFILE", b->upper);
        tin_command_words(&command, "-DHARNESS_PROFILE");
        tin_command_format(&command, "-DSECTIONS=%d", b->n_sections);
    }
    tin_command_words(&command, b->target->harness);
    if (b->target->bare) {
        tin_command_words(&command, "-nostartfiles -T");
        tin_command_add(&command, b->link);
    }
    tin_command_words(&command, "-Wl,--gc-sections");
    tin_command_add(&command, b->harness);
    tin_command_add(&command, profile ? b->source : b->object);
    if (b->library[0] != '\0') {
        tin_command_add(&command, b->library);
    }
    tin_command_add(&command, "-o");
    tin_command_add(&command, profile ? b->profile_elf : b->elf);
    tin_error inner = {0};
    tin_status status = tin_command_run(&command, 120, &result, &inner);
    if (status) {
        const bool large = strstr(inner.message, "overflowed by") || strstr(inner.message, "not within region");
        status = large
                     ? tin_fail(err, TIN_ERR_MODEL,
                                "code, constants or state do not fit the memory of the emulated %s; leave this target "
                                "out, or make the model smaller",
                                b->target->title)
                     : tin_fail(err, status, "%s", inner.message);
    }
    tin_process_free(&result);
    return status;
}

static tin_status describe_build(const build *b, tin_footprint *footprint, tin_error *err)
{
    tin_process_result result = {0};
    tin_command command = {0};
    tin_command_format(&command, "%sgcc", b->target->tools);
    tin_command_words(&command, "-dumpfullversion -dumpversion"); /* the first one is not known to old ones */
    const tin_status status = tin_command_run(&command, 60, &result, err);
    if (status == TIN_OK) {
        (void)snprintf(footprint->compiler, sizeof footprint->compiler, "%s %.*s", command.argv[0],
                       (int)strcspn(result.output, "\n"), result.output);
        (void)snprintf(footprint->target, sizeof footprint->target, "%s", b->target->title);
        (void)snprintf(footprint->flags, sizeof footprint->flags, "%s %s", b->target->flags, b->optimize);
    }
    tin_process_free(&result);
    return status;
}

tin_status tin_measure(const tin_qmodel *qmodel, const tin_decision_rule *rule, const tin_dataset *dataset,
                       const char *folder, const char *name, const tin_measure_options *options,
                       tin_footprint *footprint, tin_error *err)
{
    *footprint = (tin_footprint){0};
    if (dataset->n_channels != qmodel->n_channels) {
        return tin_fail(err, TIN_ERR_MODEL,
                        "the model has %d channels and the data has %d; use the data that the model was made for",
                        qmodel->n_channels, dataset->n_channels);
    }
    const tin_target *target = NULL;
    tin_status status = tin_target_find(&target, options->target ? options->target : "m4", err);
    if (status) {
        return status;
    }
    build *b = tin_alloc(1, sizeof *b, err);
    tin_emulation *e = tin_alloc(1, sizeof *e, err);
    status = b == NULL || e == NULL ? TIN_ERR_MEMORY : TIN_OK;
    if (status) {
        goto cleanup;
    }
    b->folder = folder;
    b->name = name;
    b->target = target;
    b->n_sections = qmodel->n_layers + 4;
    *e = (tin_emulation){
        .target = target, .model = qmodel, .rule = rule, .dataset = dataset, .name = name, .latency = options->latency};
    const bool clock = target->ticks_per_insn > 0;
    if ((status = use_cmsis_nn(b, options->cmsis_nn, err)) || (status = prepare(b, e, options, err)) ||
        (status = describe_build(b, footprint, err)) || (status = compile_object(b, err)) ||
        (status = tin_object_check(b->target, b->object, err)) ||
        (status = tin_object_sizes(b->target, b->object, name, footprint, err)) ||
        (status = link_program(b, false, err))) {
        goto cleanup;
    }
    const bool bounded = clock && b->library[0] == '\0'; /* the library comes without a report of its frames */
    if (bounded &&
        (status = tin_stack_bound(target, b->object, b->su, b->elf, name, &footprint->stack_static_bytes, err))) {
        goto cleanup;
    }
    if (clock &&
        ((status = link_program(b, true, err)) || (status = tin_emulate_profile(e, b->profile_elf, footprint, err)))) {
        goto cleanup;
    }
    status = tin_emulate_verify(e, b->elf, options->max_frames, options->quiet, footprint, err);
    if (!bounded) {
        footprint->stack_static_bytes = footprint->stack_bytes;
    }
    if (status == TIN_OK && footprint->stack_bytes > footprint->stack_static_bytes) {
        status = tin_fail(err, TIN_ERR_TOOL,
                          "%s took %ld bytes of stack, more than the %ld of the bound: this compiler's report of the "
                          "stack is not understood; use gcc 10 to 12",
                          name, footprint->stack_bytes, footprint->stack_static_bytes);
    }
    if (status == TIN_OK) { /* else they show what went wrong */
        (void)remove(e->frames);
        (void)remove(e->results);
    }
cleanup:
    tin_free(e);
    tin_free(b);
    return status;
}
