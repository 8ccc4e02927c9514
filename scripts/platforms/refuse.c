/* Executes a program that may not call pidfd_open, clone3 and close_range, and neither may the
 * programs that it starts. Old container runtimes refuse calls that they do not know in this way.
 *
 *   refuse ERRNO ERRNO_OF_CLONE3 PROGRAM [ARGUMENT...]     each is ENOSYS or EPERM
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned error_of(const char *name)
{
  return strcmp(name, "EPERM") == 0 ? EPERM : ENOSYS;
}

static int set_filter(unsigned error, unsigned error_of_clone3)
{
  /* The three have the same numbers on all processors. */
  struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 2, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error_of_clone3),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
  };
  struct sock_fprog filter = {.len = sizeof(instructions) / sizeof(*instructions),
                              .filter = instructions};

  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) {
    return 0;
  }
  /* Without the rights of root. */
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                 prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0
             ? 0
             : -1;
}

int main(int argc, char **argv)
{
  if (argc < 4) {
    fprintf(stderr, "usage: refuse ERRNO ERRNO_OF_CLONE3 PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  if (set_filter(error_of(argv[1]), error_of(argv[2])) == 0) {
    execvp(argv[3], argv + 3);
  }
  perror("refuse");
  return 127;
}
