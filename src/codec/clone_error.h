/* Error objects: their kinds and fields, as Lua has them and as they are written. */
#ifndef CP_CLONE_ERROR_H
#define CP_CLONE_ERROR_H

#include "clone_output.h"

/* An error is written in three parts. These two write the first and the last of the one on top of the
 * stack: its kind and message, then its stack and the end. The caller writes the cause in between. */
void cp_clone_put_error_head(cp_clone_output *out);
void cp_clone_put_error_tail(cp_clone_output *out);

/* The name of the errors of a kind; NULL if the byte stands for none. */
const char *cp_clone_error_name(unsigned char tag);

/* Gives the table on top of the stack the name and the message that every error has, where it has come
 * without. */
void cp_clone_complete_error(lua_State *L);

#endif
