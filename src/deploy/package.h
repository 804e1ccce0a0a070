/* Packages: the generated pair with a self-test and an example, in the layout that an ecosystem of firmware expects.
 * docs/packages.md says what is in them. */
#ifndef TIN_PACKAGE_H
#define TIN_PACKAGE_H

#include "dataset/dataset.h"
#include "model/decision.h"
#include "model/qmodel.h"

/* bit, name of the format and of its folder */
#define TIN_PACKAGE_LIST(X)                                                                                            \
    X(CMAKE, 0, "cmake")                                                                                               \
    X(ARDUINO, 1, "arduino")                                                                                           \
    X(ZEPHYR, 2, "zephyr")                                                                                             \
    X(PLATFORMIO, 3, "platformio")                                                                                     \
    X(ESPIDF, 4, "espidf")
enum {
#define X(format, bit, name) TIN_PACKAGE_##format = 1 << bit,
    TIN_PACKAGE_LIST(X)
#undef X
        TIN_PACKAGE_ALL = (1 << 5) - 1
};
#define TIN_PACKAGE_COUNT 5

/* "cmake,zephyr" or "all" to bits. TIN_ERR_USAGE names a format that is not known. */
tin_status tin_package_formats(const char *text, unsigned *formats, tin_error *err) TIN_USE_RESULT;
/* Of the bit 1 << format. */
const char *tin_package_name(int format);

typedef struct tin_package {
    const tin_qmodel *model;
    const tin_decision_rule *rule;
    const tin_dataset *dataset; /* its test streams give the recorded frames */
    const char *code;           /* folder of NAME.c and NAME.h */
    const char *name;
    const char *version; /* of Tinamou */
    int latency;         /* NAME_LATENCY */
    int64_t frames;      /* of a recording; 0: as many as fit 4 KB, with an event in it where there is one */
    unsigned formats;    /* bits */
} tin_package;

/* Writes OUTPUT/FORMAT/NAME/ for each format: as a whole or not at all, an earlier package gives way. The same inputs
 * give the same bytes. TIN_ERR_IO when such a folder holds a file that no package has, so that nothing of the user's is
 * removed. */
tin_status tin_package_write(const tin_package *package, const char *output, tin_error *err) TIN_USE_RESULT;

#endif
