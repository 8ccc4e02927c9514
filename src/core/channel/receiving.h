/* The receiving side of a channel. */
#ifndef CP_RECEIVING_H
#define CP_RECEIVING_H

#include "core/channel/channel.h"

/* Starts or stops reading. */
int cp_channel_set_reading(cp_channel *channel, bool on);

/* Sets how messages are separated. Call it before the first one arrives. They are lines by
 * default. */
void cp_channel_set_framing(cp_channel *channel, cp_framing framing);

/* Sets the greatest size of a message. A larger one ends the channel. */
void cp_channel_set_max_message(cp_channel *channel, size_t bytes);

/* Takes the next message, which stays valid until the callback returns. Returns false if there is
 * no complete message, or if reading has ended. Call it from on_messages only. */
bool cp_channel_next(cp_channel *channel, const char **message, size_t *length);

/* Returns the number of bytes of the messages taken since the start. */
uint64_t cp_channel_received(const cp_channel *channel);

/* Takes the descriptor, close-on-exec, that came with the last message taken. Returns -1 if there
 * was none. */
int cp_channel_take_descriptor(cp_channel *channel);

/* From now on receives only messages whose first byte has arrived already, and sends no more. Calls
 * on_end after the last one. Returns false if no such message is left: then on_end is not
 * called. */
bool cp_channel_finish(cp_channel *channel);

/* The loop calls these while the channel is active. */

/* Whether there are received messages that were not delivered. */
static inline bool cp_channel_has_undelivered(const cp_channel *channel)
{
  return channel->reading && channel->inbox.window_length > 0;
}

/* Delivers the received messages. */
void cp_channel_deliver(cp_channel *channel);

/* Reads a few times at most, and delivers the messages. */
void cp_channel_receive(cp_channel *channel);

/* Reads once, and drops what it has read. */
void cp_channel_discard(cp_channel *channel);

#endif
