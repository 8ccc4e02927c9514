/* Numbers without Lua, compared with the C library: every float comes back with all its bits, its
 * digits are the shortest and of those the nearest, and texts of any length are read as the nearest
 * float. Prints failures; the exit code is 0 without any. */
#include "../core/check.h"
#include "codec/number/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20000 };

/* Pseudorandom numbers, the same in each run. */
static uint64_t next_random(void)
{
  static uint64_t state = 0x9E3779B97F4A7C15;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static double from_bits(uint64_t bits)
{
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t to_bits(double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* Reads a text in memory of exactly its size, so that a sanitizer or valgrind detects reading
 * beyond it. Returns the length of the number. */
static size_t read_text(const char *text, cp_number *number)
{
  size_t length = strlen(text);
  char *copy = malloc(length > 0 ? length : 1);
  if (!copy) abort();
  memcpy(copy, text, length);
  const char *end = cp_number_read(copy, copy + length, number);
  size_t count = end ? (size_t)(end - copy) : 0;
  free(copy);
  return count;
}

static void check_integer(const char *text, int64_t value)
{
  cp_number number;
  bool whole = read_text(text, &number) == strlen(text);
  check_of(whole && number.is_integer && number.value.integer == value, "reads an integer", text);
}

/* strtod is right about every text, including infinity and signed zeros. */
static void check_float(const char *text)
{
  cp_number number;
  bool whole = read_text(text, &number) == strlen(text);
  check_of(whole && !number.is_integer && to_bits(number.value.real) == to_bits(strtod(text, NULL)),
           "reads the nearest float", text);
}

static void check_part(const char *text, size_t length)
{
  cp_number number;
  check_of(read_text(text, &number) == length, "reads as much as is a number", text);
}

static void test_integers(void)
{
  char text[CP_NUMBER_BOUND + 1];
  check_integer("0", 0);
  check_integer("-1", -1);
  check_integer("9223372036854775807", INT64_MAX);
  check_integer("-9223372036854775808", INT64_MIN);
  check_float("9223372036854775808");
  check_float("-9223372036854775809");
  check_float("9999999999999999999");
  check_float("10000000000000000000");
  check_float("18446744073709551616");
  check_float("340282366920938463463374607431768211456");
  check_float("-0");
  for (int i = 0; i < ROUNDS; i++) {
    int64_t value = (int64_t)(next_random() >> next_random() % 64);
    if (i % 2 == 0) value = -value;
    char expected[CP_NUMBER_BOUND];
    snprintf(expected, sizeof expected, "%" PRId64, value);
    text[cp_number_write_integer(value, text)] = '\0';
    check_of(strcmp(text, expected) == 0, "writes an integer", expected);
    check_integer(expected, value);
  }
  text[cp_number_write_integer(INT64_MIN, text)] = '\0';
  check_of(strcmp(text, "-9223372036854775808") == 0, "writes the least integer", text);
}

static void test_grammar(void)
{
  static const char *const none[] = {"",   "-",  "-a",   ".5",   "-.5",  "01",  "-01", "00",
                                     "1.", "+1", "1.e5", "1.a",  "1e",   "1e+", "1E-", "1e+-1",
                                     "-e", "e1", "0.e1", "1.0e", "- 1",  "--1", "NaN", "Infinity",
                                     "x1", "",   "\xEF", "1.-5", "0.5e", "0e"};
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
    check_part(none[i], 0);
  }
  check_part("1,", 1);
  check_part("-12]", 3);
  check_part("0x10", 1);
  check_part("1.5.5", 3);
  check_part("1e5e5", 3);
  check_part("2 ", 1);
  check_part("1-2", 1);
}

/* Copies the digits of a text, without leading and trailing zeros. Returns their number. */
static size_t digits_of(const char *text, char *digits)
{
  size_t count = 0;
  for (; *text != '\0' && *text != 'e'; text++) {
    if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0')) digits[count++] = *text;
  }
  while (count > 0 && digits[count - 1] == '0') count--;
  digits[count] = '\0';
  return count;
}

/* With one digit less the float does not come back, and no text with as many digits is nearer. */
static void check_shortest(double value, const char *text)
{
  char digits[64], other[64], other_digits[64];
  size_t count = digits_of(text, digits);
  if (count > 1) {
    snprintf(other, sizeof other, "%.*e", (int)count - 2, value);
    check_of(strtod(other, NULL) != value, "writes the shortest digits", text);
  }
  snprintf(other, sizeof other, "%.*e", (int)count - 1, value);
  digits_of(other, other_digits);
  check_of(strtod(other, NULL) != value || strcmp(digits, other_digits) == 0,
           "writes the nearest digits", text);
}

static void check_written(double value)
{
  char text[CP_NUMBER_BOUND + 1];
  size_t length = cp_number_write_float(value, text);
  check_of(length <= CP_NUMBER_BOUND, "stays within the bound", "float");
  text[length] = '\0';
  check_of(to_bits(strtod(text, NULL)) == to_bits(value), "writes what reads back", text);
  check_of(strpbrk(text, ".e") != NULL, "does not write an integer", text);
  check_shortest(value, text);
  check_float(text);
}

static void test_floats(void)
{
  for (int exponent = 0; exponent < 0x7FF; exponent++) { /* powers of two and their neighbours */
    uint64_t bits = (uint64_t)exponent << 52;
    check_written(from_bits(bits));
    check_written(-from_bits(bits + 1));
    if (bits > 0) check_written(from_bits(bits - 1));
  }
  for (int exponent = -323; exponent <= 308; exponent++) {
    char text[16];
    snprintf(text, sizeof text, "1e%d", exponent);
    double value = strtod(text, NULL);
    check_written(value);
    check_written(nextafter(value, 0));
    if (exponent < 308) check_written(nextafter(value, INFINITY));
  }
  for (int i = 0; i < ROUNDS; i++) {
    double any = from_bits(next_random());
    double common =
        from_bits((next_random() & UINT64_MAX >> 12) | (983 + next_random() % 100) << 52);
    double places = (double)(next_random() >> next_random() % 64) / pow(10, (double)(i % 12));
    if (isfinite(any)) check_written(any);
    check_written(common);
    check_written(places);
  }
}

static void test_texts(void)
{
  char text[1400];
  for (int i = 0; i < ROUNDS; i++) { /* fewer digits than a float has, and more */
    double value = from_bits(next_random());
    if (!isfinite(value)) continue;
    snprintf(text, sizeof text, "%.*e", (int)(1 + next_random() % 40), value);
    check_float(text);
  }
  for (int i = 0; i < ROUNDS / 20; i++) { /* the midpoint of two floats, and numbers beside it */
    double value = from_bits(next_random() & INT64_MAX);
    if (!isfinite(value)) continue;
    long double middle = ((long double)value + (long double)nextafter(value, INFINITY)) / 2;
    if (isinf(middle)) continue;
    snprintf(text, sizeof text, "%.1100Le", middle);
    check_float(text);
    char *last = strchr(text, 'e') - 1;
    *last = '1';
    check_float(text);
    snprintf(text, sizeof text, "%.*Le", (int)(17 + next_random() % 780), middle);
    check_float(text);
  }
  for (int zeros = 0; zeros < 1000; zeros += 111) { /* zeros that shift the digits */
    snprintf(text, sizeof text, "0.%0*d1e%d", zeros, 0, zeros);
    check_float(text);
    snprintf(text, sizeof text, "1%0*de-%d", zeros, 0, zeros);
    check_float(text);
    snprintf(text, sizeof text, "1.%0*d", zeros + 1, 0);
    check_float(text);
  }
}

static void test_limits(void)
{
  static const char *const texts[] = {
      "0.0",
      "-0.0",
      "0e5",
      "-0e-5",
      "0.000e999999999999999999999",
      /* the greatest float, and the border of infinity */
      "1.7976931348623157e308",
      "1.7976931348623158e308",
      "1.7976931348623159e308",
      "1e309",
      "-1e400",
      "1e99999999999999999999",
      "123456789e999999999",
      /* the least float, and the border of zero */
      "4.9406564584124654e-324",
      "2.4703282292062328e-324",
      "2.4703282292062327e-324",
      "1e-324",
      "-1e-400",
      "1e-99999999999999999999",
      "9999999999999999999e-343",
      /* the border of normal floats */
      "2.2250738585072014e-308",
      "2.2250738585072011e-308",
      "2.225073858507201e-308",
      /* midpoints are rounded to the even float */
      "9007199254740993.0",
      "9007199254740995.0",
      "9007199254740993.00000000000000000001",
      "4503599627370496.5",
      "4503599627370497.5",
      "0.500000000000000055511151231257827021181583404541015625",
      "1e22",
      "1e23",
      "8.5e22",
      "9007199254740992e22",
      "9007199254740993e-22",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    check_float(texts[i]);
  }
}

/* The layout is JavaScript's, except for ".0". */
static void test_layout(void)
{
  static const struct {
    double value;
    const char *text;
  } cases[] = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {3.0, "3.0"},
      {-1.5, "-1.5"},
      {100.0, "100.0"},
      {0.1, "0.1"},
      {1e-6, "0.000001"},
      {1e-7, "1e-7"},
      {1.25e-7, "1.25e-7"},
      {1e20, "100000000000000000000.0"},
      {1e21, "1e+21"},
      {123456789012345680000.0, "123456789012345680000.0"},
      {1.5e300, "1.5e+300"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {0.000001234, "0.000001234"},
      {1e23, "1e+23"},
      {9007199254740993.0, "9007199254740992.0"},
      {-0.3333333333333333, "-0.3333333333333333"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[CP_NUMBER_BOUND + 1];
    text[cp_number_write_float(cases[i].value, text)] = '\0';
    check_of(strcmp(text, cases[i].text) == 0, cases[i].text, text);
  }
}

static void test_names(void)
{
  static const struct {
    double value;
    const char *text;
  } cases[] = {
      {0.0, "0"},
      {-0.0, "0"},
      {3.0, "3"},
      {-1.5, "-1.5"},
      {1e-7, "1e-7"},
      {9007199254740994.0, "9007199254740994"},
      {4611686018427387904.0, "4611686018427388000"},
      {-9223372036854775808.0, "-9223372036854776000"},
      {1e20, "100000000000000000000"},
      {1e21, "1e+21"},
      {INFINITY, "Infinity"},
      {-INFINITY, "-Infinity"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[CP_NUMBER_BOUND + 1];
    text[cp_number_write_name(cases[i].value, text)] = '\0';
    check_of(strcmp(text, cases[i].text) == 0, cases[i].text, text);
  }
}

int main(void)
{
  test_integers();
  test_grammar();
  test_floats();
  test_texts();
  test_limits();
  test_layout();
  test_names();
  return failures == 0 ? 0 : 1;
}
