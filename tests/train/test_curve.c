/* The learning curve as a table, a page and blocks. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "train/curve.h"

#define ROWS 3
#define GAP ((double)NAN)

static const double rows[ROWS * TIN_CURVE_COLUMNS] = {
    10, 4e-3, 1.5, 0.5, 0.4, 0.3, 1.2, GAP, GAP, GAP,  /* */
    20, 3e-3, 0.7, 0.8, 0.7, 0.6, 0.9, GAP, GAP, 0.75, /* */
    30, 2e-3, 0.4, 0.9, 0.6, 0.7, 0.8, GAP, GAP, 0.85,
};
static const tin_curve curve = {.name = "train",
                                .rows = rows,
                                .n = ROWS,
                                .metric = TIN_METRIC_MACRO_F1,
                                .averaged = true,
                                .best_step = 30,
                                .steps = 40};

static char *written(tin_status (*write)(const tin_curve *, const char *, tin_error *), const tin_curve *what)
{
    char *text = NULL;
    size_t size;
    tin_error err = {0};
    if (write(what, TEST_TEMPORARY "/curve", &err)) {
        fail_msg("%s", tin_error_text(&err));
    }
    assert_int_equal(tin_file_read(TEST_TEMPORARY "/curve", &text, &size, NULL), TIN_OK);
    return text;
}

static void table_names_its_columns(void **unused)
{
    (void)unused;
    char *text = written(tin_curve_write_table, &curve);
    const char *expected =
        "step,learning_rate,loss,validation_accuracy,validation_macro_f1,validation_balanced_accuracy,"
        "validation_loss,validation_event_f1,validation_iou_f1,average_macro_f1\n"
        "10,0.004,1.5,0.500000,0.400000,0.300000,1.200000,nan,nan,nan\n";
    assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
    tin_free(text);
    tin_curve plain = curve;
    plain.averaged = false;
    text = written(tin_curve_write_table, &plain);
    assert_null(strstr(text, "average"));
    tin_free(text);
}

static void page_is_alive_until_the_end(void **unused)
{
    (void)unused;
    tin_curve end = curve;
    char *text = written(tin_curve_write_page, &curve);
    assert_non_null(strstr(text, "http-equiv=\"refresh\""));
    assert_non_null(strstr(text, "under way, 30 of 40 steps"));
    assert_non_null(strstr(text, "kept: step 30"));
    assert_non_null(strstr(text, "average macro f1 0.8500"));
    assert_null(strstr(text, "nan")); /* what does not apply is not drawn */
    assert_null(strstr(text, "event f1"));
    assert_null(strstr(text, "http:")); /* nothing is fetched */
    tin_free(text);
    end.finished = true;
    text = written(tin_curve_write_page, &end);
    assert_null(strstr(text, "refresh"));
    assert_non_null(strstr(text, "finished after 30 of 40 steps"));
    tin_free(text);
    end.n = 0; /* no validation yet, and one alone */
    tin_free(written(tin_curve_write_page, &end));
    end.n = 1;
    text = written(tin_curve_write_page, &end);
    assert_null(strstr(text, "nan"));
    tin_free(text);
}

static void blocks_rise_and_fall(void **unused)
{
    (void)unused;
    char text[TIN_SPARK_BYTES];
    tin_curve_spark(&curve, TIN_CURVE_LOSS, text);
    assert_string_equal(text, "\u2588\u2583\u2581");
    tin_curve_spark(&curve, TIN_CURVE_METRICS, text);
    assert_string_equal(text, "\u2581\u2586\u2588");
    tin_curve_spark(&curve, TIN_CURVE_METRICS + TIN_METRIC_EVENT_F1, text);
    assert_string_equal(text, "\u2581\u2581\u2581");
    tin_curve one = curve;
    one.n = 1;
    tin_curve_spark(&one, TIN_CURVE_LOSS, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_names_its_columns),
        cmocka_unit_test(page_is_alive_until_the_end),
        cmocka_unit_test(blocks_rise_and_fall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
