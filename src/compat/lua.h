/* Lua's C API as of 5.4, in every version from 5.1 on. Files include this instead of Lua's own
 * headers, and no other file asks for the version.
 *
 * LuaJIT has the API of Lua 5.1, and a module that was built for one of them loads in the other. So
 * what differs between these two is looked at while the program runs. */
#ifndef CP_COMPAT_LUA_H
#define CP_COMPAT_LUA_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdio.h>

/* Numbers. An integer of Lua 5.1 is a float without a fraction, exact up to 2^53. */
#if LUA_VERSION_NUM >= 503
#define CP_LUA_LARGEST_INTEGER LUA_MAXINTEGER
#else
#define CP_LUA_LARGEST_INTEGER ((lua_Integer)1 << 53)
#endif

/* Returns the Lua file at `index`. NULL if the value is not a file, or a closed one. */
FILE *cp_lua_to_file(lua_State *L, int index);

/* Returns the main coroutine of the state. Lua 5.1 does not report it: there the result is NULL
 * until the function has been called in the main coroutine. */
lua_State *cp_lua_main(lua_State *L);

/* From now on lua_pushcfunction does not raise for this function. In Lua 5.1 a C function is an
 * object, for which there may be no memory; this makes it, once for each state. */
#if LUA_VERSION_NUM >= 503
#define cp_lua_keep_function(L, function) ((void)(L))
#else
void cp_lua_keep_function(lua_State *L, lua_CFunction function);
#endif

/* Returns whether the running coroutine can yield; -1 in Lua 5.1, which does not report it. */
int cp_lua_isyieldable(lua_State *L);

/* To be called by a function that has called Lua in another coroutine and is about to raise an
 * error in this one. LuaJIT takes the coroutine that was called last for the running one until a C
 * function returns, and an error is no return: compiled code would go on in the other coroutine. */
void cp_lua_set_running(lua_State *L);

/* To be called for a coroutine that may outlive the request in which it was made. OpenResty's
 * LuaJIT binds each new coroutine to the running request, and nginx would look for that after its
 * end. */
void cp_lua_disown(lua_State *coroutine);

#if LUA_VERSION_NUM < 504
#define lua_newuserdatauv(L, size, count) cp_lua_newuserdatauv(L, size, count)
#define lua_setiuservalue(L, index, n) cp_lua_setiuservalue(L, index, n)
#define lua_getiuservalue(L, index, n) cp_lua_getiuservalue(L, index, n)
#define luaL_typeerror(L, argument, name) cp_lua_typeerror(L, argument, name)

void *cp_lua_newuserdatauv(lua_State *L, size_t size, int count);
int cp_lua_setiuservalue(lua_State *L, int index, int n);
int cp_lua_getiuservalue(lua_State *L, int index, int n);
int cp_lua_typeerror(lua_State *L, int argument, const char *name);
#endif

#if LUA_VERSION_NUM < 503
#define LUA_OK 0

typedef size_t lua_Unsigned;
typedef ptrdiff_t lua_KContext;

/* A coroutine cannot yield in what C has called, so nothing is ever continued. */
#define lua_callk(L, arguments, results, context, continuation)                                    \
  ((void)(continuation), lua_call(L, arguments, results))

#undef lua_pushcfunction
#define lua_pushcfunction(L, function) cp_lua_pushcfunction(L, function)

void cp_lua_pushcfunction(lua_State *L, lua_CFunction function);

#define lua_rawlen(L, index) lua_objlen(L, index)
#undef lua_tointeger
#define lua_tointeger(L, index) cp_lua_tointegerx(L, index, NULL)
#undef luaL_newlib
#define luaL_newlib(L, functions) (lua_newtable(L), luaL_setfuncs(L, functions, 0))

