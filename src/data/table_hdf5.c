/* HDF5: one dataset of one or two dimensions, by the HDF5 library (its own errors are silenced; it keeps its state in
 * itself and locks it). What it reads from a hostile file is not checked here byte by byte: take HDF5 files from people
 * that you trust. Refused: other files that the file points to, and filters loaded from plugins. */
#define H5_USE_110_API
#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "data/table_formats.h"

typedef struct names {
    char list[256];  /* of the datasets that could be read */
    char first[256]; /* the first of them */
    size_t n;
} names;

/* A dataset of numbers with one or two dimensions; *dims as rows and columns. */
static bool is_table(hid_t dataset, hsize_t dims[2])
{
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    const int n = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    dims[0] = dims[1] = 1;
    bool good = (class == H5T_INTEGER || class == H5T_FLOAT) && (n == 1 || n == 2) &&
                H5Sget_simple_extent_dims(space, dims, NULL) == n;
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return good;
}

static herr_t note_name(hid_t root, const char *name, const H5O_info_t *info, void *context)
{
    names *found = context;
    hsize_t dims[2];
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    hid_t dataset = H5Dopen2(root, name, H5P_DEFAULT);
    if (dataset < 0)
        return -1;
    if (is_table(dataset, dims)) {
        size_t used = strlen(found->list);
        (void)snprintf(found->list + used, sizeof found->list - used, "%s%s", used > 0 ? ", " : "", name);
        if (found->n++ == 0)
            (void)snprintf(found->first, sizeof found->first, "%s", name);
    }
    H5Dclose(dataset);
    return 0;
}

/* The dataset's values lie in this very file. */
static bool is_inside(hid_t file, hid_t dataset)
{
    H5O_info_t here, there;
    hid_t created = H5Dget_create_plist(dataset);
    bool inside = created >= 0 && H5Pget_external_count(created) == 0 && H5Pget_layout(created) != H5D_VIRTUAL &&
                  H5Oget_info(file, &here) >= 0 && H5Oget_info(dataset, &there) >= 0 && here.fileno == there.fileno;
    if (created >= 0)
        H5Pclose(created);
    return inside;
}

static tin_status read_dataset(const tin_table_input *in, hid_t file, const char *name, tin_table *table,
                               tin_error *err)
{
    hsize_t dims[2];
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    tin_status status = TIN_OK;
    if (dataset < 0)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "no dataset '%s' can be opened in it", name);
    if (!is_table(dataset, dims))
        status = tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                             "the dataset '%s' is not of one or two dimensions of whole numbers or floats", name);
    else if (!is_inside(file, dataset))
        status = tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                             "the dataset '%s' points to another file; copy it into this one", name);
    else if (H5Dget_storage_size(dataset) == 0)
        status = tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "the dataset '%s' was declared but never written", name);
    if (status == TIN_OK)
        status = tin_table_shape(table, in->path, dims[0], dims[1], err);
    if (status == TIN_OK && H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, table->values) < 0)
        status = tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                             "the dataset '%s' cannot be read: damaged, or packed by a filter other than deflate, "
                             "shuffle, fletcher32 and szip",
                             name);
    H5Dclose(dataset);
    return status;
}

tin_status tin_table_read_hdf5(const tin_table_input *in, tin_table *table, tin_error *err)
{
    names found = {.n = 0};
    if (H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 || H5PLset_loading_state(0) < 0)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "the HDF5 library does not start");
    hid_t file = H5Fopen(in->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                           "is no readable HDF5 file: cut, damaged, or of another format; write it again");
    tin_status status = TIN_OK;
    if (in->entry == NULL && H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, note_name, &found) < 0)
        status = tin_fail_at(err, TIN_ERR_DATA, in->path, 0, "its list of datasets is damaged; write it again");
    else if (in->entry == NULL && found.n != 1)
        status = tin_fail_at(err, TIN_ERR_DATA, in->path, 0,
                             "holds %zu datasets of one or two dimensions of numbers, say which one: %s", found.n,
                             found.list);
    if (status == TIN_OK)
        status = read_dataset(in, file, in->entry != NULL ? in->entry : found.first, table, err);
    H5Fclose(file);
    return status;
}
