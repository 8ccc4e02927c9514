/* A link between two sides of one process: what its frames carry, how streams wait for their
 * readers without waiting for each other, and what it makes of a peer that breaks the protocol. */
#include "core/base/fd.h"
#include "core/link/link.h"
#include "core/runtime.h"
#include "core/stream/pipe.h"

#include "check.h"
#include "run_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHILD = 7, OTHER_CHILD = CHILD + CP_RELAYS_BUCKETS, HELLO = CP_FRAME_FIRST_OTHER };

/* One side, and what it has seen. */
typedef struct side {
  cp_link *link;
  int frames;
  cp_link_frame frame; /* the last one */
  char payload[16];
  int drained;
  int refusal;      /* the error */
  bool was_drained; /* before it was refused */
  int ends;
  int error;
  const char *syscall;
  int idle;
  bool finished;
  bool closes;     /* the link, at the first frame */
  bool interrupts; /* the loop, at each frame */
  bool fails;      /* to handle frames */
  bool drains;     /* the stream, at each frame */
} side;

static void on_frame(cp_link *link, const cp_link_frame *frame, const char *payload)
{
  side *s = link->owner;

  s->frames++;
  s->frame = *frame;
  if (frame->length > 0 && frame->length <= sizeof(s->payload)) {
    memcpy(s->payload, payload, frame->length);
  }
  if (s->interrupts) {
    cp_loop_interrupt(link->streams->loop);
  }
  if (s->fails) {
    cp_link_fail(link, -ENOMEM);
  }
  if (s->drains) {
    check(cp_link_drain(link, CHILD, 1), "something is left");
  }
  if (s->closes) {
    s->link = cp_link_close(link);
  }
}

static void on_drained(cp_link *link, uint32_t child, unsigned stream)
{
  side *s = link->owner;

  check(child == CHILD && stream == 1, "what is drained is named");
  s->drained++;
}

static void on_refused(cp_link *link, uint32_t child, unsigned stream, int error)
{
  side *s = link->owner;

  check(child == CHILD && stream == 1, "what is refused is named");
  s->refusal = error;
  s->was_drained = s->drained > 0;
}

static void on_end(cp_link *link, int error, const char *syscall)
{
  side *s = link->owner;

  s->ends++;
  s->error = error;
  s->syscall = syscall;
}

static void on_finished(cp_link *link)
{
  ((side *)link->owner)->finished = true;
}

static void on_idle(cp_link *link)
{
  ((side *)link->owner)->idle++;
}

static const cp_link_callbacks callbacks = {on_frame, on_drained,  on_refused,
                                            on_end,   on_finished, on_idle};

typedef struct pair {
  cp_runtime *runtime;
  side host;
  side agent;
} pair;

static void step(const pair *p)
{
  cp_loop_iterate(&p->runtime->loop, false);
}

/* Runs iterations until nothing happens any more. */
static void settle(const pair *p)
{
  for (int i = 0; i < 50; i++) {
    step(p);
  }
}

/* A pipe whose two ends are non-blocking. */
static void open_pipe(int *reader, int *writer)
{
  check(cp_pipe_open(false, reader, writer) == 0, "a pipe");
  fcntl(*writer, F_SETFL, O_NONBLOCK);
}

static void open_side(const pair *p, side *s, cp_link_side which, int in, int out)
{
  s->link = cp_link_new(&p->runtime->streams, which, in, out, &callbacks, s);
  check(s->link != NULL, "a link");
}

static void open_pair(pair *p, cp_runtime *runtime)
{
  int in[2] = {-1, -1};
  int out[2] = {-1, -1};

  *p = (pair){.runtime = runtime};
  open_pipe(&in[0], &in[1]);
  open_pipe(&out[0], &out[1]);
  open_side(p, &p->host, CP_LINK_HOST, in[0], out[1]);
  open_side(p, &p->agent, CP_LINK_AGENT, out[0], in[1]);
}

static void close_pair(pair *p)
{
  p->host.link = cp_link_close(p->host.link);
  p->agent.link = cp_link_close(p->agent.link);
}

