/* Chooses the encoding of each number and string. */
#include "codec/clone/output.h"

#include "codec/clone/view.h"
#include "codec/number/number.h"
#include "compat/int64.h"
#include "core/text/utf8.h"

#include <float.h>
#include <string.h>

void cp_clone_put_counted(cp_clone_output *out, cp_clone_tag tag, uint64_t number)
{
  char *to = cp_clone_room(out, 1 + CP_CLONE_VARINT_BOUND);

  *to++ = (char)tag;
  cp_buffer_end_at(out->buffer, cp_clone_varint(to, number));
}

void cp_clone_put_bytes(cp_clone_output *out, cp_clone_tag tag, const char *bytes, size_t length)
{
  char *to = cp_clone_room(out, 1 + CP_CLONE_VARINT_BOUND + length);

  *to++ = (char)tag;
  to = cp_clone_varint(to, length);
  memcpy(to, bytes, length);
  cp_buffer_end_at(out->buffer, to + length);
}

void cp_clone_put_double(cp_clone_output *out, cp_clone_tag tag, double real)
{
  char *to = cp_clone_room(out, 1 + sizeof(real));

  *to++ = (char)tag;
  memcpy(to, &real, sizeof(real));
  cp_buffer_end_at(out->buffer, to + sizeof(real));
}

/* Numbers. */

static uint64_t magnitude_of(int64_t integer)
{
  return integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
}

/* Returns whether a double can hold the integer, which is not 0. (Converting it there and back
 * would not tell: on i386 the processor computes with more bits than a double has.) */
static bool is_exact(int64_t integer)
{
  uint64_t magnitude = magnitude_of(integer);

  return magnitude >> __builtin_ctzll(magnitude) < (uint64_t)1 << DBL_MANT_DIG;
}

static bool is_integral(double real)
{
  int64_t integer = 0;

  return cp_number_to_integer(real, &integer);
}

static void put_bigint(cp_clone_output *out, int64_t integer)
{
  bool negative = integer < 0;
  uint64_t magnitude = magnitude_of(integer);
  char *to = cp_clone_room(out, 1 + CP_CLONE_VARINT_BOUND + sizeof(magnitude));

  *to++ = CP_CLONE_TAG_BIGINT;
  to = cp_clone_varint(to, sizeof(magnitude) << 1 | negative);
  for (size_t i = 0; i < sizeof(magnitude); i++) {
    *to++ = (char)(magnitude >> 8 * i & 0xFF);
  }
  cp_buffer_end_at(out->buffer, to);
}

static void put_integer(cp_clone_output *out, int64_t integer)
{
  if (integer >= INT32_MIN && integer <= INT32_MAX) {
    uint32_t bits = (uint32_t)integer;

    cp_clone_put_counted(out, CP_CLONE_TAG_INT32, integer < 0 ? ~(bits << 1) : bits << 1);
  } else if (is_exact(integer)) {
    cp_clone_put_double(out, CP_CLONE_TAG_DOUBLE, (double)integer);
  } else {
    put_bigint(out, integer);
  }
}

void cp_clone_put_number(cp_clone_output *out, int index)
{
  if (lua_isinteger(out->L, index)) {
    put_integer(out, lua_tointeger(out->L, index));
  } else {
    double real = lua_tonumber(out->L, index);

    if (is_integral(real)) {
      cp_clone_put_byte(out, CP_CLONE_TAG_PADDING);
    }
    cp_clone_put_double(out, CP_CLONE_TAG_DOUBLE, real);
  }
}

bool cp_clone_put_cdata(cp_clone_output *out)
{
  int64_t integer = 0;

  if (!cp_int64_read(out->L, &integer)) {
    return false;
  }
  put_integer(out, integer);
  return true;
}

void cp_clone_put_number_key(cp_clone_output *out, int index)
{
  lua_Number real = lua_tonumber(out->L, index);

  cp_clone_put_byte(out, CP_CLONE_TAG_PADDING);
  if (lua_isinteger(out->L, index) || real == 0) { /* without the sign of -0 */
    put_integer(out, lua_tointeger(out->L, index));
  } else {
    cp_clone_put_double(out, CP_CLONE_TAG_DOUBLE, real);
  }
}

/* Strings. */

bool cp_clone_is_text(const char *text, size_t length)
{
  return cp_utf8_valid_prefix((const uint8_t *)text, length) == length;
}

void cp_clone_put_view(cp_clone_output *out, unsigned view, const char *bytes, size_t length)
{
  char *to = cp_clone_room(out, 2 + 2 * CP_CLONE_VARINT_BOUND + length);

  *to++ = CP_CLONE_TAG_HOST_OBJECT;
  *to++ = CP_CLONE_HOST_VIEW;
  to = cp_clone_varint(cp_clone_varint(to, view), length);
  memcpy(to, bytes, length);
  cp_buffer_end_at(out->buffer, to + length);
  out->next_id++;
}

void cp_clone_put_text(cp_clone_output *out, const char *text, size_t length)
{
  bool is_ascii = cp_ascii_prefix((const uint8_t *)text, length) == length;

  cp_clone_put_bytes(out, is_ascii ? CP_CLONE_TAG_ONE_BYTE : CP_CLONE_TAG_UTF8, text, length);
}

bool cp_clone_put_if_text(cp_clone_output *out, const char *text, size_t length)
{
  size_t ascii = cp_ascii_prefix((const uint8_t *)text, length);

  if (ascii == length) {
    cp_clone_put_bytes(out, CP_CLONE_TAG_ONE_BYTE, text, length);
    return true;
  }
  if (cp_clone_is_text(text + ascii, length - ascii)) {
    cp_clone_put_bytes(out, CP_CLONE_TAG_UTF8, text, length);
    return true;
  }
  return false;
}

void cp_clone_put_string(cp_clone_output *out, const char *text, size_t length)
{
  if (!cp_clone_put_if_text(out, text, length)) {
    cp_clone_put_view(out, CP_CLONE_VIEW_BUFFER, text, length);
  }
}
