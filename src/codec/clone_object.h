/* The classes whose objects hold no other values, between Lua and the format. */
#ifndef CP_CLONE_OBJECT_H
#define CP_CLONE_OBJECT_H

#include "clone_class.h"
#include "clone_output.h"

/* Pushes a field of the table at `index`, which has a metatable, and returns its type. */
int cp_clone_push_field(lua_State *L, int index, const char *name);

/* Whether objects of the class are written by the next one. */
bool cp_clone_is_leaf(cp_clone_class class);

/* Writes the object on top of the stack. Returns NULL, or what is wrong with it as the rest of a
 * sentence; then something may have been written and pushed. */
const char *cp_clone_put_object(cp_clone_output *out, cp_clone_class class);

/* An error is written in three parts. These two write the first and the last of the one on top of the
 * stack: its kind and message, then its stack and the end. The caller writes the cause in between. */
void cp_clone_put_error_head(cp_clone_output *out);
void cp_clone_put_error_tail(cp_clone_output *out);

/* The name of the errors of a kind; NULL if the byte stands for none. */
const char *cp_clone_error_name(unsigned char tag);

#endif
