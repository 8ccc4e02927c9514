/* A lookup belongs to the loop's thread. That thread and the one that calls the C library share a
 * request. */
#include "core/net/lookup.h"

#include "core/base/assert.h"
#include "core/base/thread.h"
#include "core/loop/deferred.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  /* The most lookups that run at a time, for each loop. */
  MOST_AT_ONCE = 4,
  /* The C library loads modules and parses its files on this stack. */
  STACK_SIZE = 256 * 1024,
};

/* Both threads own the request. The first one that no longer needs it leaves it to the other, which
 * frees it. */
typedef struct request {
  pthread_mutex_t mutex;
  uv_async_t *answered; /* NULL after the lookup was cancelled */
  bool done;            /* the thread has the answer */
  int family;
  int error;
  struct addrinfo *addresses;
  char host[];
} request;

struct cp_lookup {
  cp_lookups *lookups;
  cp_lookup_cb callback;
  void *owner;
  request *request;
  uv_async_t *answered; /* outlives the lookup until libuv has closed it */
  bool started;
  cp_deferred deferred;
  CP_QUEUE_ENTRY(cp_lookup) entry; /* of the waiting or the running lookups */
};

/* On the thread that calls the C library. */

static void free_request(request *asked)
{
  if (asked->addresses != NULL) {
    freeaddrinfo(asked->addresses);
  }
  pthread_mutex_destroy(&asked->mutex);
  free(asked);
}

static int translate(int error)
{
  static const struct {
    int ours;
    int libuv;
  } errors[] = {
      {EAI_AGAIN, UV_EAI_AGAIN},
      {EAI_BADFLAGS, UV_EAI_BADFLAGS},
      {EAI_FAIL, UV_EAI_FAIL},
      {EAI_FAMILY, UV_EAI_FAMILY},
      {EAI_MEMORY, UV_EAI_MEMORY},
      {EAI_NONAME, UV_EAI_NONAME},
      {EAI_OVERFLOW, UV_EAI_OVERFLOW},
      {EAI_SERVICE, UV_EAI_SERVICE},
#ifdef EAI_NODATA
      {EAI_NODATA, UV_EAI_NODATA},
#endif
#ifdef EAI_ADDRFAMILY
      {EAI_ADDRFAMILY, UV_EAI_ADDRFAMILY},
#endif
  };

  if (error == 0) {
    return 0;
  }
  if (error == EAI_SYSTEM && errno != 0) {
    return -errno;
  }
  for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
    if (errors[i].ours == error) {
      return errors[i].libuv;
    }
  }
  return UV_EAI_FAIL;
}

static void *ask(void *argument)
{
  request *asked = argument;
  struct addrinfo hints = {.ai_family = asked->family, .ai_socktype = SOCK_STREAM};
  int error = 0;
  bool forgotten = false;

  cp_fork_delay();
  error = translate(getaddrinfo(asked->host, NULL, &hints, &asked->addresses));
  cp_fork_delay_end();
  pthread_mutex_lock(&asked->mutex);
  asked->error = error;
  asked->done = true;
  forgotten = asked->answered == NULL;
  if (!forgotten) {
    uv_async_send(asked->answered);
  }
  pthread_mutex_unlock(&asked->mutex);
  if (forgotten) {
    free_request(asked);
  }
  return NULL;
}

/* On the loop's thread. */

/* Leaves the request to the other thread, or frees it if that thread has finished. */
static void forget(request *asked)
{
  bool done = false;

  pthread_mutex_lock(&asked->mutex);
  asked->answered = NULL;
  done = asked->done;
  pthread_mutex_unlock(&asked->mutex);
  if (done) {
    free_request(asked);
  }
}

static void run(cp_lookup *lookup)
{
  int r = cp_thread_start(ask, lookup->request, STACK_SIZE);

  if (r < 0) {
    lookup->request->error = r;
    lookup->request->done = true;
    uv_async_send(lookup->answered);
  }
}

static void start(cp_lookup *lookup)
{
  lookup->started = true;
  lookup->lookups->running_count++;
  CP_QUEUE_ADD(&lookup->lookups->running, lookup, entry);
  run(lookup);
}

static void start_next(cp_lookups *lookups)
{
  cp_lookup *next = CP_QUEUE_FIRST(&lookups->waiting);

  if (next != NULL && lookups->running_count < MOST_AT_ONCE) {
    CP_QUEUE_REMOVE(&lookups->waiting, next, entry);
    start(next);
  }
}

