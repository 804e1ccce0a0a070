/* libFuzzer target: any bytes as an export of Label Studio. Build with clang and -DTINAMOU_FUZZ=ON, then
 *     fuzz_label_studio CORPUS_FOLDER */
#include <stdint.h>

#include "data/import_labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *names[1] = {"a.csv"};
    static const tin_config_labels settings = {.unit = "iso8601", .format = "label_studio"};
    static tin_file_set set = {.names = names, .id = "a", .subject = "a", .session = ""};
    const tin_import_plan plan = {.n_families = 1, .sets = &set, .n_sets = 1};
    tin_import_labels labels = {.settings = &settings};
    size_t unmatched = 0;
    (void)!tin_label_studio_read(&labels, &plan, "fuzz.json", (const char *)data, size, &unmatched, NULL);
    tin_import_labels_free(&labels);
    return 0;
}
