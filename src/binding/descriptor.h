/* A descriptor that nobody reads or writes yet: one that has come with a message. */
#ifndef CP_BINDING_DESCRIPTOR_H
#define CP_BINDING_DESCRIPTOR_H

#include <lua.h>

/* Pushes a new object and returns where its descriptor goes, which is closed with the object. */
int *cp_descriptor_push(lua_State *L);

/* Makes the class. */
void cp_descriptor_functions(lua_State *L);

#endif
