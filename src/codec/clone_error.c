#include "clone_error.h"

#include "clone_class.h"

#include <string.h>

static const struct {
  const char *name;
  char tag;
} kinds[] = {
    {"EvalError", CP_CLONE_ERROR_EVAL},           {"RangeError", CP_CLONE_ERROR_RANGE},
    {"ReferenceError", CP_CLONE_ERROR_REFERENCE}, {"SyntaxError", CP_CLONE_ERROR_SYNTAX},
    {"TypeError", CP_CLONE_ERROR_TYPE},           {"URIError", CP_CLONE_ERROR_URI},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

void cp_clone_put_error_head(cp_clone_output *out)
{
  size_t length = 0;
  const char *name = cp_clone_push_string_field(out->L, -1, "name", &length);
  const char *message = NULL;

  cp_clone_put_byte(out, CP_CLONE_TAG_ERROR);
  for (int i = 0; name != NULL && i < KINDS; i++) {
    if (strcmp(kinds[i].name, name) == 0) {
      cp_clone_put_byte(out, kinds[i].tag);
    }
  }
  cp_clone_push_field(out->L, -2, "message");
  message = lua_tolstring(out->L, -1, &length); /* a number is text, as it is to JavaScript */
  if (message != NULL) {
    cp_clone_put_byte(out, CP_CLONE_ERROR_MESSAGE);
    cp_clone_put_text(out, message, length);
  }
  lua_pop(out->L, 2);
}

void cp_clone_put_error_tail(cp_clone_output *out)
{
  size_t length = 0;
  const char *stack = cp_clone_push_string_field(out->L, -1, "stack", &length);

  if (stack == NULL) {
    lua_pop(out->L, 1);
    stack = cp_clone_push_string_field(out->L, -1, "traceback", &length);
  }
  if (stack != NULL) {
    cp_clone_put_byte(out, CP_CLONE_ERROR_STACK);
    cp_clone_put_text(out, stack, length);
  }
  cp_clone_put_byte(out, CP_CLONE_ERROR_END);
  lua_pop(out->L, 1);
}

const char *cp_clone_error_name(unsigned char tag)
{
  for (int i = 0; i < KINDS; i++) {
    if ((unsigned char)kinds[i].tag == tag) {
      return kinds[i].name;
    }
  }
  return NULL;
}

void cp_clone_complete_error(lua_State *L)
{
  static const char *const fields[][2] = {{"name", "Error"}, {"message", ""}};

  for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    if (cp_clone_push_field(L, -1, fields[i][0]) == LUA_TNIL) {
      lua_pushstring(L, fields[i][1]);
      lua_setfield(L, -3, fields[i][0]);
    }
    lua_pop(L, 1);
  }
}
