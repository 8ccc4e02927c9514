/* The sending side of a channel.
 *
 * The channel gathers messages and writes them before the loop waits again, so that those of one
 * iteration are written together. It writes sooner if they are many or the iteration takes long. */
#ifndef CP_SENDING_H
#define CP_SENDING_H

#include "core/channel/channel.h"

/* Accepts a whole message with its framing, and a copy of descriptor `fd` unless that is -1.
 * Empties the buffer. If it fails, nothing of the message is sent. Returns -EPIPE after
 * cp_channel_finish, and -EPIPE or -ECONNRESET once writing has failed because the other side has
 * closed. */
int cp_channel_send(cp_channel *channel, cp_buffer *message, int fd);

/* The same for a message that is never held back. */
int cp_channel_reply(cp_channel *channel, cp_buffer *message);

/* Drops what was not written yet, since nobody would read it. Nothing can be sent any more. */
void cp_channel_drop(cp_channel *channel);

/* Call these when the other side has acknowledged the last descriptor, or reports it missing: see
 * outbox.h. */
void cp_channel_acknowledge(cp_channel *channel);
int cp_channel_retry(cp_channel *channel);

/* Writes as much as the socket takes. An error is reported from the loop. */
void cp_channel_flush(cp_channel *channel);

/* Return the number of bytes accepted since the start, how many of them have been written, and the
 * number of bytes that are still to be written, including replies. */
uint64_t cp_channel_accepted(const cp_channel *channel);
uint64_t cp_channel_written(const cp_channel *channel);
size_t cp_channel_backlog(const cp_channel *channel);

/* Whether a descriptor waits for its acknowledgement. */
bool cp_channel_awaits_ack(const cp_channel *channel);

/* Whether the backlog is so high that the sender should wait before it sends more. */
bool cp_channel_is_backlog_high(const cp_channel *channel);

/* Special numbers of bytes to await: none, and everything accepted, including replies. */
#define CP_CHANNEL_NOTHING UINT64_MAX
#define CP_CHANNEL_EVERYTHING (UINT64_MAX - 1)

/* Calls on_written once, when `total` bytes have been written. */
void cp_channel_await_written(cp_channel *channel, uint64_t total);

/* The loop calls this while the channel is active. Writes as much as the socket takes, gives up
 * after an error, and calls on_written if the awaited bytes have been written or writing has
 * failed. */
void cp_channel_write(cp_channel *channel);

#endif
