/* What Frama-C/Eva analyses (scripts/prove.sh): NAME_init, then NAME_step with any frames, without an end. Nothing is set before
 * NAME_init, so that a member which it forgets is found. MODEL, UPPER, HEADER, SOURCE,
 * SIGMOID and HINTS are in model.h, which the script writes. */
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#include "__fc_builtin.h"
#include "model.h"
#include HEADER

/* Eva knows ranges, not that the chord's place and the argument belong together: the range of the sum is shown chord by chord by
 * `sigmoid`, and `stream` builds on it. */
/*@ assigns \result \from t; ensures 65536 <= \result <= 268369920; */
static inline int32_t JOIN(MODEL, _sigmoid)(int32_t t);

#include SOURCE

#if SIGMOID
void sigmoid(void)
{
    /*@ loop unroll 258; */
    for (int32_t i = -129; i <= 128; i++) {
        const long low = i < -128 ? INT32_MIN : i * 256, high = i > 127 ? INT32_MAX : i * 256 + 255;
        JOIN(MODEL, _sigmoid)((int32_t)Frama_C_long_interval(low, high));
    }
}
#endif

void stream(void)
{
    JOIN(MODEL, _t) state;
    JOIN(MODEL, _result_t) result;
    int16_t frame[JOIN(UPPER, _CHANNELS)];
    JOIN(MODEL, _init)(&state);
    /*@ loop unroll 0;
        loop widen_hints "all", -536870912, -134217728, 134217727, 536870912, HINTS; */
    while (Frama_C_nondet(0, 1)) {
        for (int c = 0; c < JOIN(UPPER, _CHANNELS); c++) {
            frame[c] = (int16_t)Frama_C_interval(-32767 - 1, 32767);
        }
        JOIN(MODEL, _step)(&state, frame, &result);
    }
}
