/* Instruction sets that the kernels are built for. */
#ifndef TIN_ISA_H
#define TIN_ISA_H

#include <stdbool.h>

#include "train/kernel/kernel.h"

/* TIN_ISA_AUTO: the best one that this machine has. TIN_ISA_DOUBLE: double precision, for gradient checks. */
typedef enum tin_isa {
    TIN_ISA_AUTO,
    TIN_ISA_BASELINE,
    TIN_ISA_AVX2,
    TIN_ISA_AVX512,
    TIN_ISA_AMX, /* AVX-512 and tiles */
    TIN_ISA_DOUBLE,
    TIN_ISA_COUNT
} tin_isa;

/* NULL when this build or machine does not have it. */
const tin_kernel *tin_isa_kernel(tin_isa isa);

/* As tin_isa_from_name has it. */
const char *tin_isa_name(tin_isa isa);

/* "auto", "baseline", "avx2", "avx512", "amx", "double"; NULL: TIN_ISA_AUTO. TIN_ISA_COUNT when unknown. */
tin_isa tin_isa_from_name(const char *name);

#endif
