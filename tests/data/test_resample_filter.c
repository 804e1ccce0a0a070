/* Recordings that are faster than the frames: the filters against their formulas, and what they let through. */
#include "data_test.h"

#include <math.h>

#include "base/rng.h"
#include "data/recording.h"

#define PI 3.14159265358979323846

static tin_resampling mode_of(const char *name)
{
    return tin_resampling_find(name);
}

static void golden(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_FILES "/resample.txt", "r");
    assert_non_null(file);
    char mode[16];
    tin_series s = {.n_channels = 1};
    long n_frames;
    double frame_rate, frame_start;
    int n_cases = 0;
    while (fscanf(file, "%15s %zu %lf %lf %ld %lf %lf", mode, &s.n_samples, &s.rate_hz, &s.start, &n_frames,
                  &frame_rate, &frame_start) == 7) {
        double x[400], y[140], expected;
        tin_kernel kernel = {0};
        assert_in_range(s.n_samples, 1, 400);
        assert_in_range(n_frames, 1, 140);
        for (size_t i = 0; i < s.n_samples; i++)
            assert_int_equal(fscanf(file, "%lf", &x[i]), 1);
        s.values = x;
        assert_int_equal(tin_kernel_make(&kernel, mode_of(mode), NULL), TIN_OK);
        tin_filter(&kernel, &s, frame_start, frame_rate, n_frames, 1, y);
        tin_kernel_free(&kernel);
        for (long k = 0; k < n_frames; k++) {
            assert_int_equal(fscanf(file, "%lf", &expected), 1);
            if (fabs(y[k] - expected) > 1e-4) /* of values around 10, 32 or more weights: the table's error */
                fail_msg("%s, frame %ld is %.9g instead of %.9g", mode, k, y[k], expected);
        }
        n_cases++;
    }
    assert_int_equal(n_cases, 6);
    (void)fclose(file);
}

/* A track of one channel with this many seconds of a cosine; jitter: deviation of the times, in periods. */
static tin_recording wave(double rate_hz, double seconds, double frequency, double jitter)
{
    tin_rng rng;
    tin_rng_seed(&rng, 8);
    tin_recording r = {.n_channels = 1, .origin = tin_strdup("r", NULL)};
    tin_track *t = tin_recording_add_track(&r, 1, NULL);
    assert_non_null(t);
    t->rate_hz = jitter > 0 ? 0 : rate_hz;
    for (int i = 0; i < (int)(rate_hz * seconds); i++) {
        double time = i / rate_hz + jitter / rate_hz * (tin_rng_uniform(&rng) - 0.5),
               x = cos(2 * PI * frequency * time);
        assert_int_equal(tin_track_add(t, time, &x, NULL), TIN_OK);
    }
    return r;
}

/* The greatest difference between frames and gain * cosine(delayed), half a second from both ends. */
static double worst(tin_recording *r, double frequency, double gain, double delay)
{
    double most = 0;
    assert_int_equal(r->n_pieces, 1);
    const tin_piece *p = &r->pieces[0];
    for (int64_t k = 25; k < p->n_frames - 25; k++)
        most = fmax(most, fabs(p->frames[k] - gain * cos(2 * PI * frequency * (p->start + (double)k / 50 - delay))));
    assert_true(p->n_frames > 400);
    return most;
}

static double passed(tin_resampling mode, double rate_hz, double frequency, double jitter, double gain, double delay)
{
    tin_recording r = wave(rate_hz, 10, frequency, jitter);
    assert_int_equal(tin_resample(&r, 50, mode, NULL), TIN_OK);
    double difference = worst(&r, frequency, gain, delay);
    tin_recording_free(&r);
    return difference;
}

