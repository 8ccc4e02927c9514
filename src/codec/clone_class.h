/* The Lua objects that stand for JavaScript's: tables with certain metatables. Their methods are
 * Lua's business; here they are their fields. */
#ifndef CP_CLONE_CLASS_H
#define CP_CLONE_CLASS_H

#include <lua.h>
#include <stdbool.h>

typedef enum cp_clone_class {
  CP_CLONE_NO_CLASS,
  CP_CLONE_MAP,          /* key, value, key, value, ... from 1, or twice the mark of deleted ones */
  CP_CLONE_SET,          /* its values, from 1, or that mark */
  CP_CLONE_DATE,         /* time: milliseconds since 1970 */
  CP_CLONE_REGEXP,       /* source, flags: "gi" */
  CP_CLONE_BIGINT,       /* hex: "-0x1f" */
  CP_CLONE_ARRAY_BUFFER, /* bytes */
  CP_CLONE_TYPED_ARRAY,  /* type: "Uint8Array", bytes; also of DataView and Buffer */
  CP_CLONE_ERROR,        /* name, message, stack, cause */
  CP_CLONE_CLASSES = CP_CLONE_ERROR
} cp_clone_class;

/* Pushes a table with the metatable of each class, and the class of each metatable. */
void cp_clone_push_classes(lua_State *L);

/* Gives the table on top of the stack the metatable of a class. */
void cp_clone_set_class(lua_State *L, cp_clone_class class);

/* Whether the value on top of the stack is an object of the class. */
bool cp_clone_has_class(lua_State *L, cp_clone_class class);

/* Pushes a field of the table at `index`, which has a metatable, and returns its type. */
int cp_clone_push_field(lua_State *L, int index, const char *name);

/* The same, and returns the string that the field is; NULL if it is none. */
const char *cp_clone_push_string_field(lua_State *L, int index, const char *name, size_t *length);

#endif
