/* A channel whose socket refuses to send because the system is short of memory, which poll(2) does
 * not report. The test replaces the function that sends. */
#include "check.h"
#include "run_loop.h"

#include "core/channel/channels.h"
#include "core/channel/sending.h"
#include "core/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char MESSAGE[] = "\"a message\"\n";

/* The behaviour of the replaced function. */
static struct {
  double refuse_until; /* seconds */
  int refused;
} sending;

static double now(void)
{
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
  if (now() < sending.refuse_until) {
    sending.refused++;
    errno = ENOBUFS;
    return -1;
  }
  return sendto(fd, bytes, length, flags, NULL, 0);
}

typedef struct seen {
  int written;
  int error;
} seen;

static void on_messages(cp_channel *channel)
{
  (void)channel;
}

static void on_end(cp_channel *channel, int error)
{
  (void)channel, (void)error;
}

static void on_written(cp_channel *channel, int error)
{
  seen *s = channel->owner;

  s->written++;
  s->error = error;
}

static const cp_channel_callbacks callbacks = {on_messages, on_end, on_written, on_messages};

/* Sends a message while the system refuses to, for `seconds`. */
static cp_channel *send_refused(cp_runtime *runtime, int *sockets, seen *s, double seconds)
{
  cp_channel *channel = NULL;
  cp_buffer message = {.data = NULL};

  *s = (seen){.written = 0};
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) == 0,
        "two sockets");
  channel = cp_channel_new(&runtime->channels, sockets[0], &callbacks, s);
  cp_buffer_append(&message, MESSAGE, strlen(MESSAGE));
  sending.refused = 0;
  sending.refuse_until = now() + seconds;
  check(cp_channel_send(channel, &message, -1) == 0, "a message is accepted");
  cp_channel_await_written(channel, strlen(MESSAGE));
  cp_buffer_free(&message);
  return channel;
}

/* Closes the other side, and returns the number of bytes that have arrived there. */
static size_t take_arrived(int socket)
{
  char bytes[sizeof(MESSAGE)];
  ssize_t n = recv(socket, bytes, sizeof(bytes), MSG_DONTWAIT);

  close(socket);
  return n > 0 ? (size_t)n : 0;
}

/* Whether there was time between one try and the next. */
static bool waited_between_tries(double seconds)
{
  return sending.refused <= 2 + seconds * 1000 / (CP_RETRY_MS - 5);
}

static void test_shortage_that_passes(cp_runtime *runtime)
{
  int sockets[2];
  seen s;
  double start = now();
  cp_channel *channel = send_refused(runtime, sockets, &s, 0.3);

  while (s.written == 0) {
    cp_loop_iterate(&runtime->loop, true);
  }
  check(s.error == 0, "it was written without an error");
  check(waited_between_tries(now() - start), "there was time between tries");
  cp_channel_close(channel);
  check(take_arrived(sockets[1]) == strlen(MESSAGE), "the message has arrived");
}

static void test_shortage_that_stays(cp_runtime *runtime)
{
  int sockets[2];
  seen s;
  cp_channel *channel = send_refused(runtime, sockets, &s, 1e6);

  channel->retry.tries = CP_RETRY_TRIES - 3; /* to save time */
  while (s.written == 0) {
    cp_loop_iterate(&runtime->loop, true);
  }
  check(s.error == -ENOBUFS, "it is given up with the error");
  check(sending.refused == 4, "after the last try");
  check(cp_channel_backlog(channel) == 0, "nothing is left of it");
  cp_channel_close(channel);
  check(take_arrived(sockets[1]) == 0, "nothing has arrived");
}

static void test_shortage_at_the_end(cp_runtime *runtime)
{
  int sockets[2];
  seen s;
  double start = now();

  send_refused(runtime, sockets, &s, 0.3);
  cp_channels_close(&runtime->channels);
  check(waited_between_tries(now() - start), "there was time between tries at the end");
  check(take_arrived(sockets[1]) == strlen(MESSAGE), "the message has arrived at the end");
}

static void test_closed_while_waiting(cp_runtime *runtime)
{
  int sockets[2];
  seen s;
  cp_channel *channel = send_refused(runtime, sockets, &s, 0.2);

  cp_channel_flush(channel);
  cp_channel_close(channel);
  run_loop(&runtime->loop);
  check(s.written == 0, "nobody is called after the end");
  check(fcntl(sockets[0], F_GETFD) == -1, "the channel has gone");
  check(take_arrived(sockets[1]) == strlen(MESSAGE), "what was accepted is written");
}

int main(void)
{
  cp_runtime runtime;

  check(cp_runtime_init(&runtime, NULL) == 0, "a loop");
  test_shortage_that_passes(&runtime);
  test_shortage_that_stays(&runtime);
  test_closed_while_waiting(&runtime);
  test_shortage_at_the_end(&runtime);
  cp_runtime_destroy(&runtime);
  return failures == 0 ? 0 : 1;
}
