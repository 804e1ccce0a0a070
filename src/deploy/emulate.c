/* The generated code on the emulated core: frames in, results back, every one compared with the interpreter. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "deploy/emit.h"
#include "deploy/expect.h"
#include "deploy/measure.h"

/* As in targets/harness.c. */
#define CALIBRATION_LOOPS 50000
#define CALIBRATION_CALLS 1000
#define REPORT_MAGIC 0x544d494eu

/* The words at the end of the results, each uint32; a profile has three more per section. */
enum {
    R_MAGIC,
    R_STATE_BYTES,
    R_FRAMES,
    R_DECISIONS,
    R_TICKS_LOW,
    R_TICKS_HIGH,
    R_WORST_TICKS,
    R_CALL_TICKS,
    R_LOOP_TICKS,
    R_MARK_TICKS,
    R_STACK_BYTES,
    R_WORDS
};
#define MAX_SECTIONS (TIN_MAX_FOOTPRINT_LAYERS + 2)

typedef struct report {
    uint32_t word[R_WORDS];
    uint32_t section[MAX_SECTIONS][3]; /* ticks, low and high, and runs */
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

/* On a serial line the byte 1 is the emulator's escape, and is sent twice. */
#define ESCAPE 1

static void put_bytes(const tin_emulation *e, const void *data, size_t n, FILE *to)
{
    if (!e->target->serial) {
        (void)fwrite(data, 1, n, to);
        return;
    }
    for (const uint8_t *from = data; n > 0; n--, from++) {
        if (*from == ESCAPE) {
            (void)putc(ESCAPE, to);
        }
        (void)putc(*from, to);
    }
}

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
        put_bytes(e, bytes, sizeof bytes, w.stream);
        if (n > 0) {
            put_bytes(e, list[i].stream->counts, 2 * (size_t)e->model->n_channels * n, w.stream);
        }
    }
    if (e->target->serial) { /* the emulator reads ahead by 32 bytes; then the escape that ends it */
        (void)fprintf(w.stream, "%64s%cx", "", ESCAPE);
    }
    status = tin_writer_commit(&w, err);
    tin_writer_abort(&w);
    return status;
}

/* The ends of the line are FRAMES.in and FRAMES.out, which must be there; a comma in an option is doubled. */
static tin_status add_line(const tin_emulation *e, tin_command *command, char option[2 * TIN_PATH_MAX], tin_error *err)
{
    char *to = option + sprintf(option, "pipe,id=line,mux=on,path=");
    for (const char *from = e->frames; from[3] != '\0'; from++) { /* without .in */
        *to++ = *from;
        if (*from == ',') {
            *to++ = ',';
        }
    }
    *to = '\0';
    tin_command_add(command, "-chardev");
    tin_command_add(command, option);
    return tin_file_write(e->results, "", 0, err);
}

static tin_status run_core(const tin_emulation *e, const char *elf, tin_error *err)
{
    tin_process_result result = {0};
    tin_error inner = {0};
    tin_command command = {0};
    tin_command_words(&command, e->target->emulator);
    tin_command_add(&command, elf);
    (void)remove(e->results);
    char option[2 * TIN_PATH_MAX];
    tin_status status = e->target->serial ? add_line(e, &command, option, err) : TIN_OK;
    if (status) {
        return status;
    }
    status = tin_command_run(&command, SECONDS_PER_PIECE, &result, &inner);
    if (status) {
        const char *what =
            result.exit_code == 101 ? "met a fault" : "did not finish; if the model is large, set deploy.verify_frames";
        status = tin_fail(err, status, "the emulated %s %s: %.500s", e->target->title, what, inner.message);
    }
    tin_process_free(&result);
    return status;
}

