#include "number.h"
#include "number_power.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* As many digits fit into 64 bits, whatever they are. */
enum { DIGITS = 19 };

/* No float has more digits than this in its exact form, nor has the middle between two floats: what
 * follows only says whether the number is above it. */
enum { DIGITS_THAT_COUNT = 770 };

/* Beyond this no number of digits that fit into memory brings an exponent back into the range. */
#define EXPONENT_LIMIT ((int64_t)1 << 60)

/* digits * 10^exponent. With `cut` some more digits, not all of them 0, follow those. */
typedef struct decimal {
  uint64_t digits;
  int64_t exponent;
  bool cut;
} decimal;

static bool is_digit(char character)
{
  return character >= '0' && character <= '9';
}

/* Appends the digits that begin at `text` to a number, which wraps around, and returns their
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

/* How a float is laid out: the exponent, of which this is the greatest, above the mantissa, whose
 * highest bit is left out. */
enum { MANTISSA_BITS = 52, BIAS = 1023, INFINITE = 0x7FF };

/* Half of a mantissa that has one bit more than there is room for, rounded up if that bit is set. */
static uint64_t round_half(uint64_t mantissa)
{
  return (mantissa + (mantissa & 1)) >> 1;
}

/* The float with this biased exponent whose mantissa is what `high` begins with, at its highest bit
 * that is set, the first or the second one. `is_whole`: nothing that counts follows those bits. */
static double round_to_double(uint64_t high, int binary, bool is_whole)
{
  int shift = (int)(high >> 63) + 64 - MANTISSA_BITS - 3;
  uint64_t mantissa = high >> shift; /* with one bit more than there is room for */

  if (binary <= -63) {
    return 0;
  }
  if (binary <= 0) { /* too small to have its highest bit left out */
    /* Rounded up to 2^52 it is the least of the others: it fits. */
    return to_double(round_half(mantissa >> (1 - binary)));
  }
  /* Exactly in the middle between two floats the even one is meant. */
  if (is_whole && (mantissa & 3) == 1 && mantissa << shift == high) {
    mantissa--;
  }
  /* The highest bit of the mantissa is left out, which adding it to the exponent does; so does a
   * mantissa that was rounded up to the next power of two. */
  mantissa = round_half(mantissa) + ((uint64_t)(binary - 1) << MANTISSA_BITS);
  if (mantissa >= (uint64_t)INFINITE << MANTISSA_BITS) {
    mantissa = (uint64_t)INFINITE << MANTISSA_BITS;
  }
  return to_double(mantissa);
}

/* The float nearest to digits * 10^exponent, its sign left out. This is the algorithm of Eisel and
 * Lemire ("Number Parsing at a Gigabyte per Second"): of the product with a power of ten of 128
 * bits the highest 64 decide; Mushtak and Lemire have shown that they always do. */
static double nearest(uint64_t digits, int64_t exponent)
{
  uint64_t high = 0, low = 0;
  int zeros = 0, binary = 0;
  bool may_be_middle = exponent >= -4 && exponent <= 23; /* of two floats; no others are */
  cp_power power;

  if (digits == 0 || exponent < CP_POWER_LEAST) {
    return 0;
  }
  if (exponent > 308) {
    return to_double((uint64_t)INFINITE << MANTISSA_BITS);
  }
  power = cp_power_of_ten((int)exponent);
  if (exponent < 0 && exponent >= -27) { /* the proof wants these rounded up */
    power.low++;
  }
  zeros = __builtin_clzll(digits);
  high = cp_power_multiply(power, digits << zeros, &low);
  binary = cp_power_log2((int)exponent) + 63 + (int)(high >> 63) - zeros + BIAS;
  return round_to_double(high, binary, may_be_middle && low <= 1);
}

/* The number whose digits begin at `text` with a point among them or not, of which only the first
 * 19 are used. `exponent` is that of the last digit. */
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

/* The same number by the C library, which knows all digits. Without a point in it the text has the
 * same meaning in every locale. */
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

/* The same for the many numbers with few digits, in a fraction of the time: where these and the
 * power of ten are exact, their product or quotient is the nearest float. */
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

/* The exponent that begins at `text`, after the letter; NULL if there is none. */
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
