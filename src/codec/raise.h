/* The errors of encoding, which say where in the value they are. */
#ifndef CP_RAISE_H
#define CP_RAISE_H

#include <lua.h>

/* Raises an error about the value on top of the stack, which is `levels` keys away from the
 * outermost. From `bottom` on the stack holds, in turns, a table and the key of the next one. The
 * function that makes the error is in the registry, with the light userdata `maker` as its key: it
 * is given where the value is ("message.list[3]"), the value, and what is wrong with it as the rest
 * of a sentence ("closes a cycle"). Where there is none the error is a string. */
void cp_raise(lua_State *L, const void *maker, int bottom, int levels, const char *reason);

/* Raises the error that Lua raises itself where there is no memory. */
void cp_raise_memory(lua_State *L);

#endif
