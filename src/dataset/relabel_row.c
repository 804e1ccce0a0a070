#include "dataset/relabel_row.h"

#include <string.h>

int tin_relabel_decimals(const tin_dataset *dataset)
{
    return dataset->rate_hz <= 500 ? 3 : 6;
}

void tin_relabel_write_field(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\" \t\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') {
            fputc('"', out);
        }
        fputc(*text, out);
    }
    fputc('"', out);
}

void tin_relabel_write_row(FILE *out, const tin_dataset *dataset, const tin_stream *stream, tin_interval where,
                           int32_t label)
{
    const int decimals = tin_relabel_decimals(dataset);
    tin_relabel_write_field(out, stream->id);
    fprintf(out, ",%.*f,%.*f,", decimals, (double)where.start / dataset->rate_hz, decimals,
            (double)where.end / dataset->rate_hz);
    tin_relabel_write_field(out, label >= 0 ? dataset->classes[label].name : "");
    fputc(',', out);
    tin_relabel_write_field(out, dataset->classes[where.class_index].name);
}
