/* The emulated cores, one row each. */
#include "deploy/target.h"

#include <stdio.h>
#include <string.h>

#include "deploy/deploy.h"

#define QEMU_ARM(board)                                                                                                \
    "qemu-system-arm -M " board " -display none -serial none -monitor none -semihosting -icount shift=6 -kernel"
#define MEMORY(flash, flash_bytes, ram, ram_bytes)                                                                     \
    " -Wl,--defsym=flash_start=" flash ",--defsym=flash_bytes=" flash_bytes ",--defsym=ram_start=" ram                 \
    ",--defsym=ram_bytes=" ram_bytes
#define LARGE " -DBUFFER=32768 -DMODEL_STACK=16384"
#define ARM "-DBOARD=\"board_arm.h\""
#define HOSTED "-DBOARD=\"board_hosted.h\" -static -no-pie"
#define MPS2 ARM LARGE MEMORY("0", "4M", "0x20000000", "4M")

/* -icount shift=6: an instruction takes 64 ns of virtual time, so that a clock of f MHz counts 0.064 f per instruction.
 * The instructions of a Cortex-M0 are those of the nRF51, the only board with one. */
const tin_target tin_targets[] = {
    {.name = "m0",
     .title = "Cortex-M0",
     .tools = "arm-none-eabi-",
     .flags = "-mcpu=cortex-m0 -mthumb",
     .bare = true,
     .harness = ARM " -DBUFFER=512 -DMODEL_STACK=2048 -DTIMER_NRF51" MEMORY("0", "256K", "0x20000000", "16K"),
     .emulator = QEMU_ARM("microbit"),
     .ticks_per_insn = 1.024,                      /* 16 MHz */
     .helpers = "__aeabi_lmul __gnu_thumb1_case_", /* the second: a switch of -Os */
     .forbidden = "sdiv udiv v"},
    {.name = "m3",
     .title = "Cortex-M3",
     .tools = "arm-none-eabi-",
     .flags = "-mcpu=cortex-m3 -mthumb",
     .bare = true,
     .harness = MPS2,
     .emulator = QEMU_ARM("mps2-an385"),
     .ticks_per_insn = 1.6, /* 25 MHz */
     .helpers = "",
     .forbidden = "sdiv udiv v"},
    {.name = "m4",
     .title = "Cortex-M4",
     .tools = "arm-none-eabi-",
     .flags = "-mcpu=cortex-m4 -mthumb",
     .bare = true,
     .harness = MPS2,
     .emulator = QEMU_ARM("mps2-an386"),
     .ticks_per_insn = 1.6,
     .helpers = "",
     .forbidden = "sdiv udiv v"},
    {.name = "m7",
     .title = "Cortex-M7",
     .tools = "arm-none-eabi-",
     .flags = "-mcpu=cortex-m7 -mthumb",
     .bare = true,
     .harness = MPS2,
     .emulator = QEMU_ARM("mps2-an500"),
     .ticks_per_insn = 1.6,
     .helpers = "",
     .forbidden = "sdiv udiv v"},
    {.name = "m33",
     .title = "Cortex-M33",
     .tools = "arm-none-eabi-",
     .flags = "-mcpu=cortex-m33 -mthumb",
     .bare = true,
     .harness = ARM LARGE MEMORY("0x10000000", "4M", "0x38000000", "4M"),
     .emulator = QEMU_ARM("mps2-an505"),
     .ticks_per_insn = 1.28, /* 20 MHz */
     .helpers = "",
     .forbidden = "sdiv udiv v"},
    {.name = "m55",
     .title = "Cortex-M55",
     .tools = "arm-none-eabi-",
     .flags = "-mcpu=cortex-m55 -mthumb -mfloat-abi=hard",
     .bare = true,
     .harness = ARM LARGE " -DTIMER_SSE300" MEMORY("0", "512K", "0x01000000", "2M"),
     .emulator = QEMU_ARM("mps3-an547"),
     .ticks_per_insn = 2.048, /* 32 MHz */
     .helpers = "",
     .forbidden = "sdiv udiv"},
    {.name = "rv32",
     .title = "RISC-V rv32imc",
     .tools = "riscv64-unknown-elf-",
     .flags = "-march=rv32imc -mabi=ilp32 --specs=picolibc.specs",
     .bare = true,
     .harness = "-DBOARD=\"board_riscv.h\"" LARGE MEMORY("0x80000000", "4M", "0x80400000", "4M"),
     .emulator = "qemu-system-riscv32 -M virt -bios none -display none -serial none -monitor none -semihosting "
                 "-icount shift=0 -kernel",
     .ticks_per_insn = 1,
     .helpers = "",
     .forbidden = "div rem fadd fsub fmul fdiv fmadd fcvt flw fld fsw fsd"},
    {.name = "avr",
     .title = "AVR ATmega2560",
     .tools = "avr-",
     .flags = "-mmcu=atmega2560",
     .harness = "-DBOARD=\"board_avr.h\" -DMODEL_STACK=512 -Wl,--defsym=__DATA_REGION_LENGTH__=7680",
     .emulator = "qemu-system-avr -M mega2560 -display none -monitor none -icount shift=0 "
                 "-serial chardev:line -bios",
     .serial = true,
     .ticks_per_insn = 1 / 62.0, /* 16 MHz, which the emulator rounds to 62 ns */
     .helpers = "__mulhisi3 __umulhisi3 __usmulhisi3 __muluhisi3 __mulshisi3 __mulohisi3 __mulsi3 __mulsidi3 "
                "__umulsidi3 __muldi3 __ashldi3 __ashrdi3 __lshrdi3 __adddi3 __subdi3 __negdi2 __cmpdi2 "
                "__tablejump2__ __do_copy_data __do_clear_bss",
     .return_bytes = 3,
     .forbidden = ""},
    {.name = "ppc",
     .title = "PowerPC, big-endian",
     .tools = "powerpc-linux-gnu-",
     .flags = "-fno-pie",
     .harness = HOSTED,
     .emulator = "qemu-ppc",
     .helpers = "_savegpr_ _restgpr_",
     .forbidden = "div fadd fsub fmul fdiv fmadd fcti lf stf"},
    {.name = "aarch64",
     .title = "AArch64",
     .tools = "aarch64-linux-gnu-",
     .flags = "-fno-pie",
     .harness = HOSTED,
     .emulator = "qemu-aarch64",
     .helpers = "",
     .forbidden = "sdiv udiv fadd fsub fmul fdiv fmadd fcvt scvtf ucvtf"},
    {.name = "x86-64",
     .title = "x86-64",
     .tools = "x86_64-linux-gnu-",
     .flags = "-fno-pie",
     .harness = HOSTED,
#ifdef __x86_64__
     .emulator = "",
#else
     .emulator = "qemu-x86_64",
#endif
     .helpers = "",
     .forbidden = "div idiv cvt addss addsd subss subsd mulss mulsd divss divsd addps mulps"},
    {.name = NULL},
};

