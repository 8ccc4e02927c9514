/* Listening, connecting and looking up without Lua. */
#include "check.h"
#include "run_loop.h"

#include "core/base/fd.h"
#include "core/net/address.h"
#include "core/net/listener.h"
#include "core/net/lookup.h"
#include "core/net/socket.h"
#include "core/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CONNECTIONS = 40 };

static int count_fds(void)
{
  int count = 0;

  for (int fd = 0; fd < 256; fd++) {
    count += fcntl(fd, F_GETFD) != -1;
  }
  return count;
}

/* A lookup that was cancelled leaves its thread to itself, which may still be reading a file. */
static int fds_after_threads(int expected)
{
  int count = count_fds();

  for (int ms = 0; count != expected && ms < 60000; ms += 10) {
    poll(NULL, 0, 10);
    count = count_fds();
  }
  return count;
}

static int lowest_free_fd(void)
{
  int fd = dup(STDIN_FILENO);

  close(fd);
  return fd;
}

typedef struct seen {
  cp_loop *loop;
  cp_listener *listener;
  int accepted;
  int last;
  int close_after; /* number of connections */
} seen;

static void on_connection(void *owner, int fd)
{
  seen *s = owner;

  s->last = fd;
  if (fd >= 0) {
    check((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "an accepted socket is close-on-exec");
    check((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, "an accepted socket does not block");
    cp_fd_close(fd);
    s->accepted++;
  }
  if (s->accepted == s->close_after) {
    s->listener = cp_listener_close(s->listener);
  }
}

static cp_listener *open_listener(cp_loop *loop, seen *s, cp_address *address)
{
  int fd = -1;

  check(cp_address_parse(address, "127.0.0.1", 0) == 0, "an address is parsed");
  fd = cp_socket_bind(address, 0);
  check(fd >= 0, "a socket is bound");
  *s = (seen){.loop = loop, .close_after = CONNECTIONS};
  s->listener = cp_listener_new(loop, fd, address, on_connection, s);
  check(cp_listener_start(s->listener, CONNECTIONS) == 0, "it listens");
  check(cp_address_of_socket(address, fd) == 0, "it has an address");
  return s->listener;
}

static void connect_all(const cp_address *address, int *clients)
{
  const char *call = NULL;

  for (int i = 0; i < CONNECTIONS; i++) {
    clients[i] = cp_socket_connect(address, NULL, &call);
    check(clients[i] >= 0, "a connection begins");
  }
  for (int i = 0; i < CONNECTIONS; i++) {
    struct pollfd polled = {clients[i], POLLOUT, 0};

    poll(&polled, 1, -1);
    check(cp_socket_take_error(clients[i]) == 0, "a connection is made");
  }
}

static void close_all(int *clients)
{
  for (int i = 0; i < CONNECTIONS; i++) {
    cp_fd_close(clients[i]);
  }
}

static void test_accepting(cp_loop *loop)
{
  int clients[CONNECTIONS];
  cp_address address;
  seen s;

  open_listener(loop, &s, &address);
  connect_all(&address, clients);
  run_loop(loop);
  check(s.accepted == CONNECTIONS, "every connection is accepted");
  check(s.listener == NULL, "a listener may be closed in its callback");
  close_all(clients);
}

static void test_iterations(cp_loop *loop)
{
  int clients[CONNECTIONS];
  cp_address address;
  seen s;

  open_listener(loop, &s, &address);
  connect_all(&address, clients);
  cp_loop_iterate(loop, true);
  check(s.accepted > 0 && s.accepted < CONNECTIONS, "one iteration does not accept all of many");
  cp_listener_close(s.listener);
  close_all(clients);
}

/* Valgrind accepts a connection, and loses it, before it notices the limit that the test sets. */
static bool is_under_valgrind(void)
{
  const char *preloaded = getenv("LD_PRELOAD");

  return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

static void test_shortage(cp_loop *loop)
{
  int clients[CONNECTIONS];
  struct rlimit before;
  struct rlimit low;
  cp_address address;
  seen s;
  int left = 100;

  open_listener(loop, &s, &address);
  connect_all(&address, clients);
  getrlimit(RLIMIT_NOFILE, &before);
  low = before;
  low.rlim_cur = (rlim_t)lowest_free_fd();
  setrlimit(RLIMIT_NOFILE, &low);
  do {
    cp_loop_iterate(loop, false); /* on a slow machine it may already try again */
  } while (s.listener->watch.interest.events != 0 && left-- > 0);
  check(s.accepted == 0, "without a descriptor nothing is accepted");
  check(s.listener->watch.interest.events == 0, "and nothing wakes the loop meanwhile");
  setrlimit(RLIMIT_NOFILE, &before);
  run_loop(loop);
  check(s.accepted == CONNECTIONS, "later every connection is accepted");
  close_all(clients);
}

static void test_failure(cp_loop *loop)
{
  cp_address address;
  seen s;

  open_listener(loop, &s, &address);
  shutdown(s.listener->fd, SHUT_RDWR);
  run_loop(loop);
  check(s.last == -EINVAL, "a socket that cannot accept any more is told of");
  cp_listener_close(s.listener);
}

static void test_path(cp_loop *loop)
{
  char path[] = "/tmp/listener_test.XXXXXX";
  cp_address address;
  cp_listener *listener = NULL;

  close(mkstemp(path));
  unlink(path);
  check(cp_address_of_path(&address, path, strlen(path)) == 0, "a path is an address");
  listener = cp_listener_new(loop, cp_socket_bind(&address, 0), &address, on_connection, NULL);
  check(access(path, F_OK) == 0, "a socket that is bound to a path is a file");
  cp_listener_remove_path(listener);
  cp_listener_close(listener);
  check(access(path, F_OK) == -1, "which can be removed");
}

static int answers;

static void on_answer(void *owner, int error, const struct addrinfo *addresses)
{
  check(owner == &answers, "a lookup has its owner");
  check(error == 0 && addresses != NULL && addresses->ai_family == AF_INET,
        "localhost has an address");
  answers++;
}

static void test_lookup(cp_runtime *runtime)
{
  cp_lookup *lookups[CONNECTIONS];

  for (int i = 0; i < CONNECTIONS; i++) {
    lookups[i] = cp_lookup_start(&runtime->lookups, "localhost", AF_INET, on_answer, &answers);
  }
  for (int i = 0; i < CONNECTIONS; i += 2) {
    cp_lookup_cancel(lookups[i]);
  }
  run_loop(&runtime->loop);
  check(answers == CONNECTIONS / 2, "every lookup that was not cancelled is answered");
}

int main(void)
{
  cp_runtime runtime;
  int before = 0;

  check(cp_runtime_init(&runtime, NULL) == 0, "a loop is made");
  before = count_fds();
  test_accepting(&runtime.loop);
  test_iterations(&runtime.loop);
  if (!is_under_valgrind()) {
    test_shortage(&runtime.loop);
  }
  test_failure(&runtime.loop);
  test_path(&runtime.loop);
  test_lookup(&runtime);
  run_loop(&runtime.loop);
  check(fds_after_threads(before) == before, "no descriptor is left");
  cp_runtime_destroy(&runtime);
  return failures == 0 ? 0 : 1;
}
