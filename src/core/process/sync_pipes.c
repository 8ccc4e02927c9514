/* Our ends are non-blocking, and one poll(2) covers all of them. */
#include "core/process/sync_pipes.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/stream/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The most reads of one pipe before we look at the other pipes and the clock. Together they take
 * more than any pipe holds. */
enum { READS_AT_ONCE = 16 };

int cp_sync_pipes_init(cp_sync_pipes *pipes, const cp_sync_options *options,
                       cp_sync_output *outputs)
{
  size_t count = (size_t)options->spawn.stdio_count;

  *pipes = (cp_sync_pipes){.options = options, .outputs = outputs, .terminal = -1};
  /* One piece of memory for both lists. */
  pipes->polled = malloc((count + 2) * sizeof(*pipes->polled) + (count + 1) * sizeof(int));
  if (pipes->polled == NULL) {
    return -ENOMEM;
  }
  pipes->child_fds = (int *)(pipes->polled + count + 2);
  return 0;
}

void cp_sync_pipes_free(cp_sync_pipes *pipes)
{
  free(pipes->polled);
  pipes->polled = NULL;
}

static void note_error(cp_sync_pipes *pipes, int error)
{
  if (pipes->error == 0) {
    pipes->error = error;
  }
}

static cp_stdio *entry_of(const cp_sync_pipes *pipes, int i)
{
  return &pipes->options->spawn.stdio[pipes->child_fds[i]];
}

static bool is_input(const cp_sync_pipes *pipes, int i)
{
  return i != pipes->terminal &&
         cp_stdio_direction(entry_of(pipes, i)->kind, pipes->child_fds[i]) == CP_STDIO_WRITE;
}

static void close_end(cp_sync_pipes *pipes, int i)
{
  if (pipes->polled[i].fd != -1) {
    if (i == pipes->terminal) {
      cp_terminal_close(pipes->options->spawn.terminal);
    } else {
      entry_of(pipes, i)->ours = cp_fd_close(pipes->polled[i].fd);
    }
    pipes->polled[i].fd = -1;
    CP_ASSERT(pipes->open > 0);
    pipes->open--;
  }
}

static void put_input(cp_sync_pipes *pipes, int i)
{
  const cp_sync_options *options = pipes->options;
  int fd = pipes->polled[i].fd;
  bool first = pipes->written == 0;
  ssize_t n = 0;

  while (pipes->written < options->input_length) {
    struct iovec rest = {(char *)options->input + pipes->written,
                         options->input_length - pipes->written};

    n = cp_fd_writev(fd, &rest, 1);
    if (n == -EAGAIN) {
      if (first) {
        cp_pipe_enlarge(fd);
      }
      return;
    }
    if (n < 0) {
      /* A program need not read all of its input. */
      if (n != -EPIPE) {
        note_error(pipes, (int)n);
      }
      break;
    }
    pipes->written += (size_t)n;
  }
  close_end(pipes, i);
}

/* Whether this is the terminal, which nobody has open: the system reports that as an error. */
static bool has_ended(const cp_sync_pipes *pipes, int i)
{
  return i == pipes->terminal && pipes->options->spawn.terminal->theirs == -1;
}

/* Reads once. Returns 1 if there may be more at once, 0 if not, or a failure that ends the run. */
static int take_output(cp_sync_pipes *pipes, int i)
{
  int fd = pipes->polled[i].fd;
  cp_buffer *output = &pipes->outputs[pipes->child_fds[i]].bytes;
  bool is_dropped = pipes->child_fds[i] == STDIN_FILENO;
  size_t room = is_dropped ? CP_READ_SIZE : pipes->options->max_buffer - output->length;
  /* One byte more than allowed, to notice when the limit is exceeded. */
  size_t size = room < CP_READ_SIZE ? room + 1 : CP_READ_SIZE;
  bool small = output->length < CP_READ_SIZE;
  ssize_t n = cp_buffer_reserve(output, size);

  CP_ASSERT(output->length <= pipes->options->max_buffer);
  if (n < 0) {
    return (int)n;
  }
  n = read(fd, output->data + output->length, size);
  if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
    return 0;
  }
  if (n <= 0) {
    bool is_end = n == 0 || (errno == EIO && has_ended(pipes, i));

    note_error(pipes, is_end ? 0 : -errno);
    close_end(pipes, i);
    return 0;
  }
  if ((size_t)n > room) {
    output->length += room;
    return -ENOBUFS;
  }
  output->length += is_dropped ? 0 : (size_t)n;
  /* A child that has written a pipeful is likely to have filled the pipe, and to write more. */
  if (small && output->length >= CP_READ_SIZE && i != pipes->terminal) {
    cp_pipe_enlarge(fd);
  }
  /* A terminal hands over a few kilobytes at most. */
  return (size_t)n == size || i == pipes->terminal;
}

