/* Caches the names of fields while a message is decoded. Most messages repeat their names, and
 * pushing a cached string is faster than making Lua intern the bytes again. */
#ifndef CP_NAME_CACHE_H
#define CP_NAME_CACHE_H

#include "compat/lua.h"

#include <stdbool.h>

enum {
  CP_NAME_CACHE_SIZE = 32,
  /* Shorter messages rarely repeat a name, and are decoded without a cache. */
  CP_NAME_CACHE_LEAST = 200,
};

typedef struct cp_name_cache {
  int bottom; /* stack index of the first string */
  struct {
    const char *text;
    size_t length;
  } entries[CP_NAME_CACHE_SIZE];
} cp_name_cache;

/* Empties the cache. Pushes CP_NAME_CACHE_SIZE values, which must stay in their slots while the
 * cache is in use. */
void cp_name_cache_init(cp_name_cache *names, lua_State *L);

/* If the cache has the name, pushes it as a string and returns true. */
bool cp_name_cache_push_known(const cp_name_cache *names, lua_State *L, const char *text,
                              size_t length);

/* Pushes the name as a string, and caches it. `text` must not change while the cache is in use. */
void cp_name_cache_push(cp_name_cache *names, lua_State *L, const char *text, size_t length);

#endif
