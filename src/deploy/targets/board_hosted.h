/* A program of an operating system, run by itself or by QEMU's user mode: files of the C library, no clock that counts
 * instructions, the system's stack. */
#include <stdio.h>
#include <stdlib.h>

#define TICKS 0

static FILE *frames_file, *results_file;

static void quit(uint32_t code)
{
    exit(results_file != NULL && fclose(results_file) != 0 ? 102 : (int)code);
}

static void board_begin(void)
{
    frames_file = fopen(FRAMES_PATH, "rb");
    results_file = fopen(RESULTS_PATH, "wb");
    if (frames_file == NULL || results_file == NULL) {
        quit(105);
    }
}

static void get(void *data, size_t n)
{
    if (fread(data, 1, n, frames_file) != n) {
        quit(103);
    }
}

static void put(const void *data, size_t n)
{
    if (fwrite(data, 1, n, results_file) != n) {
        quit(102);
    }
}

static int32_t call_on_model_stack(call_t function, void *state, const int16_t *frame, void *out)
{
    return function(state, frame, out);
}
