/* Runs a generated model over a file of frames: driver FRAMES RESULTS. Compiled with -DMODEL=name -DUPPER=NAME
 * -DHEADER="name.h". Results per decision, int32: frame, scores, class_index, active, trigger. Exit code 3: `out` was
 * touched without a decision, 4: a result other than 0 or 1, 5: a second instance that ran in between gave something
 * else. With -DPOISON="file" and profiling marks: garbage, in front of each call, in all memory that the memory plan, in the
 * arrays of that file, calls dead. */
#include <stdio.h>
#include <string.h>

#include HEADER

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define IN_MODEL(what) JOIN(MODEL, what)
#define CONSTANT(what) JOIN(UPPER, what)

typedef IN_MODEL(_t) state_t;
typedef IN_MODEL(_result_t) result_t;

#ifdef POISON
#include POISON

static state_t *running;

/* Whether a byte (wide: a value of scratch16) is alive at a call that has this mark. */
static int is_alive(int32_t wide, size_t at, int32_t mark)
{
    size_t call, row;
    for (call = 0; call < sizeof calls / sizeof calls[0]; call++) {
        for (row = 0; calls[call].mark == mark && row < sizeof rows / sizeof rows[0]; row++) {
            if (rows[row].wide == wide && rows[row].first <= calls[call].call && calls[call].call <= rows[row].last &&
                (long)at >= rows[row].from && (long)at <= rows[row].to) {
                return 1;
            }
        }
    }
    return 0;
}

void IN_MODEL(_profile)(int32_t mark);
void IN_MODEL(_profile)(int32_t mark)
{
    static uint32_t garbage = 1;
    size_t i;
#ifdef HAS_scratch
    for (i = 0; i < sizeof running->scratch; i++) {
        garbage = garbage * 1664525u + 1013904223u;
        running->scratch[i] = (int8_t)(is_alive(0, i, mark) ? running->scratch[i] : (int8_t)(garbage >> 24));
    }
#endif
#ifdef HAS_scratch16
    for (i = 0; i < sizeof running->scratch16 / sizeof running->scratch16[0]; i++) {
        garbage = garbage * 1664525u + 1013904223u;
        running->scratch16[i] = (int16_t)(is_alive(1, i, mark) ? running->scratch16[i] : (int16_t)(garbage >> 16));
    }
#endif
#ifdef HAS_lanes
    for (i = 0; i < sizeof running->lanes / sizeof running->lanes[0]; i++) {
        garbage = garbage * 1664525u + 1013904223u;
        running->lanes[i] = (int32_t)garbage;
    }
#endif
#ifdef HAS_widened
    for (i = 0; i < sizeof running->widened / sizeof running->widened[0]; i++) {
        garbage = garbage * 1664525u + 1013904223u;
        running->widened[i] = (int16_t)(garbage >> 16);
    }
#endif
    (void)i;
    (void)is_alive(0, 0, mark);
}
#define RUN(state) running = (state)
#else
#define RUN(state) (void)(state)
#endif

static int write_result(FILE *to, long frame, const result_t *out)
{
    int32_t values[CONSTANT(_CLASSES) + 4];
    int n = 0;
    values[n++] = (int32_t)frame;
    for (int k = 0; k < CONSTANT(_CLASSES); k++) {
        values[n++] = out->score[k];
    }
    values[n++] = out->class_index;
    values[n++] = out->active;
    values[n++] = out->trigger;
    return fwrite(values, sizeof values[0], (size_t)n, to) == (size_t)n;
}

int main(int argc, char **argv)
{
    static state_t one, two;
    result_t out, other, untouched;
    int16_t frame[CONSTANT(_CHANNELS)];
    long t;
    FILE *from = argc == 3 ? fopen(argv[1], "rb") : NULL;
    FILE *to = argc == 3 ? fopen(argv[2], "wb") : NULL;
    if (from == NULL || to == NULL) {
        return 2;
    }
    memset(&one, 0x55, sizeof one); /* init must not count on zeroed memory */
    memset(&two, 0xaa, sizeof two);
    IN_MODEL(_init)(&one);
    IN_MODEL(_init)(&two);
    memset(&untouched, 0x77, sizeof untouched);
    for (t = 0; fread(frame, sizeof frame, 1, from) == 1; t++) {
        memset(&out, 0x77, sizeof out);
        memset(&other, 0x77, sizeof other);
        RUN(&one);
        const int32_t due = IN_MODEL(_step)(&one, frame, &out);
        RUN(&two);
        const int32_t due_other = IN_MODEL(_step)(&two, frame, &other);
        if (due == 0 && memcmp(&out, &untouched, sizeof out) != 0) {
            return 3;
        }
        if (due != 0 && due != 1) {
            return 4;
        }
        if (due != due_other || memcmp(&out, &other, sizeof out) != 0) {
            return 5;
        }
        if (due == 1 && !write_result(to, t, &out)) {
            return 2;
        }
    }
    return fclose(from) != 0 || fclose(to) != 0 ? 2 : 0;
}
