/* libFuzzer target: any bytes as delimited text. Build with clang and -DTINAMOU_FUZZ=ON, then
 *     fuzz_csv CORPUS_FOLDER */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "data/csv_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tin_csv_table *table = tin_alloc(1, sizeof *table, NULL);
    char *text = tin_alloc(size + 1, 1, NULL);
    if (table == NULL || text == NULL) {
        tin_free(table);
        tin_free(text);
        return -1;
    }
    if (size > 0)
        memcpy(text, data, size);
    tin_error err = {0};
    bool more = true;
    tin_status status = tin_csv_take(table, text, size, "fuzz.csv", &err);
    while (status == TIN_OK && more) {
        status = tin_csv_next(table, &more, &err);
        for (size_t i = 0; more && i < table->n_fields; i++) {
            double number = 0;
            (void)!tin_csv_number(table, i, &number, NULL);
        }
    }
    tin_csv_close(table);
    tin_free(table);
    return 0;
}
