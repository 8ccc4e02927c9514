/* Assertions: conditions that the code relies on, stated where a reader would otherwise have to
 * remember them.
 *
 * Builds with CP_ASSERTIONS (the test targets, and `make ASSERTIONS=1`) check them, and abort if
 * one fails. Other builds compile the condition but never evaluate it. */
#ifndef CP_ASSERT_H
#define CP_ASSERT_H

#ifdef CP_ASSERTIONS

#include <stdio.h>
#include <stdlib.h>

_Noreturn static inline void cp_assertion_failed(const char *condition, const char *file, int line)
{
  fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
  abort();
}

#define CP_ASSERT(condition)                                                                       \
  ((condition) ? (void)0 : cp_assertion_failed(#condition, __FILE__, __LINE__))

#else

#define CP_ASSERT(condition) ((void)(0 && (condition)))

#endif

#endif
