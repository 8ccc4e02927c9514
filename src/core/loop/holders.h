/* Lists everything that keeps a loop alive, so that users can find out why a program does not
 * end. */
#ifndef CP_HOLDERS_H
#define CP_HOLDERS_H

#include "core/loop/loop.h"

/* `fd` is the descriptor that is waited for, and `type` is NULL; or `fd` is -1, and `type` is that
 * of the libuv handle. `owner` is what will be called back: the owner of an interest, of a due
 * entry or of a retry, or the `data` of a libuv handle. */
typedef void (*cp_holder_cb)(void *argument, int fd, const char *type, void *owner);

/* Calls back for everything that keeps the loop alive. The callback must not change that. */
void cp_holders_visit(const cp_loop *loop, cp_holder_cb callback, void *argument);

/* Whether anything keeps the loop alive except for due entries (due.h). */
bool cp_holders_exist(const cp_loop *loop);

#endif
