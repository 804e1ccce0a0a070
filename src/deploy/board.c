#include "deploy/board.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/text.h"

enum { FLAG = 0x7e, ESCAPE = 0x7d, ANSWER = 0x80, ERROR = 0xff };
enum { DAMAGED = 1, UNKNOWN = 2, OTHER_VERSION = 3, SEQUENCE = 4 }; /* codes of an ERROR */

#define ATTEMPTS 5
#define QUIET_SECONDS 0.15 /* without a byte behind a damaged packet: then the answer will not come */
#define HELLO_BYTES (1 + 2 + 2 + 4 + 1 + 4 + 4 + 32)
#define HELLO_SECONDS 0.5 /* for one greeting */

/* ---- packets ---- */

static uint32_t crc32_of(const uint8_t *data, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

uint32_t tin_board_number(const uint8_t *at, int bytes)
{
    uint32_t number = 0;
    for (int i = 0; i < bytes; i++) {
        number |= (uint32_t)at[i] << 8 * i;
    }
    return number;
}

static bool is_special(uint8_t byte)
{
    return byte == FLAG || byte == ESCAPE || byte == 0x0a || byte == 0x0d || byte == 0x11 || byte == 0x13;
}

static void add_stuffed(tin_text *text, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t stuffed[2] = {ESCAPE, data[i] ^ 0x20};
        tin_text_add_bytes(text, is_special(data[i]) ? stuffed : &data[i], is_special(data[i]) ? 2 : 1);
    }
}

static tin_status send_packet(tin_board *b, uint8_t type, const uint8_t *body, size_t size, tin_error *err)
{
    static const uint8_t flag = FLAG;
    tin_text plain = {0}, stuffed = {0};
    const uint8_t head[2] = {type, b->sequence};
    tin_text_add_bytes(&plain, head, sizeof head);
    tin_text_add_bytes(&plain, body, size);
    tin_status status = tin_text_check(&plain, err);
    if (status == TIN_OK) {
        const uint32_t crc = crc32_of((const uint8_t *)plain.data, plain.size);
        const uint8_t tail[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16), (uint8_t)(crc >> 24)};
        tin_text_add_bytes(&stuffed, &flag, 1);
        add_stuffed(&stuffed, (const uint8_t *)plain.data, plain.size);
        add_stuffed(&stuffed, tail, sizeof tail);
        tin_text_add_bytes(&stuffed, &flag, 1);
        status = tin_text_check(&stuffed, err);
    }
    if (status == TIN_OK) {
        status = tin_serial_write(&b->line, stuffed.data, stuffed.size, err);
    }
    tin_text_free(&plain);
    tin_text_free(&stuffed);
    return status;
}

/* Takes one byte in; true when it ends a packet that is not empty. */
static bool take_byte(tin_board *b, uint8_t byte)
{
    if (byte == FLAG) {
        const bool some = b->size > 0 || b->too_long;
        b->too_long |= b->escape; /* cut off */
        b->escape = false;
        return some;
    }
    if (byte == ESCAPE) {
        b->escape = true;
    } else if (!is_special(byte)) {
        if (b->size < b->capacity) {
            b->packet[b->size++] = b->escape ? byte ^ 0x20 : byte;
        } else {
            b->too_long = true;
        }
        b->escape = false;
    }
    return false;
}

/* The next packet, *whole when its CRC is right; neither *came nor *whole when no byte came for `seconds` or none ended
 * `until` then. */
static tin_status next_packet(tin_board *b, double seconds, double until, bool *came, bool *whole, tin_error *err)
{
    *came = *whole = false;
    b->size = 0;
    b->too_long = false;
    for (;;) {
        while (b->input_at < b->input_size) {
            if (take_byte(b, b->input[b->input_at++])) {
                *came = true;
                *whole = !b->too_long && b->size >= 6 &&
                         crc32_of(b->packet, b->size - 4) == tin_board_number(b->packet + b->size - 4, 4);
                return TIN_OK;
            }
        }
        b->input_at = 0;
        b->input_size = 0;
        const tin_status status =
            tin_now() > until ? TIN_OK
                              : tin_serial_read(&b->line, b->input, sizeof b->input, seconds, &b->input_size, err);
        if (status || b->input_size == 0) {
            return status;
        }
        b->bytes += (long)b->input_size;
    }
}

const uint8_t *tin_board_body(const tin_board *b, size_t *size)
{
    *size = b->size - 6;
    return b->packet + 2;
}

/* ---- question and answer ---- */

/* Waits for the answer to the packet that was just sent. */
static tin_status await(tin_board *b, uint8_t type, double seconds, bool *answered, tin_error *err)
{
    /* a board that talks without end is not waited for; twice the bytes of the longest answer, 10 bits each */
    const double until = tin_now() + 10 * seconds + 20.0 * (double)b->capacity / (double)b->baud;
    for (*answered = false;;) {
        bool came, whole;
        const tin_status status = next_packet(b, seconds, until, &came, &whole, err);
        if (status || !came) {
            return status;
        }
        const bool ours = whole && b->packet[1] == b->sequence;
        if (ours && b->packet[0] == (type | ANSWER)) {
            *answered = true;
            return TIN_OK;
        }
        const int error = whole && b->packet[0] == ERROR && b->size > 6 ? b->packet[2] : 0;
        if (ours && error == SEQUENCE) {
            return tin_fail(
                err, TIN_ERR_IO,
                "the board on %s has forgotten the frames before these; did it reset? look at its supply and "
                "at its watchdog",
                b->line.path);
        }
        if (ours && error == OTHER_VERSION && b->size > 7) {
            return tin_fail(
                err, TIN_ERR_MISMATCH,
                "the board on %s speaks version %d of the protocol and this is version %d; write the package "
                "again with `tinamou deploy --package` and flash its example",
                b->line.path, b->packet[3], TIN_BOARD_VERSION);
        }
        if (ours && error == UNKNOWN) {
            return tin_fail(
                err, TIN_ERR_MISMATCH,
                "the board on %s does not understand a packet of type %d; write the package again with `tinamou "
                "deploy --package` and flash its example",
                b->line.path, type);
        }
        if (!whole || error == DAMAGED) { /* then the answer comes at once, or not at all */
            seconds = seconds < QUIET_SECONDS ? seconds : QUIET_SECONDS;
        }
    }
}

