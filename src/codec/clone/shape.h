/* Decides what a table becomes in JavaScript: an array, dense or sparse, or an object. */
#ifndef CP_CLONE_SHAPE_H
#define CP_CLONE_SHAPE_H

#include "compat/lua.h"

#include <stdbool.h>
#include <stdint.h>

/* The greatest length of a JavaScript array. */
#define CP_CLONE_LONGEST_ARRAY UINT32_MAX

typedef struct cp_clone_shape {
  bool is_array;
  bool is_sparse;  /* the array has more holes than a dense one */
  bool has_others; /* the array has string keys besides its elements */
  uint32_t length;
} cp_clone_shape;

/* Returns the shape of the table on top of the stack. Without the array mark the table is an array
 * if its keys are exactly 1 to n, n > 0. With the mark it is an array unless it has a key that a
 * JavaScript array cannot have: a number below 1, or a string that starts like a number. */
cp_clone_shape cp_clone_shape_of(lua_State *L, bool is_marked);

/* Returns whether a number, a key of the table, can become the name of a JavaScript property: Lua
 * and JavaScript write the number alike, and that text is not itself a key of the table. */
bool cp_clone_is_name(lua_State *L, int table, int key);

#endif
