/* Classes of userdata. */
#ifndef CPL_OBJECT_H
#define CPL_OBJECT_H

#include "compat/lua.h"

/* Makes the metatable `name` with `metamethods` and a table with `methods` as its __index. Its
 * objects have one user value, the owner: the Lua object whose methods the loop calls. A class is
 * found by the address of its name, which saves looking up a string in each call; so `name` must be
 * the same array everywhere. */
void cpl_object_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                      const luaL_Reg *methods);

/* The same for objects that are their own owner and on which a script may set any field. The user
 * value is the table of these fields, which hide methods of the same name. Pushes the table of
 * methods. */
void cpl_object_open_class(lua_State *L, const char *name, const luaL_Reg *metamethods,
                           const luaL_Reg *methods);

/* Adds methods to a class that cpl_object_class has made, if several files implement it. */
void cpl_object_add_methods(lua_State *L, const char *name, const luaL_Reg *methods);

/* Pushes a new object of class `name`, zeroed and without an owner. */
void *cpl_object_new(lua_State *L, const char *name, size_t size);

/* Returns the object of class `name` at `index`, or NULL if the value is not one. */
void *cpl_object_test(lua_State *L, int index, const char *name);

/* The same, but raises if it is not one. */
void *cpl_object_check(lua_State *L, int index, const char *name);

/* handle:setOwner(owner): sets the object whose methods the loop calls. */
int cpl_object_set_owner(lua_State *L);

#endif
