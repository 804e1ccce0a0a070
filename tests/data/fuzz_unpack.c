/* libFuzzer target: any bytes as an archive of a public data set. Build with clang and -DTINAMOU_FUZZ=ON, then
 *     mkdir /dev/shm/fuzz && fuzz_unpack CORPUS_FOLDER
 * Nothing may appear beside the folder that it unpacks to. */
#include <stdint.h>

#include "base/file.h"
#include "data/unpack.h"

#define FOLDER "/dev/shm/fuzz"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tin_error err = {0};
    if (tin_file_write(FOLDER "/archive", data, size, NULL) != TIN_OK ||
        tin_folder_remove(FOLDER "/in/out", NULL) != TIN_OK)
        return -1;
    if (tin_unpack(FOLDER "/archive", FOLDER "/in/out", NULL, NULL, &err) != TIN_OK && err.message[0] == '\0')
        __builtin_trap();
    if (tin_folder_remove(FOLDER "/in/out", NULL) != TIN_OK ||
        (tin_file_exists(FOLDER "/in") && remove(FOLDER "/in") != 0))
        __builtin_trap(); /* something is left beside it */
    return 0;
}
