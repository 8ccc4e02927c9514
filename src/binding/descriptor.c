/* Owns descriptors that were received with messages, until Lua takes or closes them. */
#include "binding/descriptor.h"

#include "binding/object.h"
#include "binding/parts.h"
#include "core/base/fd.h"
#include "core/base/owned.h"

static const char CLASS[] = "child_process.Descriptor";

typedef struct descriptor {
  int fd; /* -1 when it was taken or closed */
} descriptor;

int *cpl_descriptor_push(lua_State *L)
{
  descriptor *object = cpl_object_new(L, CLASS, sizeof(*object));

  object->fd = -1;
  return &object->fd;
}

/* descriptor:fileno() -> integer, nil after it was taken or closed */
static int descriptor_fileno(lua_State *L)
{
  const descriptor *object = cpl_object_check(L, 1, CLASS);

  if (object->fd == -1) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, object->fd);
  }
  return 1;
}

/* descriptor:take() -> the same, which the caller must close from now on */
static int descriptor_take(lua_State *L)
{
  descriptor *object = cpl_object_check(L, 1, CLASS);
  int results = descriptor_fileno(L);

  cp_owned_remove(object->fd);
  object->fd = -1;
  return results;
}

/* descriptor:close(): may be called again, and after take(). */
static int descriptor_close(lua_State *L)
{
  descriptor *object = cpl_object_check(L, 1, CLASS);

  object->fd = cp_fd_close(object->fd);
  return 0;
}

void cpl_add_descriptor(lua_State *L)
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

  cpl_object_class(L, CLASS, metamethods, methods);
}
