/* footprint.json, and the budgets that a footprint must stay below. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "deploy/deploy.h"

static json_t *layers_json(const tin_footprint *f)
{
    json_t *layers = json_array();
    for (int i = 0; i < f->n_layers && layers != NULL; i++) {
        json_t *one = json_pack("{s:s, s:f, s:f}", "name", f->layers[i].name, "insn_per_run", f->layers[i].insn_per_run,
                                "insn_per_decision", f->layers[i].insn_per_decision);
        if (json_array_append_new(layers, one) != 0) {
            json_decref(layers);
            return NULL;
        }
    }
    return layers;
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count(long value)
{
    return value >= 0 ? json_integer(value) : json_null();
}

tin_status tin_footprint_save(const tin_footprint *f, const char *folder, const char *file, tin_error *err)
{
    char path[TIN_PATH_MAX];
    tin_status status = tin_path_join(path, folder, file, err);
    if (status) {
        return status;
    }
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "target", f->target,
                  "compiler", f->compiler, "flags", f->flags, "code_bytes", count(f->code_bytes), "weight_bytes",
                  count(f->weight_bytes), "flash_bytes", count(f->flash_bytes), "state_bytes", count(f->state_bytes),
                  "stack_bytes", count(f->stack_bytes), "stack_static_bytes", count(f->stack_static_bytes),
                  "insn_per_frame", number(f->insn_per_frame), "insn_per_decision", number(f->insn_per_decision),
                  "insn_worst_frame", count(f->insn_worst_frame), "verified_frames", (json_int_t)f->verified_frames,
                  "mismatches", (json_int_t)f->mismatches, "layers", layers_json(f));
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    json_decref(root);
    if (text == NULL) {
        return tin_fail(err, TIN_ERR_MEMORY, "out of memory while writing %s", path);
    }
    status = tin_file_write(path, text, strlen(text), err);
    free(text);
    return status;
}

tin_status tin_footprint_check(const tin_footprint *f, long max_flash_bytes, long max_ram_bytes, const char *optimize,
                               tin_error *err)
{
    const long ram = f->state_bytes + f->stack_static_bytes;
    const bool small = strcmp(optimize, "size") == 0;
    if (max_flash_bytes > 0 && f->flash_bytes > max_flash_bytes) {
        return tin_fail(err, TIN_ERR_MODEL,
                        "the code takes %ld bytes of flash (instructions and tables %ld, weights %ld), but "
                        "deploy.max_flash_bytes allows %ld; %sgive layers fewer units, prune with `compress`, or take "
                        "4-bit weights (quantize.weight_bits)",
                        f->flash_bytes, f->code_bytes, f->weight_bytes, max_flash_bytes,
                        small ? "" : "set deploy.optimize to size, ");
    }
    if (max_ram_bytes > 0 && ram > max_ram_bytes) {
        return tin_fail(
            err, TIN_ERR_MODEL,
            "the code takes %ld bytes of RAM (state %ld, stack at most %ld), but deploy.max_ram_bytes allows "
            "%ld; give convolutions and pools a smaller kernel, dilation or window, give recurrent layers "
            "fewer units, or stride earlier",
            ram, f->state_bytes, f->stack_static_bytes, max_ram_bytes);
    }
    return TIN_OK;
}
