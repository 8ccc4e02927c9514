/* Listening, connecting and looking up without Lua: what is accepted, what is left when all is closed. */
#include "check.h"

#include "core/address.h"
#include "core/listener.h"
#include "core/lookup.h"
#include "core/pipe.h"
#include "core/socket.h"

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
  int close_after; /* so many connections */
} seen;

static void on_connection(void *owner, int fd)
{
  seen *s = owner;

  s->last = fd;
  if (fd >= 0) {
    check((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "an accepted socket is close-on-exec");
    check((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, "an accepted socket does not block");
    cp_pipe_close(fd);
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
  fd = cp_socket_bind(address, false);
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
    check(cp_socket_error(clients[i]) == 0, "a connection is made");
  }
}

static void close_all(int *clients)
{
  for (int i = 0; i < CONNECTIONS; i++) {
    cp_pipe_close(clients[i]);
  }
}

static void test_accepting(cp_loop *loop)
{
  int clients[CONNECTIONS];
  cp_address address;
  seen s;

  open_listener(loop, &s, &address);
  connect_all(&address, clients);
  uv_run(loop->uv, UV_RUN_DEFAULT);
  check(s.accepted == CONNECTIONS, "every connection is accepted");
  check(s.listener == NULL, "a listener may be closed in its callback");
  close_all(clients);
}

static void test_turns(cp_loop *loop)
{
  int clients[CONNECTIONS];
  cp_address address;
  seen s;

  open_listener(loop, &s, &address);
  connect_all(&address, clients);
  uv_run(loop->uv, UV_RUN_ONCE);
  check(s.accepted > 0 && s.accepted < CONNECTIONS, "one turn does not accept all of many");
  cp_listener_close(s.listener);
  close_all(clients);
}

static void lift_limit(uv_timer_t *timer)
{
  setrlimit(RLIMIT_NOFILE, timer->data);
  uv_close((uv_handle_t *)timer, NULL);
}

/* There a connection is accepted, and lost, before a limit is noticed that the program has set. */
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
  uv_timer_t timer;
  cp_address address;
  seen s;

  open_listener(loop, &s, &address);
  connect_all(&address, clients);
  getrlimit(RLIMIT_NOFILE, &before);
  low = before;
  low.rlim_cur = (rlim_t)lowest_free_fd();
  setrlimit(RLIMIT_NOFILE, &low);
  uv_timer_init(loop->uv, &timer);
  timer.data = &before;
  uv_timer_start(&timer, lift_limit, 10, 0);
  uv_run(loop->uv, UV_RUN_ONCE);
  check(s.accepted == 0, "without a descriptor nothing is accepted");
  check(s.listener->watch.events == 0, "and nothing wakes the loop meanwhile");
  uv_run(loop->uv, UV_RUN_DEFAULT);
  check(s.accepted == CONNECTIONS, "later every connection is accepted");
  close_all(clients);
}

static void test_failure(cp_loop *loop)
{
  cp_address address;
  seen s;

  open_listener(loop, &s, &address);
  shutdown(s.listener->fd, SHUT_RDWR);
  uv_run(loop->uv, UV_RUN_DEFAULT);
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
  listener = cp_listener_new(loop, cp_socket_bind(&address, false), &address, on_connection, NULL);
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

static void test_lookup(cp_loop *loop)
{
  cp_lookup *lookups[CONNECTIONS];

  for (int i = 0; i < CONNECTIONS; i++) {
    lookups[i] = cp_lookup_start(loop, "localhost", AF_INET, on_answer, &answers);
  }
  for (int i = 0; i < CONNECTIONS; i += 2) {
    cp_lookup_cancel(lookups[i]);
  }
  uv_run(loop->uv, UV_RUN_DEFAULT);
  check(answers == CONNECTIONS / 2, "every lookup that was not cancelled is answered");
}

int main(void)
{
  cp_loop loop;
  int before = 0;

  check(cp_loop_init(&loop, NULL) == 0, "a loop is made");
  before = count_fds();
  test_accepting(&loop);
  test_turns(&loop);
  if (!is_under_valgrind()) {
    test_shortage(&loop);
  }
  test_failure(&loop);
  test_path(&loop);
  test_lookup(&loop);
  uv_run(loop.uv, UV_RUN_DEFAULT);
  check(count_fds() == before, "no descriptor is left");
  cp_loop_destroy(&loop);
  return failures == 0 ? 0 : 1;
}
