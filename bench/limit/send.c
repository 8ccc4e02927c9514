/* The least that small messages can take one way: they are written as text, some at a time, and
 * read by another process, which finds their ends.
 *
 *   seconds=S  how long to go on
 *   burst=N    messages (up to 1000) in one write
 *   binary=N   one message of N bytes instead
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"

enum { BUFFER_BYTES = 64 * 1024 };

/* Appends `{"id":ID,"type":"ping"}` and a line feed; returns where it ends. */
static char *format_message(char *at, unsigned id)
{
  static const char before[] = "{\"id\":", after[] = ",\"type\":\"ping\"}\n";
  char digits[16];
  size_t count = 0;
  do {
    digits[sizeof digits - ++count] = (char)('0' + id % 10);
    id /= 10;
  } while (id > 0);
  at = mempcpy(at, before, sizeof before - 1);
  at = mempcpy(at, digits + sizeof digits - count, count);
  return mempcpy(at, after, sizeof after - 1);
}

/* Counts lines until the other side has no more, and sends back their number. */
static void count_lines(int fd)
{
  static char buffer[BUFFER_BYTES];
  long count = 0;
  ssize_t got;
  while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0) {
    const char *at = buffer, *end = buffer + got;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
      at++;
      count++;
    }
  }
  if (got < 0) limit_fail("recv");
  if (send(fd, &count, sizeof count, 0) < 0) limit_fail("send");
}

/* What is written at a time: its length is returned, and `*count` is how many messages it is. */
static size_t format_write(char **buffer, size_t binary, int burst, long *count)
{
  size_t size = binary > BUFFER_BYTES ? binary : BUFFER_BYTES;
  char *end = *buffer ? *buffer : malloc(size);
  if (!end) limit_fail("malloc");
  *buffer = end;
  *count = binary ? 1 : burst;
  if (binary) {
    memset(*buffer, 'x', binary);
    (*buffer)[binary - 1] = '\n';
    return binary;
  }
  for (int i = 0; i < burst; i++) end = format_message(end, 1);
  return (size_t)(end - *buffer);
}

/* Returns the microseconds of one message. */
static double send_for(double seconds, size_t binary, int burst)
{
  static char *buffer;
  int fd = limit_fork(count_lines);
  double start = limit_now();
  long sent = 0, received;
  while (limit_now() - start < seconds) {
    long count;
    size_t length = format_write(&buffer, binary, burst, &count);
    if (send(fd, buffer, length, 0) != (ssize_t)length) limit_fail("send");
    sent += count;
  }
  shutdown(fd, SHUT_WR);
  if (recv(fd, &received, sizeof received, MSG_WAITALL) < 0) limit_fail("recv");
  double end = limit_now();
  if (received != sent) {
    fprintf(stderr, "%ld of %ld messages arrived\n", received, sent);
    return 0;
  }
  limit_wait(-1);
  close(fd);
  return (end - start) / (double)sent * 1e6;
}

int main(int argc, char **argv)
{
  (void)argc;
  double seconds = limit_number(argv, "seconds", 1);
  int burst = (int)limit_number(argv, "burst", 64);
  size_t binary = (size_t)limit_number(argv, "binary", 0);
  send_for(seconds / 5, binary, burst);
  printf("%f\n", send_for(seconds, binary, burst));
  return 0;
}
