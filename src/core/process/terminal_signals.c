/* The handlers, and when they are installed. */
#include "core/process/terminal_signals.h"

#include "core/base/assert.h"
#include "core/loop/fork.h"
#include "core/process/disposition.h"
#include "core/process/group_set.h"
#include "core/process/own_terminal.h"
#include "core/sys/own_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

static const int signums[] = {SIGINT, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

enum { SIGNUMS = sizeof(signums) / sizeof(signums[0]) };

/* What the handler reads, so each is written at once. */
static cp_group_set groups;
static _Atomic(pid_t) process;          /* to which the groups belong: not its copies */
static atomic_uintptr_t former_handler; /* of SIGINT, which ours calls; 0: the default action */
static atomic_bool former_takes_info;   /* it takes three arguments (SA_SIGINFO) */
static atomic_bool former_is_for_once;  /* then the default action follows (SA_RESETHAND) */
static atomic_bool continued;           /* by SIGCONT, since SIGTSTP has come */

static struct sigaction former; /* of SIGINT, to be restored */
static atomic_int count;        /* of groups, for a look without the lock */
static atomic_uintptr_t yielded_handler;

static uintptr_t function_of(const struct sigaction *action)
{
  return action->sa_flags & SA_SIGINFO ? (uintptr_t)action->sa_sigaction
                                       : (uintptr_t)action->sa_handler;
}

/* In the handlers. */

void cp_terminal_signals_forward(int signum)
{
  if (atomic_load(&process) == getpid()) {
    cp_group_set_signal(&groups, signum);
  }
}

static void set_handler(int signum, int flags);

/* Stops us, as without a handler, until somebody continues us. If we were not stopped, because no
 * shell could continue our group, nobody would continue the trees either. */
static void stop(void)
{
  sigset_t only;

  atomic_store(&continued, false);
  cp_disposition_set_default(SIGTSTP);
  raise(SIGTSTP);
  sigemptyset(&only);
  sigaddset(&only, SIGTSTP);
  pthread_sigmask(SIG_UNBLOCK, &only, NULL); /* now we are stopped */
  pthread_sigmask(SIG_BLOCK, &only, NULL);
  if (cp_disposition_is_default(SIGTSTP)) {
    set_handler(SIGTSTP, SA_RESTART);
  }
  if (!atomic_load(&continued)) {
    cp_terminal_signals_forward(SIGCONT);
  }
}

/* The handler of the stock interpreter restores the default disposition, so that a second signal
 * ends the program. The trees have to be told of that one, too. */
static void call_former(int signum, siginfo_t *info, void *context)
{
  uintptr_t function = atomic_load(&former_handler);

  if (atomic_load(&former_is_for_once)) {
    atomic_store(&former_handler, 0);
  }
  if (atomic_load(&former_takes_info)) {
    ((void (*)(int, siginfo_t *, void *))function)(signum, info, context);
  } else {
    ((void (*)(int))function)(signum);
  }
  if (cp_disposition_is_default(signum)) {
    atomic_store(&former_handler, 0);
    set_handler(signum, SA_RESTART);
  }
}

static void handle(int signum, siginfo_t *info, void *context)
{
  int error = errno;

  cp_terminal_signals_forward(signum);
  if (signum == SIGINT && atomic_load(&former_handler) != 0) {
    call_former(signum, info, context);
  } else if (signum == SIGINT || signum == SIGQUIT) {
    cp_own_terminal_restore();
    cp_disposition_set_default(signum);
    raise(signum); /* it ends us when this function returns */
  } else if (signum == SIGTSTP) {
    stop();
  } else if (signum == SIGCONT) {
    atomic_store(&continued, true);
  }
  errno = error;
}

static void set_handler(int signum, int flags)
{
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = flags | SA_SIGINFO | SA_ONSTACK};

  sigaction(signum, &action, NULL);
}

/* Outside of the handlers. */

static bool is_handled_by_us(const struct sigaction *action)
{
  return function_of(action) == (uintptr_t)handle;
}

