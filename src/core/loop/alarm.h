/* Wakes a host that waits for our descriptor with its own loop.
 *
 * The descriptor is readable when a watched descriptor is ready (poller.h). Timers, due entries and
 * what the host starts between two runs of our loop are no descriptors. The alarm makes up for
 * that: a descriptor that becomes readable when the loop needs its next iteration. So the host can
 * wait for our descriptor alone.
 *
 * Setting the alarm takes a system call, so only a loop whose descriptor a host has asked for has
 * one. */
#ifndef CP_ALARM_H
#define CP_ALARM_H

#include "core/loop/loop.h"

typedef struct cp_alarm cp_alarm;

/* Gives the loop an alarm, unless it has one, or is a host's: then the host knows what its loop
 * needs. With poller_uv.c this may call back for what has happened. Returns 0 or a negative
 * errno. */
int cp_alarm_open(cp_loop *loop);

/* Does nothing if the loop has no alarm. */
void cp_alarm_close(cp_loop *loop);

/* In a forked process: replaces the alarm, which is shared with the original, if there is one.
 * Returns 0, or a negative errno, after which the loop has no alarm. */
int cp_alarm_renew(cp_loop *loop);

#endif
