/* The names of fields repeat in most messages. A name that came before need not be looked up among
 * the strings of Lua. */
#ifndef CP_NAME_CACHE_H
#define CP_NAME_CACHE_H

#include <lua.h>
#include <stdbool.h>

enum { CP_NAME_CACHE_SIZE = 32 };

typedef struct cp_name_cache {
  int bottom; /* where the strings are on the Lua stack */
  struct {
    const char *text;
    size_t length;
  } entries[CP_NAME_CACHE_SIZE];
} cp_name_cache;

/* Pushes CP_NAME_CACHE_SIZE values, which have to stay where they are for as long as the names are used. */
void cp_name_cache_init(cp_name_cache *names, lua_State *L);

/* Pushes the name as a string if it is one that came before. */
bool cp_name_cache_push_known(const cp_name_cache *names, lua_State *L, const char *text,
                              size_t length);

/* Pushes the name as a string. The text has to stay, too. */
void cp_name_cache_push(cp_name_cache *names, lua_State *L, const char *text, size_t length);

#endif
