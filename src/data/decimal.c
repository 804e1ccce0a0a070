#include "data/decimal.h"

#include <stdlib.h>

#define MAX_DIGITS 800 /* more than any double has */

const double tin_powers_of_ten[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#if LDBL_MANT_DIG == 64
const long double tin_long_powers_of_ten[28] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                                1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                                                1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
#endif

bool tin_decimal(const char *text, size_t size, char point, double *value)
{
    char copy[MAX_DIGITS + 1];
    const char *end = tin_decimal_fast(text, text + size, point, value);
    if (end == text + size && size > 0)
        return true;
    if (size == 0 || size > MAX_DIGITS)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\0' || text[i] == 'x' || text[i] == 'X' || text[i] == '(' || text[i] == ' ' ||
            text[i] == '\n' ||
            (text[i] == '.' && point != '.')) /* hexadecimal, nan(...) and blanks are strtod's, not ours */
            return false;
        copy[i] = text[i] == point ? '.' : text[i];
    }
    copy[size] = '\0';
    char *stop = NULL;
    *value = strtod(copy, &stop);
    return stop == copy + size && copy[0] > ' ';
}
