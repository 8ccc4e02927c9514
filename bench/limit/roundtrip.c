/* The least that sending a message and getting it back can take: two processes that wait in epoll
 * and send on what they have received.
 *
 *   seconds=S  how long to go on
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"

enum { ROUNDS_PER_LOOK = 100 };

static const char message[] = "{\"id\":12345,\"type\":\"message\"}\n";

static int poller_for(int fd)
{
  int poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) limit_fail("epoll");
  return poller;
}

/* Waits for a message and sends it on; false at the end of the channel. */
static bool bounce(int poller, int fd)
{
  static char buffer[64 * 1024];
  struct epoll_event event;
  if (epoll_wait(poller, &event, 1, -1) < 0) limit_fail("epoll_wait");
  ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0) limit_fail("recv");
  if (got > 0 && send(fd, buffer, (size_t)got, MSG_NOSIGNAL) != got) limit_fail("send");
  return got > 0;
}

static void echo(int fd)
{
  int poller = poller_for(fd);
  while (bounce(poller, fd)) {
  }
}

/* Returns the microseconds of one round trip. */
static double round_trips_for(double seconds)
{
  int fd = limit_fork(echo), poller = poller_for(fd);
  double start = limit_now(), end;
  long count = 0;
  if (send(fd, message, strlen(message), 0) < 0) limit_fail("send");
  do {
    for (int i = 0; i < ROUNDS_PER_LOOK; i++) bounce(poller, fd);
    count += ROUNDS_PER_LOOK;
    end = limit_now();
  } while (end - start < seconds);
  shutdown(fd, SHUT_WR);
  limit_wait(-1);
  close(poller);
  close(fd);
  return (end - start) / (double)count * 1e6;
}

int main(int argc, char **argv)
{
  (void)argc;
  double seconds = limit_number(argv, "seconds", 1);
  round_trips_for(seconds / 5);
  printf("%f\n", round_trips_for(seconds));
  return 0;
}
