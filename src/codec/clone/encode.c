/* Encodes a value from start to end: the header, the value, and the members of all its tables. */
#include "codec/clone/clone.h"

#include "codec/array.h"
#include "codec/clone/encode_member.h"
#include "codec/clone/encode_value.h"
#include "codec/clone/encoder_state.h"
#include "compat/lua.h"
#include "core/base/assert.h"

bool cp_clone_encode(lua_State *L, int index, int wrapped, cp_buffer *out)
{
  int top = lua_gettop(L);
  cp_clone_encoder e;

  index = lua_absindex(L, index);
  luaL_checkstack(L, CP_CLONE_STACK_NEEDED, NULL);
  cp_array_push_mark(L);
  e.array_mark = lua_topointer(L, -1);
  cp_clone_ids_init(&e.ids, L);
  e.L = L;
  e.out = (cp_clone_output){L, out, 0};
  e.bottom = lua_gettop(L) + 1;
  e.wrapped = wrapped;
  e.depth = 0;
  cp_clone_put_counted(&e.out, (cp_clone_tag)CP_CLONE_VERSION_TAG, CP_CLONE_VERSION);
  lua_pushvalue(L, index);
  cp_clone_encode_value(&e);
  cp_clone_encode_members(&e);
  CP_ASSERT(lua_gettop(L) == e.bottom - 1); /* all that was pushed for tables is popped */
  lua_settop(L, top);
  return true;
}
