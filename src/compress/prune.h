/* Private to src/compress: structured pruning. Whole channels and units go, and the graph really shrinks. */
#ifndef TIN_PRUNE_H
#define TIN_PRUNE_H

#include "compress/channels.h"

/* Chooses groups until the model has at most `keep` of its parameters: again and again the channels that matter least
 * per parameter that goes with them. The kernels work on rows of four, so channels go in such numbers that each width
 * becomes a multiple of four, and four stay. removed[n_groups] is filled; importance[n_groups] is not changed. */
void tin_prune_choose(const tin_model *model, const tin_channels *channels, const double *importance, double keep,
                      bool *removed);
/* The model without those groups: equal to one whose weights on the columns of removed channels are all zero. A layer
 * must keep a channel. */
tin_status tin_prune_apply(tin_model **pruned, const tin_model *model, const tin_channels *channels,
                           const bool *removed, tin_error *err) TIN_USE_RESULT;

#endif
