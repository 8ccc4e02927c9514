#include "lookup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
  /* Threads at a time, for each loop. */
  MOST_AT_ONCE = 4,
  /* The C library loads modules and parses its files on it. */
  STACK_SIZE = 256 * 1024,
};

/* What the thread works on. It belongs to both until one lets go of it, and to the other then. */
typedef struct request {
  pthread_mutex_t mutex;
  uv_async_t *answered; /* NULL when nobody waits for the answer any more */
  bool done;
  int family;
  int error;
  struct addrinfo *addresses;
  char host[];
} request;

struct cp_lookup {
  cp_loop *loop;
  cp_lookup_cb callback;
  void *owner;
  request *request;
  uv_async_t *answered; /* memory of its own, which goes after it was closed */
  bool started;
  TAILQ_ENTRY(cp_lookup) waiting;
};

/* The thread. */

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
  int error = translate(getaddrinfo(asked->host, NULL, &hints, &asked->addresses));
  bool forgotten = false;

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

static int start_thread(request *asked)
{
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all;
  sigset_t before;
  int r = 0;

  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  /* The host's signals are for the host's threads. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  r = pthread_create(&thread, &attributes, ask, asked);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return -r;
}

/* The loop's side. */

/* Lets go of the request. */
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

static void begin(cp_lookup *lookup)
{
  int r = start_thread(lookup->request);

  lookup->started = true;
  lookup->loop->lookups++;
  if (r < 0) {
    lookup->request->error = r;
    lookup->request->done = true;
    uv_async_send(lookup->answered);
  }
}

static void begin_next(cp_loop *loop)
{
  cp_lookup *next = TAILQ_FIRST(&loop->waiting_lookups);

  if (next != NULL && loop->lookups < MOST_AT_ONCE) {
    TAILQ_REMOVE(&loop->waiting_lookups, next, waiting);
    begin(next);
  }
}

/* Frees all but the request. */
static void end(cp_lookup *lookup)
{
  cp_loop *loop = lookup->loop;

  uv_close((uv_handle_t *)lookup->answered, cp_loop_free_handle);
  if (lookup->started) {
    loop->lookups--;
  } else {
    TAILQ_REMOVE(&loop->waiting_lookups, lookup, waiting);
  }
  free(lookup);
  begin_next(loop);
}

static void on_answer(uv_async_t *answered)
{
  cp_lookup *lookup = answered->data;
  cp_lookup_cb callback = lookup->callback;
  void *owner = lookup->owner;
  request *asked = lookup->request;

  /* The thread may still hold the lock. */
  pthread_mutex_lock(&asked->mutex);
  pthread_mutex_unlock(&asked->mutex);
  end(lookup);
  callback(owner, asked->error, asked->addresses);
  free_request(asked);
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

cp_lookup *cp_lookup_start(cp_loop *loop, const char *host, int family, cp_lookup_cb callback,
                           void *owner)
{
  cp_lookup *lookup = malloc(sizeof(*lookup));
  uv_async_t *answered = malloc(sizeof(*answered));
  request *asked = new_request(host, family, answered);

  if (lookup == NULL || answered == NULL || asked == NULL ||
      uv_async_init(loop->uv, answered, on_answer) < 0) {
    if (asked != NULL) {
      free_request(asked);
    }
    free(answered);
    free(lookup);
    return NULL;
  }
  answered->data = lookup;
  *lookup = (cp_lookup){loop, callback, owner, asked, answered, false, {0}};
  loop->changed = true;
  TAILQ_INSERT_TAIL(&loop->waiting_lookups, lookup, waiting);
  begin_next(loop);
  return lookup;
}

cp_lookup *cp_lookup_cancel(cp_lookup *lookup)
{
  if (lookup != NULL) {
    request *asked = lookup->request;

    if (lookup->started) {
      forget(asked);
    } else {
      free_request(asked);
    }
    end(lookup);
  }
  return NULL;
}
