/* Numbers as JSON writes them. Integers and floats are two kinds, as in Lua: a float always has a
 * point or an exponent. Nothing here depends on the locale, and nothing allocates. */
#ifndef CP_NUMBER_H
#define CP_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cp_number {
  bool is_integer;
  union {
    int64_t integer;
    double real;
  } value;
} cp_number;

/* Reads the number that begins at `text`, by the grammar of RFC 8259, and returns where it ends:
 * what follows there is not looked at. NULL where no number begins. Without a point and an exponent
 * it is an integer, if it fits into 64 bits; "-0" is the float, since no integer has that sign. A
 * float is the one nearest to the text, and infinite beyond the largest. */
const char *cp_number_read(const char *text, const char *end, cp_number *number);

/* The most characters that the functions below write. */
#define CP_NUMBER_BOUND 32

/* Writes the digits of an integer and returns their number. */
size_t cp_number_write_integer(int64_t integer, char *text);

/* Writes the shortest digits that are read back as the same float (and of those the nearest to it)
 * in the layout of JavaScript, with ".0" after what would look like an integer. `real` has to be
 * finite. Returns the number of characters. */
size_t cp_number_write_float(double real, char *text);

#endif
