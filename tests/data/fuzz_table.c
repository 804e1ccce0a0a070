/* libFuzzer target: any bytes as a file of each format that src/data/table.h reads; the first byte chooses it. Build with
 * clang and -DTINAMOU_FUZZ=ON, then
 *     fuzz_table CORPUS_FOLDER
 * HDF5 is left out: its library is not made for hostile files (docs/formats.md). */
#include <stdint.h>

#include "data/table_formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"f.wav", "f.flac", "f.ogg", "f.npy", "f.npz", "f.json", "f.cbor"};
    if (size == 0)
        return -1;
    tin_table table;
    tin_error err = {0};
    const tin_table_input in = {
        .path = names[data[0] % (sizeof names / sizeof *names)], .data = data + 1, .size = size - 1};
    if (tin_table_read_bytes(&in, &table, &err) == TIN_OK ? table.values == NULL : err.message[0] == '\0')
        __builtin_trap();
    tin_table_free(&table);
    return 0;
}
