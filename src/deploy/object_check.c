/* What the compiler made of the generated code: instructions, calls, sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "deploy/measure.h"

/* A binutils program of the target. */
static tin_status run_tool(const tin_target *target, const char *words, const char *object, tin_process_result *result,
                           tin_error *err)
{
    tin_command command = {0};
    char line[128];
    (void)snprintf(line, sizeof line, "%s%s", target->tools, words);
    tin_command_words(&command, line);
    tin_command_add(&command, object);
    return tin_command_run(&command, 60, result, err);
}

/* Next line of `text`, ended with NUL; NULL at the end. */
static char *next_line(char **text)
{
    char *line = *text;
    if (line == NULL || *line == '\0') {
        return NULL;
    }
    char *end = strchr(line, '\n');
    *text = end == NULL ? line + strlen(line) : end + 1;
    if (end != NULL) {
        *end = '\0';
    }
    return line;
}

static bool allowed_call(const tin_target *target, const char *symbol)
{
    return tin_words_have("memcpy memmove memset", symbol) || tin_words_begin(target->helpers, symbol);
}

static tin_status check_undefined(const tin_target *target, const char *object, tin_error *err)
{
    tin_process_result result = {0};
    tin_status status = run_tool(target, "nm -u -P", object, &result, err);
    char *text = result.output, *line;
    while (status == TIN_OK && (line = next_line(&text)) != NULL) {
        line[strcspn(line, " ")] = '\0';
        if (!allowed_call(target, line)) {
            status = tin_fail_at(
                err, TIN_ERR_TOOL, object, 0,
                "the code needs %s; only memcpy, memmove and memset may be called (a division, a float or a library "
                "function came in; see the disassembly)",
                line);
        }
    }
    tin_process_free(&result);
    return status;
}

/* Divisions and floating point; vectors of floats show by the type behind the name. */
static bool forbidden(const tin_target *target, const char *mnemonic)
{
    return tin_words_begin(target->forbidden, mnemonic) || (mnemonic[0] == 'v' && strstr(mnemonic, ".f") != NULL);
}

static tin_status check_instructions(const tin_target *target, const char *object, tin_error *err)
{
    tin_process_result result = {0};
    tin_status status = run_tool(target, "objdump -d --no-show-raw-insn", object, &result, err);
    char *text = result.output, *line;
    char function[128] = "";
    long instructions = 0;
    while (status == TIN_OK && (line = next_line(&text)) != NULL) {
        char mnemonic[32];
        unsigned long address;
        if (sscanf(line, "%lx <%127[^>]>:", &address, function) == 2) {
            continue;
        }
        if (sscanf(line, " %lx: %31s", &address, mnemonic) != 2) {
            continue;
        }
        instructions++;
        if (forbidden(target, mnemonic)) {
            status = tin_fail_at(
                err, TIN_ERR_TOOL, object, 0,
                "the function %s holds the instruction %s at %lx; generated code must do without division and "
                "floating point",
                function, mnemonic, address);
        }
    }
    tin_process_free(&result);
    if (status == TIN_OK && instructions == 0) {
        status = tin_fail_at(err, TIN_ERR_TOOL, object, 0, "no instruction found; is it an object file of this core?");
    }
    return status;
}

tin_status tin_object_check(const tin_target *target, const char *object, tin_error *err)
{
    const tin_status status = check_undefined(target, object, err);
    return status ? status : check_instructions(target, object, err);
}

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static tin_status section_sizes(const tin_target *target, const char *object, tin_footprint *footprint, tin_error *err)
{
    tin_process_result result = {0};
    tin_status status = run_tool(target, "size -A", object, &result, err);
    char *text = result.output, *line;
    footprint->flash_bytes = 0;
    while (status == TIN_OK && (line = next_line(&text)) != NULL) {
        char section[128];
        long bytes;
        if (sscanf(line, "%127s %ld", section, &bytes) != 2 || bytes == 0) {
            continue;
        }
        if (starts_with(section, ".data") || starts_with(section, ".bss") || starts_with(section, ".sdata") ||
            starts_with(section, ".sbss") || starts_with(section, "COMMON")) {
            status = tin_fail_at(err, TIN_ERR_TOOL, object, 0,
                                 "%ld bytes of variables in %s; generated code must keep all state in the "
                                 "caller's struct",
                                 bytes, section);
        } else if (starts_with(section, ".text") || starts_with(section, ".rodata") ||
                   starts_with(section, ".srodata")) {
            footprint->flash_bytes += bytes;
        }
    }
    tin_process_free(&result);
    return status;
}

/* Constants of the model, by the endings of their names; descriptors, the sigmoid table and the rule count as code. */
static bool is_weight(const char *symbol, const char *name)
{
    static const char *const endings[] = {"_weight", "_bias", "_mult", "_unit", "_offset", "_shift"};
    const size_t n = strlen(symbol);
    if (!starts_with(symbol, name)) {
        return false;
    }
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const size_t m = strlen(endings[i]);
        if (n > m && strcmp(symbol + n - m, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static tin_status symbol_sizes(const tin_target *target, const char *object, const char *name, tin_footprint *footprint,
                               tin_error *err)
{
    tin_process_result result = {0};
    const tin_status status = run_tool(target, "nm -P -t d", object, &result, err);
    char *text = result.output, *line;
    footprint->weight_bytes = 0;
    while (status == TIN_OK && (line = next_line(&text)) != NULL) {
        char symbol[256], type;
        long value, bytes;
        if (sscanf(line, "%255s %c %ld %ld", symbol, &type, &value, &bytes) == 4 && (type == 'r' || type == 'R') &&
            is_weight(symbol, name)) {
            footprint->weight_bytes += bytes;
        }
    }
    tin_process_free(&result);
    return status;
}

tin_status tin_object_sizes(const tin_target *target, const char *object, const char *name, tin_footprint *footprint,
                            tin_error *err)
{
    tin_status status = section_sizes(target, object, footprint, err);
    if (status == TIN_OK) {
        status = symbol_sizes(target, object, name, footprint, err);
    }
    footprint->code_bytes = footprint->flash_bytes - footprint->weight_bytes;
    return status;
}
