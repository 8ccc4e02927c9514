/* The least that tasks for a pool can take: a process that waits in epoll and sends each of its
 * children the next task when the last one is done. Prints the microseconds that a task takes
 * beyond its work.
 *
 *   count=N    how many tasks
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"

enum { CHILDREN = 2 };

static const double work = 1e-3; /* seconds */
static const char message[] = "{\"cmd\":\"request\",\"id\":12345,\"value\":12345}\n";

/* A child: does a task for each message. */
static void do_tasks(int fd)
{
  char buffer[sizeof message];

  while (recv(fd, buffer, sizeof buffer, 0) > 0) {
    double end = limit_now() + work;

    while (limit_now() < end) {
    }
    if (send(fd, message, strlen(message), MSG_NOSIGNAL) < 0) limit_fail("send");
  }
}

static void send_task(int fd)
{
  if (send(fd, message, strlen(message), MSG_NOSIGNAL) < 0) limit_fail("send");
}

/* Has children that wait in `poller` do tasks; returns the seconds that it took. */
static double distribute(int poller, const int *children, long count)
{
  double began = limit_now();
  long started = 0;

  for (; started < CHILDREN; started++) send_task(children[started]);
  for (long done = 0; done < count;) {
    struct epoll_event events[CHILDREN];
    int ready = epoll_wait(poller, events, CHILDREN, -1);

    if (ready < 0) limit_fail("epoll_wait");
    for (int i = 0; i < ready; i++) {
      char buffer[sizeof message];
      int fd = events[i].data.fd;

      if (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) <= 0) limit_fail("recv");
      done++;
      if (started < count) {
        send_task(fd);
        started++;
      }
    }
  }
  return limit_now() - began;
}

int main(int argc, char **argv)
{
  long count = (long)limit_number(argv, "count", 10000);
  int poller = epoll_create1(EPOLL_CLOEXEC), children[CHILDREN];

  (void)argc;
  for (int i = 0; i < CHILDREN; i++) {
    struct epoll_event event = {.events = EPOLLIN};

    event.data.fd = children[i] = limit_fork(do_tasks);
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, children[i], &event)) limit_fail("epoll");
  }
  distribute(poller, children, 100);
  printf("%f\n", (distribute(poller, children, count) * CHILDREN / (double)count - work) * 1e6);
  for (int i = 0; i < CHILDREN; i++) {
    shutdown(children[i], SHUT_RDWR);
    limit_wait(-1);
  }
  return 0;
}
