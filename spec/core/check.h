/* Checks for the C tests. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int failures;

/* Prints a condition that does not hold for `subject`, and counts it as a failure. */
static inline void check_of(bool holds, const char *what, const char *subject)
{
  if (!holds) {
    printf("failed: %s (%.80s)\n", what, subject);
    failures++;
  }
}

/* The same without a subject. */
static inline void check(bool holds, const char *what)
{
  if (!holds) {
    printf("failed: %s\n", what);
    failures++;
  }
}

/* Runs a test with each of the three ways to start a program. Returns the result of main. */
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
