/* Reads a number digit by digit, and finds the nearest float in the cheapest exact way. */
#include "codec/number/number.h"
#include "codec/number/power.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* Any number of this many digits fits into 64 bits. */
enum { DIGITS = 19 };

/* Neither a float nor the midpoint between two floats has more digits than this in its exact form.
 * Further digits only matter by being zero or not. */
enum { DIGITS_THAT_COUNT = 770 };

/* Digits cannot bring a greater exponent back into range: they would not fit into memory. */
#define EXPONENT_LIMIT ((int64_t)1 << 60)

/* digits * 10^exponent. If `cut`, further digits follow, and not all of them are 0. */
typedef struct decimal {
  uint64_t digits;
  int64_t exponent;
  bool cut;
} decimal;

static bool is_digit(char character)
{
  return character >= '0' && character <= '9';
}

/* Appends the digits at the start of a text to a number, which wraps around, and returns their
 * end. */
static const char *take_digits(const char *text, const char *end, uint64_t *digits)
{
  for (; text < end && is_digit(*text); text++) {
    *digits = *digits * 10 + (uint64_t)(*text - '0');
  }
  return text;
}

static double to_double(uint64_t bits)
{
  double value = 0;

  memcpy(&value, &bits, sizeof(value));
  return value;
}

/* The layout of a double: the exponent, of which INFINITE is the greatest, lies above the mantissa,
 * whose highest bit is implied. */
enum { MANTISSA_BITS = 52, BIAS = 1023, INFINITE = 0x7FF };

/* Drops the lowest bit of a mantissa that has one bit too many, and rounds up if the bit is set. */
static uint64_t round_half(uint64_t mantissa)
{
  return (mantissa + (mantissa & 1)) >> 1;
}

/* Returns the float with this biased exponent and the highest bits of `high` as its mantissa. The
 * highest or the second highest bit of `high` is set. `is_whole` means that no significant bits
 * follow `high`. */
static double round_to_double(uint64_t high, int binary, bool is_whole)
{
  int shift = (int)(high >> 63) + 64 - MANTISSA_BITS - 3;
  uint64_t mantissa = high >> shift; /* with one bit too many */

  if (binary <= -63) {
    return 0;
  }
  if (binary <= 0) { /* subnormal: the highest bit is not implied */
    /* If it is rounded up to 2^52, the result is the least normal float, as it should be. */
    return to_double(round_half(mantissa >> (1 - binary)));
  }
  /* The midpoint between two floats is rounded to the even one. */
  if (is_whole && (mantissa & 3) == 1 && mantissa << shift == high) {
    mantissa--;
  }
  /* Adding the mantissa makes its highest bit increment the exponent, which implies that bit. The
   * carry of a mantissa that was rounded up to the next power of two increments it once more. */
  mantissa = round_half(mantissa) + ((uint64_t)(binary - 1) << MANTISSA_BITS);
  if (mantissa >= (uint64_t)INFINITE << MANTISSA_BITS) {
    mantissa = (uint64_t)INFINITE << MANTISSA_BITS;
  }
  return to_double(mantissa);
}

/* Returns the float nearest to digits * 10^exponent. This is the algorithm of Eisel and Lemire
 * ("Number Parsing at a Gigabyte per Second"): the highest 64 bits of the product with a power of
 * ten of 128 bits decide. Mushtak and Lemire have proved that they always suffice. */
static double nearest(uint64_t digits, int64_t exponent)
{
  uint64_t high = 0, low = 0;
  int zeros = 0, binary = 0;
  bool may_be_middle = exponent >= -4 && exponent <= 23; /* others are never a midpoint */
  cp_power power;

  if (digits == 0 || exponent < CP_POWER_LEAST) {
    return 0;
  }
  if (exponent > 308) {
    return to_double((uint64_t)INFINITE << MANTISSA_BITS);
  }
  power = cp_power_of_ten((int)exponent);
  if (exponent < 0 && exponent >= -27) { /* the proof needs these rounded up */
    power.low++;
  }
  zeros = __builtin_clzll(digits);
  high = cp_power_multiply(power, digits << zeros, &low);
  binary = cp_power_log2((int)exponent) + 63 + (int)(high >> 63) - zeros + BIAS;
  return round_to_double(high, binary, may_be_middle && low <= 1);
}

/* Returns the decimal of a text of digits, which may contain a point. Uses only the first 19
 * digits. `exponent` is the exponent of the last digit. */
