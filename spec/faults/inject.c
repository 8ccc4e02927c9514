/* The functions that stand in for those of the C library and of libuv: each counts its calls, and
 * fails at the one that was chosen. */
#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

/* Shared with the children that are made by fork. */
static struct injection {
  inject_mode mode;
  long point;
  long count;
  bool armed;
  char *name; /* the caller's */
  int error;
} * injection;

static struct code {
  const char *object;
  uintptr_t start;
  uintptr_t end;
} code;

/* Counts a call, and tells whether it is the one that fails. */
static bool is_point(const void *caller, const char *name, int error)
{
  uintptr_t address = (uintptr_t)caller;
  long number = 0;

  if (injection == NULL || !injection->armed || address < code.start || address >= code.end) {
    return false;
  }
  number = __atomic_add_fetch(&injection->count, 1, __ATOMIC_SEQ_CST);
  if (number != injection->point) {
    return false;
  }
  strncpy(injection->name, name, INJECT_NAME_SIZE - 1);
  injection->error = error;
  return true;
}

static bool fails(const void *caller, const char *name, int error, bool interruptible)
{
  bool interrupts = injection != NULL && injection->mode == INJECT_INTERRUPT;

  if ((interrupts && !interruptible) || (!interrupts && error == 0)) {
    return false;
  }
  if (!is_point(caller, name, interrupts ? EINTR : error)) {
    return false;
  }
  errno = interrupts ? EINTR : error;
  return true;
}

/* The real functions. */

#define FUNCTIONS(X)                                                                               \
  X(accept4)                                                                                       \
  X(bind)                                                                                          \
  X(calloc)                                                                                        \
  X(chdir)                                                                                         \
  X(clone)                                                                                         \
  X(close)                                                                                         \
  X(connect)                                                                                       \
  X(dup2)                                                                                          \
  X(dup3)                                                                                          \
  X(epoll_create1)                                                                                 \
  X(epoll_ctl)                                                                                     \
  X(epoll_wait)                                                                                    \
  X(execve)                                                                                        \
  X(fcntl)                                                                                         \
  X(fork)                                                                                          \
  X(fstat)                                                                                         \
  X(getpeername)                                                                                   \
  X(getsockname)                                                                                   \
  X(getsockopt)                                                                                    \
  X(ioctl)                                                                                         \
  X(listen)                                                                                        \
  X(malloc)                                                                                        \
  X(mmap)                                                                                          \
  X(open)                                                                                          \
  X(pipe2)                                                                                         \
  X(poll)                                                                                          \
  X(prctl)                                                                                         \
  X(pthread_create)                                                                                \
  X(read)                                                                                          \
  X(realloc)                                                                                       \
  X(recv)                                                                                          \
  X(recvfrom)                                                                                      \
  X(recvmsg)                                                                                       \
  X(send)                                                                                          \
  X(sendmsg)                                                                                       \
  X(setpgid)                                                                                       \
  X(setpriority)                                                                                   \
  X(setsockopt)                                                                                    \
  X(shutdown)                                                                                      \
  X(socket)                                                                                        \
  X(socketpair)                                                                                    \
  X(splice)                                                                                        \
  X(syscall)                                                                                       \
  X(tee)                                                                                           \
  X(unlink)                                                                                        \
  X(uv_async_init)                                                                                 \
  X(uv_loop_init)                                                                                  \
  X(uv_poll_init)                                                                                  \
  X(uv_poll_start)                                                                                 \
  X(uv_signal_init) X(uv_signal_start) X(wait4) X(waitid) X(waitpid) X(write) X(writev)

#define DECLARE(name) static __typeof__(&name) real_##name;
FUNCTIONS(DECLARE)

/* The allocator is needed before it is known: the linker's own call of it comes first. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

static int find_code(struct dl_phdr_info *info, size_t size, void *argument)
{
  (void)size, (void)argument;
  if (strstr(info->dlpi_name, code.object) == NULL) {
    return 0;
  }
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];

    if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
      code.start = info->dlpi_addr + header->p_vaddr;
      code.end = code.start + header->p_memsz;
    }
  }
  return 1;
}

/* Before anybody else runs. */
__attribute__((constructor)) static void find_functions(void)
{
#define FIND(name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name);
  FUNCTIONS(FIND)
}

bool inject_open(const char *object)
{
  code.object = object;
  return dl_iterate_phdr(find_code, NULL) == 1;
}

