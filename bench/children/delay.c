/* Starts a program, and passes on what it reads and writes after a delay, as a network does.
 *
 *   delay MILLISECONDS PROGRAM [ARGUMENT...]
 *
 * It ends when the output of the program has ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

/* Bytes on their way; none mean that the direction ends. */
typedef struct piece {
  struct piece *next;
  int64_t due; /* nanoseconds */
  size_t begin;
  size_t end;
  char bytes[];
} piece;

typedef struct direction {
  int from;
  int to;
  piece *first;
  piece *last;
} direction;

static int64_t delay;

static _Noreturn void fail(const char *call)
{
  fprintf(stderr, "delay: %s: %s\n", call, strerror(errno));
  exit(1);
}

static int64_t now(void)
{
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void set_nonblocking(int fd)
{
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == -1) fail("fcntl");
}

/* Reads a piece. */
static void take(direction *way)
{
  static char buffer[PIECE];
  ssize_t n = read(way->from, buffer, sizeof buffer);
  piece *new = NULL;

  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    n = 0;
  }
  new = malloc(sizeof *new + (size_t)n);
  if (new == NULL) fail("malloc");
  *new = (piece){.due = now() + delay, .end = (size_t)n};
  memcpy(new->bytes, buffer, (size_t)n);
  if (way->first == NULL) {
    way->first = new;
  } else {
    way->last->next = new;
  }
  way->last = new;
  if (n == 0) {
    close(way->from);
    way->from = -1;
  }
}

/* Writes what is due, as much as there is room for. */
static void give(direction *way)
{
  while (way->first != NULL && way->first->due <= now()) {
    piece *first = way->first;

    if (first->begin < first->end) {
      ssize_t n = write(way->to, first->bytes + first->begin, first->end - first->begin);

      if (n < 0 && errno == EAGAIN) return;
      if (n < 0) exit(1); /* nobody reads it any more */
      first->begin += (size_t)n;
    } else {
      if (first->end == 0) {
        close(way->to);
        way->to = -1;
      }
      way->first = first->next;
      free(first);
    }
  }
}

/* The earliest time at which something has to be written, INT64_MAX if nothing has. */
static int64_t next_due(const direction *ways)
{
  int64_t due = INT64_MAX;

  for (int i = 0; i < 2; i++) {
    if (ways[i].first != NULL && ways[i].first->due < due) due = ways[i].first->due;
  }
  return due;
}

static void wait_for(direction *ways)
{
  struct pollfd polled[4];
  int64_t time = now();
  int64_t due = next_due(ways);
  int64_t left = due > time ? due - time : 0;
  struct timespec timeout = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};

  for (int i = 0; i < 2; i++) {
    bool is_due = ways[i].first != NULL && ways[i].first->due <= time;

    polled[2 * i] = (struct pollfd){.fd = ways[i].from, .events = POLLIN};
    polled[2 * i + 1] = (struct pollfd){.fd = is_due ? ways[i].to : -1, .events = POLLOUT};
  }
  /* What is due and was not written waits for room. */
  if (ppoll(polled, 4, due == INT64_MAX || due <= time ? NULL : &timeout, NULL) < 0 &&
      errno != EINTR) {
    fail("ppoll");
  }
}

/* Starts the program. Stores our ends of its standard input and output. */
static void start(char **argv, int *in, int *out)
{
  int to[2];
  int from[2];

  if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) fail("pipe2");
  switch (fork()) {
    case -1: fail("fork");
    case 0:
      signal(SIGPIPE, SIG_DFL);
      dup2(to[0], STDIN_FILENO);
      dup2(from[1], STDOUT_FILENO);
      execvp(argv[0], argv);
      fail(argv[0]);
    default: break;
  }
  close(to[0]);
  close(from[1]);
  *in = to[1];
  *out = from[0];
}

int main(int argc, char **argv)
{
  direction ways[2] = {{.from = STDIN_FILENO, .to = -1}, {.from = -1, .to = STDOUT_FILENO}};

  if (argc < 3) {
    fputs("usage: delay MILLISECONDS PROGRAM [ARGUMENT...]\n", stderr);
    return 2;
  }
  delay = strtol(argv[1], NULL, 10) * 1000000;
  signal(SIGPIPE, SIG_IGN);
  start(argv + 2, &ways[0].to, &ways[1].from);
  for (int i = 0; i < 2; i++) {
    set_nonblocking(ways[i].from);
    set_nonblocking(ways[i].to);
  }
  while (ways[1].to != -1) {
    wait_for(ways);
    for (int i = 0; i < 2; i++) {
      if (ways[i].from != -1) take(&ways[i]);
      give(&ways[i]);
    }
  }
  return 0;
}
