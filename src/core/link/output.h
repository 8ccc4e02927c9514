/* The output of a link: frames that wait until the descriptor takes them.
 *
 * Frames of one iteration are written together. Frames are accepted in any case; those who have
 * much to send ask whether the output is full, and wait until it is not. */
#ifndef CP_LINK_OUTPUT_H
#define CP_LINK_OUTPUT_H

#include "core/base/buffer.h"
#include "core/base/list.h"
#include "core/link/frame.h"
#include "core/loop/due.h"
#include "core/stream/stream.h"

/* Somebody who waits for room. Set the first two fields, and zero the others. */
typedef struct cp_link_waiter {
  void (*callback)(void *owner);
  void *owner;
  bool is_waiting;
  CP_QUEUE_ENTRY(cp_link_waiter) entry;
} cp_link_waiter;

typedef struct cp_link_output_callbacks {
  /* Writing has failed, and nothing more is written. Called once, from the loop. */
  void (*on_error)(void *owner, int error);
  /* Everything was written after cp_link_output_finish, and the descriptor is closed. */
  void (*on_finished)(void *owner);
} cp_link_output_callbacks;

typedef struct cp_link_output {
  cp_loop *loop;
  cp_stream *stream; /* NULL once it is closed */
  const cp_link_output_callbacks *callbacks;
  void *owner;
  cp_buffer bytes;
  size_t begin; /* bytes of the buffer that were written */
  cp_due due;
  int error; /* of writing, or 0 */
  bool is_reported;
  bool is_waiting; /* for room in the descriptor */
  bool finishing;
  bool finished;
  CP_QUEUE(cp_link_waiter) waiters;
} cp_link_output;

/* Makes an output that owns `fd`. Returns 0, or -ENOMEM and does not own it. It must not move. */
int cp_link_output_open(cp_link_output *output, cp_streams *streams, int fd,
                        const cp_link_output_callbacks *callbacks, void *owner);

/* Closes the descriptor, and drops what was not written. May be called again. */
void cp_link_output_close(cp_link_output *output);

/* Accepts bytes outside of frames: the mark. */
void cp_link_output_write(cp_link_output *output, const char *bytes, size_t length);

/* Accepts a frame with this payload. Drops it after an error and after cp_link_output_finish. */
void cp_link_output_frame(cp_link_output *output, cp_link_frame frame, const char *payload);

/* Whether the backlog is high, so that those who have more should wait. */
bool cp_link_output_is_full(const cp_link_output *output);

/* Calls back once when the output is not full any more, unless the waiter leaves before. */
void cp_link_output_await(cp_link_output *output, cp_link_waiter *waiter);
void cp_link_output_leave(cp_link_output *output, cp_link_waiter *waiter);

/* Closes the descriptor when everything was written. */
void cp_link_output_finish(cp_link_output *output);

#endif
