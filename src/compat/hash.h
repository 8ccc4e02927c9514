/* Predicts where Lua stores numbers in a table. This repeats the arithmetic of Lua's ltable.c,
 * which depends on the version, and of LuaJIT's lj_tab.c. */
#ifndef CP_COMPAT_HASH_H
#define CP_COMPAT_HASH_H

#include "compat/lua.h"

#include <stdbool.h>
#include <stdint.h>

/* Returns the place of the number at `index` in a hash part with 1 << `bits` places. */
uint64_t cp_hash_place(lua_State *L, int index, unsigned bits);

/* Returns the logarithm of the least power of two that is not less than `n`. */
unsigned cp_hash_ceil_log2(uint64_t n);

/* The number of integer keys in each slice: up to 1, and from there up to each power of two. */
typedef struct cp_hash_integers {
  uint64_t up_to[64];
} cp_hash_integers;

/* Counts the key at `index` if it is a positive integer. */
void cp_hash_count(lua_State *L, int index, cp_hash_integers *counts);

/* Returns the size of the array part that Lua makes for these keys. `*inside` becomes the number of
 * keys in it. */
uint64_t cp_hash_array_size(const cp_hash_integers *counts, uint64_t *inside);

/* Returns whether the key at `index` is a number outside an array part of this size. */
bool cp_hash_is_outside(lua_State *L, int index, uint64_t array_size);

#endif
