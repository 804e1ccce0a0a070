/* The simulator: physics that must hold, figures that people keep to, and the same bytes from the same seed. */
#include "data_test.h"

#include <math.h>

#include "data/simulate.h"

#define PI 3.14159265358979323846

static double norm3(const double *v)
{
    return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

static tin_sim_person plain_person(void)
{
    const double none[3] = {0, 0, 0};
    return (tin_sim_person){.upper_arm = 0.3, .forearm = 0.25, .mount = tin_sim_quat_from_vector(none)};
}

/* A still arm in any posture feels exactly 1 g upward and does not turn. */
static void still(void **state)
{
    (void)state;
    tin_sim_track track;
    tin_sim_person person = plain_person();
    double imu[10][6];
    assert_int_equal(tin_sim_track_create(&track, 10, 400, NULL), TIN_OK);
    for (int d = 0; d < TIN_SIM_DOFS; d++)
        for (size_t i = 0; i < track.n; i++)
            track.dof[d][i] = 0.3 * d - 0.7;
    tin_sim_kinematics(&track, &person, imu[0], NULL);
    for (size_t i = 0; i < track.n; i++) {
        assert_true(fabs(norm3(imu[i]) - TIN_SIM_GRAVITY) < 1e-6);
        assert_true(norm3(imu[i] + 3) < 1e-6);
    }
    tin_sim_track_free(&track);
}

/* Hanging straight: the forearm's axis points down, so gravity is felt as -1 g along x. Bent by 90 degrees with the
 * palm down, the back of the hand and the watch look up: +1 g along z. */
static void axes(void **state)
{
    (void)state;
    tin_sim_track track;
    tin_sim_person person = plain_person();
    double imu[4][6];
    assert_int_equal(tin_sim_track_create(&track, 4, 400, NULL), TIN_OK);
    tin_sim_kinematics(&track, &person, imu[0], NULL);
    assert_true(fabs(imu[1][0] + TIN_SIM_GRAVITY) < 1e-6);
    for (size_t i = 0; i < track.n; i++)
        track.dof[TIN_SIM_ELBOW][i] = PI / 2;
    tin_sim_kinematics(&track, &person, imu[0], NULL);
    assert_true(fabs(imu[1][2] - TIN_SIM_GRAVITY) < 1e-6);
    tin_sim_track_free(&track);
}

/* A trunk turning at constant speed with the arm held forward: centripetal acceleration omega^2 r at the watch. */
static void circle_motion(void **state)
{
    (void)state;
    enum { N = 400 };
    const double omega = 5, radius = 0.55;
    tin_sim_track track;
    tin_sim_person person = plain_person();
    double(*imu)[6] = tin_alloc(N, sizeof *imu, NULL);
    assert_int_equal(tin_sim_track_create(&track, N, 400, NULL), TIN_OK);
    for (size_t i = 0; i < N; i++) {
        track.dof[TIN_SIM_FLEXION][i] = PI / 2;
        track.dof[TIN_SIM_YAW][i] = omega * (double)i / 400;
    }
    tin_sim_kinematics(&track, &person, imu[0], NULL);
    for (size_t i = 0; i < N; i++) {
        assert_true(fabs(imu[i][0] + omega * omega * radius) < 1e-3); /* x points outward along the arm */
        assert_true(fabs(imu[i][2] - TIN_SIM_GRAVITY) < 1e-6);
        assert_true(fabs(imu[i][5] - omega) < 1e-6);
    }
    tin_free(imu);
    tin_sim_track_free(&track);
}

static double angle_between(tin_sim_quat a, tin_sim_quat b)
{
    double dot = fabs(a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z);
    return 2 * acos(fmin(dot, 1));
}

/* One minute of everything: the gyroscope, integrated from the first orientation, ends in the last one; on the fine
 * clock exactly, and from frames at 50 Hz within the error that averaging makes. */
static void gyro_integrates(void **state)
{
    (void)state;
    enum { N = 400 * 60 + 1 };
    tin_sim_track track;
    tin_sim_person person;
    tin_rng rng;
    tin_rng_seed(&rng, 5);
    tin_sim_person_draw(&person, &rng);
    double(*imu)[6] = tin_alloc(N, sizeof *imu, NULL);
    tin_sim_quat *truth = tin_alloc(N, sizeof *truth, NULL);
    assert_int_equal(tin_sim_track_create(&track, N, 400, NULL), TIN_OK);
    tin_sim_event *events = tin_alloc(tin_sim_max_events(&track), sizeof *events, NULL);
    tin_sim_background(&track, &person, &rng);
    assert_in_range(tin_sim_gestures(&track, &person, &rng, events), 3, 10);
    tin_sim_life(&track, &person, &rng);
    tin_sim_kinematics(&track, &person, imu[0], truth);
    tin_sim_quat fine = truth[0], coarse = truth[0];
    double moved = 0;
    for (size_t i = 0; i + 1 < N; i++) {
        const double *w = imu[i] + 3;
        fine = tin_sim_quat_multiply(fine,
                                     tin_sim_quat_from_vector((const double[3]){w[0] / 400, w[1] / 400, w[2] / 400}));
        moved += norm3(w) / 400;
        if (i % 8 == 7) {
            double mean[3] = {0, 0, 0};
            for (size_t k = 0; k < 8; k++)
                for (int c = 0; c < 3; c++)
                    mean[c] += imu[i - k][3 + c] / 400; /* the mean of 8 over 20 ms */
            coarse = tin_sim_quat_multiply(coarse, tin_sim_quat_from_vector(mean));
        }
    }
    assert_true(moved > 20); /* rad: there was something to follow */
    assert_true(angle_between(fine, truth[N - 1]) < 1e-6);
    assert_true(angle_between(coarse, truth[N - 1]) < 0.05);
    tin_free(imu);
    tin_free(truth);
    tin_free(events);
    tin_sim_track_free(&track);
}

/* Noise as the density says, and counts that average to 1 g. */
static void sensor_noise(void **state)
{
    (void)state;
    enum { N = 4000 };
    double(*imu)[6] = tin_alloc(N, sizeof *imu, NULL), (*frames)[6] = tin_alloc(N, sizeof *frames, NULL);
    for (size_t i = 0; i < N; i++)
        imu[i][2] = TIN_SIM_GRAVITY;
    tin_rng rng;
    tin_rng_seed(&rng, 9);
    tin_sim_sensor(imu[0], 1, N, 50, &rng, frames[0]);
    for (int c = 0; c < 6; c++) {
        double step = 0, mean = 0;
        for (size_t i = 1; i < N; i++)
            step += (frames[i][c] - frames[i - 1][c]) * (frames[i][c] - frames[i - 1][c]) / (2 * (N - 1));
        for (size_t i = 0; i < N; i++)
            mean += frames[i][c] / N;
        /* datasheet: 150 ug and 7 mdps per root hertz over 25 Hz; differences hide the drift */
        double expected = (c < 3 ? 150e-6 : 7e-3 * PI / 180) * 5;
        assert_true(fabs(sqrt(step) / expected - 1) < 0.05);
        assert_true(fabs(mean - (c == 2 ? 1 : 0)) < (c < 3 ? 0.1 : 0.05));
    }
    tin_free(imu);
    tin_free(frames);
}

static tin_config_data settings_of(int subjects, double minutes)
{
    return (tin_config_data){
        .source = "simulate", .rate_hz = 50, .simulate = {.subjects = subjects, .minutes = minutes}};
}

static void hash_kept(uint64_t seed, int threads, size_t keep_bytes, char hash[65])
{
    tin_config_data s = settings_of(6, 1);
    tin_data_report report;
    tin_pool *pool = NULL;
    assert_int_equal(tin_pool_create(&pool, threads, NULL), TIN_OK);
    assert_int_equal(
        tin_data_build(
            &s, &(tin_data_options){.root = ".", .seed = seed, .pool = pool, .quiet = true, .keep_bytes = keep_bytes},
            TEST_TEMPORARY "/hash.tind", hash, &report, NULL),
        TIN_OK);
    tin_data_report_free(&report);
    tin_pool_destroy(pool);
}

static void hash_of(uint64_t seed, int threads, char hash[65])
{
    hash_kept(seed, threads, 0, hash);
}

/* Frames that wait in a file give what those in memory give. */
static void frames_put_aside(void **state)
{
    (void)state;
    char kept[65], aside[65], some[65];
    hash_of(1, 2, kept);
    hash_kept(1, 2, 1, aside);
    hash_kept(1, 1, 400000, some); /* of six recordings of 144,000 bytes */
    assert_string_equal(kept, aside);
    assert_string_equal(kept, some);
}

static void seeds_and_threads(void **state)
{
    (void)state;
    char one[65], two[65], other[65];
    hash_of(1, 1, one);
    hash_of(1, 2, two);
    hash_of(2, 2, other);
    assert_string_equal(one, two);
    assert_string_not_equal(one, other);
}

/* What the data set promises its users. */
static void dataset(void **state)
{
    (void)state;
    static const char folder[] = TEST_TEMPORARY "/people";
    tin_config_data s = settings_of(5, 12); /* longer than one session */
    tin_data_report report;
    tin_dataset *d = build_well(&s, folder, &report);
    assert_int_equal(d->n_streams, 10);
    assert_int_equal(report.n_subjects, 5);
    assert_string_equal(d->streams[1].id, "p01_2");
    assert_string_equal(d->streams[1].subject, "p01");
    assert_string_equal(d->streams[1].session, "2");
    assert_int_equal(d->n_classes, 5);
    assert_int_equal(d->unlabelled, 0);
    assert_string_equal(d->classes[0].name, "none");
    assert_false(d->classes[0].event);
    assert_true(d->classes[1].event && d->classes[4].event);
    size_t count[5] = {0};
    int64_t quiet = 0, frames = 0, clipped = 0;
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *p = &d->streams[i];
        assert_int_equal(p->n_frames, 18000);
        frames += p->n_frames;
        clipped += p->n_clipped;
        for (size_t k = 0; k < p->n_intervals; k++) {
            const tin_interval *v = &p->intervals[k];
            count[v->class_index]++;
            assert_in_range(v->end - v->start, 10, 125); /* 0.2 to 2.5 s */
            if (k > 0)
                assert_in_range(v->start - p->intervals[k - 1].start, 180,
                                1120); /* 6 to 20 s, up to 1.8 s of lifting, jitter */
        }
        for (int64_t t = 0; t < p->n_frames; t++) {
            double a[3];
            for (int c = 0; c < 3; c++)
                a[c] = p->counts[6 * t + c] * d->channels[c].scale;
            quiet += fabs(norm3(a) - 1) < 0.1;
        }
    }
    for (int c = 1; c < 5; c++)
        assert_in_range(count[c], 30, 120);                   /* an hour: about 4.6 gestures a minute, equal shares */
    assert_in_range(quiet, frames * 4 / 10, frames * 9 / 10); /* people rest most of the time */
    assert_in_range(clipped, 0, frames / 1000);
    tin_dataset_close(d);
    tin_data_report_free(&report);
}

