/* Notices fork(2), and holds the lock for everything that all loops share. The process that calls
 * fork is the original, the new one its copy.
 *
 * A copy has our memory and our descriptors, but it shares the epoll sets behind them with the
 * original: if the copy adds or removes a descriptor there, the original's events change. A handler
 * of pthread_atfork cannot know whether the copy will ever use a loop, or what state the loops of
 * other threads are in. So it only increments cp_fork_depth, and replaces libuv's signal pipes.
 * Each loop records the depth of the process that it belongs to, and gets new sets when a copy
 * first uses it: see cp_loop_claim. A fork by a bare system call goes unnoticed. */
#ifndef CP_FORK_H
#define CP_FORK_H

#include "core/base/list.h"

#include <uv.h>

/* The number of forks between the first process and this one. Changes only in a copy, before
 * fork(2) returns there. */
extern unsigned cp_fork_depth;

/* A libuv loop whose signal pipe is replaced in each copy. */
typedef struct cp_fork_loop {
  const uv_loop_t *uv;
  CP_LIST_ENTRY(cp_fork_loop) entry;
} cp_fork_loop;

/* A function that is called in each copy, before fork(2) returns there. It holds the lock below,
 * and may only make system calls and change what that lock protects. */
typedef struct cp_fork_hook {
  void (*in_copy)(void);
  CP_LIST_ENTRY(cp_fork_hook) entry;
} cp_fork_hook;

/* Registers a hook, which lives as long as the program. */
void cp_fork_add_hook(cp_fork_hook *hook);

/* Register and unregister a loop, whichever thread it belongs to. */
void cp_fork_add(cp_fork_loop *loop, const uv_loop_t *uv);
void cp_fork_remove(cp_fork_loop *loop);

/* The lock for everything that all loops of the process share. The thread that calls fork(2) holds
 * it meanwhile, so it is free in the copy. */
void cp_fork_lock(void);
void cp_fork_unlock(void);

/* Call these, in any thread, before and after a call that takes locks of the C library. If a copy
 * were made during the call, nobody would release these locks in the copy, and the same call there
 * would block forever. So fork(2) waits for the call, but not for long, since the call may be
 * waiting for the network. */
void cp_fork_delay(void);
void cp_fork_delay_end(void);

#endif
