#include "handle.h"

#include "../core/pipe.h"
#include "object.h"

void *cp_handle_new(lua_State *L, cp_state *state, const char *name, size_t size,
                    bool (*is_active)(const cp_handle *handle))
{
  cp_handle *handle = cp_object_new(L, name, size);

  handle->state = state;
  handle->anchor = LUA_NOREF;
  handle->is_active = is_active;
  return handle;
}

void cp_handle_push_owner_of(lua_State *L, int fd, lua_CFunction push, void *argument)
{
  lua_pushcfunction(L, push);
  lua_pushlightuserdata(L, argument);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    cp_pipe_close(fd);
    lua_error(L);
  }
}

void cp_handle_push_owner(lua_State *L, const cp_handle *handle)
{
  cp_anchor_push_owner(L, handle->anchor);
}

void cp_handle_anchor(lua_State *L, cp_handle *handle, int index)
{
  cp_anchor_set(L, &handle->anchor, index, true);
}

void cp_handle_release_if_idle(cp_handle *handle)
{
  if (handle->busy == 0 && !handle->is_active(handle)) {
    cp_anchor_release(handle->state->callbacks, &handle->anchor);
  }
}

int cp_handle_settle(lua_State *L, cp_handle *handle, int r)
{
  cp_handle_release_if_idle(handle);
  return cp_push_errno(L, r);
}

void cp_handle_call(cp_handle *handle, lua_CFunction function, void *event)
{
  handle->busy++;
  cp_state_call(handle->state, function, event);
  handle->busy--;
  cp_handle_release_if_idle(handle);
}

typedef struct plain_event {
  const cp_handle *handle;
  const char *method;
} plain_event;

static int call_plain(lua_State *L)
{
  const plain_event *event = lua_touserdata(L, 1);

  cp_handle_push_owner(L, event->handle);
  cp_state_dispatch(L, event->method, 0);
  return 0;
}

void cp_handle_tell(cp_handle *handle, const char *method)
{
  plain_event event = {handle, method};

  cp_handle_call(handle, call_plain, &event);
}
