/* The least that accepting connections and passing them on to other processes can take: one process
 * accepts and sends each descriptor to the next of its children, which answer "ok" and close.
 *
 *   program=P  the client
 *   count=N    connections
 *   workers=N  children
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"

enum { MOST_WORKERS = 64, AT_ONCE = 16 };

typedef union rights {
  struct cmsghdr header;
  char room[CMSG_SPACE(sizeof(int))];
} rights;

static void pass(int channel, int fd)
{
  char byte = 0;
  rights control = {.header = {.cmsg_len = CMSG_LEN(sizeof fd),
                               .cmsg_level = SOL_SOCKET,
                               .cmsg_type = SCM_RIGHTS}};
  struct iovec vector = {&byte, 1};
  struct msghdr message = {.msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  if (sendmsg(channel, &message, MSG_NOSIGNAL) != 1) limit_fail("sendmsg");
}

/* Answers the connections that come over the channel. */
static void answer(int channel)
{
  for (;;) {
    char byte;
    int fd;
    rights control;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1) return;
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    if (send(fd, "ok", 2, MSG_NOSIGNAL) != 2) limit_fail("send");
    close(fd);
  }
}

static int start_server(unsigned short *port)
{
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, 511) ||
      getsockname(fd, (struct sockaddr *)&address, &length)) {
    limit_fail("listen");
  }
  *port = ntohs(address.sin_port);
  return fd;
}

/* Returns the microseconds of one connection. */
static double pass_all(char *program, long count, int workers)
{
  int channels[MOST_WORKERS], stdio[3] = {0, 1, 2};
  unsigned short port;
  int server = start_server(&port);
  char port_text[32], count_text[32], at_once_text[32];
  for (int i = 0; i < workers; i++) channels[i] = limit_fork(answer);
  snprintf(port_text, sizeof port_text, "port=%hu", port);
  snprintf(count_text, sizeof count_text, "count=%ld", count);
  snprintf(at_once_text, sizeof at_once_text, "atonce=%d", AT_ONCE);
  char *client[] = {program, port_text, count_text, at_once_text, NULL};
  double start = limit_now();
  pid_t pid = limit_vfork(client, stdio);
  for (long i = 0; i < count; i++) {
    int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) limit_fail("accept4");
    pass(channels[i % workers], fd);
    close(fd);
  }
  limit_wait(pid);
  double end = limit_now();
  for (int i = 0; i < workers; i++) close(channels[i]);
  for (int i = 0; i < workers; i++) limit_wait(-1);
  close(server);
  return (end - start) / (double)count * 1e6;
}

int main(int argc, char **argv)
{
  (void)argc;
  char *program = limit_text(argv, "program", NULL);
  long count = (long)limit_number(argv, "count", 1000);
  int workers = (int)limit_number(argv, "workers", 4);
  if (workers > MOST_WORKERS) workers = MOST_WORKERS;
  pass_all(program, count / 5, workers);
  printf("%f\n", pass_all(program, count, workers));
  return 0;
}
