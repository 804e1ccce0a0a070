/* From the layers of a model to the nodes of the engine, with every place in memory. */
#ifndef TIN_PLAN_H
#define TIN_PLAN_H

#include "model/model.h"
#include "model/quant_spec.h"
#include "train/kernel/kernel.h"

#define TIN_MAX_NODES (TIN_MAX_LAYERS + 1)

typedef struct tin_plan {
    tin_node nodes[TIN_MAX_NODES]; /* node 0 is the input; each reads nodes before it */
    int n_nodes;
    int n_norms;
    size_t work_size, state_size, packed_size; /* reals, per work space, group and engine */
    size_t shared_size;                        /* doubles */
    tin_feature *features[TIN_MAX_NODES];      /* of the nodes that have one; owned */
} tin_plan;

tin_status tin_plan_make(tin_plan *plan, const tin_model *model, const tin_quant_spec *quant, int chunk,
                         const tin_kernel *kernel, tin_error *err) TIN_USE_RESULT;
/* What a plan owns, also one that failed. */
void tin_plan_free(tin_plan *plan);

/* Sets the scales of all nodes, when made and when they have been learnt. */
void tin_plan_scale(tin_plan *plan, const tin_quant_spec *quant);

#endif
