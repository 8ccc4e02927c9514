/* What the C tests share. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int failures;

/* Notes what does not hold of something. */
static inline void check_of(bool holds, const char *what, const char *subject)
{
  if (!holds) {
    printf("failed: %s (%.80s)\n", what, subject);
    failures++;
  }
}

/* Notes what does not hold. */
static inline void check(bool holds, const char *what)
{
  if (!holds) {
    printf("failed: %s\n", what);
    failures++;
  }
}

/* Runs a test in all three ways to start a program. Returns main's result. */
static inline int run_in_each_mode(void (*test)(void))
{
  test();
  setenv("CHILD_PROCESS_NO_VFORK", "1", 1);
  test();
  setenv("CHILD_PROCESS_NO_PIDFD", "1", 1);
  test();
  return failures == 0 ? 0 : 1;
}

#endif
