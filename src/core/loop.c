#include "loop.h"

#include "channel.h"
#include "pipe.h"
#include "poller.h"
#include "reap.h"
#include "spawn.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { TURNS_TO_CLOSE = 8 };

static void close_leftover(uv_handle_t *handle, void *unused)
{
  (void)unused;
  /* Whoever started the handle frees it in its own callback, which is pending already. */
  if (!uv_is_closing(handle)) {
    uv_close(handle, NULL);
  }
}

/* A program may have been started without standard streams. Their numbers would then go to our own
 * descriptors, and whatever the program prints would end up there. */
static void occupy_standard_descriptors(void)
{
  int fd = STDIN_FILENO;

  while (fd <= STDERR_FILENO) {
    if (fcntl(fd, F_GETFD) != -1) {
      fd++;
    } else if (open("/dev/null", O_RDWR) == -1) {
      return;
    }
  }
}

int cp_loop_init(cp_loop *loop, uv_loop_t *host)
{
  int r = 0;

  occupy_standard_descriptors();

  *loop = (cp_loop){.uv = host, .owned = host == NULL};
  TAILQ_INIT(&loop->due_channels);
  TAILQ_INIT(&loop->waiting_lookups);
  if (loop->owned) {
    r = uv_loop_init(&loop->own);
    if (r < 0) {
      return r;
    }
    loop->uv = &loop->own;
  }

  loop->read_buffer = malloc(CP_READ_SIZE);
  r = loop->read_buffer == NULL ? UV_ENOMEM : cp_spawner_new(&loop->spawner);
  if (r == 0) {
    r = cp_poller_open(loop);
  }
  if (r < 0) {
    cp_loop_destroy(loop);
    return r;
  }
  loop->changed = true;
  return 0;
}

void cp_loop_destroy(cp_loop *loop)
{
  cp_channel_close_all(loop);
  cp_reap_close(loop);
  cp_poller_close(loop);
  loop->spawner = cp_spawner_destroy(loop->spawner);

  if (loop->owned) {
    uv_walk(loop->uv, close_leftover, NULL);
    /* A few turns are enough, unless this comes from a callback of the loop, in a program that is
     * just exiting: then the handle that calls back cannot be closed. */
    for (int i = 0; i < TURNS_TO_CLOSE && uv_loop_close(loop->uv) == UV_EBUSY; i++) {
      uv_run(loop->uv, UV_RUN_NOWAIT);
    }
  }
  free(loop->read_buffer);
  loop->read_buffer = NULL;
}

void cp_loop_interrupt(cp_loop *loop)
{
  loop->interrupted = true;
  uv_stop(loop->uv);
}

void cp_loop_reference_handle(uv_handle_t *handle, bool referenced)
{
  if (referenced) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void cp_loop_free_handle(uv_handle_t *handle)
{
  free(handle);
}
