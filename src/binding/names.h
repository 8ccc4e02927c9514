/* Names and numbers of signals and of errors of the system. */
#ifndef CP_BINDING_NAMES_H
#define CP_BINDING_NAMES_H

#include <lua.h>

/* Gives the table on top of the stack `errorText` and the fields `signals` and `errno`, tables from name to
 * number and from number to name. They are made when they are first asked for: hundreds of names, which a
 * forked child should not have to wait for. */
void cp_names_functions(lua_State *L);

#endif
