#include "base/cpu.h"

#if defined __x86_64__ && defined __linux__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux, Documentation/arch/x86/xstate.rst: a process asks before it uses the 8 KiB of tiles. */
static bool tiles_allowed(void)
{
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    const unsigned bfloat16 = 1u << 22, tiles = 1u << 24; /* of leaf 7 */
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & bfloat16) && (d & tiles) &&
           syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#endif

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
#if defined __x86_64__ && defined __linux__
    case TIN_CPU_AMX:
        return tin_cpu_has(TIN_CPU_AVX512) && tiles_allowed();
#endif
    default:
        return false;
    }
}
