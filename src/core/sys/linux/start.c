/* Three system calls make processes here. clone3 is the best: its child starts without signal
 * handlers, so it need not look at 64 signals. The C library does not export it, so it needs
 * assembly; and some sandboxes refuse it, so clone is the fallback. Both accept a stack for a child
 * that shares our memory. A raw clone makes the child with a copy of our memory: fork(3) would run
 * the host's handlers in both processes, and would let waitpid(-1) find the child before it has
 * executed a program. */
#include "core/sys/process.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/close_range.h>

/* The thread sanitizer treats every clone as a fork, and switches itself off in the child. The
 * child shares our memory, so the sanitizer would switch itself off in us. */
#ifdef __SANITIZE_THREAD__
extern int __clone(int (*body)(void *), void *stack, int flags, void *argument, ...);
#define clone __clone
#endif

enum {
  STACK_SIZE = 64 * 1024,
  EXIT_NOT_STARTED = 127,
};

bool cp_sys_has_user(uid_t uid)
{
  uid_t ids[3];

  return getresuid(&ids[0], &ids[1], &ids[2]) == 0 && ids[0] == uid && ids[1] == uid &&
         ids[2] == uid;
}

bool cp_sys_has_group(gid_t gid)
{
  gid_t ids[3];

  return getresgid(&ids[0], &ids[1], &ids[2]) == 0 && ids[0] == gid && ids[1] == gid &&
         ids[2] == gid;
}

static void reap(pid_t pid)
{
  cp_exit_status status;

  cp_sys_wait(-1, pid, true, &status);
}

/* The stack, and whether memory is shared. User-mode emulators run CLONE_VM as a plain fork, where
 * the child's errors would never reach us. */

static char *new_stack(void)
{
  char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

  return stack == MAP_FAILED ? NULL : stack;
}

void cp_sys_stack_free(char *stack)
{
  if (stack != NULL) {
    munmap(stack, STACK_SIZE);
  }
}

CP_ON_CHILD_STACK static int note_shared_memory(void *flag)
{
  *(volatile bool *)flag = true;
  cp_sys_child_exit(0);
}

static bool memory_is_shared;

static void probe_shared_memory(void)
{
  char *stack = new_stack();
  bool seen = false;
  sigset_t before;
  pid_t pid = -1;

  if (stack == NULL) {
    return;
  }
  cp_sys_block_signals(&before);
  pid = clone(note_shared_memory, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK, &seen);
  if (pid != -1) {
    reap(pid);
  }
  cp_sys_restore_signals(&before);
  cp_sys_stack_free(stack);
  memory_is_shared = *(volatile bool *)&seen;
}

char *cp_sys_stack_new(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once(&once, probe_shared_memory);
  return memory_is_shared ? new_stack() : NULL;
}

/* Sharing our memory. */

/* What we pass to the child, and it to us, through the shared memory.
 *
 * With a table of its own, the child would get a copy of every open descriptor, and close almost
 * all of them again. So it shares our table at first (CLONE_FILES), and then keeps a copy of only
 * the part that it needs (CLOSE_RANGE_UNSHARE), before it changes anything. */
typedef struct birth {
  const cp_sys_start *start;
  bool unshares; /* the child starts with our descriptor table, and keeps a copy of a part */
  bool has_no_handlers;
  bool cannot_unshare; /* set by the child, which then does nothing else */
} birth;

CP_ON_CHILD_STACK static int run_body(void *argument)
{
  birth *born = argument;

  if (born->unshares &&
      syscall(SYS_close_range, (unsigned)born->start->keep_below, ~0U, CLOSE_RANGE_UNSHARE) == -1) {
    born->cannot_unshare = true;
    cp_sys_child_exit(EXIT_NOT_STARTED);
  }
  born->start->body(born->start->argument, born->has_no_handlers);
  return EXIT_NOT_STARTED;
}

#if defined(__x86_64__) && defined(__LP64__) && defined(SYS_clone3)

/* The first version of the struct in linux/sched.h, which older headers lack. */
typedef struct clone3_arguments {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
} clone3_arguments;

static const uint64_t CLEAR_SIGNAL_HANDLERS = UINT64_C(1) << 32;

