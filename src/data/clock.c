#include "data/clock.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "data/decimal.h"

double tin_clock_ticks(const char *unit)
{
    static const struct {
        const char *name;
        double ticks;
    } units[] = {{"ms", 1e3}, {"us", 1e6}, {"iso8601", 1e6}, {"ns", 1e9}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].ticks;
    return 1;
}

/* n digits as a number from low to high. */
static bool take(const char **s, const char *end, int n, int low, int high, int *number)
{
    *number = 0;
    for (int i = 0; i < n; i++, (*s)++) {
        if (*s == end || **s < '0' || **s > '9')
            return false;
        *number = *number * 10 + (**s - '0');
    }
    return *number >= low && *number <= high;
}

static bool skip(const char **s, const char *end, const char *any)
{
    if (*s == end || **s == '\0' || strchr(any, **s) == NULL)
        return false;
    (*s)++;
    return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar (the era method of H. Hinnant, "chrono-compatible low-level
 * date algorithms"). */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool take_offset(const char **s, const char *end, int *minutes)
{
    int hour = 0, minute = 0;
    *minutes = 0;
    if (*s == end || skip(s, end, "Zz"))
        return true;
    bool west = **s == '-';
    if (!skip(s, end, "+-") || !take(s, end, 2, 0, 14, &hour))
        return false;
    (void)skip(s, end, ":");
    if (*s < end && !take(s, end, 2, 0, 59, &minute))
        return false;
    *minutes = (hour * 60 + minute) * (west ? -1 : 1);
    return true;
}

bool tin_clock_iso8601(const char *text, size_t size, double *ticks)
{
    const char *s = text, *end = text + size;
    int year, month, day, hour, minute, second = 0, offset;
    double fraction = 0;
    if (!take(&s, end, 4, 1, 9999, &year) || !skip(&s, end, "-") || !take(&s, end, 2, 1, 12, &month) ||
        !skip(&s, end, "-") || !take(&s, end, 2, 1, 31, &day) || !skip(&s, end, "Tt ") ||
        !take(&s, end, 2, 0, 24, &hour) || !skip(&s, end, ":") || !take(&s, end, 2, 0, 59, &minute))
        return false;
    if (skip(&s, end, ":") && !take(&s, end, 2, 0, 60, &second))
        return false;
    if (s < end && (*s == '.' || *s == ',')) {
        const char *from = s++;
        while (s < end && *s >= '0' && *s <= '9')
            s++;
        if (s - from < 2 || !tin_decimal(from, (size_t)(s - from), *from, &fraction))
            return false;
    }
    if (!take_offset(&s, end, &offset) || s != end)
        return false;
    int64_t whole = days_from_civil(year, month, day) * 86400 + hour * 3600 + (minute - offset) * 60 + second;
    *ticks = (double)whole * 1e6 + nearbyint(fraction * 1e9) / 1e3;
    return true;
}
