/* ATmega2560: frames and results through the serial line, for there is no other way in or out of the emulator; the host
 * ends it by an escape in the line, which it meets when all results are out. Timer 5 counts virtual time, 62 ns a tick,
 * with -icount shift=0 an instruction a ns: 62 instructions a tick. (The other timers lie where this emulator cannot
 * read its clock.) -DMODEL_STACK in bytes. */
#include <avr/io.h>

#define TICKS 1

static void put(const void *data, size_t n)
{
    for (const uint8_t *from = data; n > 0; n--) {
        while (!(UCSR0A & (1 << UDRE0))) {
        }
        UDR0 = *from++;
    }
}

static void get(void *data, size_t n)
{
    for (uint8_t *to = data; n > 0; n--) {
        while (!(UCSR0A & (1 << RXC0))) {
        }
        *to++ = UDR0;
    }
}

/* Without the report's words the host knows that it failed. */
static void quit(uint32_t code)
{
    uint8_t ignored;
    (void)code;
    for (;;) {
        get(&ignored, 1);
    }
}

/* Interrupts stay off: the flag of an overflow is all that is wanted of this one. */
static void board_begin(void)
{
    UCSR0B = 1 << RXEN0 | 1 << TXEN0;
    TCCR5B = 1;
    TIMSK5 = 1 << TOIE5;
}

static inline uint32_t clock_start(void)
{
    TIFR5 = 0; /* which clears it in the emulator; the hardware asks for ones */
    TCNT5 = 0;
    return 0;
}

static inline uint32_t clock_stop(uint32_t start)
{
    const uint16_t count = TCNT5;
    if (TIFR5 & (1 << TOV5)) { /* more than 4 million instructions */
        quit(106);
    }
    return count - start;
}

static void calibration_loop(uint16_t turns)
{
    __asm__ volatile("1: sbiw %0, 1\n brne 1b\n" : "+w"(turns));
}

/* QEMU 7.2 does not skip a ret, and libgcc has one behind a skip, in this function alone: the product of an unsigned and
 * a signed number of 16 bits. The same here without. */
__asm__(".global __usmulhisi3\n"
        ".global __usmulhisi3_tail\n"
        "__usmulhisi3: call __umulhisi3\n"
        "__usmulhisi3_tail: tst r27\n brmi 1f\n ret\n"
        "1: sub r24, r18\n sbc r25, r19\n ret\n");

/* ---- the model's own stack, so that what it paints is its own ---- */

static uint8_t model_stack[MODEL_STACK] __attribute__((used));

int32_t call_on_model_stack(call_t function, void *state, const int16_t *frame, void *out);
__attribute__((naked, noinline)) int32_t call_on_model_stack(call_t function, void *state, const int16_t *frame,
                                                             void *out)
{
    __asm__ volatile("push r28\n push r29\n"
                     "in r28, __SP_L__\n in r29, __SP_H__\n"
                     "movw r30, r24\n movw r24, r22\n movw r22, r20\n movw r20, r18\n"
                     "ldi r18, lo8(model_stack + %0)\n ldi r19, hi8(model_stack + %0)\n"
                     "out __SP_H__, r19\n out __SP_L__, r18\n"
                     "icall\n"
                     "out __SP_H__, r29\n out __SP_L__, r28\n"
                     "pop r29\n pop r28\n ret\n"
                     :
                     : "i"(MODEL_STACK - 1));
}

__attribute__((naked, noinline)) static int32_t nothing(void *state, const int16_t *frame, void *out)
{
    __asm__ volatile("ret\n");
}
