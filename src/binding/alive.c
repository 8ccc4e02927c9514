#include "alive.h"

#include "../core/channel.h"
#include "../core/watch.h"
#include "state.h"

#include <lauxlib.h>

static bool watch_keeps_alive(const cp_watch *watch)
{
  return watch->events != 0 && watch->referenced;
}

/* Polls are our watches. */
static bool handle_keeps_alive(const uv_handle_t *handle)
{
  return uv_is_active(handle) && uv_has_ref(handle) && !uv_is_closing(handle) &&
         handle->type != UV_POLL;
}

/* isAlive() -> has the loop something to wait for? */
static int is_alive(lua_State *L)
{
  lua_pushboolean(L, uv_loop_alive(cp_state_check(L)->loop.uv));
  return 1;
}

static void list_handle(uv_handle_t *handle, void *argument)
{
  lua_State *L = argument;

  if (handle_keeps_alive(handle)) {
    lua_pushstring(L, uv_handle_type_name(handle->type));
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
}

/* handles() -> sequence of strings: what keeps the loop alive. */
static int handles(lua_State *L)
{
  const cp_state *state = cp_state_check(L);

  lua_newtable(L);
  for (const cp_watch *watch = state->loop.watches; watch != NULL; watch = watch->next) {
    if (watch_keeps_alive(watch)) {
      lua_pushfstring(L, "descriptor %d", watch->fd);
      lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
  }
  uv_walk(state->loop.uv, list_handle, L);
  return 1;
}

typedef struct started_search {
  const void *ignored;
  bool found;
} started_search;

static void search_handle(uv_handle_t *handle, void *argument)
{
  started_search *search = argument;

  search->found = search->found || (handle != search->ignored && handle_keeps_alive(handle));
}

/* hasStarted() -> does anything keep the loop alive, but for messages that could be sent at once? They
 * are. */
static int has_started(lua_State *L)
{
  cp_loop *loop = &cp_state_check(L)->loop;
  started_search search = {.ignored = loop->channel_idle};

  cp_channel_flush_all(loop);
  for (const cp_watch *watch = loop->watches; watch != NULL; watch = watch->next) {
    search.found = search.found || watch_keeps_alive(watch);
  }
  uv_walk(loop->uv, search_handle, &search);
  lua_pushboolean(L, search.found);
  return 1;
}

void cp_alive_functions(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"isAlive", is_alive},
      {"handles", handles},
      {"hasStarted", has_started},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
}
