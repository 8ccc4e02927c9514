/* The streams of children on a link: their pipes, whose other ends are relayed. */
#include "binding/channel.h"
#include "binding/descriptor.h"
#include "binding/link.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/stream.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/channel/channels.h"
#include "core/process/stdio.h"
#include "core/stream/pipe.h"

#include <errno.h>

static unsigned check_stream(lua_State *L, int index)
{
  lua_Integer fd = luaL_checkinteger(L, index);

  luaL_argcheck(L, fd >= 0 && fd <= UINT16_MAX, index, "not the number of a stream");
  return (unsigned)fd;
}

/* A pipe for a child's descriptor. What owns the ends is on the Lua stack, and closes them when
 * it is collected, if something raises. */
typedef struct child_pipe {
  cp_stdio entry;
  int *ours;
  int *theirs;
} child_pipe;

/* Opens the pipe whose kind is at `index`. Pushes two Descriptors, that of theirs last. Returns 0
 * or a negative errno. */
static int open_pipe(lua_State *L, int index, unsigned fd, child_pipe *pipe)
{
  int entry_kind = cpl_check_int(L, index);
  cp_stdio *entry = &pipe->entry;
  int r = 0;

  luaL_argcheck(L, entry_kind == -1 - CP_STDIO_PIPE || entry_kind == -1 - CP_STDIO_DUPLEX, index,
                "not a pipe");
  *entry = (cp_stdio){.kind = (cp_stdio_kind)(-1 - entry_kind), .fd = -1, .ours = -1};
  pipe->ours = cpl_descriptor_push(L);
  pipe->theirs = cpl_descriptor_push(L);
  if (cp_stdio_direction(entry->kind, (int)fd) == CP_STDIO_BOTH) {
    r = cp_pipe_open_duplex(&entry->ours, &entry->fd);
  } else {
    bool writes = cp_stdio_direction(entry->kind, (int)fd) == CP_STDIO_WRITE;

    r = cp_pipe_open(writes, &entry->ours, &entry->fd);
  }
  if (r == 0) {
    *pipe->ours = entry->ours;
    *pipe->theirs = entry->fd;
  }
  return r;
}

static int directions(bool reads, bool writes)
{
  return (reads ? CP_STREAM_READABLE : 0) | (writes ? CP_STREAM_WRITABLE : 0);
}

static int directions_of_ours(const cp_stdio *entry, unsigned fd)
{
  int direction = cp_stdio_direction(entry->kind, (int)fd);

  return directions((direction & CP_STDIO_READ) != 0, (direction & CP_STDIO_WRITE) != 0);
}

/* The other end of a pipe is read where ours is written. */
static int directions_of_theirs(const cp_stdio *entry, unsigned fd)
{
  int direction = cp_stdio_direction(entry->kind, (int)fd);

  return directions((direction & CP_STDIO_WRITE) != 0, (direction & CP_STDIO_READ) != 0);
}

/* Closes what the collector would close later. */
static void close_pipe(child_pipe *pipe)
{
  *pipe->ours = cp_fd_close(*pipe->ours);
  *pipe->theirs = cp_fd_close(*pipe->theirs);
}

/* handle:openOurs(child, fd, kind) -> StreamHandle, or ChannelHandle for core.stdio.DUPLEX, whose
 * other end is relayed; or nil, errno. At the host. */
static int link_open_ours(lua_State *L)
{
  cp_link *link = cpl_link_check(L);
  cpl_state *state = cpl_state_check(L);
  uint32_t child = cpl_link_check_child(L, 2);
  unsigned fd = check_stream(L, 3);
  child_pipe pipe;
  int r = open_pipe(L, 4, fd, &pipe);

  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  if (pipe.entry.kind == CP_STDIO_DUPLEX) {
    cpl_channel_push(L, state, *pipe.ours);
    cp_channel_set_local(((cpl_handle *)lua_touserdata(L, -1))->core);
  } else {
    cpl_stream_push(L, state, *pipe.ours, CP_STREAM_TO_CHILD | directions_of_ours(&pipe.entry, fd));
  }
  *pipe.ours = -1;
  r = cp_link_relay(link, child, fd, *pipe.theirs, directions_of_theirs(&pipe.entry, fd), NULL, 0);
  if (r < 0) {
    lua_getfield(L, -1, "close");
    lua_insert(L, -2);
    lua_call(L, 1, 0);
    close_pipe(&pipe);
    return cpl_push_failure(L, r);
  }
  *pipe.theirs = -1;
  return 1;
}

