/* The end of a message channel that our parent has opened for us. */
#ifndef CP_INHERITED_H
#define CP_INHERITED_H

#include <stdbool.h>

/* Takes what the environment tells of it, so that children of ours do not take the channel for theirs.
 * Returns its descriptor, close-on-exec from now on, and whether messages are in the advanced form; or -1, also
 * if what is told is wrong or was taken before. */
int cp_inherited_take(bool *advanced);

#endif
