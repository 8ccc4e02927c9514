/* Reads a cp_spawn_attributes from a Lua table. Also names of limits, users and groups, for the
 * checks of options. */
#include "binding/spawn_attributes.h"

#include "binding/numbers.h"
#include "binding/parts.h"
#include "core/process/users.h"
#include "core/sys/limits.h"
#include "core/sys/process.h"

#include <stdint.h>

/* Pushes a field of the table at `index`. If it is nil, pops it and returns false. */
static bool push_field(lua_State *L, int index, const char *name)
{
  if (lua_getfield(L, index, name) == LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  return true;
}

static bool read_int(lua_State *L, int index, const char *name, int *value)
{
  if (!push_field(L, index, name)) {
    return false;
  }
  *value = cpl_check_int(L, -1);
  lua_pop(L, 1);
  return true;
}

/* Stores the length of the list on top of the stack. Inserts a userdata with room for its items
 * below it, and returns that. */
static void *room_for(lua_State *L, size_t size, int *count)
{
  void *room = NULL;

  luaL_checktype(L, -1, LUA_TTABLE);
  *count = (int)lua_rawlen(L, -1);
  room = lua_newuserdatauv(L, (size_t)*count * size + 1, 0);
  lua_insert(L, -2);
  return room;
}

static uint64_t check_limit(lua_State *L, int index)
{
  static const lua_Number end = 18446744073709551616.0; /* 2^64 */
  lua_Number value = luaL_checknumber(L, index);

  return value >= 0 && value < end ? (uint64_t)value : CP_SYS_UNLIMITED;
}

/* The following functions replace the list on top of the stack by a userdata with its items. */

static void read_limits(lua_State *L, cp_spawn_attributes *attributes)
{
  cp_spawn_limit *limits = room_for(L, sizeof(*limits), &attributes->limit_count);

  for (int i = 0; i < attributes->limit_count; i++) {
    lua_rawgeti(L, -1, i + 1);
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    lua_rawgeti(L, -3, 3);
    limits[i] = (cp_spawn_limit){cpl_check_int(L, -3), check_limit(L, -2), check_limit(L, -1)};
    lua_pop(L, 4);
  }
  attributes->limits = limits;
  lua_pop(L, 1);
}

static void read_affinity(lua_State *L, cp_spawn_attributes *attributes)
{
  int *cpus = room_for(L, sizeof(*cpus), &attributes->cpu_count);

  for (int i = 0; i < attributes->cpu_count; i++) {
    lua_rawgeti(L, -1, i + 1);
    cpus[i] = cpl_check_int(L, -1);
    luaL_argcheck(L, cpus[i] >= 0 && cpus[i] < CP_SYS_MOST_CPUS, 2, "no CPU has this number");
    lua_pop(L, 1);
  }
  attributes->cpus = cpus;
  lua_pop(L, 1);
}

static void read_groups(lua_State *L, cp_spawn_attributes *attributes)
{
  gid_t *groups = room_for(L, sizeof(*groups), &attributes->group_count);

  for (int i = 0; i < attributes->group_count; i++) {
    lua_rawgeti(L, -1, i + 1);
    groups[i] = (gid_t)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
  }
  attributes->set_groups = true;
  attributes->groups = groups;
  lua_pop(L, 1);
}

const cp_spawn_attributes *cpl_spawn_attributes_read(lua_State *L)
{
  int index = lua_gettop(L);
  cp_spawn_attributes *attributes = lua_newuserdatauv(L, sizeof(*attributes), 0);
  int mask = 0;

  luaL_checktype(L, index, LUA_TTABLE);
  *attributes = (cp_spawn_attributes){0};
  attributes->set_nice = read_int(L, index, "nice", &attributes->nice);
  attributes->set_umask = read_int(L, index, "umask", &mask);
  attributes->umask = (mode_t)mask;
  lua_getfield(L, index, "noNewPrivileges");
  attributes->no_new_privileges = lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (push_field(L, index, "limits")) {
    read_limits(L, attributes);
  }
  if (push_field(L, index, "affinity")) {
    read_affinity(L, attributes);
  }
  if (push_field(L, index, "groups")) {
    read_groups(L, attributes);
  }
  return attributes;
}

/* Pushes the value of a limit, or nil if it does not limit anything. */
static void push_limit(lua_State *L, uint64_t limit)
{
  if (limit == CP_SYS_UNLIMITED) {
    lua_pushnil(L);
  } else if (limit <= (uint64_t)CP_LUA_LARGEST_INTEGER) {
    lua_pushinteger(L, (lua_Integer)limit);
  } else {
    lua_pushnumber(L, (lua_Number)limit);
  }
}

/* limits() -> table from the names of limits to the numbers of their resources */
static int limits_names(lua_State *L)
{
  lua_newtable(L);
  for (const cp_sys_limit_name *limit = cp_sys_limit_names; limit->name != NULL; limit++) {
    lua_pushinteger(L, limit->resource);
    lua_setfield(L, -2, limit->name);
  }
  return 1;
}

/* limit(resource) -> our soft limit, our hard limit; nil: none */
static int limits_get(lua_State *L)
{
  uint64_t soft = CP_SYS_UNLIMITED;
  uint64_t hard = CP_SYS_UNLIMITED;

  cp_sys_get_limit(cpl_check_int(L, 1), &soft, &hard);
  push_limit(L, soft);
  push_limit(L, hard);
  return 2;
}

/* Pushes the results of a lookup: the id, or nil, or nil and the negative errno. */
static int push_id(lua_State *L, int r, id_t id)
{
  if (r < 0) {
    return cpl_push_failure(L, r);
  } else if (r == 0) {
    return 0;
  }
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

/* userId(name) -> the id of a user; nil if there is none of this name; or nil, errno */
static int user_id(lua_State *L)
{
  uid_t uid = 0;
  int r = cp_user_find(luaL_checkstring(L, 1), &uid);

  return push_id(L, r, uid);
}

/* groupId(name) -> the same for a group */
static int group_id(lua_State *L)
{
  gid_t gid = 0;
  int r = cp_group_find(luaL_checkstring(L, 1), &gid);

  return push_id(L, r, gid);
}

void cpl_add_spawn_attributes(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"limits", limits_names}, {"limit", limits_get}, {"userId", user_id},
      {"groupId", group_id},    {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
  lua_pushinteger(L, CP_SYS_MOST_CPUS);
  lua_setfield(L, -2, "MOST_CPUS");
}
