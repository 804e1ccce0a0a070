/* Stands in for the Arduino core: what the examples use of it, on stdio. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stdint.h>
#include <stdio.h>

struct SerialPort {
    void begin(unsigned long) {}
    operator bool() { return true; }
    int read() { return getchar(); }
    size_t write(uint8_t byte)
    {
        putchar(byte);
        fflush(stdout);
        return 1;
    }
    void print(const char *text) { printf("%s", text); }
    void print(int number) { printf("%d", number); }
    void println(const char *text) { printf("%s\n", text); }
};
static SerialPort Serial __attribute__((unused));

static inline unsigned long micros() { return 7; }

void setup();
void loop();

#endif
