/* The default disposition, by sigaction(2). */
#include "core/process/disposition.h"

#include <signal.h>
#include <stddef.h>

bool cp_disposition_is_default(int signum)
{
  struct sigaction action;

  return sigaction(signum, NULL, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
         action.sa_handler == SIG_DFL;
}

void cp_disposition_set_default(int signum)
{
  const struct sigaction action = {.sa_handler = SIG_DFL};

  sigaction(signum, &action, NULL);
}
