/* Records which descriptors objects of this module own and will close.
 *
 * A script may name a descriptor by its number ({fd = 7}). If an object of any Lua state already
 * owned that descriptor, it would be closed twice, and the second time the number could belong to
 * another file. Numbers above thirty million are not recorded. */
#ifndef CP_OWNED_H
#define CP_OWNED_H

#include <stdbool.h>

/* Records that an object owns the descriptor; that object must close it with cp_fd_close. Returns
 * false if another object owns it already. Ignores -1. */
bool cp_owned_add(int fd);

/* Records that no object owns the descriptor any more: it is closed, or other code will close
 * it. */
void cp_owned_remove(int fd);

bool cp_owned_has(int fd);

#endif
