/* Makes links, sends their frames, and calls their owner. */
#include "binding/link.h"

#include "binding/descriptor.h"
#include "binding/emit.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/link/standard.h"
#include "core/loop/retry.h"
#include "core/stream/pipe.h"

#include <errno.h>

const char cpl_link_class[] = "child_process.LinkHandle";

typedef struct link_handle {
  cpl_handle base;
  /* What happens once is reported again if Lua ran out of memory, which `run` raises. */
  bool owes_end;
  bool owes_finished;
  bool owes_idle;
  int end_error; /* of the end */
  const char *end_syscall;
  cp_retry retry;
} link_handle;

static bool is_active(const cpl_handle *handle)
{
  (void)handle; /* it stays anchored until it is closed */
  return true;
}

static void close_handle(cpl_handle *handle)
{
  cp_retry_end(&((link_handle *)handle)->retry);
  handle->input = NULL;
  handle->core = cp_link_close(handle->core);
}

static const cpl_handle_kind kind = {cpl_link_class, is_active, close_handle};

/* Callbacks. */

/* Calls a method of the owner. What it reports comes once, so the link fails if Lua has run out of
 * memory. */
static void emit(cp_link *link, const char *method, const cpl_value *values, int count)
{
  if (!cpl_emit(link->owner, method, values, count)) {
    cp_link_fail(link, -ENOMEM);
  }
}

static void on_frame(cp_link *link, const cp_link_frame *frame, const char *payload)
{
  cpl_value values[] = {cpl_integer(frame->kind), cpl_integer(frame->child),
                        cpl_bytes(frame->length > 0 ? payload : "", frame->length)};

  emit(link, "onframe", values, 3);
}

static void on_drained(cp_link *link, uint32_t child, unsigned stream)
{
  cpl_value values[] = {cpl_integer(child), cpl_integer(stream)};

  emit(link, "ondrained", values, 2);
}

static void on_refused(cp_link *link, uint32_t child, unsigned stream, int error)
{
  cpl_value values[] = {cpl_integer(child), cpl_integer(stream), cpl_integer(error)};

  emit(link, "onrefused", values, 3);
}

/* Reports an event if it is owed. Returns false if that has to be done again. */
static bool report(link_handle *handle, bool *owed, const char *method, const cpl_value *values,
                   int count)
{
  if (*owed && handle->base.core != NULL) {
    *owed = !cpl_emit(&handle->base, method, values, count);
  }
  return !*owed || handle->base.core == NULL;
}

/* Reports what is owed. It may close the handle, which stays until this returns. */
static void report_all(void *owner)
{
  link_handle *handle = owner;
  cpl_value end[] = {cpl_errno(handle->end_error), cpl_text(handle->end_syscall)};

  handle->base.calls++;
  if (report(handle, &handle->owes_end, "onend", end, 2) &&
      report(handle, &handle->owes_finished, "onfinished", NULL, 0) &&
      report(handle, &handle->owes_idle, "onidle", NULL, 0)) {
    cp_retry_end(&handle->retry);
  } else {
    (void)cp_retry_later(cpl_handle_loop(&handle->base), &handle->retry, report_all, handle);
  }
  handle->base.calls--;
  cpl_handle_release_if_idle(&handle->base);
}

static void on_end(cp_link *link, int error, const char *syscall)
{
  link_handle *handle = link->owner;

  handle->base.input = NULL;
  handle->end_error = error;
  handle->end_syscall = syscall;
  handle->owes_end = true;
  report_all(handle);
}

static void on_finished(cp_link *link)
{
  link_handle *handle = link->owner;

  handle->owes_finished = true;
  report_all(handle);
}

static void on_idle(cp_link *link)
{
  link_handle *handle = link->owner;

  handle->owes_idle = true;
  report_all(handle);
}

/* Lifetime. */

typedef struct ends {
  cp_link_side side;
  int in;
  int out;
} ends;

/* Takes `ends` as light userdata, and pushes a handle that owns the descriptors. */
static int push_handle(lua_State *L)
{
  static const cp_link_callbacks callbacks = {on_frame, on_drained,  on_refused,
                                              on_end,   on_finished, on_idle};
  ends *e = lua_touserdata(L, 1);
  cpl_state *state = cpl_state_check(L);
  cpl_handle *handle = cpl_handle_new(L, state, &kind, sizeof(link_handle));

  cpl_handle_anchor(L, handle, lua_gettop(L));
  handle->core = cp_link_new(&state->runtime.streams, e->side, e->in, e->out, &callbacks, handle);
  if (handle->core == NULL) {
    cpl_handle_release_if_idle(handle);
    return luaL_error(L, "child_process: not enough memory for a link");
  }
  handle->input = cp_link_input(handle->core);
  return 1;
}

/* Calls push_handle. Closes the descriptors if it raises, and raises the error again. */
static void push_link(lua_State *L, ends *e)
{
  lua_pushcfunction(L, push_handle);
  lua_pushlightuserdata(L, e);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    cp_fd_close(e->in);
    cp_fd_close(e->out);
    lua_error(L);
  }
}