/* Only the host, and the two descriptors of its peer. */
static void open_host(pair *p, cp_runtime *runtime, int *to_host, int *from_host)
{
  int in = -1;
  int out = -1;

  *p = (pair){.runtime = runtime};
  open_pipe(&in, to_host);
  open_pipe(from_host, &out);
  open_side(p, &p->host, CP_LINK_HOST, in, out);
}

/* Connects `writer` at the agent to `reader` at the host, as the standard output of a child. */
static void open_output(const pair *p, uint32_t child, int *writer, int *reader)
{
  int relayed = -1;

  open_pipe(&relayed, writer);
  check(cp_link_relay(p->agent.link, child, 1, relayed, CP_STREAM_READABLE, NULL, 0) == 0,
        "the agent's relay");
  open_pipe(reader, &relayed);
  check(cp_link_relay(p->host.link, child, 1, relayed, CP_STREAM_WRITABLE, NULL, 0) == 0,
        "the host's relay");
}

static cp_link_frame frame_of(uint8_t kind, size_t length)
{
  return (cp_link_frame){.length = (uint32_t)length, .child = CHILD, .kind = kind, .stream = 1};
}

static void put(int fd, const void *bytes, size_t length)
{
  check(write(fd, bytes, length) == (ssize_t)length, "it has room");
}

static void put_frame(int fd, const cp_link_frame *frame, const char *payload)
{
  unsigned char header[CP_FRAME_HEADER];

  cp_link_frame_write(frame, header);
  put(fd, header, sizeof(header));
  put(fd, payload, frame->length);
}

static void test_frames(cp_runtime *runtime)
{
  pair p;

  open_pair(&p, runtime);
  cp_link_send(p.host.link, frame_of(HELLO, 5), "hello");
  cp_link_send(p.host.link, frame_of(HELLO + 1, 0), NULL);
  cp_link_send(p.agent.link, frame_of(HELLO + 2, 3), "abc");
  settle(&p);
  check(p.agent.frames == 2 && p.agent.frame.kind == HELLO + 1, "frames arrive in order");
  check(p.host.frames == 1 && p.host.frame.child == CHILD && p.host.frame.length == 3 &&
            memcmp(p.host.payload, "abc", 3) == 0,
        "both ways");
  cp_link_finish(p.host.link);
  settle(&p);
  check(p.host.finished && p.agent.ends == 1 && p.agent.error == 0, "a side that finishes ends");
  check(p.host.ends == 0, "only its output");
  close_pair(&p);
}

static void test_noise(cp_runtime *runtime)
{
  pair p;
  int to_host = -1;
  int from_host = -1;
  cp_link_frame frame = frame_of(HELLO, 2);

  open_host(&p, runtime, &to_host, &from_host);
  put(to_host, "welcome\n", 8);
  put(to_host, cp_link_mark(CP_LINK_HOST), CP_LINK_MARK);
  put(to_host, cp_link_mark(CP_LINK_AGENT), CP_LINK_MARK - 1);
  settle(&p);
  check(p.host.frames == 0 && p.host.ends == 0, "an echo of the own mark is noise");
  put(to_host, cp_link_mark(CP_LINK_AGENT) + CP_LINK_MARK - 1, 1);
  put_frame(to_host, &frame, "hi");
  settle(&p);
  check(p.host.frames == 1 && cp_link_noise(p.host.link)->length == 8 + CP_LINK_MARK,
        "noise before the mark is skipped and kept");
  close_pair(&p);
  close(to_host);
  close(from_host);

  open_host(&p, runtime, &to_host, &from_host);
  for (int i = 0; i <= CP_LINK_NOISE / 1024; i++) {
    char text[1024] = "";

    put(to_host, text, sizeof(text));
    step(&p);
  }
  settle(&p);
  check(p.host.ends == 1 && p.host.error == -EPROTO, "up to a limit");
  close_pair(&p);
  close(to_host);
  close(from_host);
}

