/* A bound of the stack from what the compiler says about each function and who calls whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "deploy/measure.h"

#define MAX_FUNCTIONS 64
#define MAX_CALLS 512

typedef struct function {
    char name[96];
    long frame;       /* bytes, -1: not known yet */
    long now, pushed; /* by its instructions: up to the one that is read, and at most */
    int visiting;
    long deepest; /* with all it calls, -1: not computed */
    bool shown;   /* its name stands above instructions in the disassembly */
} function;

typedef struct graph {
    const tin_target *target;
    function functions[MAX_FUNCTIONS];
    int n_functions;
    struct {
        int from, to;
    } calls[MAX_CALLS];
    int n_calls;
} graph;

/* "name.constprop.0.isra.0" as the compiler's report has it, "name.constprop.isra". */
static void leave_out_numbers(char *name)
{
    char *dot = strchr(name, '.');
    while (dot != NULL) {
        const size_t digits = strspn(dot + 1, "0123456789");
        if (digits > 0 && (dot[1 + digits] == '.' || dot[1 + digits] == '\0')) {
            memmove(dot, dot + 1 + digits, strlen(dot + 1 + digits) + 1);
            dot = *dot == '.' ? dot : NULL;
        } else {
            dot = strchr(dot + 1, '.');
        }
    }
}

/* -1 when the table is full. */
static int find_function(graph *g, const char *name)
{
    char plain[96];
    (void)snprintf(plain, sizeof plain, "%s", name);
    plain[strcspn(plain, "+ ")] = '\0';
    leave_out_numbers(plain);
    for (int i = 0; i < g->n_functions; i++) {
        if (strcmp(g->functions[i].name, plain) == 0) {
            return i;
        }
    }
    if (g->n_functions == MAX_FUNCTIONS) {
        return -1;
    }
    function *f = &g->functions[g->n_functions];
    memcpy(f->name, plain, sizeof plain);
    f->frame = -1;
    f->deepest = -1;
    return g->n_functions++;
}

/* "har.c:54:22:har_dot4<TAB>64<TAB>static". Several parts of one function: the greatest counts. */
static tin_status read_frames(graph *g, const char *su, tin_error *err)
{
    char *text = NULL;
    size_t size;
    tin_status status = tin_file_read(su, &text, &size, err);
    char *save = NULL;
    for (char *line = status ? NULL : strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        char *tab = strchr(line, '\t');
        char kind[64];
        long bytes;
        if (tab == NULL || sscanf(tab, "%ld %63s", &bytes, kind) != 2) {
            status =
                tin_fail_at(err, TIN_ERR_TOOL, su, 0, "cannot read the stack usage \"%s\"; use gcc 5 or later", line);
            break;
        }
        *tab = '\0';
        const char *name = strrchr(line, ':');
        const int f = find_function(g, name == NULL ? line : name + 1);
        if (f < 0 || strcmp(kind, "dynamic") == 0) {
            status = tin_fail_at(err, TIN_ERR_TOOL, su, 0, "the stack of %s has no bound", line);
            break;
        }
        if (bytes > g->functions[f].frame) {
            g->functions[f].frame = bytes;
        }
    }
    tin_free(text);
    return status;
}

static tin_status add_call(graph *g, int from, const char *target, tin_error *err)
{
    const int to = find_function(g, strncmp(target, ".text.", 6) == 0 ? target + 6 : target);
    if (from < 0 || to < 0 || g->n_calls == MAX_CALLS) {
        return tin_fail(err, TIN_ERR_TOOL, "the call graph of the generated code is too large");
    }
    g->calls[g->n_calls].from = from;
    g->calls[g->n_calls++].to = to;
    return TIN_OK;
}

static bool is_call(const char *mnemonic)
{
    return tin_words_have("bl call rcall jal auipc", mnemonic); /* RISC-V: auipc and jalr, one relocation */
}

