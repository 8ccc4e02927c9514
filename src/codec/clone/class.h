/* The classes of JavaScript objects that Lua has no type for. Their objects are tables with a
 * metatable per class. The codec reads and sets their fields; clone.lua defines their methods. */
#ifndef CP_CLONE_CLASS_H
#define CP_CLONE_CLASS_H

#include "compat/lua.h"

#include <stdbool.h>

typedef enum cp_clone_class {
  CP_CLONE_NO_CLASS,
  CP_CLONE_MAP,          /* key, value, key, value, ... from 1; a deleted entry is two sentinels */
  CP_CLONE_SET,          /* members from 1; a deleted one is the sentinel */
  CP_CLONE_DATE,         /* time: milliseconds since 1970 */
  CP_CLONE_REGEXP,       /* source, flags: "gi" */
  CP_CLONE_BIGINT,       /* hex: "-0x1f" */
  CP_CLONE_ARRAY_BUFFER, /* bytes */
  CP_CLONE_TYPED_ARRAY,  /* type: "Uint8Array", bytes; also DataView and Buffer */
  CP_CLONE_ERROR,        /* name, message, stack, cause */
  CP_CLONE_CLASSES = CP_CLONE_ERROR
} cp_clone_class;

/* Pops a function that returns a list of the metatables, one per class in the order above. It is
 * called once, when the first of them is needed. */
void cp_clone_set_classes(lua_State *L);

/* Pushes a table that maps each class to its metatable and each metatable to its class. */
void cp_clone_push_classes(lua_State *L);

/* Makes the table on top of the stack an object of the class. */
void cp_clone_set_class(lua_State *L, cp_clone_class class);

/* Returns whether the value on top of the stack is an object of the class. */
bool cp_clone_has_class(lua_State *L, cp_clone_class class);

/* Pushes a field of the table at `index`, without its metamethods, and returns the type of the
 * field. */
int cp_clone_push_field(lua_State *L, int index, const char *name);

/* Pushes a field in the same way and returns it, or NULL if it is not a string. */
const char *cp_clone_push_string_field(lua_State *L, int index, const char *name, size_t *length);

#endif
