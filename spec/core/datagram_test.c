/* Datagrams without Lua: those without room wait and are sent in order, and a callback may close
 * the socket. A socket pair takes the part of a slow network: it refuses datagrams while its reader
 * has not taken the earlier ones. */
#include "core/net/datagram.h"
#include "core/runtime.h"

#include "check.h"
#include "run_loop.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { COUNT = 1000 };

typedef struct scene {
  cp_datagram *sender;
  cp_datagram *receiver;
  int sent;
  int received;
  int refused;
} scene;

static void send_more(scene *s)
{
  while (s->sent < COUNT) {
    ssize_t n = cp_datagram_send(s->sender, (const char *)&s->sent, sizeof(s->sent), NULL);

    if (n == -EAGAIN) {
      s->refused++;
      check(cp_datagram_await_room(s->sender) == 0, "waiting for room");
      return;
    }
    check(n == sizeof(s->sent), "a datagram is sent as a whole");
    s->sent++;
  }
  s->sender = cp_datagram_close(s->sender);
}

static void on_room(cp_datagram *datagram)
{
  send_more(datagram->owner);
}

static void on_datagram(cp_datagram *datagram, const char *data, size_t n, const cp_address *from)
{
  scene *s = datagram->owner;
  int number = -1;

  (void)from;
  check(n == sizeof(number), "a datagram is received as a whole");
  memcpy(&number, data, sizeof(number));
  check(number == s->received, "datagrams keep their order");
  if (++s->received == COUNT) {
    s->receiver = cp_datagram_close(s->receiver);
  }
}

static void on_error(cp_datagram *datagram, int error)
{
  (void)datagram, (void)error;
  check(false, "receiving does not fail");
}

static const cp_datagram_callbacks callbacks = {on_datagram, on_error, on_room};

static void test_room(cp_loop *loop)
{
  int fds[2] = {-1, -1};
  scene s = {0};

  check(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0, "a pair");
  check(cp_datagram_family_of(fds[0]) == -EINVAL, "only UDP is known by its family");
  s.sender = cp_datagram_new(loop, AF_INET, fds[0], &callbacks, &s);
  s.receiver = cp_datagram_new(loop, AF_INET, fds[1], &callbacks, &s);
  check(cp_datagram_receive(s.receiver) == 0, "receiving");
  send_more(&s);
  check(s.refused == 1 && cp_datagram_is_active(s.sender), "more than there is room for");
  run_loop(loop);
  check(s.sent == COUNT && s.received == COUNT, "all arrive");
  check(s.refused > 1, "there was no room more than once");
  check(s.sender == NULL && s.receiver == NULL, "both were closed in a callback");
}

static void test_states(cp_loop *loop)
{
  cp_datagram *datagram = cp_datagram_new(loop, AF_INET, -1, &callbacks, NULL);
  cp_address v4;
  cp_address v6;

  check(cp_address_parse(&v4, "127.0.0.1", 0) == 0 && cp_address_parse(&v6, "::1", 0) == 0,
        "addresses");
  check(cp_datagram_receive(datagram) == -EBADF, "receiving needs a socket");
  check(cp_datagram_send(datagram, "x", 1, &v4) == -EBADF, "sending does, too");
  check(cp_datagram_bind(datagram, &v6, 0) == -EINVAL, "an address of the other family");
  check(cp_datagram_bind(datagram, &v4, CP_DATAGRAM_IPV6_ONLY) == -EINVAL, "IPv6 alone, with IPv4");
  check(cp_datagram_bind(datagram, &v4, 0) == 0, "binding after that");
  check(cp_datagram_family_of(datagram->fd) == AF_INET, "the family");
  check(cp_datagram_bind(datagram, &v4, 0) == -EINVAL, "binding twice");
  check(cp_datagram_reference(datagram, false) == 0 && cp_datagram_receive(datagram) == 0,
        "receiving");
  check(!cp_loop_is_alive(loop), "the loop ends although it receives");
  check(cp_datagram_close(datagram) == NULL, "closing");
}

int main(void)
{
  cp_runtime runtime;

  check(cp_runtime_init(&runtime, NULL) == 0, "a loop");
  test_room(&runtime.loop);
  test_states(&runtime.loop);
  cp_runtime_destroy(&runtime);
  return failures == 0 ? 0 : 1;
}
