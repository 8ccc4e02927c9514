/* The C module child_process.core. What it holds is for the Lua files of this project alone. */
#include "channel.h"
#include "child.h"
#include "encoding.h"
#include "json.h"
#include "names.h"
#include "signal.h"
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
  cp_state_open(L);
  lua_newtable(L);
  cp_state_functions(L);
  cp_spawn_arguments_constants(L);
  cp_child_functions(L);
  cp_sync_functions(L);
  cp_channel_functions(L);
  cp_stream_functions(L);
  cp_timer_functions(L);
  cp_turn_functions(L);
  cp_signal_functions(L);
  cp_system_functions(L);
  cp_names_functions(L);
  cp_open_encoding(L);
  lua_setfield(L, -2, "encoding");
  cp_open_json(L);
  lua_setfield(L, -2, "json");
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  return 1;
}
