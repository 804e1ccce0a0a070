/* Private to src/quantize: which graphs can become an integer model. */
#ifndef TIN_GRAPH_CHECK_H
#define TIN_GRAPH_CHECK_H

#include "model/model.h"

/* TIN_ERR_MODEL unless the model is folded and each relu stands right after a conv1d or dense that is not the last
 * layer. */
tin_status tin_quantize_check_graph(const tin_model *folded, tin_error *err) TIN_USE_RESULT;
/* Layer i is a conv1d or dense whose relu is layer i + 1. */
bool tin_quantize_has_relu(const tin_model *folded, int i);

#endif
