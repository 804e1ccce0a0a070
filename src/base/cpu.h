/* What this machine runs: code that is built for several instruction sets chooses by it at run time. */
#ifndef TIN_CPU_H
#define TIN_CPU_H

#include <stdbool.h>

/* Each holds those before it. BASELINE is what the program as a whole is built for; AVX2 and AVX512 are x86-64-v3 and -v4, AMX
 * has tiles with 16-bit floats besides (Linux: whoever asks for it first gets leave to use them for the whole process). */
typedef enum tin_cpu_level {
    TIN_CPU_BASELINE,
    TIN_CPU_AVX2,
    TIN_CPU_AVX512,
    TIN_CPU_AMX,
    TIN_CPU_LEVELS
} tin_cpu_level;

bool tin_cpu_has(tin_cpu_level level);

#endif