#define lua_absindex(L, index) cp_lua_absindex(L, index)
#define lua_copy(L, from, to) cp_lua_copy(L, from, to)
#define lua_rotate(L, index, n) cp_lua_rotate(L, index, n)
#define lua_isinteger(L, index) cp_lua_isinteger(L, index)
#define lua_tointegerx(L, index, is_integer) cp_lua_tointegerx(L, index, is_integer)
#define luaL_checkinteger(L, argument) cp_lua_checkinteger(L, argument)
#define luaL_optinteger(L, argument, otherwise) cp_lua_optinteger(L, argument, otherwise)
#define luaL_setfuncs(L, functions, upvalues) cp_lua_setfuncs(L, functions, upvalues)
#define luaL_tolstring(L, index, length) cp_lua_tolstring(L, index, length)
#define luaL_traceback(L, of, message, level) cp_lua_traceback(L, of, message, level)

int cp_lua_absindex(lua_State *L, int index);
void cp_lua_copy(lua_State *L, int from, int to);
void cp_lua_rotate(lua_State *L, int index, int n);
int cp_lua_isinteger(lua_State *L, int index);
lua_Integer cp_lua_tointegerx(lua_State *L, int index, int *is_integer);
lua_Integer cp_lua_checkinteger(lua_State *L, int argument);
lua_Integer cp_lua_optinteger(lua_State *L, int argument, lua_Integer otherwise);
void cp_lua_setfuncs(lua_State *L, const luaL_Reg *functions, int upvalues);
const char *cp_lua_tolstring(lua_State *L, int index, size_t *length);
void cp_lua_traceback(lua_State *L, lua_State *of, const char *message, int level);

/* These return the type of the value that they push. */
#define lua_getfield(L, index, name) cp_lua_getfield(L, index, name)
#define lua_rawget(L, index) cp_lua_rawget(L, index)
#define lua_rawgeti(L, index, n) cp_lua_rawgeti(L, index, n)
#define lua_rawgetp(L, index, key) cp_lua_rawgetp(L, index, key)
#define luaL_getmetafield(L, index, name) cp_lua_getmetafield(L, index, name)

int cp_lua_getfield(lua_State *L, int index, const char *name);
int cp_lua_rawget(lua_State *L, int index);
int cp_lua_rawgeti(lua_State *L, int index, lua_Integer n);
int cp_lua_rawgetp(lua_State *L, int index, const void *key);
int cp_lua_getmetafield(lua_State *L, int index, const char *name);

#define lua_rawseti(L, index, n) cp_lua_rawseti(L, index, n)
#define lua_rawsetp(L, index, key) cp_lua_rawsetp(L, index, key)

void cp_lua_rawseti(lua_State *L, int index, lua_Integer n);
void cp_lua_rawsetp(lua_State *L, int index, const void *key);

/* A buffer of any size. While it holds more than `initial` has room for, the bytes are in a
 * userdata on the stack. */
typedef struct cp_lua_buffer {
  lua_State *L;
  char *bytes;
  size_t length;
  size_t capacity;
  char initial[1024];
} cp_lua_buffer;

#define luaL_Buffer cp_lua_buffer
#undef luaL_addchar
#undef luaL_addsize
#define luaL_buffinit(L, buffer) cp_lua_buffer_init(L, buffer)
#define luaL_buffinitsize(L, buffer, size)                                                         \
  (luaL_buffinit(L, buffer), luaL_prepbuffsize(buffer, size))
#define luaL_prepbuffsize(buffer, size) cp_lua_buffer_prepare(buffer, size)
#define luaL_addchar(buffer, byte)                                                                 \
  (*luaL_prepbuffsize(buffer, 1) = (char)(byte), luaL_addsize(buffer, 1))
#define luaL_addsize(buffer, size) ((buffer)->length += (size))
#define luaL_addlstring(buffer, bytes, length) cp_lua_buffer_add(buffer, bytes, length)
#define luaL_pushresult(buffer) cp_lua_buffer_push(buffer)
#define luaL_pushresultsize(buffer, size) (luaL_addsize(buffer, size), luaL_pushresult(buffer))

void cp_lua_buffer_init(lua_State *L, cp_lua_buffer *buffer);
char *cp_lua_buffer_prepare(cp_lua_buffer *buffer, size_t size);
void cp_lua_buffer_add(cp_lua_buffer *buffer, const char *bytes, size_t length);
void cp_lua_buffer_push(cp_lua_buffer *buffer);
#endif

#endif