static void sinc_passes_and_stops(void **state)
{
    (void)state;
    static const double rates[4] = {52, 100, 104.16, 1000};
    for (int i = 0; i < 4; i++) {
        for (double f = 0; f <= 19; f += 1)
            assert_true(passed(TIN_RESAMPLE_SINC, rates[i], f, 0, 1, 0) < 1.5e-3);
        assert_true(passed(TIN_RESAMPLE_SINC, rates[i], 22.5, 0, 0.5, 0) < 3e-3);
        for (double f = 26; f < rates[i] / 2; f += f < 60 ? 1 : 17)
            assert_true(passed(TIN_RESAMPLE_SINC, rates[i], f, 0, 0, 0) < 6e-4); /* -65 dB */
    }
    /* interpolation alone lets it fold down */
    assert_true(passed(TIN_RESAMPLE_LINEAR, 104.16, 45, 0, 0, 0) > 0.2);
}

static void causal_delays_by_a_frame(void **state)
{
    (void)state;
    static const double rates[2] = {500, 1000}; /* the formulas are those of a filter in continuous time */
    for (int i = 0; i < 2; i++) {
        for (double f = 1; f < 49; f += 3) {
            double x = f / 25, gain = fabs(x - 1) < 1e-9 ? 0.5 : sin(PI * x) / (PI * x) / (1 - x * x);
            assert_true(passed(TIN_RESAMPLE_CAUSAL, rates[i], f, 0, gain, 0.02) < 5e-3);
        }
        assert_true(passed(TIN_RESAMPLE_CAUSAL, rates[i], 50, 0, 0, 0.02) < 5e-3);
        for (double f = 55; f < rates[i] / 2; f += 10)
            assert_true(passed(TIN_RESAMPLE_CAUSAL, rates[i], f, 0, 0, 0) < 0.03); /* -31 dB */
    }
}

/* Nothing of a frame comes from a later sample. */
static void causal_sees_no_future(void **state)
{
    (void)state;
    static const double rates[4] = {30, 50, 77, 200};
    for (int i = 0; i < 4; i++)
        for (int uneven = 0; uneven < 2; uneven++) {
            tin_recording a = wave(rates[i], 4, 3, uneven * 0.3), b = wave(rates[i], 4, 3, uneven * 0.3);
            const double change = tin_track_time(&b.tracks[0], b.tracks[0].n_samples / 2);
            for (size_t k = b.tracks[0].n_samples / 2; k < b.tracks[0].n_samples; k++)
                b.tracks[0].values[k] += 100;
            assert_int_equal(tin_resample(&a, 50, TIN_RESAMPLE_CAUSAL, NULL), TIN_OK);
            assert_int_equal(tin_resample(&b, 50, TIN_RESAMPLE_CAUSAL, NULL), TIN_OK);
            /* uneven times are brought to even ones first, which looks ahead by one sample */
            const double ahead = 0.0002 + (uneven ? 1.3 / rates[i] : 0);
            for (int64_t k = 0; k < a.pieces[0].n_frames; k++)
                if (a.pieces[0].start + (double)k / 50 < change - ahead)
                    assert_true(a.pieces[0].frames[k] == b.pieces[0].frames[k]);
            assert_true(a.pieces[0].frames[190] != b.pieces[0].frames[190]);
            tin_recording_free(&a);
            tin_recording_free(&b);
        }
}

/* The latest sample of a slower sensor holds, as its register does. */
static void causal_holds(void **state)
{
    (void)state;
    tin_recording r = wave(25, 4, 1, 0);
    double first[3];
    memcpy(first, r.tracks[0].values, sizeof first);
    assert_int_equal(tin_resample(&r, 50, TIN_RESAMPLE_CAUSAL, NULL), TIN_OK);
    for (int k = 0; k < 6; k++)
        assert_true(r.pieces[0].frames[k] == first[k / 2]);
    tin_recording_free(&r);
}

static void constants_stay(void **state)
{
    (void)state;
    static const tin_resampling modes[2] = {TIN_RESAMPLE_SINC, TIN_RESAMPLE_CAUSAL};
    for (int m = 0; m < 2; m++)
        for (double rate = 51; rate < 3000; rate *= 1.37) {
            tin_recording r = wave(rate, 2, 0, 0.2);
            assert_int_equal(tin_resample(&r, 50, modes[m], NULL), TIN_OK);
            for (int64_t k = 0; k < r.pieces[0].n_frames; k++)
                assert_true(fabs(r.pieces[0].frames[k] - 1) < 1e-12);
            tin_recording_free(&r);
        }
}

