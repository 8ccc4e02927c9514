/* Replaces libuv's descriptors, and reads and writes its signal pipe in libuv's own format. */
#include "core/loop/uv_fork.h"

#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* The most signals that a copy has received but not delivered, and that we keep. */
enum { KEPT_SIGNALS = 128 };

/* Makes `fd` refer to the file of `by`, and closes `by`. */
static int replace(int fd, int by)
{
  int r = by == fd ? 0 : cp_sys_replace(fd, by);

  if (by != fd) {
    close(by);
  }
  return r;
}

/* libuv's handler writes a signal of the copy to the loop's signal pipe, where the original must
 * not read it. The numbers stay the same, since the loop of another thread may be in any state. */
void cp_uv_fork_replace_signal_pipe(const uv_loop_t *uv)
{
  int ends[2];

  if (uv->signal_pipefd[0] != -1 && cp_sys_pipe(ends) == 0) {
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    replace(uv->signal_pipefd[0], ends[0]);
    replace(uv->signal_pipefd[1], ends[1]);
  }
}

/* libuv's handler writes these to the signal pipe. */
typedef struct signal_message {
  uv_signal_t *handle;
  int signum;
} signal_message;

typedef struct signal_messages {
  signal_message list[KEPT_SIGNALS];
  size_t count;
} signal_messages;

static void count_undelivered(uv_handle_t *handle, void *argument)
{
  const signal_messages *messages = argument;

  if (handle->type == UV_SIGNAL) {
    uv_signal_t *signal = (uv_signal_t *)handle;

    signal->dispatched_signals = signal->caught_signals;
    for (size_t i = 0; i < messages->count; i++) {
      signal->dispatched_signals -= messages->list[i].handle == signal;
    }
  }
}

/* Writes `size` bytes of messages to the signal pipe, which has room for them. Does nothing if the
 * size is not positive. */
static void put_signals(const uv_loop_t *uv, const signal_message *messages, ssize_t size)
{
  if (size > 0 && write(uv->signal_pipefd[1], messages, (size_t)size) == -1) {
    return; /* cannot happen, as there is room */
  }
}

void cp_uv_fork_correct_signal_counts(uv_loop_t *uv)
{
  signal_messages messages;
  sigset_t all;
  sigset_t before;
  ssize_t n = 0;

  if (uv->signal_pipefd[0] == -1) {
    return;
  }
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  n = read(uv->signal_pipefd[0], messages.list, sizeof(messages.list));
  messages.count = n > 0 ? (size_t)n / sizeof(signal_message) : 0;
  uv_walk(uv, count_undelivered, &messages);
  put_signals(uv, messages.list, n);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Writes the signals that had arrived before the loop was renewed to its new pipe. */
static void keep_signals(int from, const uv_loop_t *uv)
{
  signal_message signals[KEPT_SIGNALS];
  ssize_t n = from == -1 ? 0 : read(from, signals, sizeof(signals));

  put_signals(uv, signals, n);
}

int cp_uv_fork_renew(uv_loop_t *uv)
{
  int number = uv_backend_fd(uv);
  int signals = -1;
  /* libuv closes the old set first, and cannot undo that: check that a descriptor is free. */
  int probe = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int r = 0;

  if (probe == -1) {
    return -errno;
  }
  close(probe);
  if (uv->signal_pipefd[0] != -1) {
    signals = fcntl(uv->signal_pipefd[0], F_DUPFD_CLOEXEC, 0);
  }
  r = uv_loop_fork(uv);
  if (r == 0 && uv->backend_fd != number) {
    r = replace(number, uv->backend_fd);
    uv->backend_fd = r == 0 ? number : -1;
  }
  if (r == 0) {
    keep_signals(signals, uv);
  }
  if (signals != -1) {
    close(signals);
  }
  return r;
}
