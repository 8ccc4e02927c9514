/* The child's side of a start: from its birth until it executes the program.
 *
 * Usually the child shares the parent's memory while the parent's thread is suspended. Everything
 * that it writes stays there. So:
 *
 * - It calls nothing that allocates, locks or caches. It only makes system calls, with the
 *   functions of sys/process.h where the C library's do more. It may change errno, which the parent
 *   does not use.
 * - It does not change its user or group. The kernel would clear the dumpable flag of the memory
 *   for good; and processes of the new user could stop the child, and the parent with it. A child
 *   that changes them gets a copy of the memory.
 * - It runs no signal handler: all signals, those of the C library included, stay blocked until the
 *   handlers are removed. It cannot be cancelled either: the parent's thread has disabled
 *   cancellation, and that flag is in the memory.
 * - It ends by _exit, which runs no exit handlers of the parent. */
#ifndef CP_SPAWN_CHILD_H
#define CP_SPAWN_CHILD_H

#include "core/process/spawn_plan.h"
#include "core/sys/process.h"

/* Carries out `plan` (a cp_spawn_plan); does not return. A cp_sys_child_body. */
CP_ON_CHILD_STACK _Noreturn void cp_spawn_child(void *plan, bool has_no_handlers);

#endif
