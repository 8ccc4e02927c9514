#include "descriptor.h"

#include "../core/pipe.h"
#include "object.h"

static const char CLASS[] = "child_process.Descriptor";

typedef struct descriptor {
  int fd; /* -1 when it was taken or closed */
} descriptor;

int *cp_descriptor_push(lua_State *L)
{
  descriptor *object = cp_object_new(L, CLASS, sizeof(*object));

  object->fd = -1;
  return &object->fd;
}

/* descriptor:fileno() -> integer, nil after it was taken or closed */
static int descriptor_fileno(lua_State *L)
{
  const descriptor *object = cp_object_check(L, 1, CLASS);

  if (object->fd == -1) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, object->fd);
  }
  return 1;
}

/* descriptor:take() -> the same, and closing it is the caller's business from now on */
static int descriptor_take(lua_State *L)
{
  descriptor *object = cp_object_check(L, 1, CLASS);
  int results = descriptor_fileno(L);

  object->fd = -1;
  return results;
}

/* descriptor:close() */
static int descriptor_close(lua_State *L)
{
  descriptor *object = cp_object_check(L, 1, CLASS);

  object->fd = cp_pipe_close(object->fd);
  return 0;
}

void cp_descriptor_functions(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", descriptor_close},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"fileno", descriptor_fileno},
      {"take", descriptor_take},
      {"close", descriptor_close},
      {NULL, NULL},
  };

  cp_object_class(L, CLASS, metamethods, methods);
}
