/* Numbers as JSON writes them. Integers and floats are two kinds, as in Lua: a float always has a
 * point or an exponent. Nothing here depends on the locale, and nothing allocates. */
#ifndef CP_NUMBER_H
#define CP_NUMBER_H

#include <math.h>
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

/* Finds the integer that has the same value as a float. There is none for -0.0, as no integer has
 * that sign. */
static inline bool cp_number_to_integer(double real, int64_t *integer)
{
  const double limit = 9223372036854775808.0; /* 2^63 */

  if (!(real >= -limit && real < limit) || (real == 0 && signbit(real))) {
    return false;
  }
  *integer = (int64_t)real;
  return (double)*integer == real;
}

#endif