/* Sends one frame of a peer. Returns the error with which the link ends, or 1 if it does not. */
static int error_of(cp_runtime *runtime, const cp_link_frame *frame, const char *payload)
{
  pair p;
  int to_host = -1;
  int from_host = -1;
  int error = 0;

  open_host(&p, runtime, &to_host, &from_host);
  put(to_host, cp_link_mark(CP_LINK_AGENT), CP_LINK_MARK);
  if (payload != NULL) {
    put_frame(to_host, frame, payload);
  } else {
    unsigned char header[CP_FRAME_HEADER];

    cp_link_frame_write(frame, header);
    put(to_host, header, sizeof(header));
  }
  settle(&p);
  error = p.host.ends == 0 ? 1 : p.host.error;
  close_pair(&p);
  close(to_host);
  close(from_host);
  return error;
}

static void test_protocol(cp_runtime *runtime)
{
  const cp_link_frame unknown = frame_of(CP_FRAME_FIRST_OTHER - 1, 0);
  const cp_link_frame zero = frame_of(0, 0);
  const cp_link_frame long_data = frame_of(CP_FRAME_DATA, CP_FRAME_LONGEST_DATA + 1);
  const cp_link_frame long_other = frame_of(HELLO, CP_FRAME_LONGEST + 1);
  const cp_link_frame end_with_payload = frame_of(CP_FRAME_END, 1);
  const cp_link_frame short_credit = frame_of(CP_FRAME_CREDIT, 3);
  const cp_link_frame late_data = frame_of(CP_FRAME_DATA, 4);
  const cp_link_frame late_credit = frame_of(CP_FRAME_CREDIT, 4);

  check(error_of(runtime, &unknown, NULL) == -EPROTO, "an unknown kind");
  check(error_of(runtime, &zero, NULL) == -EPROTO, "kind 0");
  check(error_of(runtime, &long_data, NULL) == -EPROTO, "data that is too long");
  check(error_of(runtime, &long_other, NULL) == -EPROTO, "a frame that is too long");
  check(error_of(runtime, &end_with_payload, NULL) == -EPROTO, "an end with a payload");
  check(error_of(runtime, &short_credit, NULL) == -EPROTO, "a credit of three bytes");
  check(error_of(runtime, &late_data, "late") == 1, "data of a stream that has ended is dropped");
  check(error_of(runtime, &late_credit, "\1\1\1\1") == 1, "and credit for it");
}

/* Moves `total` bytes from one end to the other. Returns whether all arrive in order. */
static bool moves(const pair *p, int writer, int reader, size_t total)
{
  static unsigned char piece[48 * 1024];
  size_t written = 0;
  size_t got = 0;
  bool same = true;

  for (int idle = 0; got < total && idle < 1000; idle++) {
    ssize_t n = 0;

    if (written < total) {
      size_t length = total - written < sizeof(piece) ? total - written : sizeof(piece);

      for (size_t i = 0; i < length; i++) {
        piece[i] = (unsigned char)((written + i) % 251);
      }
      n = write(writer, piece, length);
      written += n > 0 ? (size_t)n : 0;
    }
    step(p);
    while ((n = read(reader, piece, sizeof(piece))) > 0) {
      for (ssize_t i = 0; i < n; i++) {
        same = same && piece[i] == (unsigned char)((got + (size_t)i) % 251);
      }
      got += (size_t)n;
      idle = 0;
    }
  }
  return same && got == total;
}

static void test_stream(cp_runtime *runtime)
{
  pair p;
  int writer = -1;
  int reader = -1;
  char byte = 0;

  open_pair(&p, runtime);
  open_output(&p, CHILD, &writer, &reader);
  check(moves(&p, writer, reader, 5 * 1000 * 1000 + 1), "all bytes arrive in order");
  check(read(reader, &byte, 1) == -1 && errno == EAGAIN, "and the stream goes on");
  put(writer, "x", 1);
  cp_link_await_idle(p.agent.link);
  settle(&p);
  check(p.agent.idle == 0, "the link is not idle before");
  close(writer);
  settle(&p);
  check(p.agent.idle == 1, "it is when all streams have ended");
  check(read(reader, &byte, 1) == 1 && byte == 'x' && read(reader, &byte, 1) == 0,
        "it ends after the last byte");
  check(cp_link_relays(p.agent.link) == 0 && cp_link_relays(p.host.link) == 0,
        "the relays have ended");
  close(reader);
  close_pair(&p);
}