static void uneven_times(void **state)
{
    (void)state;
    assert_true(passed(TIN_RESAMPLE_SINC, 200, 5, 0.5, 1, 0) < 0.02);
    assert_true(passed(TIN_RESAMPLE_SINC, 200, 40, 0.5, 0, 0) < 0.2); /* what is left of it is the times' own noise */
    assert_true(passed(TIN_RESAMPLE_CAUSAL, 200, 3, 0.5, 0.99, 0.02) < 0.02);
}

/* Sound at 1 kHz beside a sensor at 50 Hz and one at 20 Hz, each with its own start: each is as if alone. A gap of one
 * splits all, and no filter reaches over it. */
static void tracks_of_all_rates(void **state)
{
    (void)state;
    tin_recording r = wave(1000, 12, 4, 0), slow = wave(20, 12, 1, 0), sensor = wave(50, 12, 2, 0);
    r.n_channels = 3;
    const tin_recording *others[2] = {&slow, &sensor};
    for (int i = 0; i < 2; i++) {
        tin_track *t = tin_recording_add_track(&r, 1, NULL);
        assert_non_null(t);
        t->rate_hz = i == 0 ? 20 : 0;
        for (size_t k = 0; k < others[i]->tracks[0].n_samples; k++) {
            double time = tin_track_time(&others[i]->tracks[0], k);
            double value = others[i]->tracks[0].values[k] + (time >= 6 && i == 1 ? 1000 : 0);
            assert_int_equal(tin_track_add(t, time + (time >= 6 ? 0.5 : 0), &value, NULL), TIN_OK);
        }
    }
    for (size_t k = 6000; k < r.tracks[0].n_samples; k++)
        r.tracks[0].values[k] += k >= 6250 ? 1000 : 500; /* the gap is from 5.98 to 6.5 s */
    assert_int_equal(tin_resample(&r, 50, TIN_RESAMPLE_SINC, NULL), TIN_OK);
    assert_int_equal(r.n_pieces, 2);
    assert_int_equal(r.notes.n, 1);
    for (int64_t k = 0; k < r.pieces[0].n_frames; k++) {
        const double time = r.pieces[0].start + (double)k / 50, *frame = r.pieces[0].frames + 3 * k;
        assert_true(fabs(frame[2] - cos(2 * PI * 2 * time)) < 1e-9); /* on the grid: untouched */
        assert_true(fabs(frame[0] - cos(2 * PI * 4 * time)) < (k < 25 || k > r.pieces[0].n_frames - 25 ? 0.2 : 2e-3));
        assert_true(fabs(frame[1] - cos(2 * PI * time)) < 0.02); /* slower: interpolated */
    }
    for (int64_t k = 0; k < r.pieces[1].n_frames; k++)
        assert_true(r.pieces[1].frames[3 * k] > 998 && r.pieces[1].frames[3 * k + 2] > 998);
    assert_true(r.jitter < 1e-9); /* of the steps without the gap */
    tin_recording_free(&r);
    tin_recording_free(&slow);
    tin_recording_free(&sensor);
}

static void every_allocation(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t i = 0; i <= n; i++) {
        tin_recording r = wave(104, 2, 3, 0.3);
        tin_error err = {0};
        (void)tin_memory_fail_at(i);
        tin_status status = tin_resample(&r, 50, TIN_RESAMPLE_SINC, &err);
        size_t made = tin_memory_fail_at(0);
        n = i == 0 ? made : n;
        assert_int_equal(status, i == 0 ? TIN_OK : TIN_ERR_MEMORY);
        assert_int_equal(err.status, status);
        tin_recording_free(&r);
    }
    assert_in_range(n, 5, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(sinc_passes_and_stops),
        cmocka_unit_test(causal_delays_by_a_frame),
        cmocka_unit_test(causal_sees_no_future),
        cmocka_unit_test(causal_holds),
        cmocka_unit_test(constants_stay),
        cmocka_unit_test(uneven_times),
        cmocka_unit_test(tracks_of_all_rates),
        cmocka_unit_test(every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
