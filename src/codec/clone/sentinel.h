/* Light userdata that represent JavaScript values without a counterpart in Lua. */
#ifndef CP_CLONE_SENTINEL_H
#define CP_CLONE_SENTINEL_H

#include "compat/lua.h"

#include <stdbool.h>

/* JavaScript's undefined. */
void cp_clone_push_undefined(lua_State *L);
bool cp_clone_is_undefined(lua_State *L, int index);

/* A deleted entry of a Map or Set. */
void cp_clone_push_deleted(lua_State *L);
bool cp_clone_is_deleted(lua_State *L, int index);

#endif
