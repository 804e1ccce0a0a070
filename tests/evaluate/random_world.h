/* Random streams of scores with events, small enough for brute force: what the tests of the sweep and of the choice share. */
#ifndef TIN_RANDOM_WORLD_H
#define TIN_RANDOM_WORLD_H

#include <string.h>

#include "base/rng.h"
#include "evaluate/sweep.h"

#define N_STREAMS 4
#define N_CLASSES 5
#define MOST 200 /* decisions of a stream */
#define MOST_EVENTS 12

/* Two classes of background around three events, so that class and event indices differ. */
static const tin_class CLASSES[N_CLASSES] = {
    {"wave", true}, {"rest", false}, {"knock", true}, {"walk", false}, {"turn", true}};

typedef struct world {
    int16_t scores[N_STREAMS][MOST * N_CLASSES];
    int16_t labels[N_STREAMS][MOST * 3 + 2];
    tin_interval events[N_STREAMS][MOST_EVENTS];
    tin_sweep_stream streams[N_STREAMS];
    tin_sweep_input input;
} world;

/* Random walks of few distinct values (many ties), with bumps of the right class at events. Stream 2 is empty. */
static void make_world(world *w, uint64_t seed, int hop, int32_t range)
{
    static const int64_t n_decisions[N_STREAMS] = {MOST, 64, 0, 131};
    tin_rng rng;
    tin_rng_seed(&rng, seed);
    memset(w, 0, sizeof *w);
    for (int s = 0; s < N_STREAMS; s++) {
        int64_t n_frames = n_decisions[s] * hop + (hop > 1);
        size_t n_events = 0;
        for (int64_t t = 5 + tin_rng_below(&rng, 20); t + 12 < n_frames && n_events < MOST_EVENTS;) {
            int64_t length = 3 + tin_rng_below(&rng, 9);
            int32_t k = (int32_t[]){0, 2, 4}[tin_rng_below(&rng, 3)];
            w->events[s][n_events++] = (tin_interval){t, t + length, k};
            t += length + tin_rng_below(&rng, 30);
        }
        for (int64_t t = 0; t < n_frames; t++) {
            w->labels[s][t] = t % 50 < 8 ? TIN_LABEL_IGNORE : 1;
        }
        for (int64_t j = 0; j < n_decisions[s]; j++) {
            for (int k = 0; k < N_CLASSES; k++) {
                int32_t z = (int32_t)tin_rng_below(&rng, (uint32_t)range) - range / 2;
                for (size_t i = 0; i < n_events; i++) {
                    int64_t t = hop * (j + 1) - 1;
                    bool inside = t >= w->events[s][i].start && t < w->events[s][i].end + 2;
                    z += inside && w->events[s][i].class_index == k ? range / 2 : 0;
                }
                w->scores[s][j * N_CLASSES + k] = (int16_t)z;
            }
        }
        w->streams[s] = (tin_sweep_stream){
            {w->events[s], n_events, w->labels[s], n_frames}, w->scores[s], n_decisions[s], (size_t)s / 2};
    }
    w->input = (tin_sweep_input){w->streams,
                                 N_STREAMS,
                                 N_STREAMS / 2,
                                 CLASSES,
                                 N_CLASSES,
                                 {hop, seed % 3 == 2 ? 2 * (int)hop : 0, (int)((int64_t)seed % hop)},
                                 tin_margins_common(2, 4, false)};
}

/* What a rule does, by tin_decision_step and tin_event_count. people [n_people] may be NULL. */
static tin_sweep_counts brute_force(const tin_sweep_input *input, const tin_decision_rule *rule,
                                    tin_sweep_counts *people)
{
    tin_event_counts sum = {0};
    for (size_t s = 0; s < input->n_streams; s++) {
        const tin_sweep_stream *stream = &input->streams[s];
        tin_detection d;
        tin_event_counts counts = {0};
        assert_int_equal(tin_detect(rule, CLASSES, N_CLASSES, input->timing, stream->scores, stream->n_decisions,
                                    stream->scene.n_frames, &d, NULL),
                         TIN_OK);
        assert_int_equal(tin_event_count(&stream->scene, &d, &input->margins, NULL, NULL, &counts, NULL), TIN_OK);
        tin_detection_free(&d);
        tin_event_counts_add(&sum, &counts, 1);
        if (people != NULL) {
            const tin_sweep_counts own = tin_sweep_counts_of(&counts);
            tin_sweep_counts_add(&people[stream->person], &own, 1);
        }
    }
    return tin_sweep_counts_of(&sum);
}

#endif
