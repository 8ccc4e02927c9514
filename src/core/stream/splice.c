/* Diverts all streams, and waits for the source or for the targets that are full.
 *
 * With one target the bytes are moved by splice(2). With several, tee(2) copies them to all but the
 * last, and splice(2) moves them to that one. tee(2) starts at the first byte of the source, so a
 * target that has taken bytes gets no more until these have left the source: until every other
 * target has them, too. `ahead` counts them. */
#include "core/stream/splice.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/sys/sigpipe.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef struct splice_target {
  cp_stream *stream;
  size_t ahead; /* the first bytes of the source that it has already */
  bool full;    /* it had no room in this step */
} splice_target;

struct cp_splice {
  cp_stream *from;
  cp_splice_cb callback;
  void *owner;
  int count;
  splice_target targets[CP_SPLICE_TARGETS];
};

enum {
  PIECE = 1024 * 1024, /* as much as a pipe can be made to hold */
  PIECES_PER_ITERATION = 16,
};

static void on_ready(void *owner, int events);

static bool is_pipe(const cp_stream *stream)
{
  struct stat status;

  return fstat(cp_stream_descriptor(stream), &status) == 0 && S_ISFIFO(status.st_mode);
}

static bool are_pipes(const cp_stream *from, cp_stream *const *targets, int count)
{
  bool all = is_pipe(from);

  for (int i = 0; i < count && all; i++) {
    all = is_pipe(targets[i]);
  }
  return all;
}

/* Waits for the source, for the targets that are full, or for nothing. */
static int await(const cp_splice *transfer, bool source, bool room)
{
  int r = cp_stream_await(transfer->from, source ? CP_WATCH_READ : 0);

  for (int i = 0; i < transfer->count && r == 0; i++) {
    const splice_target *target = &transfer->targets[i];

    r = cp_stream_await(target->stream, room && target->full ? CP_WATCH_WRITE : 0);
  }
  return r;
}

int cp_splice_start(cp_stream *from, cp_stream *const *targets, int count, cp_splice_cb callback,
                    void *owner, cp_splice **out)
{
  cp_splice *transfer = NULL;
  int r = 0;

  if (count < 1 || count > CP_SPLICE_TARGETS || (count > 1 && !are_pipes(from, targets, count))) {
    return -EINVAL;
  }
  transfer = malloc(sizeof(*transfer));
  if (transfer == NULL) {
    return -ENOMEM;
  }
  *transfer = (cp_splice){.from = from, .callback = callback, .owner = owner, .count = count};
  cp_stream_divert(from, on_ready, transfer);
  for (int i = 0; i < count; i++) {
    transfer->targets[i].stream = targets[i];
    cp_stream_divert(targets[i], on_ready, transfer);
  }
  r = await(transfer, true, false);
  *out = r < 0 ? cp_splice_stop(transfer) : transfer;
  return r;
}

cp_splice *cp_splice_stop(cp_splice *transfer)
{
  if (transfer != NULL) {
    cp_stream_divert(transfer->from, NULL, NULL);
    for (int i = 0; i < transfer->count; i++) {
      cp_stream_divert(transfer->targets[i].stream, NULL, NULL);
    }
    free(transfer);
  }
  return NULL;
}

int cp_splice_count(const cp_splice *transfer)
{
  return transfer->count;
}

cp_stream *cp_splice_target(const cp_splice *transfer, int index)
{
  return transfer->targets[index].stream;
}

size_t cp_splice_ahead(const cp_splice *transfer, int index)
{
  return transfer->targets[index].ahead;
}

int cp_splice_take_rest(const cp_splice *transfer, cp_buffer *rest)
{
  size_t most = 0;
  ssize_t n = 1;

  for (int i = 0; i < transfer->count; i++) {
    most = transfer->targets[i].ahead > most ? transfer->targets[i].ahead : most;
  }
  if (most > 0 && cp_buffer_reserve(rest, most) < 0) {
    return -ENOMEM;
  }
  while (most > 0 && n > 0) { /* they are there, so this does not wait */
    n = cp_fd_read_nowait(cp_stream_descriptor(transfer->from), rest->data + rest->length, most);
    most -= n > 0 ? (size_t)n : 0;
    rest->length += n > 0 ? (size_t)n : 0;
  }
  return 0;
}

