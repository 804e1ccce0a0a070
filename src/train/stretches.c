#include "train/stretches.h"

#include <string.h>

#include "base/memory.h"

static tin_status add(tin_stretches *s, tin_stretch stretch, tin_error *err)
{
    if (s->n == s->capacity) {
        size_t more = s->capacity ? 2 * s->capacity : 64;
        tin_stretch *grown = tin_grow(s->items, s->capacity, more, sizeof *grown, err);
        if (!grown) {
            return TIN_ERR_MEMORY;
        }
        s->items = grown;
        s->capacity = more;
    }
    s->items[s->n++] = stretch;
    return TIN_OK;
}

tin_status tin_stretches_find(tin_stretches *stretches, const tin_stretch_query *q, tin_error *err)
{
    for (size_t i = 0; i < q->n_streams; i++) {
        const tin_labels *labels = &q->labels[q->streams[i]];
        for (size_t r = 0; r < labels->n_runs; r++) {
            const tin_label_run *run = &labels->runs[r];
            int64_t first = run->start > q->skip ? run->start : q->skip, length = run->end - first;
            if (run->label < 0 || length < q->least || (q->classes && !q->classes[run->label])) {
                continue;
            }
            int64_t parts = q->most > 0 && length > q->most ? length / q->most : 1;
            for (int64_t k = 0; k < parts; k++) {
                tin_stretch part = {q->streams[i], first + length * k / parts, first + length * (k + 1) / parts,
                                    run->label};
                tin_status status = add(stretches, part, err);
                if (status) {
                    return status;
                }
            }
        }
    }
    return TIN_OK;
}

tin_status tin_stretch_classes(const tin_dataset *dataset, char *const *names, unsigned n_names, bool events,
                               const char *setting, bool *wanted, tin_error *err)
{
    for (int c = 0; c < dataset->n_classes; c++) {
        wanted[c] = n_names == 0 && dataset->classes[c].event == events;
    }
    for (unsigned i = 0; i < n_names; i++) {
        int c = 0;
        while (c < dataset->n_classes && strcmp(names[i], dataset->classes[c].name) != 0) {
            c++;
        }
        if (c == dataset->n_classes) {
            return tin_fail(err, TIN_ERR_CONFIG,
                            "%s names '%s', which is no class of the dataset; write one of its names", setting,
                            names[i]);
        }
        wanted[c] = true;
    }
    return TIN_OK;
}
