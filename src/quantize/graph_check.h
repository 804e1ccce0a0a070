/* Private to src/quantize: which graphs can become an integer model, and which tensors it has. */
#ifndef TIN_GRAPH_CHECK_H
#define TIN_GRAPH_CHECK_H

#include "model/model.h"

/* TIN_ERR_MODEL unless the model is folded and each activation can be part of the layer that it reads; with
 * power_of_two also unless every factor of the graph itself is a power of two. */
tin_status tin_quantize_check_graph(const tin_model *folded, bool power_of_two, tin_error *err) TIN_USE_RESULT;
/* What the layer's integers are behind its activation: the layer whose tensor they are, itself when there is none. */
int tin_quantize_tensor(const tin_model *folded, int layer);
/* May the integers of that tensor (or of TIN_FROM_INPUT) have 16 bits? Its op can give them and all its readers can
 * read them (qmodel.h). */
bool tin_quantize_may_be_wide(const tin_model *folded, int tensor);

#endif
