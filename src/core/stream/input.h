/* What arrives at the descriptor of a stream, and where it ends.
 *
 * Most input ends where that of the descriptor does. That of a terminal ends when no process has
 * the terminal open, which the system reports as an error; we have it open ourselves until the
 * input may end. And input that other processes hold open may be told to end after what has
 * arrived. */
#ifndef CP_INPUT_H
#define CP_INPUT_H

#include <stdbool.h>
#include <sys/types.h>

/* How a descriptor is read. */
typedef enum cp_input_call {
  CP_INPUT_PLAIN, /* it is non-blocking, or a file, which never makes us wait */
  CP_INPUT_SOCKET,
  CP_INPUT_NOWAIT, /* another program may have made the open file blocking */
} cp_input_call;

typedef struct cp_input {
  bool is_terminal;
  int kept;      /* of a terminal: its other end, which we keep open, or -1 */
  bool lets_end; /* see cp_input_let_end */
  bool ends;     /* see cp_input_end_after_rest */
  size_t rest;   /* if `ends`: the bytes that remain */
} cp_input;

void cp_input_init(cp_input *input, bool is_terminal);

/* Closes the end that is kept open. */
void cp_input_close(cp_input *input);

/* See cp_stream_keep_open. */
void cp_input_keep_open(cp_input *input, int other);

/* Lets a terminal end: the next read that finds nothing closes the other end. */
void cp_input_let_end(cp_input *input);

/* See cp_stream_end_after_rest. */
ssize_t cp_input_end_after_rest(cp_input *input, int fd);

/* Whether it must be read to notice its end, because no event may report that: other processes, or
 * we ourselves, keep its other end open. */
bool cp_input_needs_no_event(const cp_input *input);

/* Whether another process holds the other end, or this one does. */
bool cp_input_is_held(cp_input *input, int fd);

/* Reads once, and does not wait. Returns the number of bytes, 0 at the end, or a negative errno:
 * -EAGAIN if nothing has arrived. */
ssize_t cp_input_read(cp_input *input, int fd, cp_input_call call, char *data, size_t size);

#endif
