#include "inbox.h"

#include "pipe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* The length of a message may be a lie, so not all of its memory is taken at once. */
enum { LARGEST_STEP = 4 * 1024 * 1024 };

void cp_inbox_init(cp_inbox *inbox)
{
  *inbox = (cp_inbox){.framing = CP_FRAMING_LINES, .max_message = SIZE_MAX};
}

/* Closes the descriptors that belong to messages before this byte. */
static void drop_descriptors(cp_inbox *inbox, uint64_t position)
{
  int count = 0;

  while (count < inbox->descriptor_count && inbox->descriptors[count].until <= position) {
    cp_pipe_close(inbox->descriptors[count].fd);
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
}

/* Descriptors. */

/* Of those that came with the bytes up to `until`. One receipt brings no more than one message's. */
static void keep_descriptor(cp_inbox *inbox, struct msghdr *message, uint64_t until)
{
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
       header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len >= CMSG_LEN(sizeof(int))) {
      int fd = -1;

      memcpy(&fd, CMSG_DATA(header), sizeof(fd));
      if (inbox->descriptor_count == CP_INBOX_DESCRIPTORS) {
        cp_pipe_close(fd);
      } else {
        inbox->descriptors[inbox->descriptor_count].fd = fd;
        inbox->descriptors[inbox->descriptor_count].until = until;
        inbox->descriptor_count++;
      }
    }
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

/* How much more is known to belong to the message that has begun to come. */
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

ssize_t cp_inbox_receive(cp_inbox *inbox, int socket, char *room, size_t size, bool *filled)
{
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control;
  /* Room for one descriptor and no more: the system closes the others. */
  struct msghdr message = {.msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int))};
  struct iovec vector = {.iov_base = room, .iov_len = size};
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
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  do {
    n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (n == -1 && errno == EINTR);
  if (n <= 0) {
    return n == -1 ? -errno : 0;
  }

  if (inbox->kept.length > 0) {
    inbox->kept.length += (size_t)n;
    inbox->window = inbox->kept.data;
    inbox->window_length = inbox->kept.length;
  } else {
    inbox->window = room;
    inbox->window_length = (size_t)n;
  }
  if (message.msg_controllen > 0) {
    keep_descriptor(inbox, &message, inbox->taken + inbox->window_length);
  }
  *filled = (size_t)n == vector.iov_len;
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
  if (frame.length > inbox->max_message) {
    inbox->window_length = 0;
    return -EMSGSIZE;
  }
  whole = frame.head + frame.length + frame.tail;
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
