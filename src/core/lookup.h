/* The addresses of a host by its name.
 *
 * The C library can only wait for the answer, so it is asked on a thread. Not on one of libuv's: those
 * are waited for when the program ends, and a request on them cannot be left behind when its loop is
 * closed. Here a request that is cancelled is forgotten, and its thread cleans up when it is through. */
#ifndef CP_LOOKUP_H
#define CP_LOOKUP_H

#include "loop.h"

#include <netdb.h>

typedef struct cp_lookup cp_lookup;

/* On success `error` is 0 and `addresses` the answer, which is gone after the call; otherwise one of libuv's
 * numbers: UV_EAI_NONAME and the like, or a negative errno. The lookup is gone after the call, too. */
typedef void (*cp_lookup_cb)(void *owner, int error, const struct addrinfo *addresses);

/* Asks for the addresses of a family (AF_INET, AF_INET6, or AF_UNSPEC for both). The callback comes from the
 * loop, which is kept alive meanwhile. A few are asked at a time, the others wait. NULL if there is no
 * memory. */
cp_lookup *cp_lookup_start(cp_loop *loop, const char *host, int family, cp_lookup_cb callback,
                           void *owner);

/* The callback will not come. The thread goes on until it has its answer, and does not count as one of the
 * few any more. Accepts NULL, returns NULL. */
cp_lookup *cp_lookup_cancel(cp_lookup *lookup);

#endif
