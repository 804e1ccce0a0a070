/* Public data sets: downloaded, compared with their checksum, unpacked. docs/formats.md says how. */
#ifndef TIN_FETCH_H
#define TIN_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"

typedef struct tin_public_data {
    const char *name, *title, *url;
    uint64_t bytes;     /* of the archive; 0: not known */
    const char *sha256; /* of the archive, as several people found it independently; NULL: the first download decides */
    const char *licence; /* what its publisher says, as far as known */
    const char *source;  /* who is to be cited */
} tin_public_data;

extern const tin_public_data tin_public_data_sets[]; /* ends with a NULL name */

typedef struct tin_fetch {
    const tin_public_data *set;
    const char *folder; /* gets the folder NAME, and beside it NAME.sha256 with the archive's checksum */
    const char *url;    /* a mirror's; NULL: the publisher's */
    bool force;         /* also when the folder is there */
    bool quiet;
} tin_fetch;

typedef struct tin_fetched {
    char path[TIN_PATH_MAX]; /* the folder */
    bool was_there;
    bool first_time; /* nothing was known to compare the checksum with */
    char sha256[65]; /* "" when it was there */
} tin_fetched;

/* TIN_ERR_USAGE with the names that there are. */
tin_status tin_public_data_find(const char *name, const tin_public_data **set, tin_error *err) TIN_USE_RESULT;
/* Goes on with a download that was cut off, in this call and in the next one. The earlier folder stays whole until the new
 * one is. TIN_ERR_DATA for another size or checksum than known, and for an archive that is damaged or hostile. */
tin_status tin_fetch_data(const tin_fetch *fetch, tin_fetched *fetched, tin_error *err) TIN_USE_RESULT;

#endif
