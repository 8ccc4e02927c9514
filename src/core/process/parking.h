/* Reserves low descriptor numbers for the descriptors that a child needs while it starts.
 *
 * A child that shares our memory starts with our descriptor table and then keeps only a copy of its
 * low part (cp_sys_start.keep_below), so that the cost of a start does not grow with the number of
 * open descriptors. What the child needs must be in that part, but in a program with thousands of
 * descriptors new ones have high numbers. So we reserve a few low numbers, and during a start we
 * copy high descriptors to them ("park" them). Between starts all of them refer to /dev/null. */
#ifndef CP_PARKING_H
#define CP_PARKING_H

#include <stdbool.h>

enum { CP_PARKING_PLACES = 4 };

typedef struct cp_parking {
  int null;                      /* a descriptor of /dev/null; -1: nothing is reserved */
  int places[CP_PARKING_PLACES]; /* -1: there is no such place */
} cp_parking;

/* Makes a parking with nothing reserved. */
void cp_parking_init(cp_parking *parking);

/* Reserves all descriptors or none. Returns 0 or a negative errno. */
int cp_parking_reserve(cp_parking *parking);
void cp_parking_release(cp_parking *parking);
bool cp_parking_is_reserved(const cp_parking *parking);

/* Parks the high descriptors among `fds`, and replaces them in that list. If there are too few
 * places, the rest stay as they are. Returns the number of places taken, for cp_parking_leave. */
int cp_parking_enter(cp_parking *parking, int *fds, int count);
void cp_parking_leave(cp_parking *parking, int taken);

#endif