bool inject_arm(inject_mode mode, long point, char *name)
{
  injection = real_mmap(NULL, sizeof(*injection), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (injection == MAP_FAILED) {
    injection = NULL;
    return false;
  }
  *injection = (struct injection){.mode = mode, .point = point, .name = name, .armed = true};
  return true;
}

long inject_disarm(void)
{
  injection->armed = false;
  return injection->count;
}

int inject_failed(void)
{
  return injection != NULL ? injection->error : 0;
}

/* Those that stand in front of them. */

#define CALLER __builtin_return_address(0)

/* A function of two to six parameters that returns -1 when it fails. */
#define PARAMETERS2(a, b) a _1, b _2
#define PARAMETERS3(a, b, c) a _1, b _2, c _3
#define PARAMETERS4(a, b, c, d) a _1, b _2, c _3, d _4
#define PARAMETERS5(a, b, c, d, e) a _1, b _2, c _3, d _4, e _5
#define PARAMETERS6(a, b, c, d, e, f) a _1, b _2, c _3, d _4, e _5, f _6
#define ARGUMENTS2 _1, _2
#define ARGUMENTS3 _1, _2, _3
#define ARGUMENTS4 _1, _2, _3, _4
#define ARGUMENTS5 _1, _2, _3, _4, _5
#define ARGUMENTS6 _1, _2, _3, _4, _5, _6
#define STAND_IN(type, name, error, interruptible, n, ...)                                         \
  type name(PARAMETERS##n(__VA_ARGS__))                                                            \
  {                                                                                                \
    return fails(CALLER, #name, error, interruptible) ? -1 : real_##name(ARGUMENTS##n);            \
  }

enum { NEVER = 0 }; /* only interrupted */

STAND_IN(int, accept4, EMFILE, true, 4, int, __SOCKADDR_ARG, socklen_t *, int)
STAND_IN(int, bind, EADDRINUSE, false, 3, int, __CONST_SOCKADDR_ARG, socklen_t)
STAND_IN(int, connect, ENETUNREACH, false, 3, int, __CONST_SOCKADDR_ARG, socklen_t)
STAND_IN(int, dup2, EBUSY, false, 2, int, int)
STAND_IN(int, dup3, EBUSY, false, 3, int, int, int)
STAND_IN(int, epoll_wait, NEVER, true, 4, int, struct epoll_event *, int, int)
STAND_IN(int, execve, E2BIG, false, 3, const char *, char *const *, char *const *)
STAND_IN(int, fstat, EOVERFLOW, false, 2, int, struct stat *)
STAND_IN(int, getpeername, ENOBUFS, false, 3, int, __SOCKADDR_ARG, socklen_t *)
STAND_IN(int, getsockname, ENOBUFS, false, 3, int, __SOCKADDR_ARG, socklen_t *)
STAND_IN(int, getsockopt, ENOMEM, false, 5, int, int, int, void *, socklen_t *)
STAND_IN(int, listen, EADDRINUSE, false, 2, int, int)
STAND_IN(int, poll, ENOMEM, true, 3, struct pollfd *, nfds_t, int)
STAND_IN(ssize_t, read, EIO, true, 3, int, void *, size_t)
STAND_IN(ssize_t, recv, ENOMEM, true, 4, int, void *, size_t, int)
STAND_IN(ssize_t, recvfrom, ENOMEM, true, 6, int, void *, size_t, int, __SOCKADDR_ARG, socklen_t *)
STAND_IN(ssize_t, recvmsg, EIO, true, 3, int, struct msghdr *, int)
STAND_IN(ssize_t, send, ETIMEDOUT, true, 4, int, const void *, size_t, int)
STAND_IN(ssize_t, sendmsg, ETIMEDOUT, true, 3, int, const struct msghdr *, int)
STAND_IN(int, setpgid, EPERM, false, 2, pid_t, pid_t)
STAND_IN(int, setpriority, EPERM, false, 3, __priority_which_t, id_t, int)
STAND_IN(int, setsockopt, ENOMEM, false, 5, int, int, int, const void *, socklen_t)
STAND_IN(int, shutdown, EINVAL, false, 2, int, int)
STAND_IN(int, socket, EMFILE, false, 3, int, int, int)
STAND_IN(ssize_t, splice, ENOMEM, true, 6, int, off_t *, int, off_t *, size_t, unsigned)
STAND_IN(ssize_t, tee, ENOMEM, true, 4, int, int, size_t, unsigned)
STAND_IN(pid_t, wait4, EINVAL, true, 4, pid_t, int *, int, struct rusage *)
STAND_IN(int, waitid, EINVAL, true, 4, idtype_t, id_t, siginfo_t *, int)
STAND_IN(pid_t, waitpid, EINVAL, true, 3, pid_t, int *, int)
STAND_IN(ssize_t, write, EIO, true, 3, int, const void *, size_t)
STAND_IN(ssize_t, writev, EIO, true, 3, int, const struct iovec *, int)

int pipe2(int ends[2], int flags)
{
  return fails(CALLER, "pipe2", EMFILE, false) ? -1 : real_pipe2(ends, flags);
}

int socketpair(int domain, int type, int protocol, int ends[2])
{
  return fails(CALLER, "socketpair", EMFILE, false) ? -1
                                                    : real_socketpair(domain, type, protocol, ends);
}

int chdir(const char *path)
{
  return fails(CALLER, "chdir", EIO, false) ? -1 : real_chdir(path);
}

int unlink(const char *path)
{
  return fails(CALLER, "unlink", EIO, false) ? -1 : real_unlink(path);
}

int epoll_create1(int flags)
{
  return fails(CALLER, "epoll_create1", EMFILE, false) ? -1 : real_epoll_create1(flags);
}

pid_t fork(void)
{
  return fails(CALLER, "fork", EAGAIN, false) ? -1 : real_fork();
}

/* The descriptor is closed in any case, as Linux does it. */
int close(int fd)
{
  bool error = fails(CALLER, "close", EIO, true);
  int r = real_close(fd);

  if (error) {
    errno = EIO;
  }
  return error ? -1 : r;
}

/* What is in the set can always be taken out. */
int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
  return operation != EPOLL_CTL_DEL && fails(CALLER, "epoll_ctl", ENOSPC, false)
             ? -1
             : real_epoll_ctl(set, operation, fd, event);
}

int open(const char *path, int flags, ...)
{
  va_list rest;
  mode_t mode = 0;

  va_start(rest, flags);
  mode = va_arg(rest, mode_t);
  va_end(rest);
  return fails(CALLER, "open", ENFILE, true) ? -1 : real_open(path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
  va_list rest;
  long argument = 0;

  va_start(rest, command);
  argument = va_arg(rest, long);
  va_end(rest);
  return fails(CALLER, "fcntl", EMFILE, false) ? -1 : real_fcntl(fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...)
{
  va_list rest;
  void *argument = NULL;

  va_start(rest, request);
  argument = va_arg(rest, void *);
  va_end(rest);
  return fails(CALLER, "ioctl", ENOTTY, false) ? -1 : real_ioctl(fd, request, argument);
}

int prctl(int option, ...)
{
  va_list rest;
  unsigned long a[4];

  va_start(rest, option);
  for (int i = 0; i < 4; i++) {
    a[i] = va_arg(rest, unsigned long);
  }
  va_end(rest);
  return fails(CALLER, "prctl", EINVAL, false) ? -1 : real_prctl(option, a[0], a[1], a[2], a[3]);
}

/* Those that a child makes which is being started, and others that the C library has no name for.
 * The rest cannot fail as they are used: to set what is done with signals, and to end. */
static int error_of_call(long number)
{
  switch (number) {
    case SYS_clone: return EAGAIN;
    case SYS_dup3: return EBUSY;
    case SYS_execve: return E2BIG;
    case SYS_openat: return ENFILE;
    case SYS_chdir: return EIO;
    case SYS_pidfd_send_signal:
    case SYS_prlimit64:
    case SYS_sched_setaffinity:
    case SYS_setgroups:
    case SYS_setgid:
    case SYS_setuid: return EPERM;
    case SYS_close_range:
    case SYS_pidfd_open: return ENOSYS;
    case SYS_waitid: return EINVAL;
    default: return NEVER;
  }
}

long syscall(long number, ...)
{
  va_list rest;
  long a[6];

  va_start(rest, number);
  for (int i = 0; i < 6; i++) {
    a[i] = va_arg(rest, long);
  }
  va_end(rest);
  return fails(CALLER, "syscall", error_of_call(number), number == SYS_waitid)
             ? -1
             : real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
  va_list rest;
  void *a[3];

  va_start(rest, argument);
  for (int i = 0; i < 3; i++) {
    a[i] = va_arg(rest, void *);
  }
  va_end(rest);
  return fails(CALLER, "clone", EAGAIN, false)
             ? -1
             : real_clone(function, stack, flags, argument, a[0], a[1], a[2]);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument)
{
  return fails(CALLER, "pthread_create", EAGAIN, false)
             ? EAGAIN
             : real_pthread_create(thread, attributes, start, argument);
}

/* Memory. */

void *malloc(size_t size)
{
  return fails(CALLER, "malloc", ENOMEM, false) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
  return fails(CALLER, "calloc", ENOMEM, false) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
  return fails(CALLER, "realloc", ENOMEM, false) ? NULL : __libc_realloc(block, size);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
  return fails(CALLER, "mmap", ENOMEM, false)
             ? MAP_FAILED
             : real_mmap(address, length, protection, flags, fd, offset);
}

/* libuv returns the negative errno. */
#define UV_STAND_IN(name, n, ...)                                                                  \
  int name(PARAMETERS##n(__VA_ARGS__))                                                             \
  {                                                                                                \
    return fails(CALLER, #name, ENOMEM, false) ? UV_ENOMEM : real_##name(ARGUMENTS##n);            \
  }

UV_STAND_IN(uv_async_init, 3, uv_loop_t *, uv_async_t *, uv_async_cb)
UV_STAND_IN(uv_poll_init, 3, uv_loop_t *, uv_poll_t *, int)
UV_STAND_IN(uv_poll_start, 3, uv_poll_t *, int, uv_poll_cb)
UV_STAND_IN(uv_signal_init, 2, uv_loop_t *, uv_signal_t *)
UV_STAND_IN(uv_signal_start, 3, uv_signal_t *, uv_signal_cb, int)

int uv_loop_init(uv_loop_t *loop)
{
  return fails(CALLER, "uv_loop_init", ENOMEM, false) ? UV_ENOMEM : real_uv_loop_init(loop);
}
