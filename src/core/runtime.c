/* Makes, ends and renews the parts in the right order. */
#include "core/runtime.h"

#include "core/base/thread.h"
#include "core/loop/alarm.h"
#include "core/loop/due.h"
#include "core/loop/poller.h"
#include "core/loop/retry.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A program may have been started without standard streams. Their numbers would then go to our own
 * descriptors, and whatever the program prints would end up there. */
static void occupy_standard_descriptors(void)
{
  int fd = STDIN_FILENO;

  while (fd <= STDERR_FILENO) {
    if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) {
      fd++;
    } else if (open("/dev/null", O_RDWR) == -1) {
      return;
    }
  }
}

/* In a forked process: gives the loop sets of its own, gives up everything that belongs to the
 * original, and starts the lookups again, whose threads this process does not have. */
static void on_copied(void *owner)
{
  cp_runtime *runtime = owner;
  bool lent = cp_spawner_lend(runtime->spawner); /* in case we have run out of descriptors */
  int r = 0;

  cp_loop_renew(&runtime->loop);
  r = cp_poller_renew(&runtime->loop);
  if (r == 0) {
    r = cp_alarm_renew(&runtime->loop);
  }
  if (r < 0) {
    cp_loop_fail(&runtime->loop, r);
  }
  cp_children_give_up(&runtime->children);
  cp_streams_give_up(&runtime->streams);
  cp_channels_give_up(&runtime->channels);
  cp_poller_restore(&runtime->loop);
  cp_lookups_restart(&runtime->lookups);
  if (lent) {
    cp_spawner_take_back(runtime->spawner);
  }
}

static void close_loop(cp_loop *loop)
{
  cp_alarm_close(loop);
  cp_retry_close(loop);
  cp_due_close(loop);
  cp_poller_close(loop);
  cp_loop_destroy(loop);
}

static int open_loop(cp_runtime *runtime, uv_loop_t *host)
{
  cp_loop *loop = &runtime->loop;
  int r = cp_loop_init(loop, host, on_copied, runtime);

  if (r < 0) {
    return r;
  }
  r = cp_retry_open(loop);
  if (r == 0) {
    r = cp_due_open(loop);
  }
  if (r == 0) {
    r = cp_poller_open(loop);
  }
  if (r < 0) {
    close_loop(loop);
  }
  return r;
}

int cp_runtime_init(cp_runtime *runtime, uv_loop_t *host)
{
  int r = 0;

  occupy_standard_descriptors();
  cp_thread_prepare();
  *runtime = (cp_runtime){.spawner = NULL};
  r = cp_spawner_new(&runtime->spawner);
  if (r == 0) {
    r = open_loop(runtime, host);
  }
  if (r < 0) {
    runtime->spawner = cp_spawner_destroy(runtime->spawner);
    return r;
  }
  cp_streams_init(&runtime->streams, &runtime->loop);
  cp_lookups_init(&runtime->lookups, &runtime->loop);
  cp_children_init(&runtime->children, &runtime->loop, runtime->spawner);
  cp_channels_init(&runtime->channels, &runtime->loop);
  return 0;
}

void cp_runtime_destroy(cp_runtime *runtime)
{
  cp_loop_claim(&runtime->loop);
  cp_channels_close(&runtime->channels);
  cp_children_close(&runtime->children);
  close_loop(&runtime->loop);
  runtime->spawner = cp_spawner_destroy(runtime->spawner);
}
