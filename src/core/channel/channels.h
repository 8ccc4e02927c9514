/* The channels of a loop: makes, serves and closes them. */
#ifndef CP_CHANNELS_H
#define CP_CHANNELS_H

#include "core/channel/channel.h"

typedef struct cp_channels {
  cp_loop *loop;
  CP_LIST(cp_channel) all;
} cp_channels;

void cp_channels_init(cp_channels *channels, cp_loop *loop);

/* Writes all accepted messages, waiting for the other sides to read, and closes the channels. */
void cp_channels_close(cp_channels *channels);

/* Writes as many of the accepted messages as the sockets take. Call it when the loop will not run
 * for a while. */
void cp_channels_flush(cp_channels *channels);

/* In a forked process: ends all channels without writing or reporting anything. The channels
 * remain, and accept no more messages. */
void cp_channels_give_up(cp_channels *channels);

/* Whether this is a channel that was closed, and still has messages to write. `owner` may be any
 * pointer. */
bool cp_channels_is_closed(const cp_channels *channels, const void *owner);

/* Makes a channel that owns `fd`. Returns NULL when out of memory; then the caller still owns the
 * descriptor. */
cp_channel *cp_channel_new(cp_channels *channels, int fd, const cp_channel_callbacks *callbacks,
                           void *owner);

/* Call it if the other side is in this process, too, and reads only while the loop runs: the end of
 * the process cannot wait for it. What was not written by then is lost. */
void cp_channel_set_local(cp_channel *channel);

/* Ends the channel: no callback is called afterwards. Writes the accepted messages first, which
 * keep the loop alive until then, and frees the channel. Accepts NULL, returns NULL. */
cp_channel *cp_channel_close(cp_channel *channel);

#endif
