#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "model/safetensors.h"

#define PATH TEST_TEMPORARY "/t.safetensors"

static const float f32[6] = {1.5f, -2, 3, 4, 5, 6};
static const int8_t i8[3] = {-1, 2, -3};
static const int16_t i16[1] = {-300};
static const int32_t i32[2] = {1 << 30, -7};
static const int64_t i64[1] = {-(1ll << 40)};
static const uint8_t u8[2] = {200, 1};

/* i8 comes early, so that what follows is not aligned in the file. */
static const tin_tensor tensors[] = {
    {.name = "bytes", .dtype = TIN_I8, .n_dims = 1, .shape = {3}, .data = i8},
    {.name = "layers.0.weight", .dtype = TIN_F32, .n_dims = 3, .shape = {2, 1, 3}, .data = f32},
    {.name = "short", .dtype = TIN_I16, .n_dims = 1, .shape = {1}, .data = i16},
    {.name = "int", .dtype = TIN_I32, .n_dims = 2, .shape = {1, 2}, .data = i32},
    {.name = "step", .dtype = TIN_I64, .n_dims = 0, .data = i64},
    {.name = "empty", .dtype = TIN_F32, .n_dims = 2, .shape = {0, 4}, .data = f32},
    {.name = "u", .dtype = TIN_U8, .n_dims = 1, .shape = {2}, .data = u8},
};
#define N_TENSORS (sizeof tensors / sizeof *tensors)
static const tin_metadata metadata[] = {{"kind", "test"}, {"run", "\xc3\xa4 \"quoted\""}};

