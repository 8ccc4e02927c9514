/* Passes to Lua what a process has used. */
#ifndef CPL_USAGE_H
#define CPL_USAGE_H

#include "compat/lua.h"
#include "core/sys/usage.h"

/* Pushes a table with the names of Node's process.resourceUsage for a child that has ended; nil if
 * its usage is not known. */
void cpl_usage_push(lua_State *L, const cp_usage *usage);

/* Pushes a string of bytes from which unpackUsage makes that table. This is much cheaper, and few
 * callers ask for the table. */
void cpl_usage_push_packed(lua_State *L, const cp_usage *usage);

#endif