/* Writes as much as goes. Returns the number of bytes. */
static size_t fill(const pair *p, int writer)
{
  static char piece[64 * 1024];
  size_t total = 0;

  for (int idle = 0; idle < 50; idle++) {
    ssize_t n = write(writer, piece, sizeof(piece));

    total += n > 0 ? (size_t)n : 0;
    idle = n > 0 ? 0 : idle;
    step(p);
  }
  return total;
}

static void test_slow_reader(cp_runtime *runtime)
{
  pair p;
  int writer = -1;
  int reader = -1;
  int other_writer = -1;
  int other_reader = -1;
  size_t total = 0;
  size_t got = 0;
  char piece[4096];

  open_pair(&p, runtime);
  open_output(&p, CHILD, &writer, &reader);
  open_output(&p, OTHER_CHILD, &other_writer, &other_reader);
  total = fill(&p, writer);
  check(total > 256 * 1024 && total < 4 * 1024 * 1024, "a reader that takes nothing stops it");
  check(moves(&p, other_writer, other_reader, 3 * 1000 * 1000), "but not another stream");
  for (int idle = 0; got < total && idle < 1000; idle++) {
    ssize_t n = read(reader, piece, sizeof(piece));

    got += n > 0 ? (size_t)n : 0;
    idle = n > 0 ? 0 : idle;
    step(&p);
  }
  check(got == total, "nothing is lost");
  check(fill(&p, writer) > 256 * 1024, "and it goes on");
  close(writer);
  close(reader);
  close(other_writer);
  close(other_reader);
  settle(&p);
  check(cp_link_relays(p.agent.link) == 0 && cp_link_relays(p.host.link) == 0,
        "a reader that closes ends it, whatever is queued");
  close_pair(&p);
}

/* Small reads give credit back while the sender has overdrawn its own. */
static void test_overdraft(cp_runtime *runtime)
{
  pair p;
  int writer = -1;
  int reader = -1;
  size_t total = 0;
  size_t got = 0;
  static char piece[61 * 1000];

  open_pair(&p, runtime);
  open_output(&p, CHILD, &writer, &reader);
  for (int i = 0; i < 2000; i++) {
    ssize_t n = write(writer, piece, sizeof(piece));

    total += n > 0 ? (size_t)n : 0;
    step(&p);
    n = read(reader, piece, 17 * 1000);
    got += n > 0 ? (size_t)n : 0;
  }
  check(p.host.ends == 0 && p.agent.ends == 0, "nobody sends too much");
  check(got > 4 * 1000 * 1000 && total - got < 2 * 1024 * 1024, "and much has passed");
  close(writer);
  close(reader);
  close_pair(&p);
}

static void test_reader_closes(cp_runtime *runtime)
{
  pair p;
  int writer = -1;
  int reader = -1;

  open_pair(&p, runtime);
  open_output(&p, CHILD, &writer, &reader);
  settle(&p);
  close(reader);
  settle(&p);
  check(cp_link_relays(p.agent.link) == 0, "it is noticed without a write");
  signal(SIGPIPE, SIG_IGN);
  check(write(writer, "x", 1) == -1 && errno == EPIPE, "the writer gets EPIPE");
  signal(SIGPIPE, SIG_DFL);
  close(writer);
  close_pair(&p);
}

/* Both directions of a socket pair, with bytes ahead of what the host sends. */
static void test_duplex(cp_runtime *runtime)
{
  pair p;
  int ours = -1;
  int childs = -1;
  int relayed = -1;
  char text[16] = "";

  open_pair(&p, runtime);
  check(cp_pipe_open_duplex(&relayed, &childs) == 0, "sockets");
  fcntl(childs, F_SETFL, O_NONBLOCK);
  check(cp_link_relay(p.agent.link, CHILD, 3, relayed, CP_STREAM_READABLE | CP_STREAM_WRITABLE,
                      "ahead,", 6) == 0,
        "the agent's relay");
  check(cp_pipe_open_duplex(&ours, &relayed) == 0, "sockets");
  check(cp_link_relay(p.host.link, CHILD, 3, relayed, CP_STREAM_READABLE | CP_STREAM_WRITABLE, NULL,
                      0) == 0,
        "the host's relay");
  put(ours, "sent", 4);
  put(childs, "answer", 6);
  settle(&p);
  check(read(childs, text, sizeof(text)) == 10 && memcmp(text, "ahead,sent", 10) == 0, "one way");
  check(read(ours, text, sizeof(text)) == 6 && memcmp(text, "answer", 6) == 0, "and the other");
  shutdown(ours, SHUT_WR);
  settle(&p);
  check(read(childs, text, sizeof(text)) == 0, "one direction ends");
  put(childs, "more", 4);
  settle(&p);
  check(read(ours, text, sizeof(text)) == 4, "and the other goes on");
  close(childs);
  settle(&p);
  check(read(ours, text, sizeof(text)) == 0 && cp_link_relays(p.host.link) == 0, "until it ends");
  close(ours);
  close_pair(&p);
}

