/* The order in which people expect names. */
#ifndef TIN_NATURAL_ORDER_H
#define TIN_NATURAL_ORDER_H

/* Numbers inside names count as numbers: "s2" < "s10". Total order: equal numbers of other length fall back to strcmp. */
int tin_natural_compare(const char *a, const char *b);

#endif
