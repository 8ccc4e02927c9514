/* Converts between hexadecimal digits and bytes. */
#include "codec/clone/bigint.h"

#include "compat/lua.h"

#include <string.h>

/* The largest BigInt that V8 allows. */
enum { MOST_BYTES = 1 << 27 };

/* V8 writes whole digits of 64 bits. */
enum { DIGIT_SIZE = 8 };

enum { NO_DIGIT = 0xFF };

static uint8_t digit_value(char digit)
{
  char letter = (char)(digit | 0x20);

  if (digit >= '0' && digit <= '9') {
    return (uint8_t)(digit - '0');
  }
  return letter >= 'a' && letter <= 'f' ? (uint8_t)(letter - 'a' + 10) : NO_DIGIT;
}

/* Advances `*hex` past the sign, "0x" and leading zeros. Returns whether the rest consists of
 * digits, with at least one digit in all. */
static bool read_prefix(const char **hex, const char *end, bool *negative)
{
  const char *at = *hex;
  bool has_digits = false;

  *negative = at < end && *at == '-';
  at += *negative;
  if (end - at < 3 || at[0] != '0' || (at[1] | 0x20) != 'x') {
    return false;
  }
  at += 2;
  for (; at < end && *at == '0'; at++) {
    has_digits = true;
  }
  *hex = at;
  for (; at < end; at++) {
    if (digit_value(*at) == NO_DIGIT) {
      return false;
    }
    has_digits = true;
  }
  return has_digits;
}

bool cp_clone_put_bigint(cp_clone_output *out, const char *hex, size_t length)
{
  const char *end = hex + length;
  bool negative = false;
  size_t digits = 0, size = 0;
  char *to = NULL;

  if (!read_prefix(&hex, end, &negative)) {
    return false;
  }
  digits = (size_t)(end - hex);
  size = ((digits + 1) / 2 + DIGIT_SIZE - 1) / DIGIT_SIZE * DIGIT_SIZE;
  if (size > MOST_BYTES) {
    return false;
  }
  to = cp_clone_room(out, 2 + CP_CLONE_VARINT_BOUND + size);
  *to++ = CP_CLONE_TAG_PADDING;
  *to++ = CP_CLONE_TAG_BIGINT;
  to = cp_clone_varint(to, size << 1 | (negative && digits > 0));
  memset(to, 0, size);
  for (size_t i = 0; i < digits; i++) { /* from the lowest digit */
    unsigned value = digit_value(end[-1 - (ptrdiff_t)i]);

    to[i / 2] = (char)((uint8_t)to[i / 2] | value << (i % 2 * 4));
  }
  cp_buffer_end_at(out->buffer, to + size);
  return true;
}

static size_t without_zeros(const char *bytes, size_t length)
{
  while (length > 0 && bytes[length - 1] == 0) {
    length--;
  }
  return length;
}

bool cp_clone_bigint_to_integer(const char *bytes, size_t length, bool negative, int64_t *integer)
{
  uint64_t magnitude = 0;

  length = without_zeros(bytes, length);
  if (length > sizeof(magnitude)) {
    return false;
  }
  for (size_t i = 0; i < length; i++) {
    magnitude |= (uint64_t)(uint8_t)bytes[i] << 8 * i;
  }
  if (magnitude > (uint64_t)INT64_MAX + negative) {
    return false;
  }
  *integer = (int64_t)(negative ? 0 - magnitude : magnitude);
  return true;
}

void cp_clone_push_hex(lua_State *L, const char *bytes, size_t length, bool negative)
{
  static const char digits[] = "0123456789abcdef";
  luaL_Buffer buffer;
  size_t count = without_zeros(bytes, length);
  char *start = luaL_buffinitsize(L, &buffer, 2 * count + sizeof("-0x0"));
  char *to = start;

  if (negative && count > 0) {
    *to++ = '-';
  }
  *to++ = '0';
  *to++ = 'x';
  if (count == 0) {
    *to++ = '0';
  }
  for (size_t i = count; i > 0; i--) {
    uint8_t byte = (uint8_t)bytes[i - 1];

    if (byte >> 4 != 0 || i < count) {
      *to++ = digits[byte >> 4];
    }
    *to++ = digits[byte & 0xF];
  }
  luaL_pushresultsize(&buffer, (size_t)(to - start));
}
