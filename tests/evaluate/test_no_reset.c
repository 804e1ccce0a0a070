/* Accuracy over recordings that go on into one another, against the interpreter, frame by frame. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "deploy/random_model.h"
#include "evaluate/no_reset.h"

#define N_STREAMS 4
#define N_FRAMES 501 /* no multiple of any hop but 1 */

static const random_layer LAYERS[] = {{.op = TIN_OP_CONV1D, .units = 6, .kernel = 3, .stride = 2, .relu = true},
                                      {.op = TIN_OP_GRU, .units = 8}};
static const random_spec SPEC = {.n_channels = 3, .n_classes = 4, .layers = LAYERS, .n_layers = 2};

typedef struct world {
    tin_qmodel *model;
    tin_dataset dataset;
    tin_stream streams[N_STREAMS]; /* the second one belongs to nobody who is tested */
    tin_interval intervals[N_STREAMS][2];
    int16_t counts[N_STREAMS][N_FRAMES * 3];
} world;

static void make_world(world *w)
{
    *w = (world){0};
    assert_int_equal(random_model(&w->model, &SPEC, 3, NULL), TIN_OK);
    for (int i = 0; i < N_STREAMS; i++) {
        random_counts(w->counts[i], N_FRAMES, 3, (uint64_t)i + 1);
        w->intervals[i][0] = (tin_interval){0, 200, i % 4};
        w->intervals[i][1] = (tin_interval){220, N_FRAMES, (i + 1) % 4};
        w->streams[i] = (tin_stream){.role = i == 1 ? TIN_ROLE_TRAIN : TIN_ROLE_TEST,
                                     .n_frames = N_FRAMES,
                                     .counts = w->counts[i],
                                     .intervals = w->intervals[i],
                                     .n_intervals = 2};
    }
    w->dataset = (tin_dataset){
        .n_channels = 3, .n_classes = 4, .unlabelled = TIN_LABEL_IGNORE, .streams = w->streams, .n_streams = N_STREAMS};
}

/* Of each frame the class of the decision that is held at it, class 0 before the first. */
static double by_interpreter(const world *w, bool reset)
{
    tin_qrunner *runner = NULL;
    int64_t right = 0, all = 0;
    const int hop = w->model->hop;
    assert_int_equal(tin_qrunner_create(&runner, w->model, NULL), TIN_OK);
    for (int i = 0; i < N_STREAMS; i++) {
        int16_t labels[N_FRAMES], scores[4];
        int said = 0;
        if (w->streams[i].role != TIN_ROLE_TEST)
            continue;
        if (reset)
            tin_qrunner_reset(runner);
        tin_dataset_labels(&w->dataset, &w->streams[i], labels);
        for (int t = 0; t < N_FRAMES; t++) {
            if (t < N_FRAMES / hop * hop && tin_qrunner_step(runner, w->counts[i] + (ptrdiff_t)t * 3, scores))
                said = tin_argmax_s16(scores, 4);
            all += labels[t] >= 0;
            right += labels[t] == said;
        }
    }
    tin_qrunner_free(runner);
    return (double)right / (double)all;
}

static void is_what_the_interpreter_says(void **unused)
{
    (void)unused;
    static world w;
    double accuracy;
    make_world(&w);
    const tin_timing timing = {w.model->hop, 0, 0};
    assert_int_equal(tin_no_reset_accuracy(w.model, &w.dataset, TIN_ROLE_TEST, timing, &accuracy, NULL), TIN_OK);
    assert_true(fabs(accuracy - by_interpreter(&w, false)) < 1e-12);
    assert_true(fabs(accuracy - by_interpreter(&w, true)) > 1e-6); /* the state matters here */
    w.dataset.n_streams = 2;                                       /* one is tested */
    assert_int_equal(tin_no_reset_accuracy(w.model, &w.dataset, TIN_ROLE_TEST, timing, &accuracy, NULL), TIN_OK);
    assert_true(isnan(accuracy));
    tin_qmodel_free(w.model);
}

static void every_allocation_may_fail(void **unused)
{
    (void)unused;
    static world w;
    double accuracy;
    make_world(&w);
    for (size_t n = 1;; n++) {
        tin_error err = {0};
        tin_memory_fail_at(n);
        tin_status status = tin_no_reset_accuracy(w.model, &w.dataset, TIN_ROLE_TEST, (tin_timing){w.model->hop, 0, 0},
                                                  &accuracy, &err);
        tin_memory_fail_at(0);
        if (status == TIN_OK) {
            assert_true(n > 9);
            break;
        }
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    tin_qmodel_free(w.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_the_interpreter_says),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
