/* Finds the shortest digits of a float, and lays them out. */
#include "codec/number/number.h"

#include "codec/number/power.h"
#include "core/base/assert.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* The greatest number of digits that a float needs to be read back. */
enum { MOST_DIGITS = 17 };

/* JavaScript writes an exponent from 1e21 on and below 1e-6. */
enum { MOST_BEFORE_POINT = 21, MOST_ZEROS_AFTER_POINT = 5 };

/* digits * 10^exponent */
typedef struct decimal {
  uint64_t digits;
  int exponent;
} decimal;

static int count_digits(uint64_t number)
{
  static const uint64_t powers[] = {0,
                                    10,
                                    100,
                                    1000,
                                    10000,
                                    100000,
                                    1000000,
                                    10000000,
                                    100000000,
                                    1000000000,
                                    10000000000,
                                    100000000000,
                                    1000000000000,
                                    10000000000000,
                                    100000000000000,
                                    1000000000000000,
                                    10000000000000000,
                                    100000000000000000,
                                    1000000000000000000,
                                    10000000000000000000u};
  /* The number of bits, times the decimal logarithm of 2. */
  int fewest = (64 - __builtin_clzll(number | 1)) * 1233 >> 12;

  return fewest + (number >= powers[fewest]);
}

/* Writes the `count` digits of a number. */
static void write_digits(uint64_t number, int count, char *text)
{
  static const char pairs[] = "0001020304050607080910111213141516171819"
                              "2021222324252627282930313233343536373839"
                              "4041424344454647484950515253545556575859"
                              "6061626364656667686970717273747576777879"
                              "8081828384858687888990919293949596979899";

  for (; count >= 2; count -= 2) {
    memcpy(text + count - 2, pairs + number % 100 * 2, 2);
    number /= 100;
  }
  if (count == 1) {
    *text = (char)('0' + number);
  }
}

size_t cp_number_write_integer(int64_t integer, char *text)
{
  bool negative = integer < 0;
  uint64_t number = negative ? 0 - (uint64_t)integer : (uint64_t)integer;
  int count = count_digits(number);

  *text = '-'; /* overwritten by the first digit if it is not negative */
  write_digits(number, count, text + negative);
  return (size_t)count + negative;
}

/* Returns the integer part of factor * power / 2^128, with its last bit set if a fraction was
 * dropped. It compares with even integers as the exact value would. */
static uint64_t multiply_to_odd(cp_power power, uint64_t factor)
{
  uint64_t low = 0;
  uint64_t high = cp_power_multiply(power, factor, &low);

  return high | (low > 1);
}

/* Of the decimals that are nearer to this float than to any other float, returns the shortest one,
 * and of those the nearest. This is the algorithm of Giulietti ("The Schubfach way to render
 * doubles"). Its unit is a quarter of the float's last bit. */
static decimal shortest(uint64_t mantissa, int binary)
{
  /* A power of two is closer to the float below it than to the one above. */
  bool is_power = mantissa == (uint64_t)1 << 52 && binary > -1074;
  bool is_even = mantissa % 2 == 0; /* then the midpoints themselves are read as this float */
  int exponent = (binary * 1262611 - (is_power ? 524031 : 0)) >> 22; /* log10 of the distance */
  int shift = binary + cp_power_log2(-exponent) + 1;
  cp_power power = cp_power_of_ten(-exponent);
  uint64_t middle = 0, lower = 0, upper = 0, digits = 0, tens = 0;
  bool below_fits = false, above_fits = false;

  if (!power.exact) { /* the proof needs it rounded up */
    power.low++;
    power.high += power.low == 0;
  }
  middle = multiply_to_odd(power, mantissa << 2 << shift);
  lower = multiply_to_odd(power, ((mantissa << 2) - 2 + is_power) << shift) + !is_even;
  upper = multiply_to_odd(power, ((mantissa << 2) + 2) << shift) - !is_even;

  digits = middle / 4;
  tens = digits / 10;
  below_fits = lower <= 40 * tens;
  above_fits = 40 * tens + 40 <= upper;
  if (tens > 0 && below_fits != above_fits) {
    return (decimal){tens + above_fits, exponent + 1};
  }
  below_fits = lower <= 4 * digits;
  above_fits = 4 * digits + 4 <= upper;
  if (below_fits != above_fits) {
    return (decimal){digits + above_fits, exponent};
  }
  middle -= 4 * digits; /* both fit: take the nearer one, or the even one of two */
  return (decimal){digits + (middle > 2 || (middle == 2 && digits % 2 == 1)), exponent};
}

