/* Reads tags, lengths, names, strings and numbers of V8's format from the bytes of a message. On an
 * error the read functions store its reason in the input and return false; they may leave values on
 * the stack. */
#ifndef CP_CLONE_INPUT_H
#define CP_CLONE_INPUT_H

#include "codec/clone/format.h"
#include "codec/name_cache.h"
#include "compat/lua.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cp_clone_input {
  const char *at; /* the next byte, or the place of an error */
  const char *end;
  const char *reason; /* of the error */
} cp_clone_input;

/* Records an error. Returns false. */
static inline bool cp_clone_fail(cp_clone_input *in, const char *reason)
{
  in->reason = reason;
  return false;
}

static inline bool cp_clone_fail_at_end(cp_clone_input *in)
{
  in->at = in->end;
  return cp_clone_fail(in, "unexpected end");
}

/* Returns the number of bytes left. */
static inline size_t cp_clone_left(const cp_clone_input *in)
{
  return (size_t)(in->end - in->at);
}

static inline bool cp_clone_read_byte(cp_clone_input *in, uint8_t *byte)
{
  if (in->at == in->end) {
    return cp_clone_fail_at_end(in);
  }
  *byte = (uint8_t)*in->at++;
  return true;
}

/* The slow path of cp_clone_read_varint. */
bool cp_clone_read_long_varint(cp_clone_input *in, uint32_t *number);

static inline bool cp_clone_read_varint(cp_clone_input *in, uint32_t *number)
{
  if (in->at < in->end && (uint8_t)*in->at < 0x80) {
    *number = (uint8_t)*in->at++;
    return true;
  }
  return cp_clone_read_long_varint(in, number);
}

/* Reads a tag. `*is_marked` becomes true if the mark precedes it. */
static inline bool cp_clone_read_tag(cp_clone_input *in, uint8_t *tag, bool *is_marked)
{
  *is_marked = false;
  while (in->at < in->end && *in->at == CP_CLONE_TAG_PADDING) {
    *is_marked = true;
    in->at++;
  }
  return cp_clone_read_byte(in, tag);
}

/* If this tag comes next, advances past it and any padding before it, and returns true. Otherwise
 * returns false without an error. */
bool cp_clone_accept(cp_clone_input *in, cp_clone_tag tag);

/* Reads a varint. Any number but this one is an error. */
bool cp_clone_expect(cp_clone_input *in, uint32_t number);

/* Reads a length and that number of bytes. */
bool cp_clone_read_bytes(cp_clone_input *in, const char **bytes, size_t *length);

bool cp_clone_read_double(cp_clone_input *in, double *real);

static inline bool cp_clone_is_string(uint8_t tag)
{
  return tag == CP_CLONE_TAG_ONE_BYTE || tag == CP_CLONE_TAG_UTF8 || tag == CP_CLONE_TAG_TWO_BYTE;
}

/* The following functions push the value whose tag has been read. */

/* Reads a string of any of the three kinds. */
bool cp_clone_read_string(cp_clone_input *in, lua_State *L, uint8_t tag);

/* Reads a string that is the name of a property. `names` may be NULL. */
bool cp_clone_read_name(cp_clone_input *in, lua_State *L, uint8_t tag, cp_name_cache *names);

/* Reads a whole string, with its tag. Any other value is an error. */
bool cp_clone_read_string_value(cp_clone_input *in, lua_State *L);

/* Reads a number. A double becomes an integer if one has the same value and the double has no mark;
 * otherwise it becomes a float. */
bool cp_clone_read_number(cp_clone_input *in, lua_State *L, uint8_t tag, bool is_marked);

#endif
