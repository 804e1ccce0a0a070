/* Private to src/deploy: a board that runs NAME_serial.c of a package, at the other end of a serial line. The protocol is
 * described in packages/serial.h.in and docs/packages.md. */
#ifndef TIN_BOARD_H
#define TIN_BOARD_H

#include "deploy/serial_line.h"
#include "model/decision.h"
#include "model/qmodel.h"

enum { TIN_BOARD_HELLO = 1, TIN_BOARD_START = 2, TIN_BOARD_FRAMES = 3 };
#define TIN_BOARD_VERSION 2
#define TIN_BOARD_END 255 /* in the place of a frame, behind the last decision */

typedef struct tin_board {
    tin_serial line;
    long baud;
    double hello_seconds, answer_seconds; /* patience: in all for the first answer; without a byte for the others */
    uint8_t sequence;                     /* of the last packet that was sent */
    /* the last packet that came: type, sequence number, body, CRC */
    uint8_t *packet;
    size_t size, capacity;
    bool escape, too_long;
    /* what was read and is not yet taken apart */
    uint8_t input[512];
    size_t input_at, input_size;
    long bytes, resent; /* that came, packets that were sent again */
    /* what the board says of itself */
    char name[64];
    int most_frames; /* in a packet */
    double ticks_per_second;
} tin_board;

/* Opens the line and greets the board, again and again, since many boards reset when their line is opened.
 * TIN_ERR_MISMATCH when the board runs another model, decision rule or version of the protocol than `model`, `rule` and
 * this program. */
tin_status tin_board_open(tin_board *board, const char *path, long baud, const tin_qmodel *model,
                          const tin_decision_rule *rule, tin_error *err) TIN_USE_RESULT;
void tin_board_close(tin_board *board);
/* Sends a packet and waits for its answer, which is then tin_board_body; sends it again when it or the answer was damaged
 * or lost, which changes no result: the board goes back to where it was before the same frames. */
tin_status tin_board_ask(tin_board *board, uint8_t type, const uint8_t *body, size_t size,
                         tin_error *err) TIN_USE_RESULT;
const uint8_t *tin_board_body(const tin_board *board, size_t *size);
/* Little-endian numbers in a body. */
uint32_t tin_board_number(const uint8_t *at, int bytes);

#endif
