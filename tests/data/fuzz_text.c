/* libFuzzer target: any bytes as delimited text, row by row and as samples. Build with clang and -DTINAMOU_FUZZ=ON, then
 *     fuzz_text CORPUS_FOLDER */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/samples.h"
#include "data/text_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the dialect. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *const separators[] = {"auto", "comma", "tab", "blanks"};
    static char *missing[2] = {"NaN", ""};
    if (size == 0)
        return -1;
    const unsigned choice = data[0];
    tin_config_files files = {.text = {.separator = separators[choice & 3],
                                       .header = choice & 4,
                                       .comment = choice & 8 ? "#" : "",
                                       .decimal_comma = choice & 16,
                                       .row_end = choice & 32 ? ";" : ""},
                              .time_column = choice & 64 ? "1" : "",
                              .time_unit = choice & 128 ? "iso8601" : "ms",
                              .time_missing = "0",
                              .time_back = choice & 1 ? "split" : "refuse",
                              .missing = missing,
                              .missing_count = choice & 2 ? 2 : 0,
                              .skip_broken = choice & 8,
                              .rate_hz = 50};
    tin_sample_column columns[2] = {{.name = "2", .factor = 1}, {.name = "3", .sensor = 1, .factor = 2}};
    const tin_sample_layout layout = {.settings = &files,
                                      .where = "fuzz",
                                      .columns = columns,
                                      .n_columns = 2,
                                      .rate_hz = 50,
                                      .label_column = "4",
                                      .subject_column = choice & 16 ? "5" : ""};
    tin_samples samples;
    (void)!tin_samples_read_text(&layout, (const char *)data + 1, size - 1, "fuzz.csv", NULL, 64, &samples, NULL);
    tin_samples_free(&samples);
    return 0;
}
