/* Copies of the process that are made while a thread looks up a name. The C library may hold a lock
 * then, and not reset it in the copy: glibc has several such locks. */
#include "core/loop/iteration.h"
#include "core/net/lookup.h"
#include "core/runtime.h"

#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  PATIENCE_S = 60,
  HESITATION_US = 5000, /* the lock is held for that time, so that a copy may be made meanwhile */
};

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_inside;
static atomic_bool is_forking;

static void note_fork(void)
{
  is_forking = true;
}

/* Replaces the function of the C library. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
  (void)host, (void)service, (void)hints, (void)result;
  pthread_mutex_lock(&library);
  is_inside = true;
  while (!is_forking) {
    usleep(HESITATION_US);
  }
  usleep(HESITATION_US);
  pthread_mutex_unlock(&library);
  return EAI_NONAME;
}

static void on_answer(void *owner, int error, const struct addrinfo *addresses)
{
  (void)addresses;
  *(int *)owner = error;
}

static void wait_for_answer(cp_loop *loop, const int *answer)
{
  while (*answer == 0) {
    cp_loop_iterate(loop, true);
  }
}

int main(void)
{
  cp_runtime runtime;
  int answer = 0;
  int status = -1;
  pid_t copy = -1;

  alarm(PATIENCE_S);
  check(cp_runtime_init(&runtime, NULL) == 0, "making a loop");
  pthread_atfork(note_fork, NULL, NULL);
  check(cp_lookup_start(&runtime.lookups, "name", AF_UNSPEC, on_answer, &answer) != NULL,
        "looking up");
  while (!is_inside) {
    usleep(HESITATION_US);
  }
  copy = fork();
  if (copy == 0) {
    alarm(PATIENCE_S / 2);
    cp_loop_claim(&runtime.loop);
    wait_for_answer(&runtime.loop, &answer);
    _exit(answer == UV_EAI_NONAME ? 0 : 1);
  }
  check(waitpid(copy, &status, 0) == copy && status == 0, "the answer in a copy");
  wait_for_answer(&runtime.loop, &answer);
  check(answer == UV_EAI_NONAME, "the answer");
  cp_runtime_destroy(&runtime);
  return failures == 0 ? 0 : 1;
}
