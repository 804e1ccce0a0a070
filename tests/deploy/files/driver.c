/* Runs a generated model over a file of frames: driver FRAMES RESULTS. Compiled with -DMODEL=name -DUPPER=NAME
 * -DHEADER="name.h". Results per decision, int32: frame, scores, class_index, active, trigger. Exit code 3: `out` was
 * touched without a decision, 4: a result other than 0 or 1, 5: a second instance that ran in between gave something
 * else. */
#include <stdio.h>
#include <string.h>

#include HEADER

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define IN_MODEL(what) JOIN(MODEL, what)
#define CONSTANT(what) JOIN(UPPER, what)

typedef IN_MODEL(_t) state_t;
typedef IN_MODEL(_result_t) result_t;

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
        const int32_t due = IN_MODEL(_step)(&one, frame, &out);
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
