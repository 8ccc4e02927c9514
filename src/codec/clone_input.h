/* Reads V8's format from the bytes of a message: tags, counts, names, and the plain values, which are
 * strings and numbers. The objects are read by clone_leaf_input.h and clone_decoder.h. */
#ifndef CP_CLONE_INPUT_H
#define CP_CLONE_INPUT_H

#include "clone_tags.h"
#include "name_cache.h"

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cp_clone_input {
  const char *at;
  const char *end;
  const char *reason; /* of an error, which is at `at` */
} cp_clone_input;

/* Notes an error. Returns false, as all of these do then; something may have been pushed. */
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

bool cp_clone_read_long_varint(cp_clone_input *in, uint32_t *number);

static inline bool cp_clone_read_varint(cp_clone_input *in, uint32_t *number)
{
  if (in->at < in->end && (uint8_t)*in->at < 0x80) {
    *number = (uint8_t)*in->at++;
    return true;
  }
  return cp_clone_read_long_varint(in, number);
}

/* Takes a tag, and tells whether a mark was before it. */
static inline bool cp_clone_read_tag(cp_clone_input *in, uint8_t *tag, bool *is_marked)
{
  *is_marked = false;
  while (in->at < in->end && *in->at == CP_CLONE_TAG_PADDING) {
    *is_marked = true;
    in->at++;
  }
  return cp_clone_read_byte(in, tag);
}

/* Goes past this tag, and what was skipped before it, if it is the next one. */
bool cp_clone_accept(cp_clone_input *in, cp_clone_tag tag);

/* Expects this number. */
bool cp_clone_expect(cp_clone_input *in, uint32_t number);

/* Takes a length, and so many bytes. */
bool cp_clone_read_bytes(cp_clone_input *in, const char **bytes, size_t *length);

bool cp_clone_read_double(cp_clone_input *in, double *real);

static inline bool cp_clone_is_string(uint8_t tag)
{
  return tag == CP_CLONE_TAG_ONE_BYTE || tag == CP_CLONE_TAG_UTF8 || tag == CP_CLONE_TAG_TWO_BYTE;
}

/* The ones that follow push what comes behind the tag. */

/* A string of any kind. */
bool cp_clone_read_string(cp_clone_input *in, lua_State *L, uint8_t tag);

/* The same for the name of a property; `names` may be NULL. */
bool cp_clone_read_name(cp_clone_input *in, lua_State *L, uint8_t tag, cp_name_cache *names);

/* Tag and rest of a string, where nothing else may be. */
bool cp_clone_read_string_value(cp_clone_input *in, lua_State *L);

bool cp_clone_read_number(cp_clone_input *in, lua_State *L, uint8_t tag, bool is_marked);

#endif