tin_status tin_board_ask(tin_board *b, uint8_t type, const uint8_t *body, size_t size, tin_error *err)
{
    bool answered = false;
    b->sequence++;
    for (int attempt = 0; attempt < ATTEMPTS && !answered; attempt++) {
        b->resent += attempt > 0;
        tin_status status = send_packet(b, type, body, size, err);
        if (status == TIN_OK) {
            status = await(b, type, b->answer_seconds, &answered, err);
        }
        if (status) {
            return status;
        }
    }
    return answered
               ? TIN_OK
               : tin_fail(
                     err, TIN_ERR_IO,
                     "the board on %s gave no answer to a packet that was sent %d times; look at its cable, or try "
                     "a smaller --baud on both sides",
                     b->line.path, ATTEMPTS);
}

/* ---- greeting ---- */

/* Hexadecimal digits of the board's hash. */
static void hash_of(const uint8_t *bytes, char hex[65])
{
    for (int i = 0; i < 32; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }
}

static tin_status check_hello(tin_board *b, const tin_qmodel *model, const tin_decision_rule *rule, tin_error *err)
{
    size_t size;
    char hash[65];
    const uint8_t *at = tin_board_body(b, &size);
    if (size < HELLO_BYTES || at[0] != TIN_BOARD_VERSION || at[9] == 0 || at[9] == TIN_BOARD_END) {
        return tin_fail(
            err, TIN_ERR_MISMATCH,
            "the board on %s answers the greeting with %zu bytes that are not of version %d; write the package "
            "again with `tinamou deploy --package` and flash its example",
            b->line.path, size, TIN_BOARD_VERSION);
    }
    (void)snprintf(b->name, sizeof b->name, "%.*s", (int)(size - HELLO_BYTES), (const char *)at + HELLO_BYTES);
    b->most_frames = at[9];
    b->ticks_per_second = tin_board_number(at + 10, 4);
    hash_of(at + 18, hash);
    if (strcmp(hash, model->hash) != 0 || tin_board_number(at + 1, 2) != (uint32_t)model->n_channels ||
        tin_board_number(at + 3, 2) != (uint32_t)model->n_classes ||
        tin_board_number(at + 5, 4) != (uint32_t)model->hop) {
        return tin_fail(
            err, TIN_ERR_MISMATCH,
            "the board on %s runs the model %.12s (%s) and this run's is %.12s; flash the package of this run: "
            "`tinamou deploy --package`, example NAME_verify",
            b->line.path, hash, b->name, model->hash);
    }
    if (tin_board_number(at + 14, 4) != tin_decision_hash(rule, model->classes, model->n_classes)) {
        return tin_fail(err, TIN_ERR_MISMATCH,
                        "the board on %s has another decision rule than this run; flash the package of this run: "
                        "`tinamou deploy --package`, example NAME_verify",
                        b->line.path);
    }
    return TIN_OK;
}

static tin_status no_board(const tin_board *b, long baud, tin_error *err)
{
    if (b->bytes == 0) {
        return tin_fail(
            err, TIN_ERR_IO,
            "nothing answers on %s at %ld baud; is the package's example NAME_verify on the board, is this its "
            "serial line, and is --baud its speed?",
            b->line.path, baud);
    }
    return tin_fail(
        err, TIN_ERR_IO,
        "%ld bytes came from %s at %ld baud, but no packet that is right; is --baud the speed of the board, and "
        "is the package's example NAME_verify on it?",
        b->bytes, b->line.path, baud);
}

tin_status tin_board_open(tin_board *b, const char *path, long baud, const tin_qmodel *model,
                          const tin_decision_rule *rule, tin_error *err)
{
    static const uint8_t version = TIN_BOARD_VERSION;
    bool answered = false;
    b->baud = baud;
    b->line.fd = -1;
    /* an answer to frames, at most */
    b->capacity = 254 * (1 + 2 * ((size_t)model->n_classes + 3)) + 64;
    b->packet = tin_alloc(b->capacity, 1, err);
    tin_status status = b->packet != NULL ? tin_serial_open(&b->line, path, baud, err) : TIN_ERR_MEMORY;
    const double until = tin_now() + b->hello_seconds;
    while (status == TIN_OK && !answered && tin_now() < until) {
        b->sequence++;
        status = send_packet(b, TIN_BOARD_HELLO, &version, 1, err);
        if (status == TIN_OK) {
            status = await(b, TIN_BOARD_HELLO, b->hello_seconds < HELLO_SECONDS ? b->hello_seconds : HELLO_SECONDS,
                           &answered, err);
        }
    }
    if (status == TIN_OK) {
        status = answered ? check_hello(b, model, rule, err) : no_board(b, baud, err);
    }
    return status;
}

void tin_board_close(tin_board *b)
{
    tin_serial_close(&b->line);
    tin_free(b->packet);
    b->packet = NULL;
}
