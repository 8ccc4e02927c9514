/* Classes of userdata. */
#ifndef CP_OBJECT_H
#define CP_OBJECT_H

#include <lauxlib.h>
#include <lua.h>

/* Makes the metatable `name` with `metamethods` and a table with `methods` as its __index. Its objects
 * have one user value, the owner: the Lua object that callbacks go to. The class is known by the address
 * of its name, which saves looking up a string in each call; so `name` is the same array everywhere. */
void cp_object_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                     const luaL_Reg *methods);

/* The same for objects that are their own owner and on which a script may set any field: the user
 * value is a table with these, which come before the methods. Pushes the table of methods. */
void cp_object_open_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                          const luaL_Reg *methods);

/* Makes a zeroed object of class `name`, without owner, and pushes it. */
void *cp_object_new(lua_State *L, const char *name, size_t size);

/* The object of class `name` at `index`, NULL if it is none. */
void *cp_object_test(lua_State *L, int index, const char *name);

/* The same, but raises if it is none. */
void *cp_object_check(lua_State *L, int index, const char *name);

/* Pushes nothing on success, the negative errno otherwise. Returns the number of results. */
int cp_push_errno(lua_State *L, int r);

/* Pushes nil and the negative errno. Returns the number of results. */
int cp_push_failure(lua_State *L, int r);

/* The integer at `index`; raises if it does not fit into an int, where cutting it would make another
 * valid number of it. */
int cp_check_int(lua_State *L, int index);

/* Adds `kindOf` to the table on top of the stack. */
void cp_object_functions(lua_State *L);

/* method(self, owner): says whom callbacks go to. */
int cp_object_set_owner(lua_State *L);

#endif
