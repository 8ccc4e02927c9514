/* The outbox of a message channel, and the inbox at the other end, without a loop. */
#include "core/channel/inbox.h"
#include "core/channel/outbox.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 64 };

typedef struct wire {
  int sockets[2];
  cp_outbox out;
  cp_inbox in;
  char room[ROOM];
} wire;

static void open_line(wire *line)
{
  *line = (wire){.sockets = {-1, -1}};
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, line->sockets) == 0,
        "two sockets");
  cp_inbox_init(&line->in);
}

static void close_line(wire *line)
{
  cp_outbox_clear(&line->out);
  cp_inbox_clear(&line->in);
  close(line->sockets[0]);
  close(line->sockets[1]);
}

static void add_bytes(cp_outbox *out, const char *bytes, size_t length, int fd)
{
  cp_buffer message = {.data = NULL};

  check(cp_buffer_append(&message, bytes, length) == 0, "there is memory");
  check(cp_outbox_add(out, &message, fd) == 0, "a message is accepted");
  check(message.length == 0, "and its buffer is empty");
  cp_buffer_free(&message);
}

static void add(wire *line, const char *text, int fd)
{
  add_bytes(&line->out, text, strlen(text), fd);
}

static void send_all(wire *line)
{
  check(cp_outbox_send(&line->out, line->sockets[0]) == 0, "everything is sent that may be");
}

typedef enum taking { NOTHING, DESCRIPTOR, NO_DESCRIPTOR } taking;

/* Receives the next message if it has not arrived yet. Returns whether it is this text, and has or
 * has not a descriptor if `asked`. */
static bool arrives(wire *line, const char *text, taking asked)
{
  const char *message = NULL;
  size_t length = 0;
  bool filled = false;
  bool is_right = false;
  int fd = -1;

  while (cp_inbox_next(&line->in, &message, &length) == 0) {
    if (cp_inbox_keep(&line->in) < 0 ||
        cp_inbox_receive(&line->in, line->sockets[1], line->room, ROOM, &filled) <= 0) {
      return false;
    }
  }
  fd = asked == NOTHING ? -1 : cp_inbox_take_descriptor(&line->in);
  is_right = length == strlen(text) && memcmp(message, text, length) == 0 &&
             (fd != -1) == (asked == DESCRIPTOR);
  if (fd != -1) {
    is_right = is_right && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
    close(fd);
  }
  return is_right;
}

static void test_order(int fd)
{
  wire line;

  open_line(&line);
  add(&line, "one\n", -1);
  add(&line, "two\n", fd);
  add(&line, "three\n", -1);
  add(&line, "four\n", fd);
  add(&line, "five\n", -1);
  check(cp_outbox_held(&line.out) == 3, "what comes after a descriptor is held back");
  send_all(&line);
  check(arrives(&line, "one", NOTHING) && arrives(&line, "two", DESCRIPTOR),
        "up to the first descriptor");
  check(!arrives(&line, "three", NOTHING), "and no further");
  check(cp_outbox_add_reply(&line.out, "reply\n", 6) == 0, "a reply");
  send_all(&line);
  check(arrives(&line, "reply", NOTHING), "replies pass");
  cp_outbox_acknowledge(&line.out);
  check(cp_outbox_held(&line.out) == 1, "the next descriptor holds back");
  send_all(&line);
  check(arrives(&line, "three", NOTHING) && arrives(&line, "four", DESCRIPTOR), "up to the second");
  cp_outbox_acknowledge(&line.out);
  check(!cp_outbox_awaits_ack(&line.out), "nothing is awaited");
  send_all(&line);
  check(arrives(&line, "five", NO_DESCRIPTOR), "the rest");
  check(cp_outbox_sent(&line.out) == line.out.accepted && cp_outbox_backlog(&line.out) == 0,
        "all was sent");
  close_line(&line);
}

