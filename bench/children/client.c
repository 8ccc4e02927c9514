/* Connects to 127.0.0.1 many times, some at once, and reads each connection to its end. Fails if
 * one of them is not answered with "ok".
 *
 *   port=P    where to
 *   count=N   how often
 *   atonce=N  how many are open at the same time
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_AT_ONCE = 256 };

static _Noreturn void fail(const char *call)
{
  perror(call);
  exit(1);
}

static long number(char **argv, const char *name)
{
  size_t length = strlen(name);
  for (; *argv; argv++) {
    if (strncmp(*argv, name, length) == 0 && (*argv)[length] == '=') {
      return strtol(*argv + length + 1, NULL, 10);
    }
  }
  fprintf(stderr, "%s=N is missing\n", name);
  exit(1);
}

static void open_connection(int poller, const struct sockaddr_in *address)
{
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
  if (fd < 0) fail("socket");
  if (connect(fd, (const struct sockaddr *)address, sizeof *address) && errno != EINPROGRESS) {
    fail("connect");
  }
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

/* Reads what is there; true when the connection has ended as it should. */
static bool read_connection(int fd)
{
  char answer[16];
  ssize_t got = recv(fd, answer, sizeof answer, 0);
  if (got < 0 && errno == EAGAIN) return false;
  if (got < 0) fail("recv");
  if (got == 0) {
    fprintf(stderr, "a connection was not answered\n");
    exit(1);
  }
  if (got != 2 || memcmp(answer, "ok", 2) != 0) {
    fprintf(stderr, "a connection got a wrong answer\n");
    exit(1);
  }
  return true;
}

int main(int argc, char **argv)
{
  (void)argc;
  long count = number(argv, "count"), at_once = number(argv, "atonce");
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)number(argv, "port")),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct epoll_event events[MOST_AT_ONCE];
  int poller = epoll_create1(EPOLL_CLOEXEC);
  long begun = 0, ended = 0;
  for (; begun < at_once && begun < count; begun++) open_connection(poller, &address);
  while (ended < count) {
    int ready = epoll_wait(poller, events, MOST_AT_ONCE, -1);
    if (ready < 0) fail("epoll_wait");
    for (int i = 0; i < ready; i++) {
      if (read_connection(events[i].data.fd)) {
        close(events[i].data.fd);
        ended++;
        if (begun < count) {
          open_connection(poller, &address);
          begun++;
        }
      }
    }
  }
  return 0;
}
