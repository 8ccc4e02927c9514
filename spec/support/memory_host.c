/* Lets an allocation of Lua's fail, as in hosts that limit the memory of a script. */
#include <stdbool.h>

#include "compat/lua.h"

static lua_Alloc allocate;
static void *allocate_data;
static lua_Integer left; /* how many allocations succeed before the one that does not */
static bool refused;
/* Lua collects garbage and asks a second time. */
static bool asks_again;
static size_t refused_size;

static void *refuse_one(void *unused, void *block, size_t old_size, size_t size)
{
  (void)unused;
  if (size > 0 && (block == NULL || size > old_size)) {
    if (asks_again && size == refused_size) {
      asks_again = false;
      return NULL;
    }
    if (!refused && left-- == 0) {
      refused = true;
      asks_again = true;
      refused_size = size;
      return NULL;
    }
  }
  return allocate(allocate_data, block, old_size, size);
}

/* memory.refuse(number, function) -> ok, result or error, refused: calls the function, in which the
 * allocation with this number (from 1 on) fails; `refused` says whether it was reached. */
static int memory_refuse(lua_State *L)
{
  int status = LUA_OK;

  left = luaL_checkinteger(L, 1) - 1;
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  luaL_checkstack(L, 8, NULL);
  refused = asks_again = false;
  allocate = lua_getallocf(L, &allocate_data);
  lua_setallocf(L, refuse_one, NULL);
  status = lua_pcall(L, 0, 1, 0);
  lua_setallocf(L, allocate, allocate_data);
  lua_pushboolean(L, status == LUA_OK);
  lua_insert(L, -2);
  lua_pushboolean(L, refused);
  return 3;
}

int luaopen_memory_host(lua_State *L)
{
  static const luaL_Reg functions[] = {{"refuse", memory_refuse}, {NULL, NULL}};

  luaL_newlib(L, functions);
  return 1;
}
