/* The products of matrices that have one number of columns, without a loop. A template: see packed_layer.h. */
#include "runtime/kernel.h"

/* [fragment] */
#ifdef TINK_DSP
#ifdef TINK_PACKED_ONCE
#ifdef __OPTIMIZE_SIZE__
#define TINK_PACKED_BLOCK tink_packed
#else
#define TINK_PACKED_BLOCK tink_packed_once
TINK_ASSEMBLY void tink_packed_once(void)
{
    __asm__ volatile(TINK_PACKED_ONCE /**/
                     :
                     : [groups] "i"(TINK_GROUPS));
}
#endif
#endif
#endif
/* [end] */
