/* The names of fields repeat in most messages. A name that came before need not be looked up among
 * the strings of Lua. */
#ifndef CP_NAMES_H
#define CP_NAMES_H

#include <lua.h>
#include <stdbool.h>

enum { CP_NAMES = 32 };

typedef struct cp_names {
  int bottom; /* where the strings are on the Lua stack */
  struct {
    const char *text;
    size_t length;
  } entries[CP_NAMES];
} cp_names;

/* Pushes CP_NAMES values, which have to stay where they are for as long as the names are used. */
void cp_names_init(cp_names *names, lua_State *L);

/* Pushes the name as a string if it is one that came before. */
bool cp_names_push_known(const cp_names *names, lua_State *L, const char *text, size_t length);

/* Pushes the name as a string. The text has to stay, too. */
void cp_names_push(cp_names *names, lua_State *L, const char *text, size_t length);

#endif