static void test_loss(cp_runtime *runtime)
{
  pair p;
  int writer = -1;
  int reader = -1;
  size_t total = 0;
  char piece[4096];
  ssize_t n = 0;

  open_pair(&p, runtime);
  open_output(&p, CHILD, &writer, &reader);
  total = fill(&p, writer);
  p.agent.link = cp_link_close(p.agent.link);
  settle(&p);
  check(p.host.ends == 1 && p.host.error == 0, "the end is reported once");
  check(cp_link_relays(p.host.link) == 1, "a stream goes on");
  for (int idle = 0; idle < 50; idle++) {
    n = read(reader, piece, sizeof(piece));
    total -= n > 0 ? (size_t)n : 0;
    if (n == 0) {
      break;
    }
    idle = n > 0 ? 0 : idle;
    step(&p);
  }
  check(n == 0 && total <= 256 * 1024, "until what had arrived was read");
  close(writer);
  close(reader);
  close_pair(&p);
}

static void test_drain(cp_runtime *runtime)
{
  pair p;
  int writer = -1;
  int reader = -1;
  char piece[4096];

  open_pair(&p, runtime);
  open_output(&p, CHILD, &writer, &reader);
  settle(&p);
  check(cp_link_drain(p.agent.link, CHILD, 1) == 0, "nothing has arrived");
  check(cp_link_drain(p.agent.link, CHILD, 2) == 0, "there is no such stream");
  fill(&p, writer);
  check(cp_link_drain(p.agent.link, CHILD, 1) == 1, "there are bytes that must wait");
  settle(&p);
  check(p.agent.drained == 0, "as long as they do");
  for (int idle = 0; idle < 50; idle++) {
    ssize_t n = read(reader, piece, sizeof(piece));

    idle = n > 0 ? 0 : idle;
    step(&p);
  }
  check(p.agent.drained == 1, "then it is reported");
  close(writer);
  close(reader);
  close_pair(&p);
}

/* Those who hold the descriptor of a child that has ended take nothing that comes for it. */
static void test_drain_of_held(cp_runtime *runtime)
{
  pair p;
  int childs = -1;
  int writer = -1;
  int relayed = -1;

  open_pair(&p, runtime);
  check(cp_pipe_open_duplex(&relayed, &childs) == 0, "sockets");
  check(cp_link_relay(p.agent.link, CHILD, 1, relayed, CP_STREAM_READABLE | CP_STREAM_WRITABLE,
                      NULL, 0) == 0,
        "the agent's relay");
  open_pipe(&relayed, &writer);
  check(cp_link_relay(p.host.link, CHILD, 1, relayed, CP_STREAM_READABLE, NULL, 0) == 0,
        "the host's relay");
  fill(&p, writer);
  check(!cp_link_drain(p.agent.link, CHILD, 1), "the child has written nothing");
  check(!cp_link_drain(p.host.link, CHILD, 1), "and nothing has arrived");
  close(childs);
  close(writer);
  close_pair(&p);
}

