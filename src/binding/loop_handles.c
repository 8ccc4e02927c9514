/* Reports to Lua what keeps the loop alive. */
#include "binding/handle.h"
#include "binding/parts.h"
#include "binding/state.h"
#include "compat/lua.h"
#include "core/loop/holders.h"

/* isAlive() -> whether the loop has something to wait for */
static int is_alive(lua_State *L)
{
  lua_pushboolean(L, cp_loop_is_alive(&cpl_state_check(L)->runtime.loop));
  return 1;
}

/* hasStarted() -> whether anything keeps the loop alive, apart from messages that can be sent at
 * once, which it sends first. */
static int has_started(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);

  cp_channels_flush(&state->runtime.channels);
  lua_pushboolean(L, cp_holders_exist(&state->runtime.loop));
  return 1;
}

typedef struct holder {
  int fd;
  const char *type;
  void *owner;
} holder;

typedef struct holder_list {
  const cp_runtime *runtime;
  holder *holders; /* room for `size` of them */
  size_t size;
  size_t count;
} holder_list;

static void add(void *argument, int fd, const char *type, void *owner)
{
  holder_list *list = argument;

  if (list->count < list->size) {
    list->holders[list->count] = (holder){fd, type, owner};
  }
  list->count++;
}

static void add_child(void *argument, void *owner)
{
  add(argument, -1, "process", owner);
}

/* The handler of SIGCHLD stands for children. */
static void visit(void *argument, int fd, const char *type, void *owner)
{
  const cp_children *children = &((holder_list *)argument)->runtime->children;

  if (owner == &children->sigchld) {
    cp_children_visit_unwatched(children, add_child, argument);
  } else {
    add(argument, fd, type, owner);
  }
}

/* Pushes a userdata, whose memory is that of the list. Lists twice and calls Lua in between, since
 * an error must not leave uv_walk. */
static holder_list list_holders(lua_State *L, const cp_runtime *runtime)
{
  holder_list list = {.runtime = runtime};

  cp_holders_visit(&runtime->loop, visit, &list);
  list.size = list.count;
  list.count = 0;
  list.holders = lua_newuserdatauv(L, (list.size + 1) * sizeof(*list.holders), 0);
  cp_holders_visit(&runtime->loop, visit, &list);
  /* Finalizers may have started something meanwhile. */
  list.count = list.count < list.size ? list.count : list.size;
  return list;
}

static void push_text(lua_State *L, const holder *h)
{
  if (h->type == NULL) {
    lua_pushfstring(L, "descriptor %d", h->fd);
  } else {
    lua_pushstring(L, h->type);
  }
}

/* handles() -> sequence of strings, which name what keeps the loop alive */
static int handles(lua_State *L)
{
  holder_list list = list_holders(L, &cpl_state_check(L)->runtime);

  lua_createtable(L, (int)list.count, 0);
  for (size_t i = 0; i < list.count; i++) {
    push_text(L, &list.holders[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* Pushes what has no handle: "tick", "closed channel", or the type of a libuv handle of others. */
static void push_unowned(lua_State *L, const cpl_state *state, const holder *h)
{
  if (h->owner == state) {
    lua_pushliteral(L, "tick");
  } else if (cp_channels_is_closed(&state->runtime.channels, h->owner)) {
    lua_pushliteral(L, "closed channel");
  } else {
    push_text(L, h);
  }
}

/* holders() -> sequence of what keeps the loop alive: handles, some of them twice; and strings for
 * what is no handle of ours: "tick", "closed channel", types of libuv handles, "descriptor 5" */
static int holders(lua_State *L)
{
  const cpl_state *state = cpl_state_check(L);
  holder_list list = list_holders(L, &state->runtime);

  cpl_handle_push_all(L, state);
  lua_createtable(L, (int)list.count, 0);
  for (size_t i = 0; i < list.count; i++) {
    if (lua_rawgetp(L, -2, list.holders[i].owner) == LUA_TNIL) {
      lua_pop(L, 1);
      push_unowned(L, state, &list.holders[i]);
    }
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* ownerOf(handle) -> the object whose methods the handle calls; the handle itself if it has none */
static int owner_of(lua_State *L)
{
  const cpl_handle *handle = lua_touserdata(L, 1);

  luaL_checktype(L, 1, LUA_TUSERDATA);
  if (handle->is_own_owner || lua_getiuservalue(L, 1, 1) != LUA_TTABLE) {
    lua_pushvalue(L, 1);
  }
  return 1;
}

void cpl_add_loop_handles(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"isAlive", is_alive}, {"handles", handles},  {"hasStarted", has_started},
      {"holders", holders},  {"ownerOf", owner_of}, {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
}
