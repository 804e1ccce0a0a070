/* libFuzzer target: any bytes as a dataset file. Build with clang and -DTINAMOU_FUZZ=ON, then
 *     fuzz_dataset CORPUS_FOLDER
 * The hashes are made right first, or no changed byte would get past them. The bytes go through a file in memory, because
 * opening means mapping. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "dataset/dataset.h"
#include "tests/dataset/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("dataset", 0);
    uint8_t *sealed = tin_alloc(size, 1, NULL);
    if (fd < 0 || sealed == NULL)
        return -1;
    if (size > 0)
        memcpy(sealed, data, size);
    seal(sealed, size);
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    tin_dataset *d = NULL;
    tin_error err = {0};
    if (write(fd, sealed, size) == (ssize_t)size && tin_dataset_open(&d, path, &err) == TIN_OK) {
        (void)!tin_dataset_verify(d, &err);
        for (size_t i = 0; i < d->n_streams; i++) {
            int16_t *labels = tin_alloc((size_t)d->streams[i].n_frames, sizeof *labels, NULL);
            if (labels != NULL)
                tin_dataset_labels(d, &d->streams[i], labels);
            tin_free(labels);
        }
    }
    tin_dataset_close(d);
    (void)close(fd);
    tin_free(sealed);
    return 0;
}
