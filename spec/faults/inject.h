/* Lets one call of the module fail.
 *
 * The functions of the C library and of libuv that the module calls are defined once more in the
 * host program (inject.c), where the dynamic linker finds them first. They count the calls that
 * come from the module's own code, in any process: a child that is being started finds the counter
 * in shared memory. Calls from elsewhere (Lua, the C library, libuv itself) are not counted. Unlike
 * a preloaded library this does not affect the programs that are started. */
#ifndef INJECT_H
#define INJECT_H

#include <stdbool.h>

typedef enum inject_mode {
  INJECT_ERROR,     /* the call fails with an errno that is usual for it */
  INJECT_INTERRUPT, /* the call is interrupted by a signal; only calls that can be are counted */
} inject_mode;

/* Finds the code whose calls count: that of a loaded shared object. Returns false if no object has
 * this name. */
bool inject_open(const char *object);

/* From now on counts calls, and lets the one with number `point` (from 1 on) fail; 0 for none.
 * Stores its name in `name`, INJECT_NAME_SIZE zero bytes of memory that the process shares with its
 * children. To be called once, in the process that makes the calls. Returns false when out of
 * memory. */
enum { INJECT_NAME_SIZE = 32 };
bool inject_arm(inject_mode mode, long point, char *name);

/* Stops counting; returns the number of calls. */
long inject_disarm(void);

/* The errno with which a call has failed, or 0. */
int inject_failed(void);

#endif
