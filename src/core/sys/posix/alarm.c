/* A thread that waits for the timeouts, which it reads from a pipe, and writes a byte to another
 * pipe after each of them. */
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { NEVER = -1, END = -2 };

/* While the thread runs, it owns one end of each pipe. */
struct cp_sys_alarm {
  int rings[2];    /* bytes; the thread writes */
  int timeouts[2]; /* int; the thread reads, up to END */
  pid_t process;   /* that has the thread */
};

typedef struct waiter {
  int rings;
  int timeouts;
} waiter;

/* A pipe that is full has been rung. */
static void ring(int fd)
{
  if (write(fd, "", 1) == -1) {
    return;
  }
}

static void *wait_and_ring(void *argument)
{
  waiter own = *(waiter *)argument;
  int timeout = NEVER;

  free(argument);
  while (timeout != END) {
    struct pollfd change = {.fd = own.timeouts, .events = POLLIN};

    if (poll(&change, 1, timeout) == 0) {
      ring(own.rings);
      timeout = NEVER;
    } else if (read(own.timeouts, &timeout, sizeof(timeout)) != (ssize_t)sizeof(timeout)) {
      timeout = END; /* cannot happen: bytes up to PIPE_BUF are written together */
    }
  }
  close(own.rings);
  close(own.timeouts);
  return NULL;
}

/* Blocks all signals in the thread, so that only the host's threads handle signals. */
static int start_thread(const cp_sys_alarm *alarm)
{
  waiter *argument = malloc(sizeof(*argument));
  pthread_t thread;
  sigset_t all;
  sigset_t before;
  int r = 0;

  if (argument == NULL) {
    return -ENOMEM;
  }
  *argument = (waiter){.rings = alarm->rings[1], .timeouts = alarm->timeouts[0]};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  r = pthread_create(&thread, NULL, wait_and_ring, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (r == 0) {
    pthread_detach(thread);
  } else {
    free(argument);
  }
  return -r;
}

static void close_all(const int ends[2])
{
  close(ends[0]);
  close(ends[1]);
}

static int open_pipes(cp_sys_alarm *alarm)
{
  int r = cp_sys_pipe(alarm->rings);

  if (r < 0) {
    return r;
  }
  r = cp_sys_pipe(alarm->timeouts);
  if (r < 0) {
    close_all(alarm->rings);
    return r;
  }
  fcntl(alarm->rings[0], F_SETFL, O_NONBLOCK);
  fcntl(alarm->rings[1], F_SETFL, O_NONBLOCK);
  return 0;
}

int cp_sys_alarm_open(cp_sys_alarm **alarm)
{
  cp_sys_alarm *made = malloc(sizeof(*made));
  int r = made == NULL ? -ENOMEM : open_pipes(made);

  if (r == 0) {
    made->process = getpid();
    r = start_thread(made);
    if (r < 0) {
      close_all(made->rings);
      close_all(made->timeouts);
    }
  }
  if (r < 0) {
    free(made);
    return r;
  }
  *alarm = made;
  return 0;
}

int cp_sys_alarm_descriptor(const cp_sys_alarm *alarm)
{
  return alarm->rings[0];
}

static void send_timeout(const cp_sys_alarm *alarm, int timeout)
{
  ssize_t n = 0;

  do {
    n = write(alarm->timeouts[1], &timeout, sizeof(timeout));
  } while (n == -1 && errno == EINTR);
}

void cp_sys_alarm_set(cp_sys_alarm *alarm, int timeout)
{
  char bytes[64];

  while (read(alarm->rings[0], bytes, sizeof(bytes)) > 0) {
  }
  send_timeout(alarm, timeout == 0 ? NEVER : timeout);
  if (timeout == 0) {
    ring(alarm->rings[1]); /* without waiting for the thread */
  }
}

cp_sys_alarm *cp_sys_alarm_close(cp_sys_alarm *alarm)
{
  if (alarm == NULL) {
    return NULL;
  }
  if (alarm->process == getpid()) {
    send_timeout(alarm, END);
  } else {
    close(alarm->rings[1]);
    close(alarm->timeouts[0]);
  }
  close(alarm->rings[0]);
  close(alarm->timeouts[1]);
  free(alarm);
  return NULL;
}
