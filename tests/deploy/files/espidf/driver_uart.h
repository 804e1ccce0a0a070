/* Stands in for ESP-IDF's header: UART 0 is stdio. */
#ifndef DRIVER_UART_H
#define DRIVER_UART_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define UART_NUM_0 0
#define ESP_ERROR_CHECK(call) ((call) == 0 ? (void)0 : abort())

static inline int uart_driver_install(int port, int rx_bytes, int tx_bytes, int events, void *queue, int flags)
{
    (void)port, (void)rx_bytes, (void)tx_bytes, (void)events, (void)queue, (void)flags;
    return 0;
}

static inline int uart_set_baudrate(int port, uint32_t baud)
{
    (void)port, (void)baud;
    return 0;
}

static inline int uart_read_bytes(int port, void *data, uint32_t size, uint32_t ticks)
{
    const int c = getchar();
    (void)port, (void)size, (void)ticks;
    if (c == EOF) {
        exit(0);
    }
    *(uint8_t *)data = (uint8_t)c;
    return 1;
}

static inline int uart_write_bytes(int port, const void *data, size_t size)
{
    (void)port;
    const int n = (int)fwrite(data, 1, size, stdout);
    fflush(stdout);
    return n;
}

#endif
