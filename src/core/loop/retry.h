/* Retries a system call that has failed for lack of memory or descriptors, after a short time.
 *
 * A socket that poll(2) reports as writable may still refuse to send with ENOBUFS, and accepting
 * may fail with EMFILE although a connection waits. Polling would return at once, so a timer waits
 * instead. */
#ifndef CP_RETRY_H
#define CP_RETRY_H

#include "core/loop/loop.h"

enum {
  /* Milliseconds between two tries. */
  CP_RETRY_MS = 50,
  /* Tries in a row: five seconds in all. */
  CP_RETRY_TRIES = 100,
};

typedef void (*cp_retry_cb)(void *owner);

/* Zero all of it before the first use. */
typedef struct cp_retry {
  cp_loop *loop; /* NULL unless it waits */
  cp_retry_cb callback;
  void *owner;
  int tries;
  bool unreferenced;
  CP_LIST_ENTRY(cp_retry) entry;
} cp_retry;

int cp_retry_open(cp_loop *loop);
void cp_retry_close(cp_loop *loop);

/* Calls back after CP_RETRY_MS, unless it is waiting already. Returns false after CP_RETRY_TRIES
 * tries since the last success: then the caller gives up. */
bool cp_retry_later(cp_loop *loop, cp_retry *retry, cp_retry_cb callback, void *owner);

/* The same without a limit. */
void cp_retry_always(cp_loop *loop, cp_retry *retry, cp_retry_cb callback, void *owner);

/* Call this after a success, or to cancel: the callback is not called. */
void cp_retry_end(cp_retry *retry);

static inline bool cp_retry_is_waiting(const cp_retry *retry)
{
  return retry->loop != NULL;
}

/* Sets whether waiting keeps the loop alive. It does by default. */
void cp_retry_reference(cp_retry *retry, bool referenced);

/* Calls `visit` with the owner of each retry that waits and keeps the loop alive. */
void cp_retry_visit(const cp_loop *loop, void (*visit)(void *argument, void *owner),
                    void *argument);

/* The timer of all retries. */
const uv_handle_t *cp_retry_handle(const cp_loop *loop);

/* Whether trying again may help after this negative errno. */
bool cp_retry_helps(int error);

#endif