tin_status tin_target_find(const tin_target **target, const char *name, tin_error *err)
{
    char names[256] = "";
    for (const tin_target *t = tin_targets; t->name != NULL; t++) {
        if (strcmp(t->name, name) == 0) {
            *target = t;
            return TIN_OK;
        }
        (void)snprintf(names + strlen(names), sizeof names - strlen(names), " %s", t->name);
    }
    return tin_fail(err, TIN_ERR_USAGE, "there is no target '%s'; give%s", name, names);
}

const char *tin_target_name(int target)
{
    return tin_targets[target].name;
}

tin_status tin_target_list(const char *text, unsigned *targets, tin_error *err)
{
    char name[16];
    tin_status status = TIN_OK;
    *targets = 0;
    for (const char *at = text; at != NULL && status == TIN_OK; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        const tin_target *target = NULL;
        const size_t n = strcspn(at, ",");
        (void)snprintf(name, sizeof name, "%.*s", (int)n, at);
        if (strcmp(name, "all") == 0) {
            for (int i = 0; tin_targets[i].name != NULL; i++) {
                *targets |= 1u << i;
            }
            continue;
        }
        status = tin_target_find(&target, name, err);
        if (status == TIN_OK) {
            *targets |= 1u << (target - tin_targets);
        }
    }
    return status;
}

bool tin_words_have(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = list; at != NULL && *at != '\0'; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL) {
        if (strncmp(at, word, n) == 0 && (at[n] == ' ' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

bool tin_words_begin(const char *list, const char *word)
{
    for (const char *at = list + strspn(list, " "); *at != '\0'; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (strncmp(at, word, n) == 0) {
            return true;
        }
        at += n;
    }
    return false;
}
