/* Private to src/train. The page of a preview, from what its sequences look like. */
#ifndef TIN_PREVIEW_PAGE_H
#define TIN_PREVIEW_PAGE_H

#include "base/text.h"
#include "train/preview.h"

/* The sequences under one augmentation. */
typedef struct tin_preview_view {
    const char *name;
    char meaning[256];
    float *values; /* [n_sequences][n_frames][n_channels] in the units of the channels */
    float *target; /* [n_sequences][n_frames][n_classes] shares */
} tin_preview_view;

typedef struct tin_preview_scene {
    const char *title;
    const tin_dataset *dataset;
    const tin_preview *preview;
    int n_frames;
    const tin_preview_view *views; /* [n_views] the first one as recorded */
    int n_views;
    const char *off; /* names of the operations that are off */
} tin_preview_scene;

void tin_preview_page(const tin_preview_scene *scene, tin_text *page);

#endif
