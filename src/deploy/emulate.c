/* The generated code on the emulated core: frames in, results back, every one compared with the interpreter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "deploy/emit.h"
#include "deploy/expect.h"
#include "deploy/measure.h"

/* As in targets/m4/harness.c. */
#define SECTIONS 80
#define CALIBRATION_LOOPS 100000
#define CALIBRATION_CALLS 1000
#define REPORT_MAGIC 0x544d494eu

typedef struct report {
    uint32_t magic, frames, decisions;
    uint32_t ticks_low, ticks_high, worst_ticks;
    uint32_t call_ticks, loop_ticks, mark_ticks;
    uint32_t state_bytes, stack_bytes;
    struct {
        uint64_t ticks, runs;
    } sections[SECTIONS];
} report;

#define PROFILE_FRAMES 4096
#define PIECES 20 /* of a run, between which progress is shown */
#define SECONDS_PER_PIECE 300.0

/* Frames [first, first + n) of one stream; the core starts anew with each stretch, so a stretch begins where a stream
 * begins. */
typedef struct stretch {
    const tin_stream *stream;
    int64_t n;
} stretch;

static tin_status write_frames(const tin_emulation *e, const stretch *list, size_t n_list, tin_error *err)
{
    tin_writer w = {0};
    tin_status status = tin_writer_open(&w, e->frames, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i <= n_list; i++) {
        const uint32_t n = i < n_list ? (uint32_t)list[i].n : 0;
        const uint8_t bytes[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
        (void)fwrite(bytes, 1, sizeof bytes, w.stream);
        if (n > 0) {
            (void)fwrite(list[i].stream->counts, 2 * (size_t)e->model->n_channels, n, w.stream);
        }
    }
    status = tin_writer_commit(&w, err);
    tin_writer_abort(&w);
    return status;
}

static tin_status run_core(const tin_emulation *e, const char *elf, tin_error *err)
{
    const char *const argv[] = {"qemu-system-arm", "-M",      "mps2-an386", "-display", "none",
                                "-serial",         "none",    "-monitor",   "none",     "-semihosting",
                                "-icount",         "shift=6", "-kernel",    elf,        NULL};
    tin_process_result result = {0};
    tin_error inner = {0};
    (void)remove(e->results);
    tin_status status = tin_tool_run(argv, SECONDS_PER_PIECE, &result, &inner);
    if (status) {
        const char *what =
            result.exit_code == 101 ? "met a fault" : "did not finish; if the model is large, set deploy.verify_frames";
        status = tin_fail(err, status, "the emulated Cortex-M4 %s: %.500s", what, inner.message);
    }
    tin_process_free(&result);
    return status;
}

/* Reads the results and checks their shape. *data is to be freed. */
static tin_status read_results(const tin_emulation *e, char **data, report *r, tin_error *err)
{
    size_t size;
    const tin_status status = tin_file_read(e->results, data, &size, err);
    if (status) {
        return status;
    }
    const size_t record = 2 * ((size_t)e->model->n_classes + 5);
    if (size >= sizeof *r) {
        memcpy(r, *data + size - sizeof *r, sizeof *r);
    }
    if (size < sizeof *r || r->magic != REPORT_MAGIC || size - sizeof *r != record * r->decisions) {
        return tin_fail_at(err, TIN_ERR_TOOL, e->results, 0,
                           "the emulated core left an incomplete file of %zu bytes; is the disk full?", size);
    }
    return TIN_OK;
}

/* The emulator's clock must count instructions: 2 per turn of the calibration loop, at 1.6 ticks each. */
static tin_status check_clock(const report *r, tin_error *err)
{
    const double insn = (double)r->loop_ticks / 1.6, expected = 2.0 * CALIBRATION_LOOPS;
    if (insn < expected * 0.999 || insn > expected * 1.001) {
        return tin_fail(err, TIN_ERR_TOOL,
                        "the emulator's clock shows %.0f instructions for a loop of %.0f; use qemu-system-arm 7.2",
                        insn, expected);
    }
    return TIN_OK;
}

static void describe_mismatch(const tin_expectation *x, const stretch *s, int64_t frame, int field, int got,
                              tin_error *err)
{
    char name[32];
    tin_expectation_field(x, field, name);
    (void)tin_fail(err, TIN_ERR_MISMATCH,
                   "stream %s, frame %lld: %s is %d on the Cortex-M4 and %d in the interpreter; this is an error "
                   "in Tinamou, please report it with the model",
                   s->stream->id, (long long)frame, name, got, x->values[field]);
}

/* Compares the records of one run with the interpreter; counts frames that differ and describes the first one in err.
 */
static void compare(const tin_emulation *e, const stretch *list, size_t n_list, const char *data, const report *r,
                    tin_expectation *x, int64_t *mismatches, tin_error *err)
{
    const int fields = tin_expectation_fields(x);
    const size_t record = 2 * ((size_t)fields + 2);
    uint32_t at = 0, next = 0; /* frame in the run, record */
    for (size_t i = 0; i < n_list; i++) {
        tin_expectation_reset(x);
        for (int64_t t = 0; t < list[i].n; t++, at++) {
            uint32_t due_at = UINT32_MAX;
            if (next < r->decisions) {
                memcpy(&due_at, data + next * record, sizeof due_at);
            }
            const int due = tin_expectation_step(x, list[i].stream->counts + t * e->model->n_channels);
            if (due != (due_at == at)) {
                (*mismatches)++;
                (void)tin_fail(err, TIN_ERR_MISMATCH,
                               "stream %s, frame %lld: decision due is %d on the Cortex-M4 and %d in the interpreter",
                               list[i].stream->id, (long long)t, due_at == at, due);
            }
            if (due_at != at) {
                continue;
            }
            bool differs = false;
            for (int f = 0; due && f < fields && !differs; f++) {
                int16_t got;
                memcpy(&got, data + next * record + 4 + 2 * (size_t)f, sizeof got);
                differs = got != x->values[f];
                if (differs) {
                    describe_mismatch(x, &list[i], t, f, got, err);
                }
            }
            *mismatches += differs;
            next++;
        }
    }
    if (next != r->decisions) { /* records out of order or of frames that were not sent */
        *mismatches += (int64_t)(r->decisions - next);
        (void)tin_fail(err, TIN_ERR_MISMATCH, "%lu decisions of the Cortex-M4 belong to no frame",
                       (unsigned long)(r->decisions - next));
    }
}

typedef struct totals {
    double insn;
    int64_t frames, decisions, mismatches;
    long worst, stack, state;
} totals;

static tin_status run_stretch(tin_emulation *e, const char *elf, const stretch *list, size_t n_list, tin_expectation *x,
                              totals *sum, tin_error *mismatch, tin_error *err)
{
    report r = {0};
    char *data = NULL;
    tin_status status = write_frames(e, list, n_list, err);
    if (status == TIN_OK) {
        status = run_core(e, elf, err);
    }
    if (status == TIN_OK) {
        status = read_results(e, &data, &r, err);
    }
    if (status == TIN_OK) {
        status = check_clock(&r, err);
    }
    if (status == TIN_OK) {
        const double call = (double)r.call_ticks / CALIBRATION_CALLS;
        const double ticks = (double)r.ticks_high * 4294967296.0 + (double)r.ticks_low;
        const long worst = (long)(((double)r.worst_ticks - call) / 1.6 + 0.5);
        compare(e, list, n_list, data, &r, x, &sum->mismatches, mismatch);
        sum->insn += (ticks - call * (double)r.frames) / 1.6;
        sum->frames += r.frames;
        sum->decisions += r.decisions;
        sum->worst = worst > sum->worst ? worst : sum->worst;
        sum->stack = (long)r.stack_bytes > sum->stack ? (long)r.stack_bytes : sum->stack;
        sum->state = (long)r.state_bytes;
    }
    tin_free(data);
    return status;
}

/* Test streams up to max_frames (0: all); *n_list streams, *frames in all. The list is to be freed. */
static tin_status list_streams(const tin_emulation *e, int64_t max_frames, stretch **list, size_t *n_list,
                               int64_t *frames, tin_error *err)
{
    *n_list = 0;
    *frames = 0;
    *list = tin_alloc(e->dataset->n_streams, sizeof **list, err);
    if (*list == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < e->dataset->n_streams; i++) {
        const tin_stream *s = &e->dataset->streams[i];
        int64_t n = s->role == TIN_ROLE_TEST ? s->n_frames : 0;
        if (max_frames > 0 && n > max_frames - *frames) {
            n = max_frames - *frames;
        }
        n = n > UINT32_MAX / 2 ? UINT32_MAX / 2 : n;
        if (n > 0) {
            (*list)[*n_list].stream = s;
            (*list)[(*n_list)++].n = n;
            *frames += n;
        }
    }
    if (*frames == 0) {
        return tin_fail(err, TIN_ERR_DATA,
                        "no frame of a test stream to run; give data.test at least one subject with recordings");
    }
    return TIN_OK;
}

static void fill_footprint(const totals *sum, tin_footprint *footprint)
{
    footprint->insn_per_frame = sum->insn / (double)sum->frames;
    footprint->insn_per_decision = sum->decisions > 0 ? sum->insn / (double)sum->decisions : 0.0;
    footprint->insn_worst_frame = sum->worst;
    footprint->stack_bytes = sum->stack;
    footprint->state_bytes = sum->state;
    footprint->verified_frames = sum->frames;
    footprint->mismatches = sum->mismatches;
}

tin_status tin_emulate_verify(tin_emulation *e, const char *elf, int64_t max_frames, bool quiet,
                              tin_footprint *footprint, tin_error *err)
{
    stretch *list = NULL;
    size_t n_list = 0;
    int64_t frames = 0;
    tin_expectation x = {0};
    totals sum = {0};
    tin_error mismatch = {0};
    tin_progress progress;
    tin_status status = list_streams(e, max_frames, &list, &n_list, &frames, err);
    if (status == TIN_OK) {
        status = tin_expectation_begin(&x, e->model, e->rule, err);
    }
    if (status) {
        goto cleanup;
    }
    tin_progress_begin(&progress, "emulate", (long)frames, quiet);
    for (size_t first = 0, last = 0; first < n_list && status == TIN_OK; first = last) {
        for (int64_t n = 0; last < n_list && n < frames / PIECES + 1; last++) {
            n += list[last].n;
        }
        status = run_stretch(e, elf, list + first, last - first, &x, &sum, &mismatch, err);
        tin_progress_update(&progress, (long)sum.frames, NULL);
        if (status == TIN_OK && tin_stop_requested()) {
            status = tin_fail(err, TIN_ERR_INTERRUPTED, "stopped after %lld frames on the emulated core",
                              (long long)sum.frames);
        }
    }
    tin_progress_end(&progress, NULL);
    if (status == TIN_OK) {
        fill_footprint(&sum, footprint);
        if (sum.mismatches > 0) {
            status = tin_fail(err, TIN_ERR_MISMATCH, "%lld of %lld frames differ, the first: %s",
                              (long long)sum.mismatches, (long long)sum.frames, mismatch.message);
        }
    }
cleanup:
    tin_expectation_end(&x);
    tin_free(list);
    return status;
}

static void layer_name(const tin_qmodel *model, int section, char name[32])
{
    if (section == 0 || section == model->n_layers + 1) {
        (void)snprintf(name, 32, "%s", section == 0 ? "input" : "decision");
    } else {
        tin_emit_label(model, section - 1, name);
    }
}

tin_status tin_emulate_profile(tin_emulation *e, const char *elf, tin_footprint *footprint, tin_error *err)
{
    stretch *list = NULL;
    size_t n_list = 0;
    int64_t frames = 0;
    char *data = NULL;
    report r = {0};
    int64_t limit = PROFILE_FRAMES > 8 * e->model->hop ? PROFILE_FRAMES : 8 * (int64_t)e->model->hop;
    tin_status status = list_streams(e, limit, &list, &n_list, &frames, err);
    if (status == TIN_OK) {
        status = write_frames(e, list, n_list, err);
    }
    if (status == TIN_OK) {
        status = run_core(e, elf, err);
    }
    if (status == TIN_OK) {
        status = read_results(e, &data, &r, err);
    }
    if (status == TIN_OK) {
        footprint->n_layers = e->model->n_layers + 2;
        for (int i = 0; i < footprint->n_layers; i++) {
            const double runs = (double)r.sections[i].runs, mark = (double)r.mark_ticks / CALIBRATION_CALLS;
            const double insn = ((double)r.sections[i].ticks - runs * mark) / 1.6;
            layer_name(e->model, i, footprint->layers[i].name);
            footprint->layers[i].insn_per_run = runs > 0 ? insn / runs : 0.0;
            footprint->layers[i].insn_per_decision = r.decisions > 0 ? insn / (double)r.decisions : 0.0;
        }
    }
    tin_free(data);
    tin_free(list);
    return status;
}
