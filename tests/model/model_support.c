#include "model_support.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

void test_dataset_fill(test_dataset *d, int n_channels, int n_classes)
{
    memset(d, 0, sizeof *d);
    for (int c = 0; c < n_channels; c++)
        d->channels[c] = (tin_channel){"signal", "g", 0.001};
    for (int k = 0; k < n_classes; k++)
        d->classes[k] = (tin_class){"state", k > 0};
    d->dataset.rate_hz = 50;
    d->dataset.n_channels = n_channels;
    d->dataset.n_classes = n_classes;
    d->dataset.channels = d->channels;
    d->dataset.classes = d->classes;
}

const char *test_path(const char *folder, const char *name, const char *extension)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s%s", folder, name, extension);
    return path;
}

void assert_ok(tin_status status, tin_error *err)
{
    if (status)
        fail_msg("%s", tin_error_text(err));
}

void write_bytes(const char *path, const char *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    if (size > 0)
        assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}
