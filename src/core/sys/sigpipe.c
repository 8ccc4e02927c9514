/* Blocks SIGPIPE for one thread, and drops the signal that a write has raised. */
#include "core/sys/sigpipe.h"

#include "core/sys/sys.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

cp_sigpipe_guard cp_sigpipe_block(void)
{
  cp_sigpipe_guard guard = {false, false};
  sigset_t sigpipe;
  sigset_t before;
  sigset_t pending;

  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  guard.blocked = sigismember(&before, SIGPIPE) == 1;
  if (guard.blocked) {
    sigpending(&pending);
    guard.pending = sigismember(&pending, SIGPIPE) == 1;
  }
  return guard;
}

void cp_sigpipe_restore(cp_sigpipe_guard guard, bool raised)
{
  int saved = errno;
  sigset_t sigpipe;

  if (raised && !guard.pending) {
    cp_sys_drop_signal(SIGPIPE);
  }
  if (!guard.blocked) {
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    pthread_sigmask(SIG_UNBLOCK, &sigpipe, NULL);
  }
  errno = saved;
}
