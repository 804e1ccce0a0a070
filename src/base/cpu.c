#include "base/cpu.h"

bool tin_cpu_has(tin_cpu_level level)
{
    switch (level) {
    case TIN_CPU_BASELINE:
        return true;
#if defined __x86_64__
    case TIN_CPU_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    case TIN_CPU_AVX512:
        return tin_cpu_has(TIN_CPU_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512cd");
#endif
    default:
        return false;
    }
}
