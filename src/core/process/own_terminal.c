/* Saves and restores the settings, in an exit handler and in handlers of signals. */
#include "core/process/own_terminal.h"

#include "core/loop/fork.h"
#include "core/process/disposition.h"
#include "core/process/terminal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* The signals that usually end a process. A handler is installed only where a signal has its
 * default disposition. */
static const int signums[] = {
    SIGHUP,  SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1,   SIGUSR2, SIGABRT,
    SIGSEGV, SIGBUS, SIGFPE,  SIGILL,  SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF,
};

enum { SIGNUMS = sizeof(signums) / sizeof(signums[0]) };

/* What the handler reads, valid while `process` is this process: not in its copies. */
static struct termios former;
static int terminal = -1;
static _Atomic(pid_t) process;

/* A shell in the foreground has its own settings by then, and the system would stop us. */
static bool is_in_background(void)
{
  pid_t foreground = tcgetpgrp(terminal);

  return foreground > 0 && foreground != getpgrp();
}

void cp_own_terminal_restore(void)
{
  int error = errno;

  if (atomic_load(&process) == getpid() && !is_in_background()) {
    (void)cp_terminal_set_settings(terminal, &former);
  }
  errno = error;
}

/* Signals. */

static void handle(int signum)
{
  int error = errno;

  cp_own_terminal_restore();
  cp_disposition_set_default(signum);
  raise(signum); /* it ends us when this function returns */
  errno = error;
}

bool cp_own_terminal_handles(const struct sigaction *action)
{
  return (action->sa_flags & SA_SIGINFO) == 0 && action->sa_handler == handle;
}

static void install(void)
{
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART | SA_ONSTACK};

  for (int i = 0; i < SIGNUMS; i++) {
    if (cp_disposition_is_default(signums[i])) {
      sigaction(signums[i], &action, NULL);
    }
  }
}

static void uninstall(void)
{
  for (int i = 0; i < SIGNUMS; i++) {
    struct sigaction present;

    if (sigaction(signums[i], NULL, &present) == 0 && cp_own_terminal_handles(&present)) {
      cp_disposition_set_default(signums[i]);
    }
  }
}

void cp_own_terminal_refresh(void)
{
  if (atomic_load_explicit(&process, memory_order_relaxed) != 0) {
    cp_fork_lock();
    if (atomic_load(&process) == getpid()) {
      install();
    }
    cp_fork_unlock();
  }
}

/* Modes. */

static int set_usual(int fd)
{
  int r = 0;

  if (atomic_load(&process) == getpid() && fd == terminal) {
    r = cp_terminal_set_settings(fd, &former);
    if (r == 0) {
      atomic_store(&process, 0);
      uninstall();
    }
  }
  return r;
}

static int set_raw(int fd, bool output)
{
  static bool is_registered;
  struct termios settings;
  int r = 0;

  if (atomic_load(&process) != getpid() || fd != terminal) {
    if (tcgetattr(fd, &settings) == -1) {
      return -errno;
    }
    atomic_store(&process, 0);
    former = settings;
    terminal = fd;
  }
  settings = former;
  cfmakeraw(&settings);
  settings.c_oflag = output ? settings.c_oflag : former.c_oflag;
  r = cp_terminal_set_settings(fd, &settings);
  if (r == 0) {
    atomic_store(&process, getpid());
    install();
    is_registered = is_registered || atexit(cp_own_terminal_restore) == 0;
  }
  return r;
}

int cp_own_terminal_set_mode(int fd, cp_own_terminal_mode mode)
{
  int r = 0;

  cp_fork_lock();
  r = mode == CP_OWN_TERMINAL_USUAL ? set_usual(fd) : set_raw(fd, mode == CP_OWN_TERMINAL_RAW_BOTH);
  cp_fork_unlock();
  return r;
}
