/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "train/preview.h"
#include "train_data.h"

#define PAGE TEST_TEMPORARY "/preview.html"

static tin_dataset *dataset;

static const tin_config_train train = {.steps = 1,
                                       .batch = 2,
                                       .chunk = 40,
                                       .label_smoothing = 0.4,
                                       .class_weight_power = 1,
                                       .augment = {.speed = {1, 0.2},
                                                   .warp = {1, 0, 1000}, /* by nothing: off */
                                                   .rotate = {0.5, 40},
                                                   .background = {.probability = 0.3, .snr_db = {5, 9}},
                                                   .mute = {1}}};

static int count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)) != NULL; text++) {
        n++;
    }
    return n;
}

static char *page_of(const tin_config_train *settings, int threads, tin_preview *preview)
{
    tin_error err = {0};
    tin_pool *pool = NULL;
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(tin_pool_create(&pool, threads, &err), TIN_OK);
    tin_preview_options options = {"a <title>", settings, 3, pool};
    if (tin_preview_write(preview, dataset, &options, PAGE, &err) || tin_file_read(PAGE, &text, &size, &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    tin_pool_destroy(pool);
    return text;
}

/* Each operation that is on has its section, between the recording and all together; three pictures in each. */
static void shows_what_is_on(void **unused)
{
    (void)unused;
    static const char *const sections[] = {"<h2>as recorded</h2>", "<h2>speed</h2>", "<h2>rotate</h2>",
                                           "<h2>background</h2>",  "<h2>mute</h2>",  "<h2>all together</h2>"};
    tin_preview preview;
    char *page = page_of(&train, 1, &preview);
    const char *at = page;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        at = strstr(at, sections[i]);
        assert_non_null(at);
    }
    assert_int_equal(count(page, "<h2>"), 6);
    assert_int_equal(count(page, "<svg"), 18);
    assert_int_equal(count(page, "</svg>"), 18);
    assert_int_equal(count(page, " id=\"b"), 3 * TEST_CHANNELS);
    assert_int_equal(count(page, "href=\"#b"), 15 * TEST_CHANNELS);
    assert_int_equal(count(page, "nan"), 0);
    assert_int_equal(count(page, "a &lt;title>"), 2);
    assert_non_null(
        strstr(page, "turned by up to 40 degrees about a random axis; in training with a probability of 0.5"));
    assert_non_null(strstr(page, "Off: splice, warp, shift, mirror, turn, scale, gain, room, bias, drift, noise, range"));
    assert_int_equal(preview.n_operations, 4);
    assert_string_equal(preview.operations[2], "background");
    assert_int_equal(preview.n_sequences, 3);
    assert_true(preview.seconds > 7.9 && preview.seconds < 8.1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(preview.sequences[i].stream->role, TIN_ROLE_TRAIN);
        assert_true(preview.sequences[i].start_s >= 0 && preview.sequences[i].start_s < 20);
    }
    tin_free(page);
}

/* Threads do not matter; with nothing on there are the recording and all (nothing) together. */
static void is_a_function_of_the_seed(void **unused)
{
    (void)unused;
    tin_preview preview;
    char *a = page_of(&train, 1, &preview), *b = page_of(&train, 3, &preview);
    assert_string_equal(a, b);
    tin_free(a);
    tin_free(b);
    tin_config_train none = {.steps = 1, .batch = 2, .chunk = 40};
    a = page_of(&none, 1, &preview);
    assert_int_equal(preview.n_operations, 0);
    assert_int_equal(count(a, "<svg"), 6);
    tin_free(a);
}

static void failures_leave_the_earlier_page(void **unused)
{
    (void)unused;
    tin_preview preview;
    tin_error err = {0};
    tin_pool *pool = NULL;
    char *before = page_of(&train, 1, &preview), *after = NULL;
    size_t size = 0;
    assert_int_equal(tin_pool_create(&pool, 1, &err), TIN_OK);
    const tin_preview_options options = {"a", &train, 4, pool};
    char *unknown[] = {(char[]){"stir"}};
    tin_config_train wrong = train;
    wrong.augment.background.classes = unknown;
    wrong.augment.background.classes_count = 1;
    assert_int_equal(tin_preview_write(&preview, dataset, &(tin_preview_options){"a", &wrong, 3, pool}, PAGE, &err),
                     TIN_ERR_CONFIG);
    assert_int_equal(tin_preview_write(&preview, dataset, &options, TEST_TEMPORARY "/no/page.html", &err), TIN_ERR_IO);
    for (int n = 1;; n++) {
        memset(&err, 0, sizeof err);
        tin_memory_fail_at((size_t)n);
        tin_status status = tin_preview_write(&preview, dataset, &options, PAGE, &err);
        tin_memory_fail_at(0);
        if (status == TIN_OK) {
            assert_true(n > 50);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
        assert_int_equal(tin_file_read(PAGE, &after, &size, &err), TIN_OK);
        assert_string_equal(before, after);
        tin_free(after);
    }
    tin_free(before);
    tin_pool_destroy(pool);
}

static int open_dataset(void **unused)
{
    (void)unused;
    dataset = test_dataset(TEST_TEMPORARY "/preview.tind", 14, 1000);
    return 0;
}

static int close_dataset(void **unused)
{
    (void)unused;
    tin_dataset_close(dataset);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_is_on),
        cmocka_unit_test(is_a_function_of_the_seed),
        cmocka_unit_test(failures_leave_the_earlier_page),
    };
    return cmocka_run_group_tests(tests, open_dataset, close_dataset);
}