/* The source holds bytes, is empty for now, or has ended. splice(2) and tee(2) fail with EAGAIN if
 * there is nothing to read or no room, and do not say which. */
typedef enum source_state { HAS_DATA, IS_EMPTY, HAS_ENDED } source_state;

static source_state look_at_source(const cp_splice *transfer)
{
  struct pollfd source = {.fd = cp_stream_descriptor(transfer->from), .events = POLLIN};

  if (poll(&source, 1, 0) <= 0) {
    return IS_EMPTY;
  }
  return (source.revents & POLLIN) != 0 ? HAS_DATA : HAS_ENDED;
}

/* A target that has room, as far as we know, for the first byte of the source; NULL without one.
 * Stores the number of all targets that have not got it. */
static splice_target *choose(cp_splice *transfer, int *without)
{
  splice_target *chosen = NULL;

  *without = 0;
  for (int i = 0; i < transfer->count; i++) {
    splice_target *target = &transfer->targets[i];

    *without += target->ahead == 0 ? 1 : 0;
    chosen = chosen == NULL && target->ahead == 0 && !target->full ? target : chosen;
  }
  return chosen;
}

/* Removes bytes from the source that all other targets have already. */
static ssize_t move_to_last(cp_splice *transfer, const splice_target *last)
{
  size_t limit = PIECE;
  ssize_t n = 0;

  for (int i = 0; i < transfer->count; i++) {
    const splice_target *target = &transfer->targets[i];

    limit = target != last && target->ahead < limit ? target->ahead : limit;
  }
  n = cp_sys_splice(cp_stream_descriptor(transfer->from), cp_stream_descriptor(last->stream),
                    limit);
  for (int i = 0; i < transfer->count && n > 0; i++) {
    transfer->targets[i].ahead -= &transfer->targets[i] != last ? (size_t)n : 0;
  }
  return n;
}

/* Passes bytes to a target. Adds those that all targets have now to `moved`. */
static ssize_t pass_on(cp_splice *transfer, splice_target *target, int without, size_t *moved)
{
  cp_sigpipe_guard guard = cp_sigpipe_block();
  ssize_t n = 0;

  if (without > 1) {
    n = cp_sys_tee(cp_stream_descriptor(transfer->from), cp_stream_descriptor(target->stream),
                   PIECE);
    target->ahead = n > 0 ? (size_t)n : 0;
  } else {
    n = move_to_last(transfer, target);
    *moved += n > 0 ? (size_t)n : 0;
  }
  cp_sigpipe_restore(guard, n == -EPIPE);
  if (n >= (ssize_t)CP_READ_SIZE) {
    cp_stream_enlarge(transfer->from);
    cp_stream_enlarge(target->stream);
  }
  return n;
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

/* Moves bytes until there are no more, or no room for them, or others have to have their share of
 * the iteration. Waits for what is missing. */
static cp_splice_step move(cp_splice *transfer)
{
  cp_splice_step step = {0};
  source_state source = HAS_DATA;
  splice_target *target = NULL;
  int without = 0;
  ssize_t n = 1;

  for (int i = 0; i < PIECES_PER_ITERATION * transfer->count && source == HAS_DATA && n > 0; i++) {
    target = choose(transfer, &without);
    if (target == NULL) {
      break;
    }
    n = pass_on(transfer, target, without, &step.moved);
    if (n == -EAGAIN) {
      source = look_at_source(transfer);
      target->full = source == HAS_DATA;
      n = 1;
    }
  }

  if (n > 0 && source != HAS_ENDED) {
    n = await(transfer, source == IS_EMPTY || target != NULL, target == NULL);
    step.state = n < 0 ? CP_SPLICE_READ_ERROR : CP_SPLICE_MOVING;
  } else {
    step.state = n >= 0 ? CP_SPLICE_EOF : state_of_error(n);
    await(transfer, false, false);
  }
  step.error = n < 0 ? (int)n : 0;
  step.target = target != NULL ? (int)(target - transfer->targets) : 0;
  return step;
}

static void on_ready(void *owner, int events)
{
  cp_splice *transfer = owner;
  cp_splice_step step;

  (void)events;
  for (int i = 0; i < transfer->count; i++) {
    transfer->targets[i].full = false;
  }
  step = move(transfer);
  if (step.moved > 0 || step.state != CP_SPLICE_MOVING) {
    transfer->callback(transfer->owner, &step);
  }
}
