/* Stands in for Zephyr's header. */
#ifndef ZEPHYR_KERNEL_H
#define ZEPHYR_KERNEL_H

#include <stdint.h>
#include <time.h>

static inline uint32_t k_cycle_get_32(void)
{
    return (uint32_t)clock();
}

static inline int sys_clock_hw_cycles_per_sec(void)
{
    return CLOCKS_PER_SEC;
}

#endif
