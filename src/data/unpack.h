/* Private to src/data: archives of published data sets (zip; tar, plain or with gzip, bzip2, xz, zstd), by libarchive. */
#ifndef TIN_UNPACK_H
#define TIN_UNPACK_H

#include <stdbool.h>

#include "base/error.h"

/* Unpacks `archive` into the new folder `folder`, with archives that lie in it, and calls back with the bytes of the archive
 * that are read. An archive is refused as a whole when one of its entries is a link, a device, or has a path that leads out
 * of the folder. After a failure a part of the folder may be there: remove it. */
tin_status tin_unpack(const char *archive, const char *folder, void (*progress)(void *context, long long bytes_read),
                      void *context, tin_error *err) TIN_USE_RESULT;

#endif
