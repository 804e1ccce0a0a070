/* Raw sensor counts to the network's input. */
#ifndef TINK_SCALE_INPUT_H
#define TINK_SCALE_INPUT_H

#include "runtime/requantize.h"
#if TINK_VECTORS
#include "runtime/helium.h"
#endif
#if TINK_WIDE
#include "runtime/write_row.h"
#endif

/* [fragment] */
/* low: -127, or -32767 where the input has 16 bits. */
static void tink_scale_input(const int16_t *counts, const int16_t *offset, const int32_t *mult, int32_t shift,
                             int32_t channels, int32_t low, tink_row *y)
{
    int32_t c;
#if TINK_VECTORS
#ifdef TINK_HELIUM
    if (low >= -127) {
        const int32x4_t least = vdupq_n_s32(low), most = vdupq_n_s32(127);
        __asm__ volatile("dlstp.32 lr, %[channels]\n"
                         "1:\n\t"
                         "vldrh.s32 q0, [%[counts]], #8\n\t"
                         "vldrh.s32 q1, [%[offset]], #8\n\t"
                         "vsub.i32 q0, q0, q1\n\t"
                         "vldrw.u32 q1, [%[mult]], #16\n\t"
                         "vshl.s32 q0, %[shift]\n\t"
                         "vrmulh.s32 q0, q0, q1\n\t"
                         "vmin.s32 q0, q0, %q[most]\n\t"
                         "vmax.s32 q0, q0, %q[least]\n\t"
                         "vstrb.32 q0, [%[y]], #4\n\t"
                         "letp lr, 1b"
                         : [counts] "+l"(counts), [offset] "+l"(offset), [mult] "+r"(mult), [y] "+l"(y)
                         : [channels] "r"(channels), [shift] "r"(shift), [most] "w"(most), [least] "w"(least)
                         : "q0", "q1", "lr", "memory");
        return;
    }
#endif
#endif
    for (c = 0; c < channels; c++) {
        const int32_t v = tink_requantize((int32_t)counts[c] - offset[c], mult[c], shift);
#if TINK_WIDE
        tink_write(y, c, v, low, low < -127);
#else
        y[c] = tink_output8(v, low);
#endif
    }
}
/* [end] */

#endif
