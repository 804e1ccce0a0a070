/* Private to src/project: what one setting alone cannot tell. */
#ifndef TIN_CONFIG_CHECK_H
#define TIN_CONFIG_CHECK_H

#include "project/config.h"

/* Checks settings against one another and fills in defaults that follow from others (deploy.name). On TIN_ERR_CONFIG
 * *where is the dotted name of the wrong setting and `message` says what is wrong and how to mend it; err is left
 * alone. Other failures fill err. */
tin_status tin_config_complete(tin_config *config, const char **where, char *message, size_t size,
                               tin_error *err) TIN_USE_RESULT;

#endif
