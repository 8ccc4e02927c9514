/* What Lua's C API lacks before 5.4. A name in parentheses is Lua's own function, not the macro. */
#include "compat/lua.h"

#include <lualib.h>
#include <math.h>
#include <string.h>

#if LUA_VERSION_NUM >= 503

FILE *cp_lua_to_file(lua_State *L, int index)
{
  const luaL_Stream *file = luaL_testudata(L, index, LUA_FILEHANDLE);

  return file == NULL || file->closef == NULL ? NULL : file->f;
}

lua_State *cp_lua_main(lua_State *L)
{
  lua_State *main = NULL;

  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  main = lua_tothread(L, -1);
  lua_pop(L, 1);
  return main;
}

int cp_lua_isyieldable(lua_State *L)
{
  return lua_isyieldable(L);
}

void cp_lua_set_running(lua_State *L)
{
  (void)L;
}

void cp_lua_disown(lua_State *coroutine)
{
  (void)coroutine;
}

#endif

#if LUA_VERSION_NUM < 504

int cp_lua_typeerror(lua_State *L, int argument, const char *name)
{
  const char *got = luaL_typename(L, argument);
  const char *message = NULL;

  if (luaL_getmetafield(L, argument, "__name") == LUA_TSTRING) {
    got = lua_tostring(L, -1);
  } else if (lua_type(L, argument) == LUA_TLIGHTUSERDATA) {
    got = "light userdata";
  }
  message = lua_pushfstring(L, "%s expected, got %s", name, got);
  return luaL_argerror(L, argument, message);
}

#endif

#if LUA_VERSION_NUM == 503

void *cp_lua_newuserdatauv(lua_State *L, size_t size, int count)
{
  (void)count;
  return lua_newuserdata(L, size);
}

int cp_lua_setiuservalue(lua_State *L, int index, int n)
{
  (void)n;
  lua_setuservalue(L, index);
  return 1;
}

int cp_lua_getiuservalue(lua_State *L, int index, int n)
{
  (void)n;
  return lua_getuservalue(L, index);
}

#endif

#if LUA_VERSION_NUM < 503

/* Key in the registry: the main coroutine. */
static const char MAIN_KEY = 0;

lua_State *cp_lua_main(lua_State *L)
{
  lua_State *main = NULL;

  if (lua_pushthread(L)) {
    lua_rawsetp(L, LUA_REGISTRYINDEX, &MAIN_KEY);
    return L;
  }
  lua_pop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &MAIN_KEY);
  main = lua_tothread(L, -1);
  lua_pop(L, 1);
  return main;
}

/* C functions are kept in the registry. */
void cp_lua_pushcfunction(lua_State *L, lua_CFunction function)
{
  void *key = NULL;

  memcpy(&key, &function, sizeof(key));
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    lua_pushcclosure(L, function, 0);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
  }
}

void cp_lua_keep_function(lua_State *L, lua_CFunction function)
{
  lua_pushcfunction(L, function);
  lua_pop(L, 1);
}

static int do_nothing(lua_State *L)
{
  (void)L;
  return 0;
}

/* Only LuaJIT has this. */
__attribute__((weak)) int lua_isyieldable(lua_State *L);

/* A hook that a handler of SIGINT has set must not raise its error here, where it would be lost. */
void cp_lua_set_running(lua_State *L)
{
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L);
  int count = lua_gethookcount(L);

  if (lua_isyieldable == NULL) {
    return;
  }
  if (hook != NULL) {
    lua_sethook(L, NULL, 0, 0);
  }
  if (lua_cpcall(L, do_nothing, NULL) != LUA_OK) {
    lua_pop(L, 1);
  }
  if (hook != NULL) {
    lua_sethook(L, hook, mask, count);
  }
}

int cp_lua_isyieldable(lua_State *L)
{
  return lua_isyieldable == NULL ? -1 : lua_isyieldable(L);
}

/* Only OpenResty's LuaJIT has these. The first refers to a request, the second to a coroutine. */
__attribute__((weak)) void lua_setexdata(lua_State *L, void *data);
__attribute__((weak)) void lua_setexdata2(lua_State *L, void *data);