/* What a relocation of a branch, not of a constant's address, is called: Arm, RISC-V, AVR. */
static bool is_branch(const char *relocation)
{
    static const char *const kinds[] = {"ARM_THM_CALL",   "ARM_THM_JUMP", "RISCV_CALL",  "RISCV_JAL",
                                        "RISCV_RVC_JUMP", "AVR_CALL",     "AVR_13_PCREL"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strncmp(relocation, kinds[i], strlen(kinds[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool through_pointer(const char *mnemonic, const char *operands)
{
    return (strcmp(mnemonic, "blx") == 0 && operands[0] == 'r') ||
           (strcmp(mnemonic, "jalr") == 0 && strncmp(operands, "ra", 2) != 0) ||
           tin_words_have("icall eicall", mnemonic);
}

/* Where the reading of a disassembly stands. */
typedef struct reading {
    int function;
    char mnemonic[32];   /* of the last instruction */
    char open_call[128]; /* its target, "" when it is no call or a relocation has said it */
} reading;

/* A jump inside a function is no call; Thumb-1 writes far ones as bl, AVR and RISC-V leave relocations of all. */
static tin_status read_relocation(graph *g, reading *r, const char *kind, const char *target, tin_error *err)
{
    r->open_call[0] = '\0';
    if (!is_branch(kind) || strncmp(target, ".L", 2) == 0 || strchr(target, '+') != NULL) {
        return TIN_OK;
    }
    const char *name = strncmp(target, ".text.", 6) == 0 ? target + 6 : target;
    if (!is_call(r->mnemonic) && r->function >= 0 && find_function(g, name) == r->function) {
        return TIN_OK;
    }
    return add_call(g, r->function, target, err);
}

/* Bytes that one instruction takes from the stack. */
static long pushed(const char *mnemonic, const char *operands)
{
    long registers = 0, bytes = 0;
    const bool push = strncmp(mnemonic, "push", 4) == 0;
    if (push && operands[0] == 'r') { /* AVR */
        return 1;
    }
    if (push || (strncmp(mnemonic, "stmdb", 5) == 0 && strncmp(operands, "sp!", 3) == 0)) {
        const char *list = strchr(operands, '{');
        for (const char *p = list; p != NULL && *p != '\0' && *p != '}'; p++) {
            unsigned from, to;
            registers += *p == '{' || *p == ',';
            if (sscanf(p + 1, " r%u-r%u", &from, &to) == 2 && (*p == '{' || *p == ',')) {
                registers += (long)to - (long)from;
            }
        }
        return 4 * registers;
    }
    if (strncmp(mnemonic, "sub", 3) == 0 && sscanf(operands, "sp, #%ld", &bytes) == 1) {
        return bytes;
    }
    if (strncmp(operands, "sp,sp,-", 7) == 0) { /* RISC-V: addi */
        return strtol(operands + 7, NULL, 10);
    }
    const char *write_back = strstr(operands, "[sp, #-");
    if (write_back != NULL && strchr(write_back, '!') != NULL) {
        return strtol(write_back + 7, NULL, 10);
    }
    return 0;
}

/* Bytes that one instruction gives back and goes on: of ARM, whose kernels in assembly push what they keep for a while. */
static long popped(const char *mnemonic, const char *operands)
{
    char as_push[128];
    long bytes = 0;
    const bool pop = strcmp(mnemonic, "pop") == 0 || strcmp(mnemonic, "ldmia.w") == 0;
    if (strcmp(mnemonic, "add") == 0 && sscanf(operands, "sp, #%ld", &bytes) == 1) {
        return bytes;
    }
    if (!pop || strstr(operands, "pc") != NULL || (mnemonic[0] == 'l' && strncmp(operands, "sp!,", 4) != 0)) {
        return 0;
    }
    (void)snprintf(as_push, sizeof as_push, "%s", strchr(operands, '{') != NULL ? strchr(operands, '{') : "");
    return pushed("push", as_push);
}

/* Behind an instruction that goes elsewhere in any case, as much may be pushed as was anywhere before. */
static bool goes_elsewhere(const char *mnemonic, const char *operands)
{
    return strcmp(mnemonic, "b.n") == 0 || strcmp(mnemonic, "b.w") == 0 || strcmp(mnemonic, "b") == 0 ||
           strcmp(mnemonic, "bx") == 0 || strstr(operands, "pc}") != NULL;
}

static void follow_stack(function *f, const char *mnemonic, const char *operands)
{
    f->now += pushed(mnemonic, operands) - popped(mnemonic, operands);
    f->now = f->now > 0 ? f->now : 0;
    f->pushed = f->now > f->pushed ? f->now : f->pushed;
    f->now = goes_elsewhere(mnemonic, operands) ? f->pushed : f->now;
}

/* One line of the disassembly. A call shows as a relocation behind its instruction; without one, the instruction itself
 * names a function of the same section. */
static tin_status read_line(graph *g, char *line, reading *r, tin_error *err)
{
    unsigned long address;
    char word[128], rest[128] = "";
    if (sscanf(line, " %lx: R_%127s %127s", &address, word, rest) == 3) {
        return read_relocation(g, r, word, rest, err);
    }
    if (r->open_call[0] != '\0') {
        const tin_status status = add_call(g, r->function, r->open_call, err);
        r->open_call[0] = '\0';
        if (status) {
            return status;
        }
    }
    if (sscanf(line, "%lx <%127[^>]>:", &address, word) == 2) {
        /* RISC-V keeps the labels inside a function */
        if (strncmp(word, ".L", 2) != 0 && (r->function = find_function(g, word)) >= 0) {
            g->functions[r->function].shown = true;
        }
    } else if (sscanf(line, " %lx: %31s %127[^\n]", &address, r->mnemonic, rest) >= 2) {
        const char *name = strchr(rest, '<');
        if (r->function >= 0) {
            follow_stack(&g->functions[r->function], r->mnemonic, rest);
        }
        if (through_pointer(r->mnemonic, rest)) {
            return tin_fail(err, TIN_ERR_TOOL, "a call through a pointer at %lx: the stack cannot be bounded", address);
        }
        if (strcmp(r->mnemonic, "bl") == 0 && name != NULL && strchr(name, '+') == NULL) {
            (void)sscanf(name, "<%127[^>]>", r->open_call);
        }
    }
    return TIN_OK;
}

static tin_status read_calls(graph *g, const char *object, tin_error *err)
{
    tin_process_result result = {0};
    tin_command command = {0};
    tin_command_format(&command, "%sobjdump", g->target->tools);
    tin_command_words(&command, "-dr --no-show-raw-insn");
    tin_command_add(&command, object);
    tin_status status = tin_command_run(&command, 60, &result, err);
    reading r = {.function = -1};
    char *save = NULL;
    for (char *line = status ? NULL : strtok_r(result.output, "\n", &save); line != NULL && status == TIN_OK;
         line = strtok_r(NULL, "\n", &save)) {
        status = read_line(g, line, &r, err);
    }
    if (status == TIN_OK && r.open_call[0] != '\0') {
        status = add_call(g, r.function, r.open_call, err);
    }
    tin_process_free(&result);
    return status;
}

/* Two functions of equal code are one, with two names, of which the disassembly shows one: the other one calls it. */
static tin_status join_names(graph *g, const char *const places[MAX_FUNCTIONS], tin_error *err)
{
    for (int i = 0; i < g->n_functions; i++) {
        function *f = &g->functions[i];
        for (int j = 0; j < g->n_functions && f->shown; j++) {
            function *other = &g->functions[j];
            if (places[i] == NULL || places[j] == NULL || other->shown || strcmp(places[i], places[j]) != 0) {
                continue;
            }
            f->frame = other->frame > f->frame ? other->frame : f->frame;
            other->frame = 0;
            const tin_status status = add_call(g, j, f->name, err);
            if (status) {
                return status;
            }
        }
    }
    return TIN_OK;
}

/* The symbol table: "00000000 l     F .text.net_v16<TAB>00000090 net_v16". */
static tin_status read_names(graph *g, const char *object, tin_error *err)
{
    const char *places[MAX_FUNCTIONS] = {NULL}; /* of each function: flags, section and size, behind its address */
    tin_process_result result = {0};
    tin_command command = {0};
    tin_command_format(&command, "%sobjdump", g->target->tools);
    tin_command_words(&command, "-t");
    tin_command_add(&command, object);
    tin_status status = tin_command_run(&command, 60, &result, err);
    char *save = NULL;
    for (char *line = status ? NULL : strtok_r(result.output, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *flags = strchr(line, ' '), *name = strrchr(line, ' ');
        if (flags == NULL || name - flags < 8 || memchr(flags, 'F', 8) == NULL) {
            continue;
        }
        *name = '\0';
        const int f = find_function(g, name + 1);
        if (f >= 0) {
            places[f] = line;
        }
    }
    status = status ? status : join_names(g, places, err);
    tin_process_free(&result);
    return status;
}

/* Who a function of the C library calls or goes on in. */
static tin_status library_call(graph *g, int index, const char *mnemonic, const char *operands, tin_error *err)
{
    char name[128];
    const char *at = strchr(operands, '<');
    if (at == NULL || strchr(at, '+') != NULL || sscanf(at, "<%127[^>]>", name) != 1 ||
        !tin_words_have("bl b b.w b.n call rcall jmp rjmp jal j", mnemonic) || find_function(g, name) == index) {
        return TIN_OK;
    }
    return add_call(g, index, name, err);
}

/* The functions of the C library and the compiler come without a report: sum up all that they push, whatever the path. */
static tin_status library_frame(graph *g, int index, const char *elf, tin_error *err)
{
    function *f = &g->functions[index];
    tin_process_result result = {0};
    tin_command command = {0};
    tin_command_format(&command, "%sobjdump", g->target->tools);
    tin_command_words(&command, "-d --no-show-raw-insn"); /* all: old ones cannot pick a function */
    tin_command_add(&command, elf);
    tin_status status = tin_command_run(&command, 60, &result, err);
    char *save = NULL;
    bool inside = false;
    long bytes = g->target->return_bytes, instructions = 0;
    for (char *line = status ? NULL : strtok_r(result.output, "\n", &save); line != NULL && status == TIN_OK;
         line = strtok_r(NULL, "\n", &save)) {
        unsigned long address;
        char mnemonic[32], operands[128] = "";
        if (sscanf(line, "%lx <%127[^>]>:", &address, operands) == 2) {
            inside = strcmp(operands, f->name) == 0 || (inside && operands[0] == '.');
        } else if (inside && sscanf(line, " %lx: %31s %127[^\n]", &address, mnemonic, operands) >= 2) {
            bytes += pushed(mnemonic, operands);
            instructions++;
            status = library_call(g, index, mnemonic, operands, err);
        }
    }
    tin_process_free(&result);
    if (status == TIN_OK && instructions == 0) {
        return tin_fail_at(err, TIN_ERR_TOOL, elf, 0, "no code found for %s: the stack cannot be bounded", f->name);
    }
    f->frame = bytes;
    return status;
}

static tin_status deepest(graph *g, int index, const char *elf, tin_error *err)
{
    function *f = &g->functions[index];
    tin_status status = TIN_OK;
    if (f->deepest >= 0) {
        return TIN_OK;
    }
    if (f->visiting) {
        return tin_fail(err, TIN_ERR_TOOL, "%s calls itself: the stack cannot be bounded", f->name);
    }
    if (f->frame == 0) { /* perhaps a function in assembly: its report leaves out what it pushes */
        f->frame = f->pushed;
    } else if (f->frame < 0) {
        status = library_frame(g, index, elf, err);
    }
    f->visiting = 1;
    long most = 0;
    for (int i = 0; i < g->n_calls && status == TIN_OK; i++) {
        if (g->calls[i].from != index) {
            continue;
        }
        status = deepest(g, g->calls[i].to, elf, err);
        const long below = g->functions[g->calls[i].to].deepest;
        most = below > most ? below : most;
    }
    f->visiting = 0;
    f->deepest = f->frame + most;
    return status;
}

tin_status tin_stack_bound(const tin_target *target, const char *object, const char *su, const char *elf,
                           const char *name, long *bytes, tin_error *err)
{
    static const char *const entries[] = {"init", "step"};
    *bytes = 0;
    graph *g = tin_alloc(1, sizeof *g, err);
    if (g == NULL) {
        return TIN_ERR_MEMORY;
    }
    g->target = target;
    tin_status status = read_frames(g, su, err);
    if (status == TIN_OK) {
        status = read_calls(g, object, err);
    }
    if (status == TIN_OK) {
        status = read_names(g, object, err);
    }
    for (size_t i = 0; i < sizeof entries / sizeof entries[0] && status == TIN_OK; i++) {
        char entry[96];
        (void)snprintf(entry, sizeof entry, "%s_%s", name, entries[i]);
        const int f = find_function(g, entry);
        if (f < 0 || g->functions[f].frame < 0) {
            status = tin_fail_at(err, TIN_ERR_TOOL, su, 0, "no stack usage of %s", entry);
            break;
        }
        status = deepest(g, f, elf, err);
        *bytes = g->functions[f].deepest > *bytes ? g->functions[f].deepest : *bytes;
    }
    tin_free(g);
    return status;
}