static void test_refuse(cp_runtime *runtime)
{
  pair p;
  int reader = -1;
  int relayed = -1;
  char text[16] = "";

  open_pair(&p, runtime);
  open_pipe(&reader, &relayed);
  fcntl(reader, F_SETFL, O_NONBLOCK);
  check(cp_link_relay(p.host.link, CHILD, 1, relayed, CP_STREAM_WRITABLE, NULL, 0) == 0,
        "the host's relay");
  cp_link_refuse(p.host.link, OTHER_CHILD);
  settle(&p);
  check(read(reader, text, sizeof(text)) == -1 && errno == EAGAIN, "a stream that nobody refuses");
  cp_link_refuse(p.host.link, CHILD);
  settle(&p);
  check(read(reader, text, sizeof(text)) == 0 && cp_link_relays(p.host.link) == 0,
        "a stream ends that the other side does not have");
  close(reader);
  close_pair(&p);
}

/* Bytes that cannot be read are lost, and nobody may take that for an end. */
static void test_broken_stream(cp_runtime *runtime)
{
  pair p;
  int reader = -1;
  int relayed = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  open_pair(&p, runtime);
  check(cp_link_relay(p.agent.link, CHILD, 1, relayed, CP_STREAM_READABLE, NULL, 0) == 0,
        "the agent's relay");
  open_pipe(&reader, &relayed);
  check(cp_link_relay(p.host.link, CHILD, 1, relayed, CP_STREAM_WRITABLE, NULL, 0) == 0,
        "the host's relay");
  settle(&p);
  check(p.agent.ends == 1 && p.agent.error == -EISDIR,
        "a stream that cannot be read ends the link");
  check(p.agent.syscall != NULL && strcmp(p.agent.syscall, "read") == 0, "which is named");
  close(reader);
  close_pair(&p);
}

/* An output that cannot be written ends alone. */
static void test_full_disk(cp_runtime *runtime)
{
  pair p;
  int writer = -1;
  int relayed = -1;

  open_pair(&p, runtime);
  open_pipe(&relayed, &writer);
  check(cp_link_relay(p.agent.link, CHILD, 1, relayed, CP_STREAM_READABLE, NULL, 0) == 0,
        "the agent's relay");
  relayed = open("/dev/full", O_WRONLY | O_CLOEXEC);
  check(cp_link_relay(p.host.link, CHILD, 1, relayed, CP_STREAM_WRITABLE | CP_STREAM_SHARED, NULL,
                      0) == 0,
        "the host's relay");
  put(writer, "lost", 4);
  settle(&p);
  check(p.host.refusal == -ENOSPC && p.host.ends == 0, "it is reported, and the link goes on");
  check(cp_link_relays(p.host.link) == 0 && cp_link_relays(p.agent.link) == 0, "without it");
  close(writer);
  close_pair(&p);
}

/* Nothing is awaited of a child whose last output was written. So if that fails, it is reported
 * before. The file takes a part of the output at once, and then its size is at the limit. */
static void test_full_disk_at_end(cp_runtime *runtime)
{
  const cp_link_frame data = frame_of(CP_FRAME_DATA, 8);
  const cp_link_frame other = frame_of(HELLO, 0);
  char path[] = "/tmp/link_test_XXXXXX";
  int file = mkstemp(path);
  struct rlimit limit;
  rlim_t before = 0;
  pair p;
  int to_host = -1;
  int from_host = -1;

  check(file >= 0 && unlink(path) == 0, "a file");
  open_host(&p, runtime, &to_host, &from_host);
  check(cp_link_relay(p.host.link, CHILD, 1, file, CP_STREAM_WRITABLE | CP_STREAM_SHARED, NULL,
                      0) == 0,
        "the host's relay");
  p.host.drains = true;
  put(to_host, cp_link_mark(CP_LINK_AGENT), CP_LINK_MARK);
  put_frame(to_host, &data, "the rest");
  put_frame(to_host, &other, "");
  getrlimit(RLIMIT_FSIZE, &limit);
  before = limit.rlim_cur;
  limit.rlim_cur = 4;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
  settle(&p);
  limit.rlim_cur = before;
  setrlimit(RLIMIT_FSIZE, &limit);
  signal(SIGXFSZ, SIG_DFL);
  check(p.host.frames == 1 && p.host.drained == 1, "what drains is reported");
  check(p.host.refusal == -EFBIG && !p.host.was_drained, "and before that the refusal");
  close_pair(&p);
  close(to_host);
  close(from_host);
}