void cp_lua_disown(lua_State *coroutine)
{
  if (lua_setexdata != NULL) {
    lua_setexdata(coroutine, NULL);
  }
  if (lua_setexdata2 != NULL) {
    lua_setexdata2(coroutine, NULL);
  }
}

/* A file of LuaJIT begins with the pointer, too. */
FILE *cp_lua_to_file(lua_State *L, int index)
{
  FILE **file = lua_touserdata(L, index);
  bool is_file = false;

  if (file == NULL || !lua_getmetatable(L, index)) {
    return NULL;
  }
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_FILEHANDLE);
  is_file = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is_file ? *file : NULL;
}

/* The stack. */

int cp_lua_absindex(lua_State *L, int index)
{
  return index > 0 || index <= LUA_REGISTRYINDEX ? index : lua_gettop(L) + 1 + index;
}

void cp_lua_copy(lua_State *L, int from, int to)
{
  to = lua_absindex(L, to);
  lua_pushvalue(L, from);
  lua_replace(L, to);
}

static void reverse(lua_State *L, int first, int last)
{
  for (; first < last; first++, last--) {
    lua_pushvalue(L, first);
    lua_pushvalue(L, last);
    lua_replace(L, first);
    lua_replace(L, last);
  }
}

void cp_lua_rotate(lua_State *L, int index, int n)
{
  int first = lua_absindex(L, index);
  int last = lua_gettop(L);
  int middle = n >= 0 ? last - n : first - n - 1;

  reverse(L, first, middle);
  reverse(L, middle + 1, last);
  reverse(L, first, last);
}

/* Numbers. */

/* Minus zero does not count as an integer, since it would lose its sign. */
static bool is_integer(lua_Number number)
{
  return fabs(number) <= (lua_Number)CP_LUA_LARGEST_INTEGER && floor(number) == number &&
         !(number == 0 && signbit(number));
}

int cp_lua_isinteger(lua_State *L, int index)
{
  return lua_type(L, index) == LUA_TNUMBER && is_integer(lua_tonumber(L, index));
}

lua_Integer cp_lua_tointegerx(lua_State *L, int index, int *is_known)
{
  bool good = lua_isnumber(L, index) && floor(lua_tonumber(L, index)) == lua_tonumber(L, index) &&
              fabs(lua_tonumber(L, index)) < 0x1p63;

  if (is_known != NULL) {
    *is_known = good;
  }
  return good ? (lua_Integer)lua_tonumber(L, index) : 0;
}

lua_Integer cp_lua_checkinteger(lua_State *L, int argument)
{
  int good = 0;
  lua_Integer integer = lua_tointegerx(L, argument, &good);

  if (!good) {
    luaL_checknumber(L, argument);
    luaL_argerror(L, argument, "number has no integer representation");
  }
  return integer;
}

lua_Integer cp_lua_optinteger(lua_State *L, int argument, lua_Integer otherwise)
{
  return lua_isnoneornil(L, argument) ? otherwise : luaL_checkinteger(L, argument);
}

/* Fields. */

int cp_lua_getfield(lua_State *L, int index, const char *name)
{
  (lua_getfield)(L, index, name);
  return lua_type(L, -1);
}

int cp_lua_rawget(lua_State *L, int index)
{
  (lua_rawget)(L, index);
  return lua_type(L, -1);
}

int cp_lua_rawgeti(lua_State *L, int index, lua_Integer n)
{
  (lua_rawgeti)(L, index, (int)n);
  return lua_type(L, -1);
}

int cp_lua_rawgetp(lua_State *L, int index, const void *key)
{
  index = lua_absindex(L, index);
  lua_pushlightuserdata(L, (void *)key);
  return lua_rawget(L, index);
}

int cp_lua_getmetafield(lua_State *L, int index, const char *name)
{
  return (luaL_getmetafield)(L, index, name) ? lua_type(L, -1) : LUA_TNIL;
}

void cp_lua_rawseti(lua_State *L, int index, lua_Integer n)
{
  (lua_rawseti)(L, index, (int)n);
}

void cp_lua_rawsetp(lua_State *L, int index, const void *key)
{
  index = lua_absindex(L, index);
  lua_pushlightuserdata(L, (void *)key);
  lua_insert(L, -2);
  lua_rawset(L, index);
}

/* Userdata. The environment, which can only be a table, holds the user value. */