/* A fast path for floats with few decimal places: finds an integer that yields the float when it is
 * divided by a power of ten. Both are exact floats, so the quotient is the float that the text is
 * read as. Below 2^50 different integers yield different floats, and rounding finds the right
 * one. */
static bool find_places(double real, decimal *result)
{
  static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
  enum { POWERS = sizeof(powers) / sizeof(powers[0]) };

  for (int places = 0; places < POWERS; places++) {
    double scaled = real * powers[places];
    uint64_t digits = 0;

    if (FLT_EVAL_METHOD != 0 || scaled >= (double)((uint64_t)1 << 50)) {
      return false;
    }
    digits = (uint64_t)(scaled + 0.5);
    if ((double)digits / powers[places] == real) {
      *result = (decimal){digits, -places};
      return true;
    }
  }
  return false;
}

/* Returns the digits of a positive float. */
static decimal to_decimal(double real)
{
  uint64_t bits = 0, mantissa = 0;
  int binary = 0;
  decimal result;

  if (find_places(real, &result)) {
    return result;
  }
  memcpy(&bits, &real, sizeof(bits));
  mantissa = bits & (((uint64_t)1 << 52) - 1);
  binary = (int)(bits >> 52);
  result = binary == 0 ? shortest(mantissa, -1074)
                       : shortest(mantissa | (uint64_t)1 << 52, binary - 1075);
  for (unsigned zeros = 8; zeros > 0; zeros /= 2) { /* drops trailing zeros */
    static const uint64_t powers[] = {[1] = 10, [2] = 100, [4] = 10000, [8] = 100000000};

    while (result.digits % powers[zeros] == 0) {
      result.digits /= powers[zeros];
      result.exponent += (int)zeros;
    }
  }
  return result;
}

static char *append(char *at, const char *text, size_t length)
{
  memcpy(at, text, length);
  return at + length;
}

static char *append_zeros(char *at, int count)
{
  memset(at, '0', (size_t)count);
  return at + count;
}

static char *append_exponent(char *at, int exponent)
{
  *at++ = 'e';
  if (exponent > 0) {
    *at++ = '+';
  }
  return at + cp_number_write_integer(exponent, at);
}

/* Writes a float and returns its end. Appends `mark` if the float would look like an integer. */
static char *write_float(double real, const char *mark, char *at)
{
  char digits[MOST_DIGITS] = {0};
  decimal number;
  int count = 0, before_point = 0;

  if (signbit(real)) {
    *at++ = '-';
  }
  if (real == 0) {
    *at++ = '0';
    return append(at, mark, strlen(mark));
  }
  number = to_decimal(fabs(real));
  count = count_digits(number.digits);
  CP_ASSERT(count <= MOST_DIGITS);
  write_digits(number.digits, count, digits);
  before_point = count + number.exponent;

  if (before_point > MOST_BEFORE_POINT || before_point < -MOST_ZEROS_AFTER_POINT) {
    *at++ = digits[0];
    if (count > 1) {
      *at++ = '.';
      at = append(at, digits + 1, (size_t)count - 1);
    }
    at = append_exponent(at, before_point - 1);
  } else if (before_point <= 0) {
    at = append_zeros(append(at, "0.", 2), -before_point);
    at = append(at, digits, (size_t)count);
  } else if (before_point < count) {
    at = append(at, digits, (size_t)before_point);
    *at++ = '.';
    at = append(at, digits + before_point, (size_t)(count - before_point));
  } else {
    at = append_zeros(append(at, digits, (size_t)count), before_point - count);
    at = append(at, mark, strlen(mark));
  }
  return at;
}

size_t cp_number_write_float(double real, char *text)
{
  char *end = write_float(real, ".0", text);

  CP_ASSERT(end - text <= CP_NUMBER_BOUND);
  return (size_t)(end - text);
}

size_t cp_number_write_name(double real, char *text)
{
  static const char infinity[] = "-Infinity";
  const char *name = real > 0 ? infinity + 1 : infinity;
  char *end = NULL;

  if (isinf(real)) {
    end = append(text, name, strlen(name));
  } else {
    end = write_float(real == 0 ? 0 : real, "", text);
  }
  CP_ASSERT(end - text <= CP_NUMBER_BOUND);
  return (size_t)(end - text);
}
