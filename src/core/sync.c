#include "sync.h"

#include "pipe.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  /* How often one pipe is read before the others and the clock get their turn. */
  READS_AT_ONCE = 16,
  /* Without a pidfd, how long a child that may have ended is left alone at most. */
  LONGEST_NAP_MS = 16,
};

#define NEVER INT64_MAX

typedef struct sync_run {
  const cp_sync_options *options;
  cp_buffer *outputs;
  cp_sync_result *result;
  struct pollfd *polled; /* our ends of the pipes, -1 once closed; then the child */
  int *child_fds;        /* which of the child's descriptors each of them is */
  int *ours;             /* by the child's descriptors, see pipe.h */
  int pipe_count;
  int open; /* how many pipes */
  int pidfd;
  int nap;          /* milliseconds */
  int64_t deadline; /* milliseconds of `now`, or NEVER */
  size_t written;
  bool ended;  /* the child, as far as we know */
  bool reaped; /* its status is in the result */
  bool given_up;
} sync_run;

/* Milliseconds of a clock that never goes back. */
static int64_t now(void)
{
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void note_error(sync_run *run, int error)
{
  if (run->result->error == 0) {
    run->result->error = error;
  }
}

static void close_end(sync_run *run, int i)
{
  if (run->polled[i].fd != -1) {
    run->polled[i].fd = cp_pipe_close(run->polled[i].fd);
    run->ours[run->child_fds[i]] = -1;
    run->open--;
  }
}

/* Sends the signal and closes our ends, so that a child that catches it and goes on writing does not wait
 * for us. The limit outranks what a pipe has told. */
static void give_up(sync_run *run, int error)
{
  run->result->error = error;
  run->given_up = true;
  if (run->pidfd == -1 && !run->reaped) {
    /* Another part of the program may have reaped it, and its id be somebody else's by now. */
    run->reaped = cp_pidfd_wait(-1, run->result->pid, false, &run->result->status) == 1;
    run->ended = run->reaped;
  }
  if (!run->ended) {
    cp_pidfd_signal(run->pidfd, run->result->pid, run->options->kill_signal);
  }
  for (int i = 0; i < run->pipe_count; i++) {
    close_end(run, i);
  }
}

static void put_input(sync_run *run, int i)
{
  const cp_sync_options *options = run->options;
  int fd = run->polled[i].fd;
  bool first = run->written == 0;
  ssize_t n = 0;

  while (run->written < options->input_length) {
    struct iovec rest = {(char *)options->input + run->written,
                         options->input_length - run->written};

    n = cp_pipe_writev(fd, &rest, 1);
    if (n == -EAGAIN) {
      if (first) {
        cp_pipe_enlarge(fd);
      }
      return;
    }
    if (n < 0) {
      note_error(run, (int)n);
      break;
    }
    run->written += (size_t)n;
  }
  close_end(run, i);
}

/* Reads once. Returns whether there may be more at once. */
static bool take_output(sync_run *run, int i)
{
  int fd = run->polled[i].fd;
  cp_buffer *output = &run->outputs[run->child_fds[i]];
  size_t room = run->options->max_buffer - output->length;
  /* One byte more than allowed tells a full buffer from an exceeded one. */
  size_t size = room < CP_READ_SIZE ? room + 1 : CP_READ_SIZE;
  bool small = output->length < CP_READ_SIZE;
  ssize_t n = cp_buffer_reserve(output, size);

  if (n < 0) {
    give_up(run, (int)n);
    return false;
  }
  n = read(fd, output->data + output->length, size);
  if (n == -1) {
    if (errno != EAGAIN && errno != EINTR) {
      note_error(run, -errno);
      close_end(run, i);
    }
    return false;
  }
  if (n == 0) {
    close_end(run, i);
    return false;
  }
  if ((size_t)n > room) {
    output->length += room;
    give_up(run, -ENOBUFS);
    return false;
  }
  output->length += (size_t)n;
  /* A child that has written a pipeful is likely to have filled the pipe, and to write more. */
  if (small && output->length >= CP_READ_SIZE) {
    cp_pipe_enlarge(fd);
  }
  return (size_t)n == size;
}

/* A pipe is ready. */
static void on_ready(sync_run *run, int i)
{
  if (run->child_fds[i] == STDIN_FILENO) {
    put_input(run, i);
    return;
  }
  /* Also after a hangup without input: what was written right before may only be seen by reading. */
  for (int n = 0; n < READS_AT_ONCE && take_output(run, i); n++) {
  }
}

/* Whether the child has ended matters only where the time is limited: else whoever ends last, the
 * child or its pipes, is waited for anyhow. */
static bool is_over(const sync_run *run)
{
  return run->given_up || (run->open == 0 && (run->ended || run->deadline == NEVER));
}

/* Learns whether the child has ended, where that matters. */
static void check_child(sync_run *run)
{
  if (run->ended || run->deadline == NEVER) {
    return;
  }
  if (run->pidfd == -1) {
    run->reaped = cp_pidfd_wait(-1, run->result->pid, false, &run->result->status) == 1;
    run->ended = run->reaped;
  } else if (run->polled[run->pipe_count].revents != 0) {
    run->ended = true;
    run->polled[run->pipe_count].fd = -1;
  }
}

/* For poll(2). */
static int time_left(sync_run *run)
{
  int64_t left = 0;

  if (run->deadline == NEVER) {
    return -1;
  }
  left = run->deadline - now();
  if (run->pidfd == -1 && !run->ended && left > run->nap) {
    left = run->nap;
    run->nap = run->nap < LONGEST_NAP_MS ? run->nap * 2 : LONGEST_NAP_MS;
  }
  return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void exchange(sync_run *run)
{
  while (!is_over(run)) {
    int ready = poll(run->polled, (nfds_t)run->pipe_count + 1, time_left(run));

    if (ready == -1 && errno != EINTR) {
      give_up(run, -errno);
      return;
    }
    for (int i = 0; i < run->pipe_count && ready > 0 && !run->given_up; i++) {
      if (run->polled[i].fd != -1 && run->polled[i].revents != 0) {
        on_ready(run, i);
      }
    }
    check_child(run);
    if (!is_over(run) && run->deadline != NEVER && now() >= run->deadline) {
      give_up(run, -ETIMEDOUT);
    }
  }
}

/* What is polled, and in the pipe to the child as much of the input as fits. */
static void begin(sync_run *run)
{
  const cp_sync_options *options = run->options;

  for (int fd = 0; fd < options->spawn.fd_count; fd++) {
    int ours = run->ours[fd];

    if (ours == -1) {
      continue;
    }
    run->polled[run->pipe_count] = (struct pollfd){ours, fd == STDIN_FILENO ? POLLOUT : POLLIN, 0};
    run->child_fds[run->pipe_count++] = fd;
    run->open++;
    if (fd > STDERR_FILENO) {
      /* Nothing will come for the child to read. */
      shutdown(ours, SHUT_WR);
    }
  }
  run->polled[run->pipe_count] =
      (struct pollfd){run->deadline == NEVER ? -1 : run->pidfd, POLLIN, 0};
  if (run->pipe_count > 0 && run->child_fds[0] == STDIN_FILENO) {
    put_input(run, 0);
  }
}

int cp_sync_run(cp_spawner *spawner, const cp_sync_options *options, cp_buffer *outputs,
                cp_sync_result *result)
{
  int64_t start = now();
  cp_spawn_options spawn = options->spawn;
  size_t count = (size_t)spawn.fd_count;
  sync_run run = {
      .options = options,
      .outputs = outputs,
      .result = result,
      .pidfd = -1,
      .nap = 1,
      .deadline = options->timeout == 0 || options->timeout >= NEVER - start
                      ? NEVER
                      : start + options->timeout,
  };
  int r = 0;

  *result = (cp_sync_result){.pid = -1};
  /* One piece of memory for the three lists. */
  run.polled = malloc((count + 1) * sizeof(*run.polled) + count * 2 * sizeof(int));
  if (run.polled == NULL) {
    return -ENOMEM;
  }
  run.child_fds = (int *)(run.polled + count + 1);
  run.ours = run.child_fds + count;

  spawn.fds = options->fds;
  r = cp_pipe_open_each(options->fds, run.ours, spawn.fd_count);
  if (r == 0) {
    r = cp_spawn(spawner, &spawn, &result->pid, &run.pidfd);
  }
  cp_pipe_close_theirs(options->fds, run.ours, spawn.fd_count);
  if (r < 0) {
    goto finish;
  }

  begin(&run);
  exchange(&run);
  if (!run.reaped) {
    cp_pidfd_wait(run.pidfd, result->pid, true, &result->status);
  }
  if (result->status.signum == 0 && result->status.code < 0) {
    note_error(&run, result->status.code);
  }

finish:
  cp_pipe_close_ours(run.ours, spawn.fd_count);
  cp_pipe_close(run.pidfd);
  free(run.polled);
  return r;
}
