/* Makes a uv_poll_t of each interest, so libuv polls the descriptors. */
#include "core/loop/deferred.h"
#include "core/loop/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef struct poll_handle {
  uv_poll_t poll; /* first, so that a pointer to it is a pointer to this */
  cp_interest *interest;
  cp_deferred deferred;
} poll_handle;

static void on_poll(uv_poll_t *poll, int status, int events)
{
  poll_handle *handle = (poll_handle *)poll;
  cp_interest *interest = handle->interest;

  if (cp_loop_claim(interest->loop)) {
    return;
  }
  if (status < 0) {
    /* libuv has stopped the handle. The owner's next system call returns the error. */
    events = interest->events;
    interest->known = 0;
  }
  if (cp_defer_if_ending(interest->loop, &handle->deferred)) {
    (void)cp_poller_update(interest); /* starts a stopped handle again */
    return;
  }
  cp_loop_begin_iteration(interest->loop);
  interest->callback(interest->owner, events & interest->events);
}

/* Another process may have taken the data meanwhile. */
static void on_deferred(void *owner)
{
  const cp_interest *interest = ((poll_handle *)owner)->interest;
  int events = interest->events;
  struct pollfd ready = {.fd = interest->fd};

  ready.events = (short)(((events & CP_POLLER_READ) != 0 ? POLLIN : 0) |
                         ((events & CP_POLLER_WRITE) != 0 ? POLLOUT : 0));
  if (events == 0 || poll(&ready, 1, 0) <= 0) {
    return;
  }
  if ((ready.revents & ~(POLLIN | POLLOUT)) == 0) {
    events &= ((ready.revents & POLLIN) != 0 ? CP_POLLER_READ : 0) |
              ((ready.revents & POLLOUT) != 0 ? CP_POLLER_WRITE : 0);
  }
  interest->callback(interest->owner, events);
}

/* Regular files are always ready, but some systems poll them nevertheless, and report that there is
 * something to read only until the end of the file. */
static bool is_file(int fd)
{
  struct stat status;

  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* Whether the error means that the system does not poll such a descriptor. Systems use different
 * errors. */
static bool is_refusal(int error)
{
  return error == -EPERM || error == -EINVAL || error == -ENODEV;
}

static int make_handle(cp_interest *interest)
{
  poll_handle *handle = malloc(sizeof(*handle));
  int flags = interest->borrowed ? fcntl(interest->fd, F_GETFL) : -1;
  int r = handle == NULL ? -ENOMEM : uv_poll_init(interest->loop->uv, &handle->poll, interest->fd);

  if (r < 0) {
    free(handle);
    return r;
  }
  if (flags != -1 && !(flags & O_NONBLOCK)) {
    /* libuv has made it non-blocking, which other programs that share it do not expect. */
    fcntl(interest->fd, F_SETFL, flags);
  }
  handle->interest = interest;
  handle->deferred = (cp_deferred){.callback = on_deferred, .owner = handle};
  handle->poll.data = NULL;
  interest->handle = handle;
  return 0;
}

int cp_poller_update(cp_interest *interest)
{
  poll_handle *handle = interest->handle;
  int r = 0;

  if (handle == NULL) {
    if (interest->events == 0) {
      return 0;
    }
    r = is_file(interest->fd) ? -EPERM : make_handle(interest);
    if (r < 0) {
      interest->refused = is_refusal(r);
      return interest->refused ? -EPERM : r;
    }
    handle = interest->handle;
  }
  cp_loop_reference_handle((uv_handle_t *)&handle->poll, interest->referenced);
  if (interest->known != interest->events) {
    interest->known = interest->events;
    cp_loop_note_change(interest->loop);
    r = interest->events == 0 ? uv_poll_stop(&handle->poll)
                              : uv_poll_start(&handle->poll, interest->events, on_poll);
  }
  return r;
}

/* libuv does so in an iteration, and has none unless something keeps its loop alive. */
void cp_poller_settle(cp_loop *loop)
{
  cp_loop_hold(loop);
  uv_run(loop->uv, UV_RUN_NOWAIT);
  cp_loop_release(loop);
}

void cp_poller_forget(cp_interest *interest)
{
  poll_handle *handle = interest->handle;

  CP_LIST_REMOVE(interest, entry);
  if (handle != NULL) {
    cp_deferred_remove(interest->loop, &handle->deferred);
    /* Stops at once, which removes the descriptor from the kernel's set before anybody closes
     * it. */
    uv_close((uv_handle_t *)&handle->poll, cp_loop_free_handle);
  }
}

int cp_poller_open(cp_loop *loop)
{
  (void)loop;
  return 0;
}

void cp_poller_close(cp_loop *loop)
{
  (void)loop;
}

/* libuv renews its polls itself. */
int cp_poller_renew(cp_loop *loop)
{
  (void)loop;
  return 0;
}

void cp_poller_restore(cp_loop *loop)
{
  (void)loop;
}

int cp_poller_wait(cp_loop *loop, int timeout)
{
  struct pollfd backend = {.fd = uv_backend_fd(loop->uv), .events = POLLIN};
  int found = poll(&backend, 1, timeout);

  uv_update_time(loop->uv);
  loop->uv_ready = found > 0;
  return found == -1 ? -errno : found;
}

int cp_poller_descriptor(const cp_loop *loop)
{
  return uv_backend_fd(loop->uv);
}