static void write_bytes(const char *bytes, size_t size)
{
    FILE *f = fopen(PATH, "wb");
    assert_non_null(f);
    if (size > 0)
        assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void write_sample(char hash[TIN_HASH_HEX])
{
    tin_error err = {0};
    if (tin_safetensors_write(PATH, tensors, N_TENSORS, metadata, 2, hash, &err))
        fail_msg("%s", tin_error_text(&err));
}

/* Both ways of opening a file. */
typedef tin_status opener(tin_safetensors **file, const char *path, tin_error *err);
static opener *const openers[] = {tin_safetensors_read, tin_safetensors_map};

static void check_sample(opener *open)
{
    char hash[TIN_HASH_HEX], again[TIN_HASH_HEX];
    tin_safetensors *file = NULL;
    write_sample(hash);
    assert_int_equal(tin_hash_file(PATH, again, NULL), TIN_OK);
    assert_string_equal(hash, again);
    assert_int_equal(open(&file, PATH, NULL), TIN_OK);
    assert_int_equal(file->n_tensors, N_TENSORS);
    for (size_t i = 0; i < N_TENSORS; i++) {
        const tin_tensor *want = &tensors[i];
        const void *data = NULL;
        assert_int_equal(tin_safetensors_get(file, want->name, want->dtype, want->n_dims, want->shape, &data, NULL),
                         TIN_OK);
        assert_memory_equal(data, want->data, tin_tensor_bytes(want));
        assert_int_equal((uintptr_t)data % 8, 0);
    }
    assert_string_equal(tin_safetensors_metadata(file, "run"), metadata[1].value);
    assert_null(tin_safetensors_metadata(file, "none"));
    assert_null(tin_safetensors_find(file, "none"));
    tin_safetensors_free(file);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    check_sample(tin_safetensors_read);
    check_sample(tin_safetensors_map);
}

static void what_is_asked_for_must_be_there(void **state)
{
    (void)state;
    tin_safetensors *file = NULL;
    const void *data = NULL;
    write_sample(NULL);
    assert_int_equal(tin_safetensors_read(&file, PATH, NULL), TIN_OK);
    tin_error err = {0};
    assert_int_equal(tin_safetensors_get(file, "none", TIN_F32, 1, (int64_t[]){1}, &data, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "missing"));
    err = (tin_error){0};
    assert_int_equal(tin_safetensors_get(file, "bytes", TIN_U8, 1, (int64_t[]){3}, &data, &err), TIN_ERR_FORMAT);
    assert_non_null(strstr(err.message, "I8 [3] but U8 [3]"));
    assert_int_equal(tin_safetensors_get(file, "bytes", TIN_I8, 1, (int64_t[]){4}, &data, NULL), TIN_ERR_FORMAT);
    assert_int_equal(tin_safetensors_get(file, "bytes", TIN_I8, 2, (int64_t[]){3, 1}, &data, NULL), TIN_ERR_FORMAT);
    tin_safetensors_free(file);
}

/* As others may write it: no padding, no metadata, a scalar. */
static void a_foreign_file_is_read(void **state)
{
    (void)state;
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                                 "\"b\":{\"dtype\":\"I8\",\"shape\":[1,2],\"data_offsets\":[4,6]}}";
    char bytes[256];
    uint64_t length = strlen(header);
    float one = 1;
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    memcpy(bytes + 8 + length, &one, 4);
    memcpy(bytes + 12 + length, "\xff\x02", 2);
    write_bytes(bytes, 14 + length);
    assert_true((8 + length) % 4 != 0); /* where `a` would not be aligned */
    for (size_t i = 0; i < 2; i++) {
        tin_safetensors *file = NULL;
        const void *data = NULL;
        assert_int_equal(openers[i](&file, PATH, NULL), TIN_OK);
        assert_int_equal(tin_safetensors_get(file, "b", TIN_I8, 2, (int64_t[]){1, 2}, &data, NULL), TIN_OK);
        assert_int_equal(((const int8_t *)data)[0], -1);
        assert_int_equal(tin_safetensors_get(file, "a", TIN_F32, 0, NULL, &data, NULL), TIN_OK);
        assert_true(*(const float *)data == 1.0f);
        tin_safetensors_free(file);
    }
}

static void damaged_headers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data; /* bytes behind it */
        const char *word;
    } cases[] = {
        {"[]", 0, "no JSON object"},
        {"{\"a\"", 0, "not valid JSON"},
        {"{\"a\":1}", 0, "exactly dtype"},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "F64"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "shape needs 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "impossible size"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}", 4, "impossible size"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "impossible size"},
        {"{\"a\":{\"dtype\":\"I8\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,1]}}", 1, "5 dimensions"},
        {"{\"a\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 1, "outside"},
        {"{\"a\":{\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[1,0]}}", 1, "outside"},
        {"{\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1,1]}}", 1, "outside"},
        {"{\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "gap or overlap"},
        {"{\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 2, "belong to no tensor"},
        {"{\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_"
         "offsets\":[1,2]}}",
         2, "duplicate"},
        {"{\"a\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"I8\",\"shape\":[1],\"data_"
         "offsets\":[1,2]}}",
         2, "gap or overlap"},
        {"{\"\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "exactly dtype"},
        {"{\"__metadata__\":7}", 0, "no object"},
        {"{\"__metadata__\":{\"a\":7}}", 0, "no text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char bytes[512] = {0};
        uint64_t length = strlen(cases[i].header);
        tin_safetensors *file = NULL;
        tin_error err = {0};
        memcpy(bytes, &length, 8);
        memcpy(bytes + 8, cases[i].header, length);
        write_bytes(bytes, 8 + length + cases[i].data);
        assert_int_equal(tin_safetensors_read(&file, PATH, &err), TIN_ERR_FORMAT);
        assert_null(file);
        if (!strstr(err.message, cases[i].word) || strcmp(err.file, PATH) != 0)
            fail_msg("case %zu: %s", i, tin_error_text(&err));
    }
}

static void a_missing_file_is_an_io_error(void **state)
{
    (void)state;
    tin_safetensors *file = NULL;
    assert_int_equal(tin_safetensors_read(&file, TEST_TEMPORARY "/none", NULL), TIN_ERR_IO);
    assert_null(file);
}

static void names_that_cannot_be_kept_are_refused(void **state)
{
    (void)state;
    tin_tensor two[2] = {tensors[0], tensors[0]};
    remove(PATH);
    assert_int_equal(tin_safetensors_write(PATH, two, 2, NULL, 0, NULL, NULL), TIN_ERR_FORMAT);
    const char *bad[] = {"", "__metadata__", "\xff", NULL};
    for (size_t i = 0; i < 4; i++) {
        two[1].name = bad[i];
        assert_int_equal(tin_safetensors_write(PATH, two, 2, NULL, 0, NULL, NULL), TIN_ERR_FORMAT);
    }
    assert_int_equal(tin_safetensors_write(PATH, tensors, 1, &(tin_metadata){"k", "\xff"}, 1, NULL, NULL),
                     TIN_ERR_FORMAT);
    assert_false(tin_file_exists(PATH));
    assert_int_equal(tin_safetensors_write(PATH, NULL, 0, NULL, 0, NULL, NULL), TIN_OK);
    tin_safetensors *file = NULL;
    assert_int_equal(tin_safetensors_read(&file, PATH, NULL), TIN_OK);
    assert_int_equal(file->n_tensors, 0);
    tin_safetensors_free(file);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t size = 0;
    write_sample(NULL);
    assert_int_equal(tin_file_read(PATH, &bytes, &size, NULL), TIN_OK);
    for (size_t n = 0; n < size; n++) {
        tin_safetensors *file = NULL;
        write_bytes(bytes, n);
        assert_int_equal(tin_safetensors_read(&file, PATH, NULL), TIN_ERR_FORMAT);
        assert_int_equal(tin_safetensors_map(&file, PATH, NULL), TIN_ERR_FORMAT);
    }
    tin_free(bytes);
}

/* Any flip either is refused or gives a file whose tensors lie inside its memory (sanitizers watch the reads). */
static void flipped_bytes_do_no_harm(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t size = 0, refused = 0;
    tin_rng rng;
    tin_rng_seed(&rng, 11);
    write_sample(NULL);
    assert_int_equal(tin_file_read(PATH, &bytes, &size, NULL), TIN_OK);
    for (int i = 0; i < 3000; i++) {
        char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, bytes, size);
        for (uint32_t flips = 1 + tin_rng_below(&rng, 3); flips > 0; flips--)
            copy[tin_rng_below(&rng, (uint32_t)size)] ^= (char)(1u << tin_rng_below(&rng, 8));
        write_bytes(copy, size);
        free(copy);
        tin_safetensors *file = NULL;
        if (openers[i % 2](&file, PATH, NULL)) {
            refused++;
            continue;
        }
        unsigned sum = 0;
        for (size_t t = 0; t < file->n_tensors; t++) {
            for (size_t b = 0; b < tin_tensor_bytes(&file->tensors[t]); b++)
                sum += ((const uint8_t *)file->tensors[t].data)[b];
        }
        assert_true(sum < 100000);
        tin_safetensors_free(file);
    }
    assert_true(refused > 1000);
    tin_free(bytes);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    write_sample(NULL);
    for (size_t n = 1;; n++) {
        tin_safetensors *file = NULL;
        tin_memory_fail_at(n);
        char hash[TIN_HASH_HEX];
        tin_status status = tin_safetensors_write(PATH, tensors, N_TENSORS, metadata, 2, hash, NULL);
        tin_memory_fail_at(0);
        if (!status) {
            assert_true(n > 1);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_int_equal(tin_safetensors_read(&file, PATH, NULL), TIN_OK); /* the earlier file is whole */
        tin_safetensors_free(file);
    }
    for (size_t i = 0, n = 1; i < 2; n++) {
        tin_safetensors *file = NULL;
        tin_memory_fail_at(n);
        tin_status status = openers[i](&file, PATH, NULL);
        tin_memory_fail_at(0);
        if (!status) {
            assert_true(n > 4);
            tin_safetensors_free(file);
            i++;
            n = 0;
            continue;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_null(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),       cmocka_unit_test(what_is_asked_for_must_be_there),
        cmocka_unit_test(a_foreign_file_is_read),        cmocka_unit_test(damaged_headers_are_refused),
        cmocka_unit_test(a_missing_file_is_an_io_error), cmocka_unit_test(names_that_cannot_be_kept_are_refused),
        cmocka_unit_test(every_truncation_is_refused),   cmocka_unit_test(flipped_bytes_do_no_harm),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
