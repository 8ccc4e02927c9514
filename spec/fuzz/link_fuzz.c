/* For libFuzzer: a peer of a link that sends arbitrary bytes, in pieces of arbitrary lengths, with
 * or without the mark before them. The link has two streams, of which nobody reads the first. What
 * the peer sends may end the link, once; it must not reach a stream that it was not sent to, and
 * what waits for the stream that nobody reads stays within its credit. The program's callback for
 * frames does what programs do there: it sends, interrupts the loop, asks for what is drained, or
 * closes the link.
 *
 * Of the input the first byte says which side the link is and how it begins, the second how long
 * the pieces are. */
#include "core/link/link.h"
#include "core/loop/iteration.h"
#include "core/runtime.h"
#include "core/stream/pipe.h"
#include "fuzz.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  AGENT = 1, /* the link is that of an agent */
  WITHOUT_MARK = 2,
  CHILD = 1, /* has the streams 0 and 1 */
  LEAST_PIECE = 1,
  MOST_WAITING = 512 * 1024, /* for a stream: what may be on its way, and what a pipe holds */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct peer {
  cp_link *link;
  int ends;
  int frames;
} peer;

static void on_frame(cp_link *link, const cp_link_frame *frame, const char *payload)
{
  peer *p = link->owner;
  unsigned sum = 0;

  require(p->ends == 0, "no frame comes after the end");
  require(frame->kind >= CP_FRAME_FIRST_OTHER, "frames of streams are not for the program");
  for (uint32_t i = 0; i < frame->length; i++) {
    sum += (unsigned char)payload[i]; /* all of it can be read */
  }
  p->frames++;
  switch ((frame->kind + sum) % 5) {
    case 0: cp_link_send(link, *frame, payload); break;
    case 1: cp_loop_interrupt(link->streams->loop); break;
    case 2: (void)cp_link_drain(link, CHILD, 0); break;
    case 3: p->link = sum % 7 == 0 ? cp_link_close(link) : p->link; break;
    default: break;
  }
}

static void on_drained(cp_link *link, uint32_t child, unsigned stream)
{
  (void)link;
  require(child == CHILD && stream == 0, "what was asked for is drained");
}

static void on_refused(cp_link *link, uint32_t child, unsigned stream, int error)
{
  (void)link;
  (void)child;
  (void)stream;
  require(error < 0, "a stream is refused with an error");
}

static void on_end(cp_link *link, int error, const char *syscall)
{
  (void)syscall;
  peer *p = link->owner;

  (void)error;
  require(p->ends++ == 0, "a link ends once");
}

static void on_other(cp_link *link)
{
  (void)link;
}

static const cp_link_callbacks callbacks = {on_frame, on_drained, on_refused,
                                            on_end,   on_other,   on_other};

/* Writes as much as the link takes. Returns the number of bytes. */
static size_t feed(int fd, const uint8_t *data, size_t size)
{
  ssize_t n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

  return n > 0 ? (size_t)n : 0;
}

static void iterate(cp_runtime *runtime)
{
  cp_loop_iterate(&runtime->loop, false);
  cp_loop_iterate(&runtime->loop, false);
}

/* Reads and drops what is there. Returns the number of bytes. */
static size_t drop(int fd)
{
  static char bytes[64 * 1024];
  size_t total = 0;
  ssize_t n = 0;

  while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
    total += (size_t)n;
  }
  return total;
}

static void talk(cp_runtime *runtime, peer *p, int fd, const uint8_t *data, size_t size)
{
  bool is_agent = (data[0] & AGENT) != 0;
  size_t piece = data[1] + (size_t)LEAST_PIECE;
  int unread[2] = {-1, -1};
  int both[2] = {-1, -1};
  size_t sent = 0;
  size_t got = 0;

  require(pipe2(unread, O_NONBLOCK | O_CLOEXEC) == 0, "a pipe");
  require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) == 0, "sockets");
  require(cp_link_relay(p->link, CHILD, 0, unread[1], CP_STREAM_WRITABLE, NULL, 0) == 0, "a relay");
  require(cp_link_relay(p->link, CHILD, 1, both[1], CP_STREAM_READABLE | CP_STREAM_WRITABLE,
                        "ahead", 5) == 0,
          "another relay");
  require(feed(both[0], (const uint8_t *)"to the peer", 11) == 11, "the stream has room");
  if ((data[0] & WITHOUT_MARK) == 0) {
    const char *mark = cp_link_mark(is_agent ? CP_LINK_HOST : CP_LINK_AGENT);

    require(feed(fd, (const uint8_t *)mark, CP_LINK_MARK) == CP_LINK_MARK, "the link has room");
  }
  for (size_t at = 2; at < size; at += piece) {
    sent += feed(fd, data + at, size - at < piece ? size - at : piece);
    iterate(runtime);
    got += drop(both[0]);
    (void)drop(fd);
    require(got <= sent + 5, "no stream gets more than was sent");
  }
  shutdown(fd, SHUT_WR);
  iterate(runtime);
  require(p->link == NULL || p->ends == 1 || p->frames > 0, "the end is seen");
  require(drop(unread[0]) <= MOST_WAITING, "what waits is bounded");
  close(unread[0]);
  close(both[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static cp_runtime runtime;
  static bool is_ready;
  peer p = {NULL, 0, 0};
  int in[2];

  if (size < 3) return 0;
  if (!is_ready) require(cp_runtime_init(&runtime, NULL) == 0, "a runtime");
  is_ready = true;
  require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, in) == 0, "sockets");
  p.link = cp_link_new(&runtime.streams, (data[0] & AGENT) != 0 ? CP_LINK_AGENT : CP_LINK_HOST,
                       in[0], dup(in[0]), &callbacks, &p);
  require(p.link != NULL, "a link");
  talk(&runtime, &p, in[1], data, size);
  p.link = cp_link_close(p.link);
  close(in[1]);
  iterate(&runtime);
  return 0;
}
