/* Numbers in JSON: read.c reads them, write.c writes them. Integers and floats are two types, as in
 * Lua: the text of a float always has a point or an exponent. Nothing here depends on the locale or
 * allocates memory. */
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

/* Reads the number at the start of a text, by the grammar of RFC 8259. Returns its end, or NULL if
 * the text does not start with a number. A number without a point and an exponent is an integer if
 * it fits into 64 bits, except that "-0" is a float, since no integer has that sign. Any other
 * number becomes the nearest float, or infinity if it is too large. */
const char *cp_number_read(const char *text, const char *end, cp_number *number);

/* The greatest number of characters that the functions below write. */
#define CP_NUMBER_BOUND 32

/* Writes an integer, and returns the number of characters. */
size_t cp_number_write_integer(int64_t integer, char *text);

/* Writes a finite float, and returns the number of characters. The digits are the fewest that read
 * back as the same float; of those, the nearest to it. The layout is JavaScript's, with ".0" added
 * to a float that would look like an integer. */
size_t cp_number_write_float(double real, char *text);

/* Writes a float as JavaScript's String(real) does, and returns the number of characters: the name
 * of a property. There is no ".0", -0.0 is "0", and infinities have names. Not for NaN. */
size_t cp_number_write_name(double real, char *text);

/* Finds the integer with the same value as a float. Returns false if no integer has it, and for
 * -0.0, since no integer has that sign. */
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