/* A reply passes the messages that are held back; more messages are added after it. */
static void test_replies(int fd)
{
  for (int is_sent = 0; is_sent <= 1; is_sent++) {
    wire line;

    open_line(&line);
    add(&line, "handle\n", fd);
    send_all(&line);
    check(cp_outbox_add_reply(&line.out, "reply\n", 6) == 0, "a reply");
    if (is_sent == 1) {
      send_all(&line);
    }
    add(&line, "held\n", -1);
    check(cp_outbox_ready(&line.out) == (is_sent == 1 ? 0 : 6), "only the reply may go");
    send_all(&line);
    check(arrives(&line, "handle", DESCRIPTOR) && arrives(&line, "reply", NO_DESCRIPTOR),
          "and goes");
    check(!arrives(&line, "held", NOTHING), "the message does not");
    cp_outbox_acknowledge(&line.out);
    send_all(&line);
    check(arrives(&line, "held", NO_DESCRIPTOR), "until the descriptor has arrived");
    close_line(&line);
  }
}

/* Replies are not among the messages that wait, however long they are. */
static void test_waiting(int fd)
{
  static const char reply[] = "a long reply\n";
  wire line;

  open_line(&line);
  add(&line, "handle\n", fd);
  add(&line, "held\n", -1);
  check(cp_outbox_add_reply(&line.out, reply, sizeof(reply) - 1) == 0, "a reply");
  send_all(&line);
  check(cp_outbox_has_messages(&line.out), "a message is held back");
  cp_outbox_acknowledge(&line.out);
  check(cp_outbox_has_messages(&line.out), "it can be sent");
  send_all(&line);
  check(!cp_outbox_has_messages(&line.out), "it was sent");
  check(cp_outbox_add_reply(&line.out, reply, sizeof(reply) - 1) == 0, "another reply");
  check(!cp_outbox_has_messages(&line.out) && cp_outbox_backlog(&line.out) > 0,
        "only a reply waits");
  close_line(&line);
}

static void test_retries(int fd)
{
  wire line;

  open_line(&line);
  add(&line, "handle\n", fd);
  add(&line, "held\n", -1);
  check(cp_outbox_retry(&line.out) == 0, "what was not sent yet is not sent again");
  for (int i = 0; i < 4; i++) {
    check(cp_outbox_add_reply(&line.out, "reply\n", 6) == 0, "a reply");
    send_all(&line);
    check(arrives(&line, "handle", DESCRIPTOR) && arrives(&line, "reply", NOTHING),
          "the descriptor comes again, and replies once");
    check(cp_outbox_retry(&line.out) == (i < 3 ? 0 : -ECANCELED), "three retries");
  }
  send_all(&line);
  check(arrives(&line, "held", NOTHING), "then it is given up");
  close_line(&line);
}

static void test_release(int fd)
{
  wire line;

  open_line(&line);
  add(&line, "one\n", fd);
  add(&line, "two\n", fd);
  add(&line, "three\n", -1);
  cp_outbox_release(&line.out);
  send_all(&line);
  check(arrives(&line, "one", DESCRIPTOR) && arrives(&line, "two", DESCRIPTOR) &&
            arrives(&line, "three", NOTHING),
        "everything goes when there is no time to wait");
  close_line(&line);
}

static void test_room(int fd)
{
  static char big[512 * 1024];
  wire line;

  memset(big, 'x', sizeof(big));
  open_line(&line);
  add_bytes(&line.out, big, sizeof(big), -1);
  add(&line, "\n", -1);
  add(&line, "handle\n", fd);
  check(cp_outbox_send(&line.out, line.sockets[0]) == -EAGAIN, "there is no room");
  check(cp_outbox_backlog(&line.out) > 0 && cp_outbox_has_messages(&line.out), "a backlog");
  close_line(&line);
}

static void test_memory(void)
{
  static char preamble[24 * 1024];
  wire line;

  open_line(&line);
  add_bytes(&line.out, preamble, sizeof(preamble), -1);
  send_all(&line);
  check(line.out.bytes.capacity == 0, "the memory of what was sent first is not kept");
  add(&line, "text\n", -1);
  send_all(&line);
  check(line.out.bytes.capacity > 0, "that of later messages is used again");
  close_line(&line);
}

