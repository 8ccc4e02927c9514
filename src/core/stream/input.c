/* Reads by read(2) or recv(2), up to the end. */
#include "core/stream/input.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* More bytes than a terminal holds. Not all systems can count them. */
enum { TERMINAL_HOLDS = 64 * 1024 };

void cp_input_init(cp_input *input, bool is_terminal)
{
  *input = (cp_input){.is_terminal = is_terminal, .kept = -1};
}

void cp_input_close(cp_input *input)
{
  input->kept = cp_fd_close(input->kept);
}

void cp_input_keep_open(cp_input *input, int other)
{
  CP_ASSERT(input->is_terminal && input->kept == -1);
  input->kept = other;
  cp_owned_add(other);
}

void cp_input_let_end(cp_input *input)
{
  input->lets_end = true;
}

ssize_t cp_input_end_after_rest(cp_input *input, int fd)
{
  int available = TERMINAL_HOLDS;

  if (!input->is_terminal && ioctl(fd, FIONREAD, &available) == -1) {
    return -errno;
  }
  input->ends = true;
  input->rest = (size_t)available;
  return available;
}

bool cp_input_needs_no_event(const cp_input *input)
{
  return input->ends || (input->lets_end && input->kept != -1);
}

/* Closes the other end if the input may end. Call it when nothing can be read: some systems wait
 * until everything was read, for the last to close a terminal. Returns whether it was open. */
static bool close_kept(cp_input *input)
{
  bool was_kept = input->lets_end && input->kept != -1;

  if (was_kept) {
    cp_input_close(input);
  }
  return was_kept;
}

bool cp_input_is_held(cp_input *input, int fd)
{
  struct pollfd entry = {.fd = fd, .events = POLLIN};

  close_kept(input);
  return poll(&entry, 1, 0) <= 0 || (entry.revents & POLLHUP) == 0;
}

static ssize_t call_system(int fd, cp_input_call call, char *data, size_t size)
{
  ssize_t n = 0;

  if (call == CP_INPUT_NOWAIT) {
    return cp_fd_read_nowait(fd, data, size);
  }
  do {
    n = call == CP_INPUT_SOCKET ? recv(fd, data, size, MSG_DONTWAIT) : read(fd, data, size);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? -errno : n;
}

/* As long as we keep a terminal open ourselves, EIO is an error like any other. */
static ssize_t read_now(const cp_input *input, int fd, cp_input_call call, char *data, size_t size)
{
  ssize_t n = call_system(fd, call, data, size);

  return n == -EIO && input->is_terminal && input->kept == -1 ? 0 : n;
}

ssize_t cp_input_read(cp_input *input, int fd, cp_input_call call, char *data, size_t size)
{
  ssize_t n = 0;

  if (input->ends && input->rest < size) {
    size = input->rest;
    if (size == 0) {
      return 0;
    }
  }
  n = read_now(input, fd, call, data, size);
  if (n == -EAGAIN && close_kept(input)) {
    n = read_now(input, fd, call, data, size);
  }
  if (input->ends) {
    CP_ASSERT(n <= (ssize_t)input->rest);
    input->rest -= n > 0 ? (size_t)n : 0;
    /* Another process may have read some of it. */
    n = n == -EAGAIN ? 0 : n;
  }
  return n;
}