/* Reads after a hangup, too: the pipe may still hold bytes that were written before it. */
static int take_outputs(cp_sync_pipes *pipes, int i)
{
  int r = 1;

  for (int n = 0; n < READS_AT_ONCE && r == 1; n++) {
    r = take_output(pipes, i);
  }
  return r < 0 ? r : 0;
}

static void add_end(cp_sync_pipes *pipes, int ours, short events, int child_fd)
{
  pipes->polled[pipes->count] = (struct pollfd){ours, events, 0};
  pipes->child_fds[pipes->count++] = child_fd;
  pipes->open++;
}

static void add_pipes(cp_sync_pipes *pipes)
{
  const cp_spawn_options *spawn = &pipes->options->spawn;

  for (int fd = 0; fd < spawn->stdio_count; fd++) {
    const cp_stdio *entry = &spawn->stdio[fd];
    int direction = 0;

    if (!cp_stdio_is_pipe(entry)) {
      continue;
    }
    direction = cp_stdio_direction(entry->kind, fd);
    add_end(pipes, entry->ours, direction == CP_STDIO_WRITE ? POLLOUT : POLLIN, fd);
    if (direction == CP_STDIO_BOTH) {
      /* We never write to this one. */
      shutdown(entry->ours, SHUT_WR);
    }
  }
}

void cp_sync_pipes_begin(cp_sync_pipes *pipes)
{
  int terminal_output = cp_sync_terminal_output(pipes->options);

  add_pipes(pipes);
  if (pipes->count > 0 && is_input(pipes, 0)) {
    put_input(pipes, 0);
  }
  if (terminal_output != -1) {
    pipes->terminal = pipes->count;
    add_end(pipes, pipes->options->spawn.terminal->ours, POLLIN, terminal_output);
  }
}

int cp_sync_pipes_exchange(cp_sync_pipes *pipes)
{
  int r = 0;

  for (int i = 0; i < pipes->count && r == 0; i++) {
    if (pipes->polled[i].fd == -1 || pipes->polled[i].revents == 0) {
      continue;
    }
    if (is_input(pipes, i)) {
      put_input(pipes, i);
    } else {
      r = take_outputs(pipes, i);
    }
  }
  return r;
}

int cp_sync_pipes_let_end(cp_sync_pipes *pipes)
{
  cp_terminal *terminal = pipes->options->spawn.terminal;
  int r = 0;

  if (pipes->terminal == -1 || terminal->theirs == -1) {
    return 0;
  }
  /* Some systems wait until everything was read, for the last to close a terminal. */
  r = take_outputs(pipes, pipes->terminal);
  cp_terminal_close_theirs(terminal);
  return r < 0 || terminal->ours == -1 ? r : take_outputs(pipes, pipes->terminal);
}

int cp_sync_pipes_cut(cp_sync_pipes *pipes)
{
  int r = 0;

  for (int i = 0; i < pipes->count && r == 0; i++) {
    if (pipes->polled[i].fd != -1 && !is_input(pipes, i)) {
      r = take_outputs(pipes, i);
      pipes->outputs[pipes->child_fds[i]].cut = pipes->polled[i].fd != -1;
    }
    if (r == 0) {
      close_end(pipes, i);
    }
  }
  return r;
}

void cp_sync_pipes_close(cp_sync_pipes *pipes)
{
  for (int i = 0; i < pipes->count; i++) {
    close_end(pipes, i);
  }
}
