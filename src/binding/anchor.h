/* Keeping an object while the kernel can still call back for it, and only then. */
#ifndef CP_ANCHOR_H
#define CP_ANCHOR_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

/* LUA_NOREF when the object is not anchored. */
typedef int cp_anchor;

/* Anchors the userdata at `index`, or lets go of it. Letting go cannot raise. */
void cp_anchor_set(lua_State *L, cp_anchor *anchor, int index, bool held);
void cp_anchor_release(lua_State *L, cp_anchor *anchor);

/* Pushes the object, or its owner (see object.h). */
void cp_anchor_push(lua_State *L, cp_anchor anchor);
void cp_anchor_push_owner(lua_State *L, cp_anchor anchor);

#endif
