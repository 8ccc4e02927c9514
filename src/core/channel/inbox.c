/* Separates messages in the memory that they were received into. Copies only an incomplete one. */
#include "core/channel/inbox.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* The peer may announce a false length, so memory for a message is allocated in steps of at most
 * this size. */
enum { LARGEST_STEP = 4 * 1024 * 1024 };

/* Whether the window ends where the kept bytes end, and descriptors are in the order of their
 * messages. */
static bool is_in_order(const cp_inbox *inbox)
{
  for (int i = 1; i < inbox->descriptor_count; i++) {
    if (inbox->descriptors[i].until < inbox->descriptors[i - 1].until) {
      return false;
    }
  }
  return inbox->searched <= inbox->window_length &&
         (inbox->window_length == 0 || inbox->kept.length == 0 ||
          inbox->window + inbox->window_length == inbox->kept.data + inbox->kept.length);
}

void cp_inbox_init(cp_inbox *inbox)
{
  *inbox = (cp_inbox){.framing = CP_FRAMING_LINES, .max_message = SIZE_MAX};
}

/* Closes the descriptors that belong to messages before this byte. */
static void drop_descriptors(cp_inbox *inbox, uint64_t position)
{
  int count = 0;

  while (count < inbox->descriptor_count && inbox->descriptors[count].until <= position) {
    cp_fd_close(inbox->descriptors[count].fd);
    count++;
  }
  inbox->descriptor_count -= count;
  memmove(inbox->descriptors, inbox->descriptors + count,
          sizeof(inbox->descriptors[0]) * (size_t)inbox->descriptor_count);
}

void cp_inbox_clear(cp_inbox *inbox)
{
  drop_descriptors(inbox, UINT64_MAX);
  cp_buffer_free(&inbox->kept);
  inbox->window_length = 0;
  inbox->searched = 0;
}

/* Descriptors. */

/* Keeps the descriptor that came with the bytes up to `until`. The kernel never returns the
 * descriptors of several messages from one call. */
static void keep_descriptor(cp_inbox *inbox, int fd, uint64_t until)
{
  if (inbox->descriptor_count == CP_INBOX_DESCRIPTORS) {
    cp_fd_close(fd);
  } else {
    inbox->descriptors[inbox->descriptor_count].fd = fd;
    inbox->descriptors[inbox->descriptor_count].until = until;
    inbox->descriptor_count++;
  }
}

int cp_inbox_take_descriptor(cp_inbox *inbox)
{
  int fd = -1;

  if (inbox->descriptor_count > 0) {
    fd = inbox->descriptors[0].fd;
    inbox->descriptor_count--;
    memmove(inbox->descriptors, inbox->descriptors + 1,
            sizeof(inbox->descriptors[0]) * (size_t)inbox->descriptor_count);
  }
  return fd;
}

/* Messages. */

/* Returns the number of bytes that the incomplete message lacks, 0 if that is not known. */
static size_t missing(const cp_inbox *inbox)
{
  size_t searched = inbox->kept.length;
  cp_frame frame = {0};
  size_t whole = 0;

  if (!cp_framing_find(inbox->framing, inbox->kept.data, inbox->kept.length, &searched, &frame)) {
    return 0;
  }
  whole = frame.head + frame.length + frame.tail;
  return whole > inbox->kept.length ? whole - inbox->kept.length : 0;
}

/* Makes a window of the kept bytes and the `n` bytes received behind them, or of those in `room`.
 */
static void set_window(cp_inbox *inbox, const char *room, size_t n)
{
  if (inbox->kept.length > 0) {
    inbox->kept.length += n;
    inbox->window = inbox->kept.data;
    inbox->window_length = inbox->kept.length;
  } else {
    inbox->window = room;
    inbox->window_length = n;
  }
}

ssize_t cp_inbox_receive(cp_inbox *inbox, int socket, char *room, size_t size, bool *filled)
{
  struct iovec vector = {.iov_base = room, .iov_len = size};
  int fd = -1;
  ssize_t n = 0;

  if (inbox->kept.length > 0) {
    size_t wanted = missing(inbox);

    wanted = wanted > LARGEST_STEP ? LARGEST_STEP : wanted;
    if (cp_buffer_reserve(&inbox->kept, wanted > size ? wanted : size) < 0) {
      return -ENOMEM;
    }
    vector.iov_base = inbox->kept.data + inbox->kept.length;
    vector.iov_len = inbox->kept.capacity - inbox->kept.length;
  }
  n = cp_sys_receive(socket, &vector, &fd);
  if (n <= 0) {
    return n;
  }

  set_window(inbox, room, (size_t)n);
  if (fd != -1) {
    keep_descriptor(inbox, fd, inbox->taken + inbox->window_length);
  }
  *filled = (size_t)n == vector.iov_len;
  CP_ASSERT(is_in_order(inbox));
  return n;
}

ssize_t cp_inbox_discard(cp_inbox *inbox, int socket, char *room, size_t size)
{
  bool filled = false;
  ssize_t n = 0;

  cp_inbox_clear(inbox);
  n = cp_inbox_receive(inbox, socket, room, size, &filled);
  cp_inbox_clear(inbox);
  return n;
}

int cp_inbox_next(cp_inbox *inbox, const char **message, size_t *length)
{
  cp_frame frame = {0};
  size_t whole = 0;

  if (inbox->descriptor_count > 0) {
    drop_descriptors(inbox, inbox->taken);
  }
  if (inbox->window_length == 0 || (inbox->finishing && inbox->last_bytes == 0) ||
      !cp_framing_find(inbox->framing, inbox->window, inbox->window_length, &inbox->searched,
                       &frame)) {
    return 0;
  }
  whole = frame.head + frame.length + frame.tail;
  /* In 32 bits the sum of an announced length and its head can wrap around. */
  if (frame.length > inbox->max_message || whole < frame.length) {
    inbox->window_length = 0;
    inbox->searched = 0;
    return -EMSGSIZE;
  }
  if (whole > inbox->window_length) {
    return 0;
  }
  *message = inbox->window + frame.head;
  *length = frame.length;
  inbox->window += whole;
  inbox->window_length -= whole;
  inbox->taken += whole;
  inbox->searched = 0;
  inbox->last_bytes -= whole < inbox->last_bytes ? whole : inbox->last_bytes;
  CP_ASSERT(is_in_order(inbox));
  return 1;
}

void cp_inbox_finish(cp_inbox *inbox)
{
  inbox->finishing = true;
  inbox->last_bytes = inbox->window_length;
}

int cp_inbox_keep(cp_inbox *inbox)
{
  int r = 0;

  if (inbox->window_length == 0) {
    cp_buffer_reset(&inbox->kept);
  } else if (inbox->kept.length > 0) {
    if (inbox->window != inbox->kept.data) {
      memmove(inbox->kept.data, inbox->window, inbox->window_length);
    }
    inbox->kept.length = inbox->window_length;
  } else {
    r = cp_buffer_append(&inbox->kept, inbox->window, inbox->window_length);
    if (r < 0) {
      inbox->window_length = 0;
      inbox->searched = 0;
    }
  }
  inbox->window = inbox->kept.data;
  CP_ASSERT(is_in_order(inbox));
  return r;
}

int cp_inbox_receive_first(int socket, char *bytes, size_t size)
{
  while (size > 0) {
    ssize_t n = recv(socket, bytes, size, MSG_WAITALL);

    if (n == 0) {
      return -EPIPE;
    }
    if (n == -1 && errno != EINTR) {
      return -errno;
    }
    bytes += n > 0 ? n : 0;
    size -= n > 0 ? (size_t)n : 0;
  }
  return 0;
}
