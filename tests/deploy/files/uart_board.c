/* Firmware for QEMU's mps2-an386 (Cortex-M4): the self-test of a package, printed on the UART, then the package's serial
 * protocol on it. Start-up code and clock as in src/deploy/targets/board_arm.h. */
#include <stdint.h>
#include <string.h>

#include "Net2_selftest.h"
#include "Net2_serial.h"

#define UART_DATA (*(volatile uint32_t *)0x40004000u)
#define UART_STATE (*(volatile uint32_t *)0x40004004u) /* bit 0: full to send, bit 1: a byte came */
#define UART_CTRL (*(volatile uint32_t *)0x40004008u)
#define UART_BAUD (*(volatile uint32_t *)0x40004010u)
#define TIMER_CTRL (*(volatile uint32_t *)0x40000000u)
#define TIMER_VALUE (*(volatile uint32_t *)0x40000004u)
#define TIMER_RELOAD (*(volatile uint32_t *)0x40000008u)

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];
void reset_handler(void);
int main(void);

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[2] = {(uintptr_t)stack_top,
                                                                                (uintptr_t)reset_handler};

void reset_handler(void)
{
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    (void)main();
}

static int32_t get(void *context)
{
    (void)context;
    return (UART_STATE & 2u) != 0 ? (int32_t)(UART_DATA & 255u) : -1;
}

static void put(void *context, uint8_t byte)
{
    (void)context;
    while ((UART_STATE & 1u) != 0) {
    }
    UART_DATA = byte;
}

static uint32_t ticks(void *context)
{
    (void)context;
    return ~TIMER_VALUE; /* it counts down */
}

static void put_letter(char letter)
{
    put(0, (uint8_t)letter);
}

int main(void)
{
    static Net2_serial_t line;
    const Net2_serial_port_t port = {get, put, ticks, 25000000, 0};
    UART_BAUD = 16;
    UART_CTRL = 3;
    TIMER_RELOAD = TIMER_VALUE = 0xffffffffu;
    TIMER_CTRL = 1;
    (void)Net2_selftest(&line.model, put_letter);
    Net2_serial_init(&line);
    for (;;) {
        Net2_serial_poll(&line, &port);
    }
}
