/* Opens the C module child_process.core, which only the Lua files of this project use. */
#include "binding/parts.h"
#include "binding/stack.h"
#include "binding/state.h"
#include "core/sys/own_process.h"

#include <child_process.h>

/* Key in the registry of the module's table. */
static const char CORE_KEY = 0;

static void (*const parts[])(lua_State *L) = {
    cpl_add_call,
    cpl_add_channel,
    cpl_add_channel_send,
    cpl_add_child,
    cpl_add_child_pipes,
    cpl_add_clone,
    cpl_add_codec,
    cpl_add_coroutine,
    cpl_add_datagram,
    cpl_add_datagram_options,
    cpl_add_descriptor,
    cpl_add_emit,
    cpl_add_encoding,
    cpl_add_immediate,
    cpl_add_inherited,
    cpl_add_json,
    cpl_add_kept_errors,
    cpl_add_link,
    cpl_add_link_streams,
    cpl_add_listener,
    cpl_add_load,
    cpl_add_lookup,
    cpl_add_loop_handles,
    cpl_add_object,
    cpl_add_os_constants,
    cpl_add_raising,
    cpl_add_run,
    cpl_add_signal,
    cpl_add_socket,
    cpl_add_spawn_arguments,
    cpl_add_spawn_attributes,
    cpl_add_stream,
    cpl_add_stream_splice,
    cpl_add_stream_write,
    cpl_add_sync,
    cpl_add_system,
    cpl_add_terminal,
    cpl_add_timer,
    cpl_add_usage,
};

int luaopen_child_process_core(lua_State *L)
{
  /* name, and what the searcher has passed: the path of this module, if it comes from a file */
  lua_settop(L, 2);
  cp_own_process_pin_module();
  cpl_state_open(L);
  /* If the module is loaded again, after it was removed from package.loaded, it returns the same
   * table: Lua modules keep data in it that exists once for each Lua state. */
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &CORE_KEY) == LUA_TTABLE) {
    return 1;
  }
  lua_newtable(L);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "path");
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    CPL_STACK_NOTE(L);

    parts[i](L);
    CPL_STACK_ASSERT(L, 0);
  }
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  /* Stored last: if filling the table fails (out of memory), a later call must not return it. */
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &CORE_KEY);
  return 1;
}