static void test_broken_output(cp_runtime *runtime)
{
  pair p = {.runtime = runtime};
  int in = -1;
  int to_host = -1;

  open_pipe(&in, &to_host);
  open_side(&p, &p.host, CP_LINK_HOST, in, open("/dev/full", O_WRONLY | O_CLOEXEC));
  settle(&p);
  check(p.host.ends == 1 && p.host.error == -ENOSPC, "a link that cannot be written ends");
  check(p.host.syscall != NULL && strcmp(p.host.syscall, "write") == 0, "which is named");
  close_pair(&p);
  close(to_host);
}

static void test_too_much(cp_runtime *runtime)
{
  static char piece[CP_FRAME_LONGEST_DATA / 2];
  pair p;
  int to_host = -1;
  int from_host = -1;
  int reader = -1;
  int relayed = -1;
  cp_link_frame frame = frame_of(CP_FRAME_DATA, sizeof(piece));
  size_t sent = 0;

  open_host(&p, runtime, &to_host, &from_host);
  open_pipe(&reader, &relayed);
  check(cp_link_relay(p.host.link, CHILD, 1, relayed, CP_STREAM_WRITABLE, NULL, 0) == 0, "a relay");
  put(to_host, cp_link_mark(CP_LINK_AGENT), CP_LINK_MARK);
  while (p.host.ends == 0 && sent < 8 * sizeof(piece) * 16) {
    put_frame(to_host, &frame, piece);
    sent += sizeof(piece);
    settle(&p);
  }
  check(p.host.ends == 1 && p.host.error == -EPROTO && sent < 1024 * 1024,
        "a peer cannot send more than it was given credit for");
  close_pair(&p);
  close(to_host);
  close(from_host);
  close(reader);
}

static void test_interrupts(cp_runtime *runtime)
{
  pair p;

  open_pair(&p, runtime);
  p.agent.interrupts = true;
  for (int i = 0; i < 3; i++) {
    cp_link_send(p.host.link, frame_of(HELLO, 2), "hi");
  }
  while (p.agent.frames == 0) {
    step(&p);
  }
  check(p.agent.frames == 1, "what is left is for the next iteration");
  step(&p);
  check(p.agent.frames == 2, "one more");
  settle(&p);
  check(p.agent.frames == 3, "all of it");
  close_pair(&p);

  open_pair(&p, runtime);
  p.agent.closes = true;
  cp_link_send(p.host.link, frame_of(HELLO, 2), "hi");
  cp_link_send(p.host.link, frame_of(HELLO, 2), "hi");
  settle(&p);
  check(p.agent.frames == 1 && p.agent.link == NULL, "a callback may close the link");
  check(p.host.ends == 1, "which the other side sees");
  close_pair(&p);

  open_pair(&p, runtime);
  p.agent.fails = true;
  cp_link_send(p.host.link, frame_of(HELLO, 2), "hi");
  settle(&p);
  check(p.agent.ends == 1 && p.agent.error == -ENOMEM, "a frame that is not handled ends the link");
  check(p.agent.syscall == NULL, "and no system call has failed");
  close_pair(&p);
}

static void test(void)
{
  cp_runtime runtime;

  check(cp_runtime_init(&runtime, NULL) == 0, "a runtime");
  test_frames(&runtime);
  test_noise(&runtime);
  test_protocol(&runtime);
  test_stream(&runtime);
  test_slow_reader(&runtime);
  test_overdraft(&runtime);
  test_reader_closes(&runtime);
  test_duplex(&runtime);
  test_loss(&runtime);
  test_drain(&runtime);
  test_drain_of_held(&runtime);
  test_refuse(&runtime);
  test_broken_stream(&runtime);
  test_full_disk(&runtime);
  test_full_disk_at_end(&runtime);
  test_broken_output(&runtime);
  test_too_much(&runtime);
  test_interrupts(&runtime);
  settle(&(pair){.runtime = &runtime}); /* libuv frees what was closed */
  check(!cp_loop_is_alive(&runtime.loop), "nothing is left");
  cp_runtime_destroy(&runtime);
}

int main(void)
{
  test();
  return failures == 0 ? 0 : 1;
}
