/* The C module child_process.core. What it holds is for the Lua files of this project alone. */
#include "alive.h"
#include "channel.h"
#include "child.h"
#include "clone.h"
#include "datagram.h"
#include "descriptor.h"
#include "encoding.h"
#include "json.h"
#include "listener.h"
#include "load.h"
#include "lookup.h"
#include "names.h"
#include "object.h"
#include "signal.h"
#include "socket.h"
#include "spawn_arguments.h"
#include "state.h"
#include "stream.h"
#include "sync.h"
#include "system.h"
#include "timer.h"
#include "turn.h"

#if defined(__GNUC__)
#define CP_EXPORT __attribute__((visibility("default")))
#else
#define CP_EXPORT
#endif

CP_EXPORT int luaopen_child_process_core(lua_State *L);

CP_EXPORT int luaopen_child_process_core(lua_State *L)
{
  /* name, and what the searcher has told: the path of this module, if it comes from a file */
  lua_settop(L, 2);
  cp_state_open(L);
  lua_newtable(L);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "path");
  cp_state_functions(L);
  cp_alive_functions(L);
  cp_object_functions(L);
  cp_spawn_arguments_constants(L);
  cp_child_functions(L);
  cp_sync_functions(L);
  cp_channel_functions(L);
  cp_descriptor_functions(L);
  cp_stream_functions(L);
  cp_listener_functions(L);
  cp_socket_functions(L);
  cp_lookup_functions(L);
  cp_datagram_functions(L);
  cp_timer_functions(L);
  cp_turn_functions(L);
  cp_signal_functions(L);
  cp_system_functions(L);
  cp_load_functions(L);
  cp_names_functions(L);
  cp_open_encoding(L);
  lua_setfield(L, -2, "encoding");
  cp_open_json(L);
  lua_setfield(L, -2, "json");
  cp_open_clone(L);
  lua_setfield(L, -2, "clone");
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  return 1;
}
