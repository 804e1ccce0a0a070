/* Rows that move towards the front of their array. */
#ifndef TINK_MOVE_H
#define TINK_MOVE_H

#include "runtime/helium.h"

/* [fragment] */
/* n bytes, n > 0, to a place in front of them; they may overlap. */
static inline void tink_move(void *to, const void *from, int32_t n)
{
#ifdef TINK_HELIUM
    __asm__ volatile("dlstp.8 lr, %[n]\n"
                     "1:\n\t"
                     "vldrb.u8 q0, [%[from]], #16\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b"
                     : [from] "+r"(from), [to] "+r"(to)
                     : [n] "r"(n)
                     : "q0", "lr", "memory");
#else
    memmove(to, from, (size_t)n);
#endif
}
/* [end] */

#endif
