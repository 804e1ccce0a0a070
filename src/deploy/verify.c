#include "deploy/verify.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "deploy/board.h"
#include "deploy/expect.h"
#include "deploy/golden.h"

#define PACKET_BYTES (1 + 254 * 2 * TIN_MAX_CHANNELS)

typedef struct verification {
    tin_board board;
    tin_expectation x;
    tin_verify_result *result;
    double ticks, worst_ticks, round_trips;
    int64_t packets;
    uint8_t body[PACKET_BYTES];
} verification;

/* One packet of frames, sent and answered: frames [at, at + n) of the piece. */
typedef struct batch {
    const tin_piece *piece;
    int64_t at;
    int n;
} batch;

static const int16_t *counts_of(const verification *v, const batch *b, int frame)
{
    return b->piece->stream->counts + (b->piece->first + b->at + frame) * v->x.model->n_channels;
}

static tin_status ask_frames(verification *v, const batch *b, tin_error *err)
{
    const int n = b->n * v->x.model->n_channels;
    const int16_t *counts = counts_of(v, b, 0);
    const double before = tin_now();
    v->body[0] = (uint8_t)b->n;
    for (int i = 0; i < n; i++) {
        const uint16_t bits = (uint16_t)counts[i];
        v->body[1 + 2 * i] = (uint8_t)bits;
        v->body[2 + 2 * i] = (uint8_t)(bits >> 8);
    }
    const long resent = v->board.resent;
    const tin_status status = tin_board_ask(&v->board, TIN_BOARD_FRAMES, v->body, 1 + 2 * (size_t)n, err);
    if (status == TIN_OK && v->board.resent == resent) { /* else it is the time of our patience */
        const double seconds = tin_now() - before;
        v->round_trips += seconds;
        v->packets++;
        v->result->round_trip_worst_s =
            seconds > v->result->round_trip_worst_s ? seconds : v->result->round_trip_worst_s;
    }
    return status;
}

static void describe(const batch *b, int frame, const char *what, int got, int expected, tin_error *err)
{
    (void)tin_fail(err, TIN_ERR_MISMATCH,
                   "stream %s, frame %lld: %s is %d on the board and %d in the reference; look at the compiler and its "
                   "flags (docs/generated-code.md says what it must do), and run the package's self-test",
                   b->piece->stream->id, (long long)(b->piece->first + b->at + frame), what, got, expected);
}

/* Compares the answer with the reference, which steps over the same frames; counts frames that differ and describes the
 * first one. */
static void compare(verification *v, const batch *b, const uint8_t *at, tin_error *mismatch)
{
    const int fields = tin_expectation_fields(&v->x);
    for (int frame = 0; frame < b->n; frame++) {
        const int due = tin_expectation_step(&v->x, counts_of(v, b, frame)), got_due = *at == frame;
        bool differs = due != got_due;
        if (differs) {
            describe(b, frame, "decision due", got_due, due, mismatch);
        }
        for (int f = 0; f < fields && due && got_due && !differs; f++) {
            const int16_t got = (int16_t)tin_board_number(at + 1 + 2 * f, 2);
            differs = got != v->x.values[f];
            if (differs) {
                char name[32];
                tin_expectation_field(&v->x, f, name);
                describe(b, frame, name, got, v->x.values[f], mismatch);
            }
        }
        at += got_due ? 1 + 2 * fields : 0;
        v->result->decisions += due;
        v->result->mismatches += differs;
    }
}

/* The shape of an answer: whole decisions of ascending frames of the packet, the end, two numbers of ticks. */
static bool is_well_formed(const verification *v, const batch *b, const uint8_t *at, size_t size)
{
    const size_t record = 1 + 2 * (size_t)tin_expectation_fields(&v->x);
    int last = -1;
    for (; size >= record && *at != TIN_BOARD_END; at += record, size -= record) {
        if (*at <= last || *at >= b->n) {
            return false;
        }
        last = *at;
    }
    return size == 9 && *at == TIN_BOARD_END;
}

static tin_status take_answer(verification *v, const batch *b, tin_error *mismatch, tin_error *err)
{
    size_t size;
    const uint8_t *at = tin_board_body(&v->board, &size);
    if (!is_well_formed(v, b, at, size)) {
        return tin_fail(err, TIN_ERR_MISMATCH,
                        "the answer of the board to %d frames of stream %s from frame %lld on is no list of decisions; "
                        "write the package again and flash its example NAME_verify",
                        b->n, b->piece->stream->id, (long long)(b->piece->first + b->at));
    }
    const double worst = tin_board_number(at + size - 4, 4);
    compare(v, b, at, mismatch);
    v->ticks += tin_board_number(at + size - 8, 4);
    v->worst_ticks = worst > v->worst_ticks ? worst : v->worst_ticks;
    v->result->frames += b->n;
    return TIN_OK;
}