void *cp_lua_newuserdatauv(lua_State *L, size_t size, int count)
{
  void *block = lua_newuserdata(L, size);

  if (count > 0) {
    lua_createtable(L, 1, 0);
    lua_setfenv(L, -2);
  }
  return block;
}

int cp_lua_setiuservalue(lua_State *L, int index, int n)
{
  lua_getfenv(L, index);
  lua_insert(L, -2);
  lua_rawseti(L, -2, n);
  lua_pop(L, 1);
  return 1;
}

int cp_lua_getiuservalue(lua_State *L, int index, int n)
{
  lua_getfenv(L, index);
  lua_rawgeti(L, -1, n);
  lua_remove(L, -2);
  return lua_type(L, -1);
}

/* The auxiliary library. */

void cp_lua_setfuncs(lua_State *L, const luaL_Reg *functions, int upvalues)
{
  for (; functions->name != NULL; functions++) {
    for (int i = 0; i < upvalues; i++) {
      lua_pushvalue(L, -upvalues);
    }
    lua_pushcclosure(L, functions->func, upvalues);
    lua_setfield(L, -(upvalues + 2), functions->name);
  }
  lua_pop(L, upvalues);
}

const char *cp_lua_tolstring(lua_State *L, int index, size_t *length)
{
  if (!luaL_callmeta(L, index, "__tostring")) {
    switch (lua_type(L, index)) {
      case LUA_TSTRING:
      case LUA_TNUMBER: lua_pushvalue(L, index); break;
      case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false"); break;
      case LUA_TNIL: lua_pushliteral(L, "nil"); break;
      default:
        lua_pushfstring(L, "%s: %p", luaL_typename(L, index), lua_topointer(L, index));
        break;
    }
  }
  return lua_tolstring(L, -1, length);
}

/* Calls debug.traceback. If the program has removed it, there is no traceback. */
void cp_lua_traceback(lua_State *L, lua_State *of, const char *message, int level)
{
  int top = lua_gettop(L);

  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_getfield(L, -1, "debug");
  if (lua_istable(L, -1) && lua_getfield(L, -1, "traceback") == LUA_TFUNCTION) {
    lua_pushthread(of);
    lua_xmove(of, L, 1);
    lua_pushstring(L, message == NULL ? "" : message);
    lua_pushinteger(L, of == L ? level + 1 : level);
    lua_call(L, 3, 1);
    if (message == NULL) {
      lua_pushstring(L, lua_tostring(L, -1) + 1); /* without the line break after the message */
    }
  } else {
    lua_pushliteral(L, "");
  }
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
}

/* Buffers. */

void cp_lua_buffer_init(lua_State *L, cp_lua_buffer *buffer)
{
  buffer->L = L;
  buffer->bytes = buffer->initial;
  buffer->length = 0;
  buffer->capacity = sizeof(buffer->initial);
}

/* Moves the bytes to a new userdata of this size, which replaces the one before. */
static void grow(cp_lua_buffer *buffer, size_t capacity)
{
  char *bytes = lua_newuserdata(buffer->L, capacity);

  memcpy(bytes, buffer->bytes, buffer->length);
  if (buffer->bytes != buffer->initial) {
    lua_remove(buffer->L, -2);
  }
  buffer->bytes = bytes;
  buffer->capacity = capacity;
}

char *cp_lua_buffer_prepare(cp_lua_buffer *buffer, size_t size)
{
  size_t needed = buffer->length + size;

  if (needed < size) {
    luaL_error(buffer->L, "buffer too large");
  }
  if (needed > buffer->capacity) {
    grow(buffer, needed > 2 * buffer->capacity ? needed : 2 * buffer->capacity);
  }
  return buffer->bytes + buffer->length;
}

void cp_lua_buffer_add(cp_lua_buffer *buffer, const char *bytes, size_t length)
{
  if (length > 0) {
    memcpy(luaL_prepbuffsize(buffer, length), bytes, length);
    luaL_addsize(buffer, length);
  }
}

void cp_lua_buffer_push(cp_lua_buffer *buffer)
{
  lua_pushlstring(buffer->L, buffer->bytes, buffer->length);
  if (buffer->bytes != buffer->initial) {
    lua_remove(buffer->L, -2);
  }
}

#endif