/* Frees everything except the request. */
static void end(cp_lookup *lookup)
{
  cp_lookups *lookups = lookup->lookups;

  cp_deferred_remove(lookups->loop, &lookup->deferred);
  uv_close((uv_handle_t *)lookup->answered, cp_loop_free_handle);
  if (lookup->started) {
    CP_ASSERT(lookups->running_count > 0);
    lookups->running_count--;
    CP_QUEUE_REMOVE(&lookups->running, lookup, entry);
  } else {
    CP_QUEUE_REMOVE(&lookups->waiting, lookup, entry);
  }
  free(lookup);
  start_next(lookups);
}

static void report(void *argument)
{
  cp_lookup *lookup = argument;
  cp_lookup_cb callback = lookup->callback;
  void *owner = lookup->owner;
  request *asked = lookup->request;

  /* Waits until the other thread has unlocked it. */
  pthread_mutex_lock(&asked->mutex);
  pthread_mutex_unlock(&asked->mutex);
  end(lookup);
  callback(owner, asked->error, asked->addresses);
  free_request(asked);
}

static void on_answer(uv_async_t *answered)
{
  cp_lookup *lookup = answered->data;
  cp_loop *loop = lookup->lookups->loop;

  if (cp_loop_claim(loop)) {
    return;
  }
  if (cp_defer_if_ending(loop, &lookup->deferred)) {
    uv_async_send(answered);
  } else {
    report(lookup);
  }
}

static request *new_request(const char *host, int family, uv_async_t *answered)
{
  size_t size = strlen(host) + 1;
  request *asked = malloc(sizeof(*asked) + size);

  if (asked != NULL) {
    *asked = (request){.answered = answered, .family = family};
    memcpy(asked->host, host, size);
    pthread_mutex_init(&asked->mutex, NULL);
  }
  return asked;
}

void cp_lookups_init(cp_lookups *lookups, cp_loop *loop)
{
  *lookups = (cp_lookups){.loop = loop};
  CP_QUEUE_INIT(&lookups->waiting);
  CP_QUEUE_INIT(&lookups->running);
}

cp_lookup *cp_lookup_start(cp_lookups *lookups, const char *host, int family, cp_lookup_cb callback,
                           void *owner)
{
  cp_lookup *lookup = malloc(sizeof(*lookup));
  uv_async_t *answered = malloc(sizeof(*answered));
  request *asked = new_request(host, family, answered);

  if (lookup == NULL || answered == NULL || asked == NULL ||
      uv_async_init(lookups->loop->uv, answered, on_answer) < 0) {
    if (asked != NULL) {
      free_request(asked);
    }
    free(answered);
    free(lookup);
    return NULL;
  }
  answered->data = lookup;
  *lookup = (cp_lookup){
      .lookups = lookups,
      .callback = callback,
      .owner = owner,
      .request = asked,
      .answered = answered,
      .deferred = {.callback = report, .owner = lookup},
  };
  cp_loop_note_change(lookups->loop);
  CP_QUEUE_ADD(&lookups->waiting, lookup, entry);
  start_next(lookups);
  return lookup;
}

cp_lookup *cp_lookup_cancel(cp_lookup *lookup)
{
  if (lookup != NULL) {
    request *asked = lookup->request;

    cp_loop_claim(lookup->lookups->loop);
    if (lookup->started) {
      forget(asked);
    } else {
      free_request(asked);
    }
    end(lookup);
  }
  return NULL;
}

/* A forked process has none of the original's threads. One of them may have held the lock, or
 * written half of an answer. The thread sanitizer knows no order between those threads and this
 * process, so it must not look here. */
#if defined(__GNUC__)
__attribute__((no_sanitize("thread")))
#endif
void cp_lookups_restart(cp_lookups *lookups)
{
  cp_lookup *lookup = NULL;

  CP_QUEUE_FOREACH(lookup, &lookups->running, entry)
  {
    request *asked = lookup->request;

    asked->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    /* Older versions of libuv keep the value of the original process, with which uv_async_send does
     * nothing or waits. */
    lookup->answered->pending = 0;
    if (asked->done) {
      uv_async_send(lookup->answered);
    } else {
      asked->addresses = NULL;
      run(lookup);
    }
  }
}