/* The system call, whose child calls run(argument) on its own stack and must not return from it. */
static long clone3_running(const clone3_arguments *arguments, int (*run)(void *), void *argument)
{
  register int (*run_register)(void *) __asm__("r8") = run;
  register void *argument_register __asm__("r9") = argument;
  long result = SYS_clone3;

  __asm__ volatile("syscall\n\t"
                   "testq %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xorl %%ebp, %%ebp\n\t" /* the outermost frame */
                   "movq %%r9, %%rdi\n\t"
                   "callq *%%r8\n\t"
                   "hlt\n"
                   "1:"
                   : "+a"(result)
                   : "D"(arguments), "S"(sizeof(*arguments)), "r"(run_register),
                     "r"(argument_register)
                   : "rcx", "r11", "cc", "memory");
  return result;
}

/* Whether clone3 was refused. Several threads may set it. */
static atomic_bool lacks_clone3;

static pid_t clone_without_handlers(birth *born, int flags, int *pidfd)
{
  clone3_arguments arguments = {
      .flags = (uint64_t)flags | CLEAR_SIGNAL_HANDLERS,
      .pidfd = (uintptr_t)pidfd,
      .stack = (uintptr_t)born->start->stack,
      .stack_size = STACK_SIZE,
  };
  long r = -ENOSYS;

  if (atomic_load_explicit(&lacks_clone3, memory_order_relaxed)) {
    return -ENOSYS;
  }
  born->has_no_handlers = true;
  r = clone3_running(&arguments, run_body, born);
  if (r == -ENOSYS || r == -EPERM || r == -EINVAL) {
    atomic_store_explicit(&lacks_clone3, true, memory_order_relaxed);
    born->has_no_handlers = false;
    return -ENOSYS;
  }
  return (pid_t)r;
}

#else

static pid_t clone_without_handlers(birth *born, int flags, int *pidfd)
{
  (void)born;
  (void)flags;
  (void)pidfd;
  return -ENOSYS;
}

#endif

static int start_sharing(birth *born, pid_t *pid, int *pidfd)
{
  int flags = CLONE_VM | CLONE_VFORK | (born->start->with_pidfd ? CLONE_PIDFD : 0) |
              (born->unshares ? CLONE_FILES : 0);
  pid_t child = clone_without_handlers(born, flags, pidfd);

  if (child == -ENOSYS) {
    child = clone(run_body, born->start->stack + STACK_SIZE, flags, born, pidfd);
    child = child == -1 ? -errno : child;
  }
  if (child < 0) {
    return child;
  }
  *pid = child;
  return 0;
}

int cp_sys_start_sharing(const cp_sys_start *start, pid_t *pid, int *pidfd)
{
  static atomic_bool lacks_unshare;
  birth born = {.start = start,
                .unshares = !atomic_load_explicit(&lacks_unshare, memory_order_relaxed)};
  int r = start_sharing(&born, pid, pidfd);

  if (r == 0 && born.cannot_unshare) {
    if (start->with_pidfd) {
      close(*pidfd);
      *pidfd = -1;
    }
    reap(*pid);
    atomic_store_explicit(&lacks_unshare, true, memory_order_relaxed);
    born = (birth){.start = start};
    r = start_sharing(&born, pid, pidfd);
  }
  return r;
}

/* Copying our memory. */

/* Returns as fork(2) does. The child may only call async-signal-safe functions. */
static pid_t raw_clone(unsigned long flags, int *pidfd)
{
#if defined(__s390__) || defined(__s390x__)
  return (pid_t)syscall(SYS_clone, 0, flags, pidfd, NULL, 0);
#else
  return (pid_t)syscall(SYS_clone, flags, 0, pidfd, NULL, 0);
#endif
}

pid_t cp_sys_start_copying(bool with_pidfd, int *pidfd)
{
  pid_t pid = raw_clone(with_pidfd ? CLONE_PIDFD : 0, pidfd);

  if (pid == -1 && errno == EINVAL) {
    /* Emulators only accept a plain fork. */
    pid = raw_clone(SIGCHLD, NULL);
    if (pid > 0 && with_pidfd) {
      *pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    }
  }
  return pid == -1 ? -errno : pid;
}

bool cp_sys_is_starting(void)
{
  return false;
}
