/* What a child may use and who it is, as Lua describes it: a table with the fields, all of which
 * may be absent,
 *
 *   limits           a list of {resource, soft, hard}; a negative value means no limit
 *   nice, umask      integers
 *   affinity         a list of CPUs
 *   groups           a list of ids
 *   noNewPrivileges  a boolean */
#ifndef CPL_SPAWN_ATTRIBUTES_H
#define CPL_SPAWN_ATTRIBUTES_H

#include "compat/lua.h"
#include "core/process/spawn_attributes.h"

/* Reads the table on top of the stack, or raises. The result is in userdata that stay on the
 * stack. */
const cp_spawn_attributes *cpl_spawn_attributes_read(lua_State *L);

#endif
