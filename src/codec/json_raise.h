/* The errors of encoding, which say where in the value they are. */
#ifndef CP_JSON_RAISE_H
#define CP_JSON_RAISE_H

#include <lua.h>

/* Raises an error about the value on top of the stack, which is `levels` keys away from the
 * outermost. From `bottom` on the stack holds, in turns, a table and the key of the next one. */
void cp_json_raise(lua_State *L, int bottom, int levels, const char *reason);

#endif