/* hostLink() -> handle, and Descriptors for the standard input and output of a launcher; or nil,
 * errno. It calls its owner: owner:onframe(kind, child, bytes); owner:ondrained(child, fd), see
 * drain; owner:onrefused(child, fd, errno), if bytes that have arrived cannot be written;
 * owner:onend(errno, syscall) when nothing more arrives; owner:onfinished(), see finish. */
static int host_link(lua_State *L)
{
  /* Room for them is made before anything is open. */
  int *launcher_in = cpl_descriptor_push(L);
  int *launcher_out = cpl_descriptor_push(L);
  ends e = {.side = CP_LINK_HOST, .in = -1, .out = -1};
  int r = cp_pipe_open(true, &e.out, launcher_in);

  if (r == 0) {
    cp_owned_add(*launcher_in);
    r = cp_pipe_open(false, &e.in, launcher_out);
  }
  if (r < 0) {
    cp_fd_close(e.out);
    *launcher_in = cp_fd_close(*launcher_in); /* the collector would take its time */
    return cpl_push_failure(L, r);
  }
  cp_owned_add(*launcher_out);
  push_link(L, &e);
  lua_insert(L, -3);
  return 3;
}

/* agentLink() -> handle on standard input and output, which are moved away; or nil, errno */
static int agent_link(lua_State *L)
{
  ends e = {.side = CP_LINK_AGENT, .in = -1, .out = -1};
  int r = cp_link_take_standard(&e.in, &e.out);

  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  push_link(L, &e);
  return 1;
}

/* handle:close(): drops what was not written. May be called again. */
static int link_close(lua_State *L)
{
  cpl_handle *handle = cpl_object_check(L, 1, cpl_link_class);

  close_handle(handle);
  cpl_handle_release_if_idle(handle);
  return 0;
}

/* handle:finish(): closes the output, and calls owner:onfinished(), when everything was written. */
static int link_finish(lua_State *L)
{
  cp_link_finish(cpl_link_check(L));
  return 0;
}

/* handle:cut(): ends without owner:onend(), and drops what was not written. Streams get what has
 * arrived for them. */
static int link_cut(lua_State *L)
{
  cpl_handle *handle = cpl_handle_check(L, 1, cpl_link_class);

  handle->input = NULL;
  cp_link_cut(handle->core);
  return 0;
}

/* handle:awaitIdle(): calls owner:onidle() once, when no streams are left. */
static int link_await_idle(lua_State *L)
{
  cp_link_await_idle(cpl_link_check(L));
  return 0;
}

/* handle:reference(on) -> errno: sets whether it keeps the loop alive. */
static int link_reference(lua_State *L)
{
  return cpl_push_errno(L, cp_link_reference(cpl_link_check(L), lua_toboolean(L, 2)));
}

/* Frames. */

uint32_t cpl_link_check_child(lua_State *L, int index)
{
  lua_Integer child = luaL_checkinteger(L, index);

  luaL_argcheck(L, child >= 0 && child <= UINT32_MAX, index, "not the number of a child");
  return (uint32_t)child;
}

/* handle:send(kind, child, bytes) */
static int link_send(lua_State *L)
{
  cp_link *link = cpl_link_check(L);
  size_t length = 0;
  lua_Integer frame_kind = luaL_checkinteger(L, 2);
  const char *bytes = luaL_optlstring(L, 4, "", &length);
  cp_link_frame frame = {.child = cpl_link_check_child(L, 3), .kind = (uint8_t)frame_kind};

  luaL_argcheck(L, frame_kind >= CP_FRAME_FIRST_OTHER && frame_kind <= UINT8_MAX, 2,
                "not a kind of frame");
  luaL_argcheck(L, length <= CP_FRAME_LONGEST, 4, "too long for a frame");
  frame.length = (uint32_t)length;
  cp_link_send(link, frame, bytes);
  return 0;
}

/* handle:received() -> number of bytes that have arrived since the start */
static int link_received(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)cp_link_received(cpl_link_check(L)));
  return 1;
}

/* handle:noise() -> what has arrived before the first frame */
static int link_noise(lua_State *L)
{
  const cp_buffer *noise = cp_link_noise(cpl_link_check(L));

  lua_pushlstring(L, noise->data == NULL ? "" : noise->data, noise->length);
  return 1;
}

void cpl_add_link(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"setOwner", cpl_object_set_owner},
      {"close", link_close},
      {"finish", link_finish},
      {"cut", link_cut},
      {"awaitIdle", link_await_idle},
      {"reference", link_reference},
      {"send", link_send},
      {"received", link_received},
      {"noise", link_noise},
      {NULL, NULL},
  };

  cpl_object_class(L, cpl_link_class, metamethods, methods);
  lua_pushcfunction(L, host_link);
  lua_setfield(L, -2, "hostLink");
  lua_pushcfunction(L, agent_link);
  lua_setfield(L, -2, "agentLink");
  lua_pushinteger(L, CP_LINK_NOISE);
  lua_setfield(L, -2, "MOST_NOISE");
  cp_lua_keep_function(L, push_handle);
}