static uint32_t word_at(const char *data)
{
    const uint8_t *b = (const uint8_t *)data;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Reads the results, the report with n_sections, and checks their shape. *data is to be freed. */
static tin_status read_results(const tin_emulation *e, int n_sections, char **data, report *r, tin_error *err)
{
    size_t size;
    const tin_status status = tin_file_read(e->results, data, &size, err);
    if (status) {
        return status;
    }
    static const char farewell[] = "QEMU: Terminated\n\r"; /* of the emulator, on the serial line */
    const size_t n_farewell = sizeof farewell - 1;
    if (e->target->serial && size >= n_farewell && memcmp(*data + size - n_farewell, farewell, n_farewell) == 0) {
        size -= n_farewell;
    }
    const size_t record = 2 * ((size_t)e->model->n_classes + 5), n_words = R_WORDS + 3 * (size_t)n_sections;
    const bool whole = size >= 4 * n_words;
    const char *words = whole ? *data + size - 4 * n_words : *data;
    for (size_t i = 0; i < n_words && whole; i++, words += 4) {
        *(i < R_WORDS ? &r->word[i] : &r->section[(i - R_WORDS) / 3][(i - R_WORDS) % 3]) = word_at(words);
    }
    if (!whole || r->word[R_MAGIC] != REPORT_MAGIC || size - 4 * n_words != record * r->word[R_DECISIONS]) {
        return tin_fail_at(err, TIN_ERR_TOOL, e->results, 0,
                           "the emulated core left an incomplete file of %zu bytes; is the disk full?", size);
    }
    return TIN_OK;
}

/* The emulator's clock must count instructions: 2 per turn of the calibration loop. */
static tin_status check_clock(const tin_target *target, const report *r, tin_error *err)
{
    const double insn = r->word[R_LOOP_TICKS] / target->ticks_per_insn, expected = 2.0 * CALIBRATION_LOOPS;
    if (insn < expected * 0.999 || insn > expected * 1.001) {
        return tin_fail(err, TIN_ERR_TOOL,
                        "the clock of the emulated %s shows %.0f instructions for a loop of %.0f; use QEMU 7.2",
                        target->title, insn, expected);
    }
    return TIN_OK;
}

static void describe_mismatch(const tin_emulation *e, const tin_expectation *x, const stretch *s, int64_t frame,
                              int field, int got, tin_error *err)
{
    char name[32];
    tin_expectation_field(x, field, name);
    (void)tin_fail(err, TIN_ERR_MISMATCH,
                   "stream %s, frame %lld: %s is %d on the %s and %d in the interpreter; this is an error "
                   "in Tinamou, please report it with the model",
                   s->stream->id, (long long)frame, name, got, e->target->title, x->values[field]);
}

/* Compares the records of one run with the interpreter; counts frames that differ and describes the first one in err.
 */
static void compare(const tin_emulation *e, const stretch *list, size_t n_list, const char *data, uint32_t decisions,
                    tin_expectation *x, int64_t *mismatches, tin_error *err)
{
    const int fields = tin_expectation_fields(x);
    const size_t record = 2 * ((size_t)fields + 2);
    uint32_t at = 0, next = 0; /* frame in the run, record */
    for (size_t i = 0; i < n_list; i++) {
        tin_expectation_reset(x);
        for (int64_t t = 0; t < list[i].n; t++, at++) {
            uint32_t due_at = UINT32_MAX;
            if (next < decisions) {
                due_at = word_at(data + next * record);
            }
            const int due = tin_expectation_step(x, list[i].stream->counts + t * e->model->n_channels);
            if (due != (due_at == at)) {
                (*mismatches)++;
                (void)tin_fail(err, TIN_ERR_MISMATCH,
                               "stream %s, frame %lld: decision due is %d on the %s and %d in the interpreter",
                               list[i].stream->id, (long long)t, due_at == at, e->target->title, due);
            }
            if (due_at != at) {
                continue;
            }
            bool differs = false;
            for (int f = 0; due && f < fields && !differs; f++) {
                const uint8_t *b = (const uint8_t *)data + next * record + 4 + 2 * (size_t)f;
                const int16_t got = (int16_t)(uint16_t)(b[0] | b[1] << 8);
                differs = got != x->values[f];
                if (differs) {
                    describe_mismatch(e, x, &list[i], t, f, got, err);
                }
            }
            *mismatches += differs;
            next++;
        }
    }
    if (next != decisions) { /* records out of order or of frames that were not sent */
        *mismatches += (int64_t)(decisions - next);
        (void)tin_fail(err, TIN_ERR_MISMATCH, "%lu decisions of the %s belong to no frame",
                       (unsigned long)(decisions - next), e->target->title);
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
    const bool clock = e->target->ticks_per_insn > 0;
    tin_status status = write_frames(e, list, n_list, err);
    if (status == TIN_OK) {
        status = run_core(e, elf, err);
    }
    if (status == TIN_OK) {
        status = read_results(e, 0, &data, &r, err);
    }
    if (status == TIN_OK && clock) {
        status = check_clock(e->target, &r, err);
    }
    if (status == TIN_OK) {
        compare(e, list, n_list, data, r.word[R_DECISIONS], x, &sum->mismatches, mismatch);
        sum->frames += r.word[R_FRAMES];
        sum->decisions += r.word[R_DECISIONS];
        sum->state = (long)r.word[R_STATE_BYTES];
    }
    if (status == TIN_OK && clock) {
        const double call = (double)r.word[R_CALL_TICKS] / CALIBRATION_CALLS;
        const double ticks = r.word[R_TICKS_HIGH] * 4294967296.0 + r.word[R_TICKS_LOW];
        const long worst = (long)((r.word[R_WORST_TICKS] - call) / e->target->ticks_per_insn + 0.5);
        sum->insn += (ticks - call * r.word[R_FRAMES]) / e->target->ticks_per_insn;
        sum->worst = worst > sum->worst ? worst : sum->worst;
        sum->stack = (long)r.word[R_STACK_BYTES] > sum->stack ? (long)r.word[R_STACK_BYTES] : sum->stack;
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

/* What has no clock gives no figure, which is not 0. */
static void fill_footprint(const totals *sum, bool clock, tin_footprint *footprint)
{
    footprint->insn_per_frame = clock ? sum->insn / (double)sum->frames : (double)NAN;
    footprint->insn_per_decision = clock && sum->decisions > 0 ? sum->insn / (double)sum->decisions : (double)NAN;
    footprint->insn_worst_frame = clock ? sum->worst : -1;
    footprint->stack_bytes = clock ? sum->stack : -1;
    footprint->stack_static_bytes = clock ? footprint->stack_static_bytes : -1;
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
        x.latency = e->latency;
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
        fill_footprint(&sum, e->target->ticks_per_insn > 0, footprint);
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
        status = read_results(e, e->model->n_layers + 4, &data, &r, err);
    }
    if (status == TIN_OK) {
        const double mark = (double)r.word[R_MARK_TICKS] / CALIBRATION_CALLS, decisions = r.word[R_DECISIONS];
        footprint->n_layers = e->model->n_layers + 2;
        for (int i = 0; i < footprint->n_layers; i++) {
            const double runs = r.section[i][2], ticks = r.section[i][1] * 4294967296.0 + r.section[i][0];
            const double insn = (ticks - runs * mark) / e->target->ticks_per_insn;
            layer_name(e->model, i, footprint->layers[i].name);
            footprint->layers[i].insn_per_run = runs > 0 ? insn / runs : 0.0;
            footprint->layers[i].insn_per_decision = decisions > 0 ? insn / decisions : 0.0;
        }
    }
    tin_free(data);
    tin_free(list);
    return status;
}
