/* Runs a generated model over recorded frames on an emulated core, and measures it. The same for every core; what is
 * particular to one stands in its board_*.h. The program stands alone besides the model, the C library's memcpy,
 * memmove and memset, and where the board says so.
 *
 * Compiled with -DMODEL=name -DUPPER=NAME -DHEADER="name.h" -DBOARD="board_*.h" -DSECTIONS=n; paths.h gives FRAMES_PATH
 * and RESULTS_PATH. Frames: streams of uint32 number of frames, then int16 counts frame by frame; a length of 0 ends
 * them. Results: per decision uint32 frame (counted through all streams), int16 scores, class_index, active, trigger;
 * at the end the report as uint32 words. All little-endian, whatever the core is.
 *
 * The board gives:
 *   TICKS             1 when there is a clock that counts instructions
 *   MODEL_STACK       bytes of the model's own stack
 *   board_begin()     opens the way in and out, starts the clock
 *   get(to, n)        reads n bytes
 *   put(from, n)      writes n bytes
 *   quit(code)        writes what is left and ends the emulator: 0 is success
 *   clock_start()     begins a measurement, clock_stop(start) gives its ticks
 *   calibration_loop  two instructions per turn
 *   call_on_model_stack(function, state, frame, out)   with model_stack_top as stack */
#include <stdint.h>
#include <string.h>

#include HEADER
#include "paths.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define IN_MODEL(what) JOIN(MODEL, what)
#define CHANNELS JOIN(UPPER, _CHANNELS)
#define CLASSES JOIN(UPPER, _CLASSES)

typedef int32_t (*call_t)(void *, const int16_t *, void *);
int main(void);

#include BOARD

/* ---- numbers in and out, little-endian ---- */

static void put16(int16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)((uint16_t)value >> 8)};
    put(bytes, sizeof bytes);
}

static void put32(uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    put(bytes, sizeof bytes);
}

static uint32_t get32(void)
{
    uint8_t b[4];
    get(b, sizeof b);
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void get_frame(int16_t frame[CHANNELS])
{
    get(frame, CHANNELS * sizeof *frame);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (int i = 0; i < CHANNELS; i++) {
        const uint16_t swapped = (uint16_t)frame[i];
        frame[i] = (int16_t)(uint16_t)(swapped << 8 | swapped >> 8);
    }
#endif
}

/* ---- measuring ---- */

#define CALIBRATION_LOOPS 50000u
#define CALIBRATION_CALLS 1000u
#define PAINT 0xa5u

static struct report {
    uint32_t frames, decisions;
    uint32_t ticks_low, ticks_high, worst_ticks; /* of calls of step */
    uint32_t call_ticks;                         /* of CALIBRATION_CALLS calls of nothing */
    uint32_t loop_ticks;                         /* of CALIBRATION_LOOPS times two instructions */
    uint32_t mark_ticks;                         /* of CALIBRATION_CALLS profile marks with nothing between */
    uint32_t stack_bytes;
} report;

static uint32_t timed(call_t function, void *state, const int16_t *frame, void *out, int32_t *result)
{
#if TICKS
    const uint32_t start = clock_start();
    *result = call_on_model_stack(function, state, frame, out);
    return clock_stop(start);
#else
    *result = call_on_model_stack(function, state, frame, out);
    return 0;
#endif
}

#if TICKS
static void calibrate(void)
{
    int32_t ignored;
    for (uint32_t i = 0; i < CALIBRATION_CALLS; i++) {
        report.call_ticks += timed(nothing, 0, 0, 0, &ignored);
    }
    const uint32_t start = clock_start();
    calibration_loop(CALIBRATION_LOOPS);
    report.loop_ticks = clock_stop(start);
}

static uint32_t used_stack(void)
{
    uint16_t unused = 0;
    while (unused < sizeof model_stack && model_stack[unused] == PAINT) {
        unused++;
    }
    return sizeof model_stack - unused;
}
#endif

#ifdef HARNESS_PROFILE
static struct {
    uint32_t ticks_low, ticks_high, runs;
} sections[SECTIONS]; /* of the model, then two of the harness */
static uint16_t section = SECTIONS - 1;
static uint32_t section_start;

void IN_MODEL(_profile)(int32_t layer)
{
    const uint32_t spent = clock_stop(section_start);
    sections[section].ticks_low += spent;
    sections[section].ticks_high += sections[section].ticks_low < spent;
    sections[layer].runs++;
    section = (uint16_t)layer;
    section_start = clock_start();
}

static void calibrate_marks(void)
{
    section_start = clock_start();
    for (uint32_t i = 0; i < CALIBRATION_CALLS; i++) {
        IN_MODEL(_profile)(SECTIONS - 2);
        IN_MODEL(_profile)(SECTIONS - 1);
    }
    report.mark_ticks = sections[SECTIONS - 2].ticks_low;
}
#endif

/* ---- the run ---- */

static IN_MODEL(_t) model;

static void write_decision(const IN_MODEL(_result_t) * out)
{
    put32(report.frames);
    for (int i = 0; i < CLASSES; i++) {
        put16(out->score[i]);
    }
    put16(out->class_index);
    put16(out->active);
    put16(out->trigger);
    report.decisions++;
}

static void write_report(void)
{
    put32(0x544d494eu);
    put32(sizeof model);
    for (uint16_t i = 0; i < sizeof report / sizeof(uint32_t); i++) {
        put32(((const uint32_t *)&report)[i]);
    }
#ifdef HARNESS_PROFILE
    for (uint16_t i = 0; i < SECTIONS; i++) {
        put32(sections[i].ticks_low);
        put32(sections[i].ticks_high);
        put32(sections[i].runs);
    }
#endif
}

static void run_frame(const int16_t *frame)
{
    IN_MODEL(_result_t) out;
    int32_t due;
    const uint32_t spent = timed((call_t)IN_MODEL(_step), &model, frame, &out, &due);
#ifdef HARNESS_PROFILE
    IN_MODEL(_profile)(SECTIONS - 1);
#endif
    report.ticks_low += spent;
    report.ticks_high += report.ticks_low < spent;
    report.worst_ticks = spent > report.worst_ticks ? spent : report.worst_ticks;
    if (due == 1) {
        write_decision(&out);
    } else if (due != 0) {
        quit(104);
    }
    report.frames++;
}

int main(void)
{
    int16_t frame[CHANNELS];
    board_begin();
#if TICKS
    memset(model_stack, PAINT, sizeof model_stack);
    calibrate();
#endif
#ifdef HARNESS_PROFILE
    calibrate_marks();
#endif
    for (uint32_t frames = get32(); frames > 0; frames = get32()) {
        (void)call_on_model_stack((call_t)(uintptr_t)IN_MODEL(_init), &model, 0, 0);
        for (; frames > 0; frames--) {
            get_frame(frame);
            run_frame(frame);
        }
    }
#if TICKS
    report.stack_bytes = used_stack();
#endif
    write_report();
    quit(0);
    return 0;
}
