/* Keeps the bytes in one buffer, and a list of descriptors with the positions of their messages. */
#include "core/channel/outbox.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
  /* The most times that a descriptor is sent again, as in Node. */
  RETRIES = 3,
  /* An empty outbox takes over the memory of a message from this size on. */
  TAKEN_SIZE = 32 * 1024,
};

/* A message with a descriptor. */
typedef struct parcel {
  int fd;
  bool sent;
  uint64_t at; /* position of the message */
  size_t length;
  uint64_t number; /* of the message */
} parcel;

static size_t parcel_count(const cp_outbox *outbox)
{
  return outbox->parcels.length / sizeof(parcel);
}

static parcel *parcel_at(const cp_outbox *outbox, size_t index)
{
  return (parcel *)(void *)outbox->parcels.data + index;
}

/* Returns the parcel that has to be acknowledged first, or NULL. */
static parcel *current(const cp_outbox *outbox)
{
  return outbox->acknowledged < parcel_count(outbox) ? parcel_at(outbox, outbox->acknowledged)
                                                     : NULL;
}

/* Returns the parcel to send next, or NULL. */
static parcel *next_to_send(const cp_outbox *outbox)
{
  for (size_t i = outbox->acknowledged; i < parcel_count(outbox); i++) {
    if (!parcel_at(outbox, i)->sent) {
      return parcel_at(outbox, i);
    }
  }
  return NULL;
}

static uint64_t end(const cp_outbox *outbox)
{
  return outbox->begin + outbox->bytes.length;
}

bool cp_outbox_awaits_ack(const cp_outbox *outbox)
{
  return current(outbox) != NULL;
}

size_t cp_outbox_ready(const cp_outbox *outbox)
{
  return (size_t)(outbox->limit - outbox->sent);
}

size_t cp_outbox_backlog(const cp_outbox *outbox)
{
  return (size_t)(end(outbox) - outbox->sent);
}

uint64_t cp_outbox_held(const cp_outbox *outbox)
{
  const parcel *awaited = current(outbox);

  return awaited == NULL ? 0 : outbox->messages - awaited->number;
}

bool cp_outbox_has_messages(const cp_outbox *outbox)
{
  return outbox->last_end > outbox->sent;
}

uint64_t cp_outbox_sent(const cp_outbox *outbox)
{
  size_t backlog = cp_outbox_backlog(outbox);

  /* Replies are in the backlog, too. */
  return outbox->accepted > backlog ? outbox->accepted - backlog : 0;
}

/* Whether the positions are in order, and the bytes of each unacknowledged parcel are still
 * here. */
static bool is_in_order(const cp_outbox *outbox)
{
  bool holds_back = outbox->limit < end(outbox);
  uint64_t after = outbox->begin;

  for (size_t i = outbox->acknowledged; i < parcel_count(outbox); i++) {
    const parcel *p = parcel_at(outbox, i);

    if (p->at < after || p->sent != (p->at < outbox->sent)) {
      return false;
    }
    after = p->at + p->length;
    if (holds_back && (i == outbox->acknowledged ? after > outbox->limit : p->at < outbox->limit)) {
      return false;
    }
  }
  return after <= end(outbox) && outbox->begin <= outbox->sent && outbox->sent <= outbox->limit &&
         outbox->limit <= end(outbox);
}

/* Holds back everything behind the parcel that has to be acknowledged. */
static void set_limit(cp_outbox *outbox)
{
  const parcel *awaited = current(outbox);

  outbox->limit = awaited == NULL ? end(outbox) : awaited->at + awaited->length;
}

void cp_outbox_clear(cp_outbox *outbox)
{
  for (size_t i = outbox->acknowledged; i < parcel_count(outbox); i++) {
    cp_fd_close(parcel_at(outbox, i)->fd);
  }
  cp_buffer_free(&outbox->parcels);
  outbox->acknowledged = 0;
  outbox->tries = 0;
  outbox->accepted = cp_outbox_sent(outbox);
  outbox->begin = outbox->sent;
  cp_buffer_free(&outbox->bytes);
  set_limit(outbox);
  CP_ASSERT(is_in_order(outbox));
}

/* Drops the bytes that were sent, but keeps a parcel that may have to be sent again. */
static void forget_sent(cp_outbox *outbox)
{
  const parcel *awaited = current(outbox);
  uint64_t needed = awaited != NULL && awaited->at < outbox->sent ? awaited->at : outbox->sent;
  size_t done = (size_t)(needed - outbox->begin);

  if (done == outbox->bytes.length) {
    /* What a forked child is sent first, its modules, is larger than what follows. */
    bool first = outbox->begin == 0;

    outbox->begin = needed;
    if (first) {
      cp_buffer_free(&outbox->bytes);
    } else {
      cp_buffer_reset(&outbox->bytes);
    }
  } else if (done > outbox->bytes.length / 2) {
    outbox->bytes.length -= done;
    memmove(outbox->bytes.data, outbox->bytes.data + done, outbox->bytes.length);
    outbox->begin = needed;
  }
}

static int add_parcel(cp_outbox *outbox, size_t length, int fd)
{
  parcel added = {
      .fd = cp_fd_copy(fd), .at = end(outbox), .length = length, .number = outbox->messages + 1};

  if (added.fd < 0) {
    return added.fd;
  }
  if (cp_buffer_append(&outbox->parcels, (const char *)&added, sizeof(added)) < 0) {
    cp_fd_close(added.fd);
    return -ENOMEM;
  }
  return 0;
}