/* Descriptors that are not taken, and several with one message. */
static void test_unwanted(int fd)
{
  const char text[] = "plain\nhandle\n";
  int fds[3] = {fd, fd, fd};
  char control[CMSG_SPACE(sizeof(fds))];
  struct iovec vector = {(char *)(uintptr_t)text, sizeof(text) - 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  struct cmsghdr *header = NULL;
  wire line;

  memset(control, 0, sizeof(control));
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(fds));
  memcpy(CMSG_DATA(header), fds, sizeof(fds));

  open_line(&line);
  for (int i = 0; i < 3; i++) {
    check(sendmsg(line.sockets[0], &message, 0) == (ssize_t)sizeof(text) - 1, "three descriptors");
  }
  check(arrives(&line, "plain", DESCRIPTOR), "the first of them comes with the message");
  check(arrives(&line, "handle", NO_DESCRIPTOR), "and with no other");
  for (int i = 0; i < 2; i++) {
    const char *bytes = NULL;
    size_t length = 0;
    bool filled = false;

    check(cp_inbox_keep(&line.in) == 0 &&
              cp_inbox_receive(&line.in, line.sockets[1], line.room, ROOM, &filled) > 0 &&
              cp_inbox_next(&line.in, &bytes, &length) == 1 &&
              cp_inbox_next(&line.in, &bytes, &length) == 1 &&
              cp_inbox_next(&line.in, &bytes, &length) == 0 &&
              cp_inbox_take_descriptor(&line.in) == -1,
          "those that nobody takes are closed");
  }
  close_line(&line);
}

static void test_single_bytes(int fd)
{
  const char text[] = "a message in pieces\nnext\n";
  wire line;

  open_line(&line);
  add(&line, text, fd);
  for (size_t i = 0; i < sizeof(text) - 1; i++) {
    cp_outbox one = {.tries = 0};

    add_bytes(&one, text + i, 1, i == 0 ? fd : -1);
    cp_outbox_release(&one);
    check(cp_outbox_send(&one, line.sockets[0]) == 0, "is sent");
    cp_outbox_clear(&one);
    if (i + 1 < strlen("a message in pieces\n")) {
      check(!arrives(&line, "", NOTHING), "no whole message");
    }
  }
  check(arrives(&line, "a message in pieces", DESCRIPTOR) && arrives(&line, "next", NOTHING),
        "a message cut into single bytes keeps its descriptor");
  close_line(&line);
}

static void test_limit(void)
{
  const char *message = NULL;
  size_t length = 0;
  bool filled = false;
  wire line;

  open_line(&line);
  line.in.max_message = 4;
  add(&line, "1234\n12345", -1);
  send_all(&line);
  check(arrives(&line, "1234", NOTHING), "a message as long as allowed");
  check(cp_inbox_keep(&line.in) == 0 &&
            cp_inbox_receive(&line.in, line.sockets[1], line.room, ROOM, &filled) == -EAGAIN &&
            cp_inbox_next(&line.in, &message, &length) == -EMSGSIZE,
        "a longer one is refused before it has come");
  close_line(&line);
}

static void test_longest_length(void)
{
  static const char bytes[] = "\xff\xff\xff\xff bytes";
  const char *message = NULL;
  size_t length = 0;
  bool filled = false;
  wire line;
  int r = 0;

  open_line(&line);
  line.in.framing = CP_FRAMING_LENGTH;
  write(line.sockets[0], bytes, sizeof(bytes));
  r = (int)cp_inbox_receive(&line.in, line.sockets[1], line.room, ROOM, &filled);
  check(r == sizeof(bytes) && cp_inbox_next(&line.in, &message, &length) <= 0,
        "a message of 4 GiB has not come with its first bytes");
  close_line(&line);
}

int main(void)
{
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int next = -1;

  test_order(fd);
  test_replies(fd);
  test_waiting(fd);
  test_retries(fd);
  test_release(fd);
  test_room(fd);
  test_memory();
  test_unwanted(fd);
  test_single_bytes(fd);
  test_limit();
  test_longest_length();
  next = dup(fd);
  check(next == fd + 1, "no descriptor is left");
  return failures == 0 ? 0 : 1;
}
