/* Runs a generated model on an emulated Cortex-M4 over recorded frames, and measures it. Start-up code, semihosting and
 * the measuring are all here; the program stands alone besides the model and the C library's memcpy, memmove and
 * memset.
 *
 * Compiled with -DMODEL=name -DUPPER=NAME -DHEADER="name.h"; paths.h gives FRAMES_PATH and RESULTS_PATH.
 * FRAMES_PATH holds streams: uint32 number of frames, then int16 counts frame by frame; a length of 0 ends the file.
 * RESULTS_PATH gets per decision uint32 frame (counted through all streams), int16 scores, class_index, active,
 * trigger; at the end one struct report. Little-endian, as the core is. */
#include <stdint.h>
#include <string.h>

#include HEADER
#include "paths.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define IN_MODEL(what) JOIN(MODEL, what)
#define CHANNELS JOIN(UPPER, _CHANNELS)
#define CLASSES JOIN(UPPER, _CLASSES)

/* ---- board ---- */

/* Timer 0 counts down at 25 MHz of the emulator's virtual clock; with -icount shift=6 an instruction is 64 ns of it. */
#define TIMER_CTRL (*(volatile uint32_t *)0x40000000u)
#define TIMER_VALUE (*(volatile uint32_t *)0x40000004u)
#define TIMER_RELOAD (*(volatile uint32_t *)0x40000008u)

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];
void reset_handler(void);
int main(void);

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT_EXTENDED = 0x20 };

static int32_t semihost(int32_t operation, const void *argument)
{
    register int32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void quit(uint32_t code)
{
    const uint32_t block[2] = {0x20026u, code};
    for (;;) {
        (void)semihost(SYS_EXIT_EXTENDED, block);
    }
}

static void fault(void)
{
    quit(101);
}

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)stack_top, (uintptr_t)reset_handler, (uintptr_t)fault, (uintptr_t)fault,
    (uintptr_t)fault,     (uintptr_t)fault,         (uintptr_t)fault};

void reset_handler(void)
{
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    quit((uint32_t)main());
}

/* ---- files ---- */

static uint8_t read_buffer[1 << 15], write_buffer[1 << 15];
static uint32_t read_at, read_size, write_size;
static int32_t read_handle, write_handle;

static int32_t open_file(const char *path, uint32_t mode)
{
    const uint32_t block[3] = {(uint32_t)path, mode, (uint32_t)strlen(path)};
    return semihost(SYS_OPEN, block);
}

static void flush(void)
{
    const uint32_t block[3] = {(uint32_t)write_handle, (uint32_t)write_buffer, write_size};
    if (write_size > 0 && semihost(SYS_WRITE, block) != 0) {
        quit(102);
    }
    write_size = 0;
}

static void put(const void *data, uint32_t n)
{
    if (write_size + n > sizeof write_buffer) {
        flush();
    }
    memcpy(write_buffer + write_size, data, n);
    write_size += n;
}

static void get(void *data, uint32_t n)
{
    uint8_t *to = data;
    while (n > 0) {
        if (read_at == read_size) {
            const uint32_t block[3] = {(uint32_t)read_handle, (uint32_t)read_buffer, sizeof read_buffer};
            read_size = sizeof read_buffer - (uint32_t)semihost(SYS_READ, block); /* gives what was not read */
            read_at = 0;
            if (read_size == 0) {
                quit(103);
            }
        }
        const uint32_t part = n < read_size - read_at ? n : read_size - read_at;
        memcpy(to, read_buffer + read_at, part);
        to += part;
        read_at += part;
        n -= part;
    }
}

/* ---- measuring ---- */

#define SECTIONS 80
#define CALIBRATION_LOOPS 100000u
#define CALIBRATION_CALLS 1000u
#define PAINT 0xdeadbeefu

static struct report {
    uint32_t magic, frames, decisions;
    uint32_t ticks_low, ticks_high, worst_ticks; /* of calls of step */
    uint32_t call_ticks;                         /* of CALIBRATION_CALLS calls of nothing */
    uint32_t loop_ticks;                         /* of CALIBRATION_LOOPS times two instructions */
    uint32_t mark_ticks;                         /* of CALIBRATION_CALLS profile marks with nothing between */
    uint32_t state_bytes, stack_bytes;
    struct {
        uint64_t ticks, runs;
    } sections[SECTIONS];
} report;

/* The model runs on a stack of its own, so that what it paints is its own. */
static uint64_t model_stack[2048];
uint32_t *const model_stack_top = (uint32_t *)(model_stack + sizeof model_stack / sizeof model_stack[0]);

