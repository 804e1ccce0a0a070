#include "compress/importance.h"

#include <string.h>

#include "base/memory.h"

#define BATCHES 40

typedef struct sums {
    const tin_model *model;
    const int *group;
    int n_groups;
    double *batch, *total; /* [n_groups] */
} sums;

static void add_batch(void *context, const double *gradient)
{
    const sums *s = context;
    memset(s->batch, 0, (size_t)s->n_groups * sizeof *s->batch);
    for (size_t i = 0; i < s->model->n_params; i++) {
        if (s->group[i] != TIN_NO_GROUP) {
            s->batch[s->group[i]] += gradient[i] * (double)s->model->params[i];
        }
    }
    for (int g = 0; g < s->n_groups; g++) {
        s->total[g] += s->batch[g] * s->batch[g] / BATCHES;
    }
}

tin_status tin_importance_measure(const tin_model *model, const tin_dataset *dataset, const tin_train_options *options,
                                  const int *group, int n_groups, double *importance, tin_error *err)
{
    sums s = {model, group, n_groups, tin_alloc((size_t)n_groups, sizeof(double), err), importance};
    if (!s.batch) {
        return TIN_ERR_MEMORY;
    }
    memset(importance, 0, (size_t)n_groups * sizeof *importance);
    tin_status status = tin_train_gradients(model, dataset, options, BATCHES, add_batch, &s, err);
    tin_free(s.batch);
    return status;
}
