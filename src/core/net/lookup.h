/* Looks up the addresses of a host.
 *
 * The C library blocks until it has the answer, so a lookup calls it on a thread. This is not one
 * of libuv's threads: libuv waits for those when the program ends, and a loop cannot be closed
 * while they work for it. Cancelling a lookup abandons its thread, which frees the request when it
 * has the answer. */
#ifndef CP_LOOKUP_H
#define CP_LOOKUP_H

#include "core/loop/loop.h"

#include <netdb.h>

typedef struct cp_lookup cp_lookup;

/* The lookups of a loop. */
typedef struct cp_lookups {
  cp_loop *loop;
  CP_QUEUE(cp_lookup) waiting;
  CP_QUEUE(cp_lookup) running;
  int running_count;
} cp_lookups;

void cp_lookups_init(cp_lookups *lookups, cp_loop *loop);

/* In a forked process: starts all unanswered lookups again. */
void cp_lookups_restart(cp_lookups *lookups);

/* On success `error` is 0 and `addresses` holds the answer. Otherwise `error` is one of libuv's
 * UV_EAI_* or a negative errno. `addresses` and the lookup are freed after the call. */
typedef void (*cp_lookup_cb)(void *owner, int error, const struct addrinfo *addresses);

/* Looks up the addresses of a family (AF_INET, AF_INET6, or AF_UNSPEC for both). Keeps the loop
 * alive until the callback is called. Only a few lookups run at a time; the others wait. Returns
 * NULL when out of memory. */
cp_lookup *cp_lookup_start(cp_lookups *lookups, const char *host, int family, cp_lookup_cb callback,
                           void *owner);

/* Cancels the lookup: the callback is not called. Its thread runs until it has an answer, but
 * `running_count` no longer includes it. Accepts NULL, returns NULL. */
cp_lookup *cp_lookup_cancel(cp_lookup *lookup);

#endif
