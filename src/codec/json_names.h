/* The names of members repeat in most texts. A name that came before need not be looked up among
 * the strings of Lua. */
#ifndef CP_JSON_NAMES_H
#define CP_JSON_NAMES_H

#include <lua.h>

enum { CP_JSON_NAMES = 32 };

typedef struct cp_json_names {
  int bottom; /* where the strings are on the Lua stack */
  struct {
    const char *text;
    size_t length;
  } entries[CP_JSON_NAMES];
} cp_json_names;

/* Pushes CP_JSON_NAMES values, which have to stay where they are for as long as the names are
 * used. */
void cp_json_names_init(cp_json_names *names, lua_State *L);

/* Pushes the name as a string. The text has to stay, too. */
void cp_json_names_push(cp_json_names *names, lua_State *L, const char *text, size_t length);

#endif
