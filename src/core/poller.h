/* How the loop learns that descriptors are ready, underneath watch.h.
 *
 * For most that is an epoll set of our own, which the libuv loop polls: a descriptor costs two system
 * calls in its life instead of libuv's six or seven, and is forgotten at once. Busy watches, and all of
 * them when built with CP_POLLER_UV, are a uv_poll_t each. */
#ifndef CP_POLLER_H
#define CP_POLLER_H

#include "watch.h"

#if defined(__linux__) && !defined(CP_POLLER_UV)
#define CP_POLLER_EPOLL
#endif

typedef struct cp_poller cp_poller;

int cp_poller_open(cp_loop *loop);
void cp_poller_close(cp_loop *loop);

/* Makes watch->events and watch->referenced effective. UV_EPERM if the descriptor cannot be polled;
 * nothing has changed then. */
int cp_poller_update(cp_watch *watch);

/* The watch is being closed. */
void cp_poller_forget(cp_watch *watch);

/* The same two for a watch that is a uv_poll_t. */
int cp_poller_uv_update(cp_watch *watch);
void cp_poller_uv_forget(cp_watch *watch);

#endif
