/* The end of the process, and of loops, for their channels: what was accepted is written before. */
#ifndef CP_CHANNEL_EXIT_H
#define CP_CHANNEL_EXIT_H

#include "channel.h"

/* Every channel is known here from its begin to its end. */
void cp_channel_exit_add(cp_channel *channel);
void cp_channel_exit_remove(cp_channel *channel);

/* Frees a channel with what it has not written. For channel.c and channel_exit.c. */
void cp_channel_destroy(cp_channel *channel);

#endif
