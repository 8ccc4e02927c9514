/* Makes handles, and keeps them while the loop can call them back. */
#include "binding/handle.h"

#include "binding/numbers.h"
#include "core/base/assert.h"
#include "core/base/fd.h"

/* Closes the handle with the state, whose list it has left already. */
static void close_member(cpl_member *member)
{
  cpl_handle *handle = (cpl_handle *)member;

  member->close = NULL;
  handle->kind->close(handle);
  handle->core = NULL;
  cpl_handle_release_if_idle(handle);
}

void *cpl_handle_new(lua_State *L, cpl_state *state, const cpl_handle_kind *kind, size_t size)
{
  cpl_handle *handle = cpl_object_new(L, kind->name, size);

  handle->member.close = close_member;
  CP_LIST_INSERT(&state->members, &handle->member, entry);
  handle->state = state;
  handle->anchor = LUA_NOREF;
  handle->kind = kind;
  return handle;
}

int cpl_handle_gc(lua_State *L)
{
  cpl_handle *handle = lua_touserdata(L, 1);

  if (handle->member.close != NULL) {
    CP_LIST_REMOVE(&handle->member, entry);
    handle->member.close = NULL;
    handle->kind->close(handle);
  }
  return 0;
}

void cpl_handle_push_all(lua_State *L, const cpl_state *state)
{
  cpl_member *member = NULL;

  lua_newtable(L);
  CP_LIST_FOREACH(member, &state->members, entry)
  {
    cpl_handle *handle = (cpl_handle *)member;

    if (handle->anchor != LUA_NOREF) {
      cpl_handle_push(L, handle);
      lua_pushvalue(L, -1);
      lua_rawsetp(L, -3, handle);
      if (handle->input != NULL) {
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, handle->input);
      }
      lua_rawsetp(L, -2, handle->core);
    }
  }
}

void cpl_handle_push_owning(lua_State *L, int fd, lua_CFunction push, void *argument)
{
  lua_pushcfunction(L, push);
  lua_pushlightuserdata(L, argument);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    cp_fd_close(fd);
    lua_error(L);
  }
}

int cpl_handle_raise_closed(lua_State *L, const char *name)
{
  return luaL_error(L, "%s: the handle is closed", name);
}

void cpl_handle_anchor(lua_State *L, cpl_handle *handle, int index)
{
  if (handle->anchor == LUA_NOREF) {
    lua_pushvalue(L, index);
    handle->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
  }
}

void cpl_handle_push(lua_State *L, const cpl_handle *handle)
{
  CP_ASSERT(handle->anchor != LUA_NOREF);
  lua_rawgeti(L, LUA_REGISTRYINDEX, handle->anchor);
}

void cpl_handle_release_if_idle(cpl_handle *handle)
{
  if (handle->calls == 0 && (handle->core == NULL || !handle->kind->is_active(handle))) {
    luaL_unref(handle->state->callbacks, LUA_REGISTRYINDEX, handle->anchor);
    handle->anchor = LUA_NOREF;
  }
}

int cpl_handle_settle(lua_State *L, cpl_handle *handle, int r)
{
  cpl_handle_release_if_idle(handle);
  return cpl_push_errno(L, r);
}
