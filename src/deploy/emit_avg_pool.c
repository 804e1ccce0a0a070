/* avg_pool has no constants of its own but one multiplier, which stands in the call. */
#include "deploy/emit.h"

void tin_emit_avg_pool_call(tin_emit *e, int layer, const char *input, const char *output)
{
    const tin_qlayer *l = &e->model->layers[layer];
    tin_text_printf(&e->source, "    %s_avg_pool(%s, %d, %d, %ld, %d, %s);\n", e->name, input, l->kernel, l->n_inputs,
                    (long)l->mult[0], l->shift, output);
}
