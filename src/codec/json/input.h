/* Reads the JSON values that are not tables. On an error the read functions store its reason in the
 * input and return false; they may leave values on the stack. */
#ifndef CP_JSON_INPUT_H
#define CP_JSON_INPUT_H

#include "compat/lua.h"

#include <stdbool.h>

typedef struct cp_json_input {
  const char *at; /* the next character, or the place of an error */
  const char *end;
  const char *reason; /* of the error */
} cp_json_input;

/* Records an error. Returns false. */
static inline bool cp_json_fail(cp_json_input *in, const char *reason)
{
  in->reason = in->at == in->end ? "unexpected end" : reason;
  return false;
}

static inline bool cp_json_fail_here(cp_json_input *in)
{
  return cp_json_fail(in, "unexpected character");
}

static inline void cp_json_skip_space(cp_json_input *in)
{
  while (in->at < in->end &&
         (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t')) {
    in->at++;
  }
}

/* If this character comes next, advances past it and returns true. */
static inline bool cp_json_accept(cp_json_input *in, char character)
{
  if (in->at == in->end || *in->at != character) {
    return false;
  }
  in->at++;
  return true;
}

/* Reads a string after its first quote, and pushes it. Its first `plain` bytes are plain: see
 * escape.h. */
bool cp_json_read_string(cp_json_input *in, lua_State *L, size_t plain);

/* Reads a string, number, boolean or null, and pushes it. */
bool cp_json_read_scalar(cp_json_input *in, lua_State *L);

#endif
