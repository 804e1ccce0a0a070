/* Private to src/data: decimal text to double, the same bits as strtod gives in the C locale.
 *
 * The fast path (Clinger, "How to read floating point numbers accurately", 1990): up to 19 digits are an integer m
 * without loss, so that m or m * 10^e, m / 10^-e is one correctly rounded operation as long as m and the power of ten
 * are exact in the format that computes it: double up to 2^53 and 10^22, the 80-bit format of x86 up to 2^64 and 10^27.
 * The latter rounds twice, which differs from rounding once only when the first result lies exactly half-way between
 * two doubles; that case, and everything else, is left to strtod. */
#ifndef TIN_DECIMAL_H
#define TIN_DECIMAL_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern const double tin_powers_of_ten[23];
#if LDBL_MANT_DIG == 64
extern const long double tin_long_powers_of_ten[28];
#endif

/* The whole of [text, text + size) as a number with `point` as its decimal point; false when it is none. Infinity and
 * NaN by name or by overflow are numbers here. */
bool tin_decimal(const char *text, size_t size, char point, double *value);

/* Of the next eight bytes those that are digits before the first other one: how many, and their number. The bytes are
 * moved up so that zeros stand before the digits, and eight digits are joined by three multiplications. */
static inline int tin_eight_digits(const char *s, uint64_t *number)
{
    uint64_t v;
    memcpy(&v, s, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    uint64_t low = v - 0x3030303030303030u;
    const uint64_t others = ((v + 0x4646464646464646u) | low) & 0x8080808080808080u; /* the lowest one is exact */
    const int n = others == 0 ? 8 : __builtin_ctzll(others) >> 3;
    if (n == 0)
        return 0;
    low <<= 64 - 8 * n;
    low = low * 10 + (low >> 8);
    *number = (((low & 0x000000FF000000FFu) * 0x000F424000000064u) +
               (((low >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u)) >>
              32;
    return n;
}

static inline const char *tin_digits(const char *s, const char *end, uint64_t *m)
{
    static const uint32_t powers[9] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint64_t number;
    for (int n = 8; n == 8 && end - s >= 8; s += n) {
        n = tin_eight_digits(s, &number);
        if (n > 0)
            *m = *m * powers[n] + number;
        if (n < 8)
            return s + n;
    }
    for (; s < end && (unsigned char)(*s - '0') < 10; s++)
        *m = *m * 10 + (uint64_t)(*s - '0');
    return s;
}

/* m * 10^exponent, |exponent| small; false: not by the fast path. */
static inline bool tin_scale_decimal(uint64_t m, int exponent, double *value)
{
    if (m <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
        *value = exponent < 0 ? (double)m / tin_powers_of_ten[-exponent] : (double)m * tin_powers_of_ten[exponent];
        return true;
    }
#if LDBL_MANT_DIG == 64
    if (exponent >= -27 && exponent <= 27) {
        long double wide = exponent < 0 ? (long double)m / tin_long_powers_of_ten[-exponent]
                                        : (long double)m * tin_long_powers_of_ten[exponent];
        uint64_t bits;
        memcpy(&bits, &wide, sizeof bits);
        *value = (double)wide;
        return (bits & 0x7FF) != 0x400; /* of the 64 bits, 11 are behind the double's 53 */
    }
#endif
    return false;
}

/* The number that [s, end) begins with; returns what follows it, or NULL when the fast path cannot tell. */
static inline __attribute__((always_inline)) const char *tin_decimal_fast(const char *s, const char *end, char point,
                                                                          double *value)
{
    uint64_t m = 0;
    int exponent = 0;
    const char sign = s < end ? *s : '\0'; /* without a branch: half of all signals are negative, none knows when */
    const uint64_t negative = sign == '-';
    s += (int)negative | (sign == '+');
    const char *p = tin_digits(s, end, &m);
    ptrdiff_t n = p - s;
    if (p < end && *p == point) {
        const char *decimals = p + 1;
        p = tin_digits(decimals, end, &m);
        exponent = -(int)(p - decimals <= 400 ? p - decimals : 400);
        n += p - decimals;
    }
    if (n == 0 || n > 19)
        return NULL;
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool down = ++p < end && *p == '-';
        p += down || (p < end && *p == '+');
        int e = 0;
        const char *digits = p;
        for (; p < end && (unsigned char)(*p - '0') < 10 && p - digits < 4; p++)
            e = e * 10 + (*p - '0');
        if (p == digits || p - digits == 4)
            return NULL;
        exponent += down ? -e : e;
    }
    if (!tin_scale_decimal(m, exponent, value))
        return NULL;
    uint64_t bits;
    memcpy(&bits, value, sizeof bits);
    bits ^= negative << 63;
    memcpy(value, &bits, sizeof bits);
    return p;
}

#endif
