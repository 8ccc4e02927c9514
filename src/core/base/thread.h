/* Detached threads. */
#ifndef CP_THREAD_H
#define CP_THREAD_H

#include <stddef.h>

/* Finds out what cp_thread_start needs to know, and what a forked process cannot find out. */
void cp_thread_prepare(void);

/* Runs body(argument) on a new thread with all signals blocked, so that only the host's threads
 * handle signals. `stack_size` is what the body needs; the function adds room for the thread-local
 * data of the program and its libraries. Returns 0 or a negative errno. */
int cp_thread_start(void *(*body)(void *), void *argument, size_t stack_size);

#endif
