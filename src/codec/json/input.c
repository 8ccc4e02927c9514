/* Strings without escapes are pushed as they are; others are built piece by piece. */
#include "codec/json/input.h"

#include "codec/json/escape.h"
#include "codec/number/number.h"
#include "compat/int64.h"
#include "core/text/utf8.h"

#include <string.h>

/* Reads the four hexadecimal digits of a UTF-16 unit. */
static bool read_unit(cp_json_input *in, uint32_t *unit)
{
  *unit = 0;
  for (int i = 0; i < 4; i++, in->at++) {
    int character = in->at < in->end ? *in->at : '\0';
    int letter = character | 0x20;

    if (character >= '0' && character <= '9') {
      *unit = *unit << 4 | (uint32_t)(character - '0');
    } else if (letter >= 'a' && letter <= 'f') {
      *unit = *unit << 4 | (uint32_t)(letter - 'a' + 10);
    } else {
      return cp_json_fail(in, "invalid escape");
    }
  }
  return true;
}

/* Reads the digits after \u, and the second half of a surrogate pair if it follows. */
static bool read_code_point(cp_json_input *in, uint32_t *code_point)
{
  const char *after_first = NULL;
  uint32_t second = 0;

  if (!read_unit(in, code_point)) {
    return false;
  }
  if ((*code_point & 0xF800) != 0xD800) {
    return true;
  }
  after_first = in->at;
  if (*code_point < 0xDC00 && cp_json_accept(in, '\\') && cp_json_accept(in, 'u')) {
    if (!read_unit(in, &second)) {
      return false;
    }
    if ((second & 0xFC00) == 0xDC00) {
      *code_point = 0x10000 + ((*code_point & 0x3FF) << 10 | (second & 0x3FF));
      return true;
    }
  }
  in->at = after_first;
  *code_point = 0xFFFD;
  return true;
}

static void add_code_point(luaL_Buffer *string, uint32_t code_point)
{
  uint8_t *room = (uint8_t *)luaL_prepbuffsize(string, 4);

  luaL_addsize(string, (size_t)(cp_utf8_put(code_point, room) - room));
}

/* Reads an escape, and adds its character to the string. */
static bool read_escape(cp_json_input *in, luaL_Buffer *string)
{
  uint32_t code_point = 0;

  in->at++;
  if (cp_json_accept(in, 'u')) {
    if (!read_code_point(in, &code_point)) {
      return false;
    }
    add_code_point(string, code_point);
    return true;
  }
  switch (in->at < in->end ? *in->at : '\0') {
    case '"':
    case '\\':
    case '/': luaL_addchar(string, *in->at); break;
    case 'b': luaL_addchar(string, '\b'); break;
    case 'f': luaL_addchar(string, '\f'); break;
    case 'n': luaL_addchar(string, '\n'); break;
    case 'r': luaL_addchar(string, '\r'); break;
    case 't': luaL_addchar(string, '\t'); break;
    default: return cp_json_fail(in, "invalid escape");
  }
  in->at++;
  return true;
}

/* Reads bytes that are not valid UTF-8, and adds U+FFFD. */
static void replace_invalid(cp_json_input *in, luaL_Buffer *string)
{
  uint32_t code_point = 0;

  in->at += cp_utf8_next((const uint8_t *)in->at, (size_t)(in->end - in->at), &code_point);
  add_code_point(string, code_point);
}

/* Reads a string with escapes or invalid UTF-8, whose first `plain` bytes are plain. */
static bool read_escaped_string(cp_json_input *in, lua_State *L, size_t plain)
{
  luaL_Buffer string;

  luaL_buffinit(L, &string);
  for (;;) {
    luaL_addlstring(&string, in->at, plain);
    in->at += plain;
    if (cp_json_accept(in, '"')) {
      luaL_pushresult(&string);
      return true;
    }
    if (in->at == in->end || (uint8_t)*in->at < 0x20) {
      return cp_json_fail(in, "control character in a string");
    }
    if (*in->at != '\\') {
      replace_invalid(in, &string);
    } else if (!read_escape(in, &string)) {
      return false;
    }
    plain = cp_json_plain_prefix(in->at, (size_t)(in->end - in->at));
  }
}

bool cp_json_read_string(cp_json_input *in, lua_State *L, size_t plain)
{
  const char *end = in->at + plain;

  if (end == in->end || *end != '"') {
    return read_escaped_string(in, L, plain);
  }
  lua_pushlstring(L, in->at, plain);
  in->at = end + 1;
  return true;
}

static bool read_number(cp_json_input *in, lua_State *L)
{
  cp_number number;
  const char *end = cp_number_read(in->at, in->end, &number);

  if (end == NULL) {
    return cp_json_fail(in, "invalid number");
  }
  in->at = end;
  if (number.is_integer) {
    cp_int64_push(L, number.value.integer);
  } else {
    lua_pushnumber(L, number.value.real);
  }
  return true;
}

static bool read_word(cp_json_input *in, const char *word, size_t length)
{
  if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) {
    return cp_json_fail_here(in);
  }
  in->at += length;
  return true;
}

bool cp_json_read_scalar(cp_json_input *in, lua_State *L)
{
  switch (in->at < in->end ? *in->at : '\0') {
    case '"':
      in->at++;
      return cp_json_read_string(in, L, cp_json_plain_prefix(in->at, (size_t)(in->end - in->at)));
    case 't': lua_pushboolean(L, true); return read_word(in, "true", 4);
    case 'f': lua_pushboolean(L, false); return read_word(in, "false", 5);
    case 'n': lua_pushlightuserdata(L, NULL); return read_word(in, "null", 4);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return read_number(in, L);
    default: return cp_json_fail_here(in);
  }
}
