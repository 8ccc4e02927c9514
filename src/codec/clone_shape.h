/* What a table is to JavaScript. */
#ifndef CP_CLONE_SHAPE_H
#define CP_CLONE_SHAPE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* The most entries of a JavaScript array. */
#define CP_CLONE_LONGEST_ARRAY UINT32_MAX

typedef struct cp_clone_shape {
  bool is_array;
  bool is_sparse;  /* there are entries beyond the border that Lua sees */
  bool has_others; /* an array with fields that have names */
  uint32_t length;
} cp_clone_shape;

/* The shape of the table on top of the stack, marked as an array or not. Without the mark a table is
 * an array if its keys are exactly 1 to n, n > 0. With it, unless it has keys that no array has:
 * numbers below 1, or names like those of entries. */
cp_clone_shape cp_clone_shape_of(lua_State *L, bool is_marked);

/* Whether a number that is a key of a table can be written as the name of a property. Lua and
 * JavaScript have to write the number alike. No string among the table's keys may have that text. */
bool cp_clone_is_name(lua_State *L, int table, int key);

#endif