typedef int32_t (*call_t)(void *, const int16_t *, void *);
int32_t call_on_model_stack(call_t function, void *state, const int16_t *frame, void *out);
__attribute__((naked, noinline)) int32_t call_on_model_stack(call_t function, void *state, const int16_t *frame,
                                                             void *out)
{
    __asm__ volatile("push {r4, lr}\n"
                     "mov r4, sp\n"
                     "mov r12, r0\n"
                     "mov r0, r1\n"
                     "mov r1, r2\n"
                     "mov r2, r3\n"
                     "ldr r3, =model_stack_top\n"
                     "ldr r3, [r3]\n"
                     "mov sp, r3\n"
                     "blx r12\n"
                     "mov sp, r4\n"
                     "pop {r4, pc}\n");
}

__attribute__((naked, noinline)) static int32_t nothing(void *state, const int16_t *frame, void *out)
{
    (void)state;
    (void)frame;
    (void)out;
    __asm__ volatile("bx lr\n");
}

static uint32_t timed(call_t function, void *state, const int16_t *frame, void *out, int32_t *result)
{
    const uint32_t before = TIMER_VALUE;
    *result = call_on_model_stack(function, state, frame, out);
    return before - TIMER_VALUE;
}

static void calibrate(void)
{
    int32_t ignored;
    uint32_t loops = CALIBRATION_LOOPS;
    for (uint32_t i = 0; i < CALIBRATION_CALLS; i++) {
        report.call_ticks += timed(nothing, 0, 0, 0, &ignored);
    }
    report.loop_ticks = TIMER_VALUE;
    __asm__ volatile("1: subs %0, %0, #1\n bne 1b\n" : "+r"(loops) : : "cc");
    report.loop_ticks -= TIMER_VALUE;
}

static uint32_t used_stack(void)
{
    const uint32_t *p = (const uint32_t *)model_stack;
    while (p != model_stack_top && *p == PAINT) {
        p++;
    }
    return (uint32_t)((const char *)model_stack_top - (const char *)p);
}

#ifdef HARNESS_PROFILE
static uint32_t section = SECTIONS - 1, section_start;

void IN_MODEL(_profile)(int32_t layer)
{
    const uint32_t ticks = section_start - TIMER_VALUE;
    report.sections[section].ticks += ticks;
    report.sections[layer].runs++;
    section = (uint32_t)layer;
    section_start = TIMER_VALUE;
}

static void calibrate_marks(void)
{
    section_start = TIMER_VALUE;
    for (uint32_t i = 0; i < CALIBRATION_CALLS; i++) {
        IN_MODEL(_profile)(SECTIONS - 2);
        IN_MODEL(_profile)(SECTIONS - 1);
    }
    report.mark_ticks = (uint32_t)report.sections[SECTIONS - 2].ticks;
}
#endif

/* ---- the run ---- */

static IN_MODEL(_t) model;

static void write_decision(const IN_MODEL(_result_t) * out)
{
    int16_t record[CLASSES + 5];
    memcpy(record, &report.frames, sizeof report.frames);
    memcpy(record + 2, out->score, sizeof out->score);
    record[CLASSES + 2] = out->class_index;
    record[CLASSES + 3] = out->active;
    record[CLASSES + 4] = out->trigger;
    put(record, sizeof record);
    report.decisions++;
}

static void run_frame(const int16_t *frame)
{
    IN_MODEL(_result_t) out;
    int32_t due;
    uint32_t ticks = timed((call_t)IN_MODEL(_step), &model, frame, &out, &due);
#ifdef HARNESS_PROFILE
    IN_MODEL(_profile)(SECTIONS - 1);
#endif
    report.ticks_low += ticks;
    report.ticks_high += report.ticks_low < ticks;
    report.worst_ticks = ticks > report.worst_ticks ? ticks : report.worst_ticks;
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
    uint32_t frames;
    read_handle = open_file(FRAMES_PATH, 1 /* rb */);
    write_handle = open_file(RESULTS_PATH, 5 /* wb */);
    if (read_handle < 0 || write_handle < 0) {
        return 105;
    }
    for (uint32_t *p = (uint32_t *)model_stack; p != model_stack_top; p++) {
        *p = PAINT;
    }
    TIMER_CTRL = 0;
    TIMER_RELOAD = 0xffffffffu;
    TIMER_VALUE = 0xffffffffu;
    TIMER_CTRL = 1;
    calibrate();
#ifdef HARNESS_PROFILE
    calibrate_marks();
#endif
    for (get(&frames, sizeof frames); frames > 0; get(&frames, sizeof frames)) {
        (void)call_on_model_stack((call_t)(uintptr_t)IN_MODEL(_init), &model, 0, 0);
        for (; frames > 0; frames--) {
            get(frame, sizeof frame);
            run_frame(frame);
        }
    }
    report.magic = 0x544d494eu;
    report.state_bytes = sizeof model;
    report.stack_bytes = used_stack();
    put(&report, sizeof report);
    flush();
    return 0;
}
