/* Draining a channel: delivers all messages that have arrived before another event is reported.
 *
 * After a child has ended, its messages are delivered before its exit is reported; and so is the
 * end of the channel, if that comes right after them. The kernel knows how many bytes have arrived,
 * so a descendant that keeps sending does not delay the report. */
#ifndef CP_DRAINING_H
#define CP_DRAINING_H

#include "core/channel/channel.h"

/* Delivers the messages that have arrived by now, tries once more to write, and then calls
 * on_drained, after any on_end and on_written. Keeps the loop alive. cp_channel_close cancels
 * it. */
void cp_channel_drain(cp_channel *channel);

/* Called by the loop while a channel is draining and active, before and after it writes. */
void cp_channel_drain_some(cp_channel *channel);
void cp_channel_report_drained(cp_channel *channel);

#endif
