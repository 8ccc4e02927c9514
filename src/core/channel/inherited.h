/* The channel that our parent has opened for us. */
#ifndef CP_INHERITED_H
#define CP_INHERITED_H

#include <stdbool.h>

/* Finds the channel in the environment, and removes it there so that our children do not use it.
 * Returns its descriptor, which is now close-on-exec, and stores whether messages use advanced
 * serialization. Returns -1 if the variables are missing or do not name a socket. */
int cp_inherited_take(bool *advanced);

#endif