static decimal shorten(const char *text, const char *end, int64_t exponent)
{
  decimal result = {0, exponent, false};
  int count = 0;

  for (; text < end; text++) {
    if (!is_digit(*text)) {
      continue;
    }
    if (count < DIGITS) {
      result.digits = result.digits * 10 + (uint64_t)(*text - '0');
      count += result.digits != 0;
    } else {
      result.exponent++;
      result.cut = result.cut || *text != '0';
    }
  }
  return result;
}

/* Converts the same text by the C library, which uses all digits. The copy of the text has no
 * point, so it means the same in every locale. */
static double nearest_by_library(const char *text, const char *end, int64_t exponent)
{
  char copy[DIGITS_THAT_COUNT + 1 + 1 + CP_NUMBER_BOUND];
  size_t length = 0;
  bool more = false;

  for (; text < end; text++) {
    if (!is_digit(*text) || (length == 0 && *text == '0')) {
      continue;
    }
    if (length < DIGITS_THAT_COUNT) {
      copy[length++] = *text;
    } else {
      exponent++;
      more = more || *text != '0';
    }
  }
  if (more) {
    copy[length++] = '1';
    exponent--;
  }
  copy[length++] = 'e';
  length += cp_number_write_integer(exponent, copy + length);
  copy[length] = '\0';
  return strtod(copy, NULL);
}

/* A fast path for numbers with few digits: if the digits and the power of ten are exact floats,
 * their product or quotient is the nearest float. Returns false otherwise. */
static bool find_product(uint64_t digits, int64_t exponent, double *real)
{
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

  if (FLT_EVAL_METHOD != 0 || digits > (uint64_t)1 << 53 || exponent < -22 || exponent > 22) {
    return false;
  }
  *real = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
  return true;
}

/* Converts a text of digits to a float. `digits` is its value if it has at most 19 digits. */
static double read_float(const char *text, const char *end, uint64_t digits, int64_t exponent)
{
  decimal number = {digits, exponent, false};
  double real = 0;

  if (end - text > DIGITS) { /* the digits may have wrapped around */
    number = shorten(text, end, exponent);
  }
  if (number.cut &&
      nearest(number.digits, number.exponent) != nearest(number.digits + 1, number.exponent)) {
    return nearest_by_library(text, end, exponent);
  }
  return find_product(number.digits, number.exponent, &real)
             ? real
             : nearest(number.digits, number.exponent);
}

/* Reads the exponent at the start of a text, after the letter. Returns its end, or NULL if it has
 * no digits. */
static const char *read_exponent(const char *text, const char *end, int64_t *exponent)
{
  bool negative = text < end && *text == '-';
  const char *first = NULL;

  text += text < end && (*text == '-' || *text == '+');
  for (first = text; text < end && is_digit(*text); text++) {
    if (*exponent < EXPONENT_LIMIT / 10) {
      *exponent = *exponent * 10 + (*text - '0');
    }
  }
  if (negative) {
    *exponent = -*exponent;
  }
  return text == first ? NULL : text;
}

/* Returns false if the number is not an integer of 64 bits. */
static bool read_integer(uint64_t digits, ptrdiff_t count, bool negative, cp_number *number)
{
  uint64_t limit = (uint64_t)INT64_MAX + negative;

  if (count > DIGITS || digits > limit || (negative && digits == 0)) {
    return false;
  }
  number->is_integer = true;
  number->value.integer = (int64_t)(negative ? 0 - digits : digits);
  return true;
}

const char *cp_number_read(const char *text, const char *end, cp_number *number)
{
  bool negative = text < end && *text == '-';
  const char *first = text + negative;
  uint64_t digits = 0;
  const char *at = take_digits(first, end, &digits);
  const char *digits_end = at;
  int64_t exponent = 0;

  if (at == first || (*first == '0' && at - first > 1)) {
    return NULL;
  }
  if (at < end && *at == '.') {
    digits_end = take_digits(at + 1, end, &digits);
    exponent = at + 1 - digits_end;
    if (exponent == 0) {
      return NULL;
    }
  }
  if (digits_end < end && (*digits_end == 'e' || *digits_end == 'E')) {
    int64_t written = 0;

    at = read_exponent(digits_end + 1, end, &written);
    if (at == NULL) {
      return NULL;
    }
    exponent += written;
  } else if (digits_end > at) {
    at = digits_end;
  } else if (read_integer(digits, at - first, negative, number)) {
    return at;
  }
  number->is_integer = false;
  number->value.real = read_float(first, digits_end, digits, exponent);
  if (negative) {
    number->value.real = -number->value.real;
  }
  return at;
}