/* Whether it is a handler of SIGINT in the program itself, like that of the stock interpreter. */
static bool can_be_called(const struct sigaction *action)
{
  uintptr_t function = function_of(action);

  return action->sa_handler != SIG_IGN && function != atomic_load(&yielded_handler) &&
         cp_own_process_contains((const void *)function);
}

static void install_over(int signum, const struct sigaction *present)
{
  if (function_of(present) == (uintptr_t)SIG_DFL || cp_own_terminal_handles(present)) {
    if (signum == SIGINT) {
      former = *present;
      atomic_store(&former_handler, 0);
    }
    set_handler(signum, SA_RESTART);
  } else if (signum == SIGINT && can_be_called(present)) {
    former = *present;
    atomic_store(&former_takes_info, (present->sa_flags & SA_SIGINFO) != 0);
    atomic_store(&former_is_for_once, (present->sa_flags & (int)SA_RESETHAND) != 0);
    atomic_store(&former_handler, function_of(present));
    set_handler(signum, present->sa_flags & SA_RESTART);
  }
}

static void install(void)
{
  for (int i = 0; i < SIGNUMS; i++) {
    struct sigaction present;

    if (sigaction(signums[i], NULL, &present) == 0 && !is_handled_by_us(&present)) {
      install_over(signums[i], &present);
    }
  }
}

static void uninstall(void)
{
  for (int i = 0; i < SIGNUMS; i++) {
    struct sigaction present;

    if (sigaction(signums[i], NULL, &present) == -1 || !is_handled_by_us(&present)) {
      continue; /* other code has replaced it */
    }
    if (signums[i] == SIGINT && atomic_load(&former_handler) != 0) {
      sigaction(SIGINT, &former, NULL);
    } else {
      cp_disposition_set_default(signums[i]);
    }
  }
}

/* In a copy of the process the groups are those of the original. */
static void lock(void)
{
  cp_fork_lock();
  if (atomic_load(&process) != getpid()) {
    cp_group_set_clear(&groups);
    atomic_store(&process, getpid());
  }
}

static void unlock(void)
{
  bool was_last = groups.count == 0 && atomic_load(&count) > 0;

  if (was_last) {
    uninstall();
  }
  atomic_store(&count, groups.count);
  cp_fork_unlock();
  if (was_last) {
    cp_own_terminal_refresh();
  }
}

static bool has_terminal(void)
{
  int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

  if (fd == -1) {
    return errno == EMFILE || errno == ENFILE; /* perhaps */
  }
  close(fd);
  return true;
}

bool cp_terminal_is_ours(int fd)
{
  pid_t session = tcgetsid(fd);

  return session != -1 && session == getsid(0);
}

static void block(sigset_t *mask)
{
  sigset_t blocked;

  sigemptyset(&blocked);
  for (int i = 0; i < SIGNUMS; i++) {
    sigaddset(&blocked, signums[i]);
  }
  pthread_sigmask(SIG_BLOCK, &blocked, mask);
}

int cp_terminal_signals_begin(sigset_t *mask)
{
  int r = 0;

  if (!has_terminal()) {
    return -ENOTTY;
  }
  lock();
  r = cp_group_set_reserve(&groups);
  if (r == 0) {
    block(mask);
    install();
  }
  unlock();
  return r;
}

void cp_terminal_signals_end(const sigset_t *mask, pid_t group)
{
  lock();
  if (group > 1) {
    cp_group_set_add(&groups, group);
  } else {
    cp_group_set_cancel(&groups);
  }
  unlock();
  pthread_sigmask(SIG_SETMASK, mask, NULL);
}

void cp_terminal_signals_remove(pid_t group)
{
  if (atomic_load_explicit(&count, memory_order_relaxed) > 0) {
    lock();
    cp_group_set_remove(&groups, group);
    unlock();
  }
}

void cp_terminal_signals_refresh(void)
{
  if (atomic_load_explicit(&count, memory_order_relaxed) > 0) {
    lock();
    if (groups.count > 0) {
      install();
    }
    unlock();
  }
  cp_own_terminal_refresh();
}

void cp_terminal_signals_yield(int signum)
{
  struct sigaction present;

  if (signum == SIGINT && sigaction(signum, NULL, &present) == 0) {
    atomic_store(&yielded_handler, function_of(&present));
  }
}
