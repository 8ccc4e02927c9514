/* The end of the process, and of loops, for their channels: what was accepted is written before. */
#ifndef CP_CHANNEL_EXIT_H
#define CP_CHANNEL_EXIT_H

#include "channel.h"

/* Every channel is known here from its begin to its end. */
void cp_channel_exit_add(cp_channel *channel);
void cp_channel_exit_remove(cp_channel *channel);

/* One of the loop's channels, NULL if there are none. */
cp_channel *cp_channel_exit_find(const cp_loop *loop);

/* Writes everything, waiting for the other side if need be. */
void cp_channel_exit_flush(cp_channel *channel);

#endif
