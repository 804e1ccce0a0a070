#include "train/isa.h"

#include <string.h>

#include "base/cpu.h"

static const tin_kernel *best(void)
{
    for (int isa = TIN_ISA_AMX; isa > TIN_ISA_BASELINE; isa--) {
        const tin_kernel *kernel = tin_isa_kernel((tin_isa)isa);
        if (kernel) {
            return kernel;
        }
    }
    return &tin_kernel_baseline;
}

const tin_kernel *tin_isa_kernel(tin_isa isa)
{
    switch (isa) {
    case TIN_ISA_AUTO:
        return best();
    case TIN_ISA_BASELINE:
        return &tin_kernel_baseline;
    case TIN_ISA_DOUBLE:
        return &tin_kernel_double;
#if TIN_KERNELS_X86
    case TIN_ISA_AVX2:
        return tin_cpu_has(TIN_CPU_AVX2) ? &tin_kernel_avx2 : 0;
    case TIN_ISA_AVX512:
        return tin_cpu_has(TIN_CPU_AVX512) ? &tin_kernel_avx512 : 0;
#endif
#if TIN_KERNELS_TILES
    case TIN_ISA_AMX:
        return tin_cpu_has(TIN_CPU_AMX) ? &tin_kernel_amx : 0;
#endif
    default:
        return 0;
    }
}

static const char *const names[TIN_ISA_COUNT] = {"auto", "baseline", "avx2", "avx512", "amx", "double"};

const char *tin_isa_name(tin_isa isa)
{
    return isa < TIN_ISA_COUNT ? names[isa] : "unknown";
}

tin_isa tin_isa_from_name(const char *name)
{
    if (!name) {
        return TIN_ISA_AUTO;
    }
    int isa = TIN_ISA_AUTO;
    while (isa < TIN_ISA_COUNT && strcmp(name, names[isa]) != 0) {
        isa++;
    }
    return (tin_isa)isa;
}
