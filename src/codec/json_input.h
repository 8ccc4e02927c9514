/* A JSON text that is being read, and what stands in it for itself: everything but tables. */
#ifndef CP_JSON_INPUT_H
#define CP_JSON_INPUT_H

#include <lua.h>
#include <stdbool.h>

typedef struct cp_json_input {
  const char *at;
  const char *end;
  const char *reason; /* of an error, which is at `at` */
} cp_json_input;

/* Notes an error. Returns false. */
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

/* Goes past this character, if it is the next one. */
static inline bool cp_json_accept(cp_json_input *in, char character)
{
  if (in->at == in->end || *in->at != character) {
    return false;
  }
  in->at++;
  return true;
}

/* Pushes the string whose first quote is behind us and whose first `plain` bytes stand for
 * themselves. Returns false for an error, as the next one, and then may have pushed something. */
bool cp_json_read_string(cp_json_input *in, lua_State *L, size_t plain);

/* Pushes the string, number, boolean or null that comes next. */
bool cp_json_read_scalar(cp_json_input *in, lua_State *L);

#endif
