/* The library CMSIS-NN where the user has it. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "deploy/deploy.h"

static tin_status check_header(const char *folder, tin_error *err)
{
    char path[TIN_PATH_MAX], *text = NULL;
    size_t size = 0;
    tin_status status = tin_path_join(path, folder, "Include/arm_nnfunctions.h", err);
    if (status) {
        return status;
    }
    if (!tin_file_exists(path)) {
        return tin_fail_at(
            err, TIN_ERR_CONFIG, path, 0,
            "no header of CMSIS-NN there; let deploy.cmsis_nn (--cmsis-nn) name the folder of the library, "
            "with its Include/ and the built libcmsis-nn.a, or set deploy.backend to auto");
    }
    status = tin_file_read(path, &text, &size, err);
    if (status == TIN_OK && strstr(text, "arm_fully_connected_per_channel_s8(") == NULL) {
        status = tin_fail_at(err, TIN_ERR_CONFIG, path, 0,
                             "this CMSIS-NN has no arm_fully_connected_per_channel_s8; take version 7.0.0 or later");
    }
    tin_free(text);
    return status;
}

tin_status tin_cmsis_nn_check(const char *folder, tin_error *err)
{
    char path[TIN_PATH_MAX];
    if (folder == NULL || folder[0] == '\0') {
        return tin_fail(
            err, TIN_ERR_CONFIG,
            "deploy.backend is cmsis-nn and deploy.cmsis_nn is empty; give the folder of CMSIS-NN, with its "
            "Include/ and the built libcmsis-nn.a, there or by --cmsis-nn, or set deploy.backend to auto");
    }
    tin_status status = check_header(folder, err);
    status = status ? status : tin_path_join(path, folder, "libcmsis-nn.a", err);
    if (status == TIN_OK && !tin_file_exists(path)) {
        status =
            tin_fail_at(err, TIN_ERR_CONFIG, path, 0,
                        "CMSIS-NN is not built for this core; build it as its README says and put libcmsis-nn.a beside "
                        "Include/");
    }
    return status;
}