static tin_status verify_piece(verification *v, const tin_piece *piece, tin_progress *progress, tin_error *mismatch,
                               tin_error *err)
{
    batch b = {.piece = piece};
    tin_expectation_reset(&v->x);
    tin_status status = tin_board_ask(&v->board, TIN_BOARD_START, NULL, 0, err);
    for (; status == TIN_OK && b.at < piece->n; b.at += b.n) {
        b.n = piece->n - b.at < v->board.most_frames ? (int)(piece->n - b.at) : v->board.most_frames;
        status = ask_frames(v, &b, err);
        if (status == TIN_OK) {
            status = take_answer(v, &b, mismatch, err);
            tin_progress_update(progress, (long)v->result->frames, NULL);
        }
    }
    return status;
}

/* `frames` in equal parts over the test streams, each around the first event of its stream. *list is to be freed. */
static tin_status list_pieces(const tin_dataset *d, int64_t frames, tin_piece **list, int *n_list, int64_t *total,
                              tin_error *err)
{
    int64_t streams = 0;
    *n_list = 0;
    *total = 0;
    *list = tin_alloc(d->n_streams, sizeof **list, err);
    if (*list == NULL) {
        return TIN_ERR_MEMORY;
    }
    for (size_t i = 0; i < d->n_streams; i++) {
        streams += d->streams[i].role == TIN_ROLE_TEST && d->streams[i].n_frames > 0;
    }
    for (size_t i = 0; i < d->n_streams; i++) {
        const tin_stream *s = &d->streams[i];
        if (s->role != TIN_ROLE_TEST || s->n_frames == 0 || (frames > 0 && *total == frames)) {
            continue;
        }
        const int64_t part = frames > 0 ? (frames - *total + streams - 1) / streams : s->n_frames;
        (*list)[*n_list] = tin_piece_of(d, s, part);
        *total += (*list)[(*n_list)++].n;
        streams--;
    }
    if (*total == 0) {
        return tin_fail(err, TIN_ERR_DATA,
                        "there is no frame of a test stream; give data.test at least one subject with recordings");
    }
    return TIN_OK;
}

static void fill_result(verification *v, double seconds)
{
    tin_verify_result *r = v->result;
    r->seconds = seconds;
    r->resent = v->board.resent;
    r->frames_per_packet = v->board.most_frames;
    r->has_clock = v->board.ticks_per_second > 0;
    if (r->has_clock && r->frames > 0) {
        r->step_mean_s = v->ticks / (double)r->frames / v->board.ticks_per_second;
        r->step_worst_s = v->worst_ticks / v->board.ticks_per_second;
    }
    r->round_trip_mean_s = v->packets > 0 ? v->round_trips / (double)v->packets : 0.0;
    (void)snprintf(r->board, sizeof r->board, "%s", v->board.name);
}

static tin_status verify_all(verification *v, const tin_piece *list, int n_list, int64_t total, bool quiet,
                             tin_error *err)
{
    tin_error mismatch = {0};
    tin_progress progress;
    tin_status status = TIN_OK;
    const double before = tin_now();
    tin_progress_begin(&progress, "board", (long)total, quiet);
    for (int i = 0; i < n_list && status == TIN_OK; i++) {
        status = verify_piece(v, &list[i], &progress, &mismatch, err);
    }
    tin_progress_end(&progress, NULL);
    fill_result(v, tin_now() - before);
    if (status == TIN_OK && v->result->mismatches > 0) {
        status = tin_fail(err, TIN_ERR_MISMATCH, "%lld of %lld frames differ, the first: %s",
                          (long long)v->result->mismatches, (long long)v->result->frames, mismatch.message);
    }
    return status;
}

tin_status tin_verify(const tin_qmodel *model, const tin_decision_rule *rule, const tin_dataset *dataset,
                      const tin_verify_options *o, tin_verify_result *result, tin_error *err)
{
    tin_piece *list = NULL;
    int n_list = 0;
    int64_t total = 0;
    *result = (tin_verify_result){0};
    verification *v = tin_alloc(1, sizeof *v, err);
    if (v == NULL) {
        return TIN_ERR_MEMORY;
    }
    v->result = result;
    v->board.line.fd = -1;
    v->board.hello_seconds = o->hello_seconds > 0 ? o->hello_seconds : 6.0;
    v->board.answer_seconds = o->answer_seconds > 0 ? o->answer_seconds : 3.0;
    tin_status status = tin_expectation_begin(&v->x, model, rule, err);
    v->x.latency = o->latency;
    if (status == TIN_OK) {
        status = list_pieces(dataset, o->frames, &list, &n_list, &total, err);
    }
    if (status == TIN_OK) {
        status = tin_board_open(&v->board, o->port, o->baud, model, rule, err);
    }
    if (status == TIN_OK) {
        status = verify_all(v, list, n_list, total, o->quiet, err);
    }
    tin_board_close(&v->board);
    tin_expectation_end(&v->x);
    tin_free(list);
    tin_free(v);
    return status;
}