/* Makes room for a message, unless the outbox takes over its memory. */
static int prepare(cp_outbox *outbox, const cp_buffer *message, bool *taken)
{
  *taken = outbox->bytes.length == 0 && message->length >= TAKEN_SIZE;
  return *taken ? 0 : cp_buffer_reserve(&outbox->bytes, message->length);
}

static void exchange(cp_buffer *a, cp_buffer *b)
{
  cp_buffer old = *a;

  *a = *b;
  *b = old;
}

int cp_outbox_add(cp_outbox *outbox, cp_buffer *message, int fd)
{
  size_t length = message->length;
  bool held = cp_outbox_awaits_ack(outbox);
  bool taken = false;
  int r = prepare(outbox, message, &taken);

  if (r == 0 && fd != -1) {
    r = add_parcel(outbox, length, fd);
  }
  if (r == 0) {
    if (taken) {
      exchange(&outbox->bytes, message);
    } else {
      memcpy(outbox->bytes.data + outbox->bytes.length, message->data, length);
      outbox->bytes.length += length;
    }
    message->length = 0;
    outbox->accepted += length;
    outbox->messages++;
    outbox->last_end = end(outbox);
    /* If messages are held back, the limit stays where it is: replies may have moved it beyond the
     * parcel. */
    if (!held) {
      outbox->limit = end(outbox);
    }
  }
  CP_ASSERT(is_in_order(outbox));
  return r;
}

/* Inserts the bytes before those that are held back. */
int cp_outbox_add_reply(cp_outbox *outbox, const char *bytes, size_t length)
{
  size_t at = (size_t)(outbox->limit - outbox->begin);
  int r = cp_buffer_reserve(&outbox->bytes, length);

  if (r == 0) {
    char *target = outbox->bytes.data + at;

    memmove(target + length, target, outbox->bytes.length - at);
    memcpy(target, bytes, length);
    outbox->bytes.length += length;
    for (size_t i = outbox->acknowledged; i < parcel_count(outbox); i++) {
      if (parcel_at(outbox, i)->at >= outbox->limit) {
        parcel_at(outbox, i)->at += length;
      }
    }
    if (outbox->last_end > outbox->limit) {
      outbox->last_end += length;
    }
    outbox->limit += length;
  }
  CP_ASSERT(is_in_order(outbox));
  return r;
}

static void forget_acknowledged(cp_outbox *outbox)
{
  size_t done = outbox->acknowledged * sizeof(parcel);

  if (done > outbox->parcels.length / 2) {
    outbox->parcels.length -= done;
    memmove(outbox->parcels.data, outbox->parcels.data + done, outbox->parcels.length);
    outbox->acknowledged = 0;
  }
}

void cp_outbox_acknowledge(cp_outbox *outbox)
{
  parcel *awaited = current(outbox);

  /* A confused peer may acknowledge a parcel before it was sent. */
  if (awaited != NULL && awaited->sent) {
    awaited->fd = cp_fd_close(awaited->fd);
    outbox->acknowledged++;
    outbox->tries = 0;
    forget_acknowledged(outbox);
    set_limit(outbox);
    forget_sent(outbox);
  }
  CP_ASSERT(is_in_order(outbox));
}

int cp_outbox_retry(cp_outbox *outbox)
{
  parcel *awaited = current(outbox);
  uint64_t again = outbox->limit;
  int r = 0;

  if (awaited == NULL || !awaited->sent) {
    return 0;
  }
  if (outbox->tries == RETRIES) {
    cp_outbox_acknowledge(outbox);
    return -ECANCELED;
  }
  /* Make room first, since the bytes are copied within the same memory. */
  r = cp_buffer_reserve(&outbox->bytes, awaited->length);
  if (r == 0) {
    cp_outbox_add_reply(outbox, outbox->bytes.data + (awaited->at - outbox->begin),
                        awaited->length);
    awaited->at = again;
    awaited->sent = false;
    outbox->tries++;
  }
  CP_ASSERT(is_in_order(outbox) && outbox->tries <= RETRIES);
  return r;
}

void cp_outbox_release(cp_outbox *outbox)
{
  outbox->limit = end(outbox);
}

static ssize_t send_with(int socket, const char *bytes, size_t length, int fd)
{
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                          .cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS}};
  struct iovec vector = {.iov_base = (char *)(uintptr_t)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof(control)};

  memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
  return cp_sys_send_message(socket, &message);
}

/* Sends bytes up to the next parcel, or the start of that parcel. */
static ssize_t send_some(cp_outbox *outbox, int socket)
{
  const char *bytes = outbox->bytes.data + (outbox->sent - outbox->begin);
  size_t length = cp_outbox_ready(outbox);
  parcel *next = next_to_send(outbox);
  ssize_t n = 0;

  if (next != NULL && next->at == outbox->sent) {
    n = send_with(socket, bytes, next->length, next->fd);
    /* Too many descriptors are in flight in the whole system. The other side notices that this one
     * is missing, and asks for it again. */
    if (n == -ETOOMANYREFS) {
      n = cp_sys_send(socket, bytes, next->length);
    }
    next->sent = n > 0;
    return n;
  }
  if (next != NULL && next->at - outbox->sent < length) {
    length = (size_t)(next->at - outbox->sent);
  }
  return cp_sys_send(socket, bytes, length);
}

int cp_outbox_send(cp_outbox *outbox, int socket)
{
  ssize_t n = 0;

  while (n >= 0 && cp_outbox_ready(outbox) > 0) {
    n = send_some(outbox, socket);
    outbox->sent += n > 0 ? (uint64_t)n : 0;
  }
  forget_sent(outbox);
  CP_ASSERT(is_in_order(outbox));
  return n < 0 ? (int)n : 0;
}
