#include "base/natural_order.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int tin_natural_compare(const char *a, const char *b)
{
    const char *x = a, *y = b;
    while (*x != '\0' && *y != '\0') {
        if (!is_digit(*x) || !is_digit(*y)) {
            if (*x != *y)
                return (unsigned char)*x - (unsigned char)*y;
            x++;
            y++;
            continue;
        }
        while (*x == '0')
            x++;
        while (*y == '0')
            y++;
        size_t n = 0, m = 0;
        while (is_digit(x[n]))
            n++;
        while (is_digit(y[m]))
            m++;
        if (n != m)
            return n < m ? -1 : 1;
        int order = strncmp(x, y, n);
        if (order != 0)
            return order;
        x += n;
        y += m;
    }
    if (*x != *y)
        return (unsigned char)*x - (unsigned char)*y;
    return strcmp(a, b);
}
