/* Completes the keys on the stack, by which raise.c names the place of an error. */
#include "codec/clone/encode_error.h"

#include "codec/clone/clone.h"
#include "codec/raise.h"

/* Key in the registry: the function that makes the errors. */
static const char ERROR_KEY = 0;

void cp_clone_set_error_maker(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ERROR_KEY);
}

void cp_clone_raise(lua_State *L, int index, const char *reason)
{
  lua_pushvalue(L, index);
  cp_raise(L, &ERROR_KEY, lua_gettop(L), 0, reason);
}

void cp_clone_encode_error(cp_clone_encoder *e, const char *reason)
{
  for (int i = 0; i < e->depth; i++) {
    const cp_clone_encoder_level *l = &e->levels[i];

    if (cp_clone_is_sequence(l->form)) { /* the key is in `index`, not on the stack */
      lua_pushinteger(e->L, l->index);
      lua_replace(e->L, e->bottom + 2 * i + 1);
    }
  }
  cp_raise(e->L, &ERROR_KEY, e->bottom + 2 * e->wrapped, e->depth - e->wrapped, reason);
}
