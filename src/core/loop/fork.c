/* Handlers of pthread_atfork, and the lock that they hold while a copy is made. */
#include "core/loop/fork.h"

#include "core/base/assert.h"
#include "core/loop/uv_fork.h"
#include "core/sys/process.h"

#include <pthread.h>
#include <time.h>

unsigned cp_fork_depth;

/* How long calls may delay a copy. A call that takes longer is waiting for the network, and holds
 * no lock meanwhile. */
enum { LONGEST_DELAY_MS = 200 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t no_calls = PTHREAD_COND_INITIALIZER;
static int calls; /* between cp_fork_delay and cp_fork_delay_end */
static CP_LIST(cp_fork_loop) loops = {NULL};
static CP_LIST(cp_fork_hook) hooks = {NULL};

void cp_fork_lock(void)
{
  pthread_mutex_lock(&lock);
}

void cp_fork_unlock(void)
{
  pthread_mutex_unlock(&lock);
}

void cp_fork_delay(void)
{
  cp_fork_lock();
  calls++;
  cp_fork_unlock();
}

void cp_fork_delay_end(void)
{
  cp_fork_lock();
  CP_ASSERT(calls > 0);
  calls--;
  if (calls == 0) {
    pthread_cond_broadcast(&no_calls);
  }
  cp_fork_unlock();
}

static void before_copy(void)
{
  static const long second = 1000000000; /* nanoseconds */
  struct timespec end;
  int r = 0;

  if (cp_sys_is_starting()) {
    return; /* the copy only executes a program, and uses nothing that is locked here */
  }
  cp_fork_lock();
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_nsec += LONGEST_DELAY_MS * (second / 1000);
  end.tv_sec += end.tv_nsec / second;
  end.tv_nsec %= second;
  while (calls > 0 && r == 0) {
    r = pthread_cond_timedwait(&no_calls, &lock, &end);
  }
}

static void in_original(void)
{
  if (!cp_sys_is_starting()) {
    cp_fork_unlock();
  }
}

static void in_copy(void)
{
  const cp_fork_loop *loop = NULL;
  const cp_fork_hook *hook = NULL;

  if (cp_sys_is_starting()) {
    return;
  }
  cp_fork_depth++;
  calls = 0;
  pthread_cond_init(&no_calls, NULL);
  CP_LIST_FOREACH(loop, &loops, entry)
  {
    cp_uv_fork_replace_signal_pipe(loop->uv);
  }
  CP_LIST_FOREACH(hook, &hooks, entry)
  {
    hook->in_copy();
  }
  cp_fork_unlock();
}

static void set_handlers(void)
{
  pthread_atfork(before_copy, in_original, in_copy);
}

static void watch_forks(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once(&once, set_handlers);
}

void cp_fork_add_hook(cp_fork_hook *hook)
{
  watch_forks();
  cp_fork_lock();
  CP_LIST_INSERT(&hooks, hook, entry);
  cp_fork_unlock();
}

void cp_fork_add(cp_fork_loop *loop, const uv_loop_t *uv)
{
  watch_forks();
  loop->uv = uv;
  cp_fork_lock();
  CP_LIST_INSERT(&loops, loop, entry);
  cp_fork_unlock();
}

void cp_fork_remove(cp_fork_loop *loop)
{
  cp_fork_lock();
  CP_LIST_REMOVE(loop, entry);
  cp_fork_unlock();
}
