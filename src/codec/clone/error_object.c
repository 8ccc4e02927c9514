/* The table of the kinds, and the fields of an Error. */
#include "codec/clone/error_object.h"

#include "codec/clone/class.h"

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

static void put_kind(cp_clone_output *out)
{
  size_t length = 0;
  const char *name = cp_clone_push_string_field(out->L, -1, "name", &length);

  for (int i = 0; name != NULL && i < KINDS; i++) {
    if (strcmp(kinds[i].name, name) == 0) {
      cp_clone_put_byte(out, kinds[i].tag);
    }
  }
  lua_pop(out->L, 1);
}

static void put_message(cp_clone_output *out)
{
  size_t length = 0;
  const char *message = NULL;

  cp_clone_push_field(out->L, -1, "message");
  message = lua_tolstring(out->L, -1, &length); /* a number becomes text, as in JavaScript */
  if (message != NULL) {
    cp_clone_put_byte(out, CP_CLONE_ERROR_MESSAGE);
    cp_clone_put_text(out, message, length);
  }
  lua_pop(out->L, 1);
}

static void put_stack(cp_clone_output *out)
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
  lua_pop(out->L, 1);
}

void cp_clone_put_error_texts(cp_clone_output *out)
{
  cp_clone_put_byte(out, CP_CLONE_TAG_ERROR);
  put_kind(out);
  put_message(out);
  put_stack(out);
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
