/* Private to src/data: times as files write them. */
#ifndef TIN_CLOCK_H
#define TIN_CLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* Ticks per second of a unit of the settings: s, ms, us, ns; iso8601 counts in
 * microseconds, which a double holds exactly for 285 years. */
double tin_clock_ticks(const char *unit);
/* "2024-03-01T12:30:00.25+01:00" (T or a blank, seconds and their decimals, Z and the offset may be left out) as microseconds
 * since 1970-01-01T00:00Z; without an offset it is taken as UTC. False for anything else. */
bool tin_clock_iso8601(const char *text, size_t size, double *ticks);

#endif