/* handle:openTheirs(child, fd, kind, prefix) -> Descriptor for a child, whose other end is relayed;
 * or nil, errno. The child reads the prefix first. At the agent. */
static int link_open_theirs(lua_State *L)
{
  cp_link *link = cpl_link_check(L);
  uint32_t child = cpl_link_check_child(L, 2);
  unsigned fd = check_stream(L, 3);
  size_t length = 0;
  const char *prefix = luaL_optlstring(L, 5, "", &length);
  child_pipe pipe;
  int r = open_pipe(L, 4, fd, &pipe);

  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  cp_owned_add(*pipe.theirs);
  r = cp_link_relay(link, child, fd, *pipe.ours, directions_of_ours(&pipe.entry, fd), prefix,
                    length);
  if (r < 0) {
    close_pipe(&pipe);
    return cpl_push_failure(L, r);
  }
  *pipe.ours = -1;
  return 1;
}

/* Returns the writing end of a pipe that nobody reads, or a negative errno. */
static int open_broken(void)
{
  int writing = -1;
  int reading = -1;
  int r = cp_pipe_open(true, &writing, &reading);

  cp_fd_close(reading);
  return r < 0 ? r : writing;
}

/* handle:shareTheirs(child, fd) -> Descriptor of our end of a pipe to a child, for another child,
 * which then writes to the first one; or nil, errno. At the agent. */
static int link_share_theirs(lua_State *L)
{
  cp_link *link = cpl_link_check(L);
  uint32_t child = cpl_link_check_child(L, 2);
  unsigned fd = check_stream(L, 3);
  int *shared = cpl_descriptor_push(L);
  int r = cp_link_share(link, child, fd);

  if (r == -EPIPE) {
    r = open_broken();
  }
  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  *shared = r;
  cp_owned_add(r);
  return 1;
}

/* handle:relayTo(child, fd, target) -> errno: what the child writes to its descriptor `fd` goes to
 * a copy of our descriptor. At the host. */
static int link_relay_to(lua_State *L)
{
  cp_link *link = cpl_link_check(L);
  uint32_t child = cpl_link_check_child(L, 2);
  unsigned fd = check_stream(L, 3);
  int copy = cp_fd_copy(cpl_check_int(L, 4));
  int r = copy < 0 ? copy
                   : cp_link_relay(link, child, fd, copy, CP_STREAM_WRITABLE | CP_STREAM_SHARED,
                                   NULL, 0);

  if (r < 0 && copy >= 0) {
    cp_fd_close(copy);
  }
  return cpl_push_errno(L, r);
}

/* handle:drain(child, fd) -> whether it will call owner:ondrained(child, fd): at the agent when
 * what can be read now was sent, and at the host when what has arrived was written. False if that
 * is so already. */
static int link_drain(lua_State *L)
{
  uint32_t child = cpl_link_check_child(L, 2);

  lua_pushboolean(L, cp_link_drain(cpl_link_check(L), child, check_stream(L, 3)));
  return 1;
}

/* handle:refuse(child): takes no more data for the streams of a child, sends none, and ends
 * them. */
static int link_refuse(lua_State *L)
{
  cp_link_refuse(cpl_link_check(L), cpl_link_check_child(L, 2));
  return 0;
}

/* handle:endAfterRest(): ends all streams that are sent, after what can be read now. */
static int link_end_after_rest(lua_State *L)
{
  cp_link_end_after_rest(cpl_link_check(L));
  return 0;
}

void cpl_add_link_streams(lua_State *L)
{
  static const luaL_Reg methods[] = {
      {"openOurs", link_open_ours},
      {"openTheirs", link_open_theirs},
      {"shareTheirs", link_share_theirs},
      {"relayTo", link_relay_to},
      {"drain", link_drain},
      {"refuse", link_refuse},
      {"endAfterRest", link_end_after_rest},
      {NULL, NULL},
  };

  cpl_object_add_methods(L, cpl_link_class, methods);
}
