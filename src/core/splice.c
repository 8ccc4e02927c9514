#include "splice.h"

#include "pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct cp_splice {
  cp_stream *from;
  cp_stream *to;
  cp_splice_cb callback;
  void *owner;
};

enum {
  PIECE = 1024 * 1024, /* as much as a pipe can be made to hold */
  PIECES_PER_TURN = 16,
};

/* "Try again" does not say which of the two made it so. We wait for the one that was not known to be
 * ready; if it turns out to have been the other, the next attempt fails the same way and the wait is
 * for that one. */
static int wait_for(cp_splice *transfer, bool room)
{
  int r = 0;

  transfer->from->reading = !room;
  transfer->to->awaiting_room = room;
  r = cp_stream_update(transfer->from);
  return r < 0 ? r : cp_stream_update(transfer->to);
}

static void wait_for_nothing(const cp_splice *transfer)
{
  transfer->from->reading = false;
  transfer->to->awaiting_room = false;
  cp_stream_update(transfer->from);
  cp_stream_update(transfer->to);
}

int cp_splice_start(cp_stream *from, cp_stream *to, cp_splice_cb callback, void *owner,
                    cp_splice **out)
{
  cp_splice *transfer = malloc(sizeof(*transfer));
  int r = 0;

  if (transfer == NULL) {
    return -ENOMEM;
  }
  *transfer = (cp_splice){.from = from, .to = to, .callback = callback, .owner = owner};
  from->splice = transfer;
  to->splice = transfer;
  r = wait_for(transfer, false);
  *out = r < 0 ? cp_splice_stop(transfer) : transfer;
  return r;
}

cp_splice *cp_splice_stop(cp_splice *transfer)
{
  if (transfer != NULL) {
    transfer->from->splice = NULL;
    transfer->to->splice = NULL;
    wait_for_nothing(transfer);
    free(transfer);
  }
  return NULL;
}

static ssize_t move(const cp_splice *transfer)
{
  cp_pipe_guard guard = cp_pipe_guard_enter();
  ssize_t n = 0;

  do {
    n = splice(transfer->from->fd, NULL, transfer->to->fd, NULL, PIECE,
               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (n == -1 && errno == EINTR);
  cp_pipe_guard_leave(guard, n == -1 && errno == EPIPE);
  return n == -1 ? -errno : n;
}

static cp_splice_state state_of_error(ssize_t error)
{
  switch (error) {
    case -EINVAL:
    case -ENOSYS: return CP_SPLICE_REFUSED;
    case -EPIPE:
    case -ECONNRESET: return CP_SPLICE_WRITE_ERROR;
    default: return CP_SPLICE_READ_ERROR;
  }
}

void cp_splice_turn(cp_splice *transfer, bool room)
{
  cp_splice_state state = CP_SPLICE_MOVING;
  size_t moved = 0;
  ssize_t n = 1;

  for (int i = 0; i < PIECES_PER_TURN && n > 0; i++) {
    n = move(transfer);
    moved += n > 0 ? (size_t)n : 0;
    if (n >= (ssize_t)CP_READ_SIZE) {
      cp_stream_enlarge(transfer->from);
      cp_stream_enlarge(transfer->to);
    }
  }

  if (n == -EAGAIN) {
    n = wait_for(transfer, !room);
    state = n < 0 ? CP_SPLICE_READ_ERROR : CP_SPLICE_MOVING;
  } else if (n <= 0) {
    state = n == 0 ? CP_SPLICE_EOF : state_of_error(n);
    wait_for_nothing(transfer);
  }
  if (moved > 0 || state != CP_SPLICE_MOVING) {
    transfer->callback(transfer->owner, moved, state, n < 0 ? (int)n : 0);
  }
}
