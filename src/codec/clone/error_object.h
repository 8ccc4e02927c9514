/* JavaScript's Error objects: their kinds, and how their fields are written. */
#ifndef CP_CLONE_ERROR_OBJECT_H
#define CP_CLONE_ERROR_OBJECT_H

#include "codec/clone/output.h"

/* Writes the tag, the kind, the message and the stack of the Error on top of the Lua stack. The
 * caller writes the cause, which may be any value, and the end tag. (Node 20 reads the parts in any
 * order, later ones only in this.) */
void cp_clone_put_error_texts(cp_clone_output *out);

/* Returns the name of a kind of Error, or NULL for an unknown tag. */
const char *cp_clone_error_name(unsigned char tag);

/* Gives the Error on top of the stack the default name and message if it lacks them. */
void cp_clone_complete_error(lua_State *L);

#endif
