/* Makes tables of what a process has used. */
#include "binding/usage.h"

#include "binding/parts.h"
#include "core/process/peak.h"

#include <string.h>

enum { FIELDS = 9 };

static void set_field(lua_State *L, const char *name, int64_t value)
{
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/* The table has no maxRSS if the peak is negative. */
static void push_table(lua_State *L, const cp_usage *usage, int64_t peak)
{
  lua_createtable(L, 0, FIELDS);
  set_field(L, "userCPUTime", usage->user_time);
  set_field(L, "systemCPUTime", usage->system_time);
  if (peak >= 0) {
    set_field(L, "maxRSS", peak);
  }
  set_field(L, "minorPageFault", usage->minor_faults);
  set_field(L, "majorPageFault", usage->major_faults);
  set_field(L, "fsRead", usage->blocks_read);
  set_field(L, "fsWrite", usage->blocks_written);
  set_field(L, "voluntaryContextSwitches", usage->voluntary_switches);
  set_field(L, "involuntaryContextSwitches", usage->involuntary_switches);
}

void cpl_usage_push(lua_State *L, const cp_usage *usage)
{
  if (usage->is_known) {
    push_table(L, usage, cp_peak_of_child(usage));
  } else {
    lua_pushnil(L);
  }
}

void cpl_usage_push_packed(lua_State *L, const cp_usage *usage)
{
  if (usage->is_known) {
    lua_pushlstring(L, (const char *)usage, sizeof(*usage));
  } else {
    lua_pushnil(L);
  }
}

/* unpackUsage(packed) -> table of what a child has used, see runSync */
static int unpack_usage(lua_State *L)
{
  cp_usage usage;
  size_t length = 0;
  const char *bytes = luaL_checklstring(L, 1, &length);

  luaL_argcheck(L, length == sizeof(usage), 1, "is not a packed usage");
  memcpy(&usage, bytes, sizeof(usage));
  cpl_usage_push(L, &usage);
  return 1;
}

/* resourceUsage() -> table of what this process has used; nil if the system does not report it */
static int own_usage(lua_State *L)
{
  cp_usage usage = cp_sys_own_usage();

  if (!usage.is_known) {
    return 0;
  }
  push_table(L, &usage, cp_peak_of_self(&usage));
  return 1;
}

void cpl_add_usage(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"resourceUsage", own_usage},
      {"unpackUsage", unpack_usage},
      {NULL, NULL},
  };

  luaL_setfuncs(L, functions, 0);
}