static void wrong_settings(void **state)
{
    (void)state;
    tin_config_data s = settings_of(0, 1);
    build_fails(&s, TEST_TEMPORARY "/wrong", TIN_ERR_CONFIG, NULL, 0, "0 subjects");
    s = settings_of(5, NAN);
    build_fails(&s, TEST_TEMPORARY "/wrong", TIN_ERR_CONFIG, NULL, 0, "minutes");
    s = settings_of(3, 0.2);
    build_fails(&s, TEST_TEMPORARY "/wrong", TIN_ERR_CONFIG, NULL, 0, "none is left for test");
    s = settings_of(5, 1);
    s.rate_hz = 0;
    build_fails(&s, TEST_TEMPORARY "/wrong", TIN_ERR_CONFIG, NULL, 0, "rate_hz is 0");
    s = settings_of(5, 1);
    s.source = "dream";
    build_fails(&s, TEST_TEMPORARY "/wrong", TIN_ERR_CONFIG, NULL, 0, "data.source is 'dream' without a mapping");
}

/* Slow and fast devices: the fine clock is a multiple of the rate. */
static void other_rates(void **state)
{
    (void)state;
    static const double rates[3] = {12.5, 104, 1000};
    for (int i = 0; i < 3; i++) {
        tin_config_data s = settings_of(5, 0.2);
        tin_data_report report;
        s.rate_hz = rates[i];
        tin_dataset *d = build_well(&s, TEST_TEMPORARY "/rates", &report);
        assert_int_equal(d->streams[0].n_frames, (int64_t)(12 * rates[i]));
        tin_dataset_close(d);
        tin_data_report_free(&report);
    }
}

static void every_allocation(void **state)
{
    (void)state;
    tin_config_data s = settings_of(5, 0.2);
    size_t n = 1;
    for (;; n++) {
        tin_error err = {0};
        tin_data_report report;
        tin_dataset *d = NULL;
        (void)tin_memory_fail_at(n);
        tin_status status = build_threads(&s, TEST_TEMPORARY "/memory", 1, &report, &d, &err);
        (void)tin_memory_fail_at(0);
        tin_dataset_close(d);
        tin_data_report_free(&report);
        if (status == TIN_OK)
            break;
        assert_int_equal(status, TIN_ERR_MEMORY);
    }
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(still),
        cmocka_unit_test(axes),
        cmocka_unit_test(circle_motion),
        cmocka_unit_test(gyro_integrates),
        cmocka_unit_test(sensor_noise),
        cmocka_unit_test(frames_put_aside),
        cmocka_unit_test(seeds_and_threads),
        cmocka_unit_test(dataset),
        cmocka_unit_test(wrong_settings),
        cmocka_unit_test(other_rates),
        cmocka_unit_test(every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
