/* What the compiler made of the generated code: instructions, calls, sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "deploy/measure.h"

tin_status tin_tool_run(const char *const argv[], double timeout_seconds, tin_process_result *result, tin_error *err)
{
    const tin_status status = tin_process_run(argv, timeout_seconds, result, err);
    if (status) {
        return status;
    }
    if (result->exit_code != 0) {
        const bool no_library = strstr(result->errors, "string.h: No such file") != NULL;
        return tin_fail(err, TIN_ERR_TOOL, "%s ended with %d%s: %.500s", argv[0], result->exit_code,
                        no_library ? "; install the C library: apt-get install libnewlib-arm-none-eabi" : "",
                        result->errors[0] != '\0' ? result->errors : result->output);
    }
    return TIN_OK;
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

static bool allowed_call(const char *symbol)
{
    return strcmp(symbol, "memcpy") == 0 || strcmp(symbol, "memmove") == 0 || strcmp(symbol, "memset") == 0;
}

static tin_status check_undefined(const char *object, tin_error *err)
{
    const char *const argv[] = {"arm-none-eabi-nm", "-u", "-P", object, NULL};
    tin_process_result result = {0};
    tin_status status = tin_tool_run(argv, 60, &result, err);
    char *text = result.output, *line;
    while (status == TIN_OK && (line = next_line(&text)) != NULL) {
        line[strcspn(line, " ")] = '\0';
        if (!allowed_call(line)) {
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

/* Divisions, and of the floating-point and vector unit everything or, where the object is made for cores with vectors of
 * integers, what computes with floats. */
static bool forbidden(const char *mnemonic, bool vectors)
{
    const bool floats = mnemonic[0] == 'v' && (!vectors || strstr(mnemonic, ".f") != NULL);
    return strncmp(mnemonic, "sdiv", 4) == 0 || strncmp(mnemonic, "udiv", 4) == 0 || floats;
}

/* Whether the object says of itself that its core has the vectors of Armv8.1-M. */
static tin_status has_vectors(const char *object, bool *vectors, tin_error *err)
{
    const char *const argv[] = {"arm-none-eabi-readelf", "-A", object, NULL};
    tin_process_result result = {0};
    const tin_status status = tin_tool_run(argv, 60, &result, err);
    *vectors = status == TIN_OK && strstr(result.output, "Tag_MVE_arch") != NULL;
    tin_process_free(&result);
    return status;
}

static tin_status check_instructions(const char *object, tin_error *err)
{
    const char *const argv[] = {"arm-none-eabi-objdump", "-d", "--no-show-raw-insn", object, NULL};
    tin_process_result result = {0};
    bool vectors = false;
    tin_status status = has_vectors(object, &vectors, err);
    if (status == TIN_OK) {
        status = tin_tool_run(argv, 60, &result, err);
    }
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
        if (forbidden(mnemonic, vectors)) {
            status = tin_fail_at(
                err, TIN_ERR_TOOL, object, 0,
                "the function %s holds the instruction %s at %lx; generated code must do without division and "
                "floating point",
                function, mnemonic, address);
        }
    }
    tin_process_free(&result);
    if (status == TIN_OK && instructions == 0) {
        status = tin_fail_at(err, TIN_ERR_TOOL, object, 0, "no instruction found; is it an object file for Arm?");
    }
    return status;
}

tin_status tin_object_check(const char *object, tin_error *err)
{
    const tin_status status = check_undefined(object, err);
    return status ? status : check_instructions(object, err);
}

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static tin_status section_sizes(const char *object, tin_footprint *footprint, tin_error *err)
{
    const char *const argv[] = {"arm-none-eabi-size", "-A", object, NULL};
    tin_process_result result = {0};
    tin_status status = tin_tool_run(argv, 60, &result, err);
    char *text = result.output, *line;
    footprint->flash_bytes = 0;
    while (status == TIN_OK && (line = next_line(&text)) != NULL) {
        char section[128];
        long bytes;
        if (sscanf(line, "%127s %ld", section, &bytes) != 2 || bytes == 0) {
            continue;
        }
        if (starts_with(section, ".data") || starts_with(section, ".bss") || starts_with(section, "COMMON")) {
            status = tin_fail_at(err, TIN_ERR_TOOL, object, 0,
                                 "%ld bytes of variables in %s; generated code must keep all state in the "
                                 "caller's struct",
                                 bytes, section);
        } else if (starts_with(section, ".text") || starts_with(section, ".rodata")) {
            footprint->flash_bytes += bytes;
        }
    }
    tin_process_free(&result);
    return status;
}

/* Constants of the model, by the endings of their names; descriptors, the sigmoid table and the rule count as code. */
static bool is_weight(const char *symbol, const char *name)
{
    static const char *const endings[] = {"_weight", "_bias", "_mult", "_unit", "_offset"};
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

static tin_status symbol_sizes(const char *object, const char *name, tin_footprint *footprint, tin_error *err)
{
    const char *const argv[] = {"arm-none-eabi-nm", "-P", "-t", "d", object, NULL};
    tin_process_result result = {0};
    const tin_status status = tin_tool_run(argv, 60, &result, err);
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

tin_status tin_object_sizes(const char *object, const char *name, tin_footprint *footprint, tin_error *err)
{
    tin_status status = section_sizes(object, footprint, err);
    if (status == TIN_OK) {
        status = symbol_sizes(object, name, footprint, err);
    }
    footprint->code_bytes = footprint->flash_bytes - footprint->weight_bytes;
    return status;
}
