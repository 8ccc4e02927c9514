/* Makes the table of an object, moves the waiting members into it, and gives it its metatable. */
#include "codec/clone/decode_level.h"

#include "codec/array.h"
#include "codec/clone/class.h"
#include "codec/clone/error_object.h"
#include "codec/clone/number_keys.h"
#include "core/base/assert.h"

/* References. */

void cp_clone_remember(cp_clone_decoder *d, uint32_t id)
{
  if (!lua_isnil(d->L, d->references)) {
    lua_pushvalue(d->L, -1);
    lua_rawseti(d->L, d->references, (lua_Integer)id + 1);
  }
}

/* Returns the open object with this id, or NULL. The ids of open objects rise from the outermost to
 * the innermost. */
static const cp_clone_level *find_open(const cp_clone_decoder *d, uint32_t id)
{
  int first = 0, end = d->depth;

  while (first < end) {
    int middle = (first + end) / 2;

    if (d->levels[middle].id < id) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  return first < d->depth && d->levels[first].id == id ? &d->levels[first] : NULL;
}

bool cp_clone_push_open(cp_clone_decoder *d, uint32_t id)
{
  const cp_clone_level *l = find_open(d, id);

  if (l == NULL || l->form == CP_CLONE_FORM_HOST) {
    return false;
  }
  if (lua_isnil(d->L, l->bottom)) {
    lua_newtable(d->L);
    lua_replace(d->L, l->bottom);
  }
  lua_pushvalue(d->L, l->bottom);
  return true;
}

/* Storing members. */

/* Makes the table if there is none yet, with room for the waiting members. */
static void make_table(cp_clone_decoder *d, const cp_clone_level *l)
{
  int waiting = lua_gettop(d->L) - l->bottom;

  if (!lua_isnil(d->L, l->bottom)) {
    return;
  }
  if (cp_clone_is_sequence(l->form)) {
    lua_createtable(d->L, waiting, 0);
  } else if (l->form == CP_CLONE_FORM_SPARSE && l->length <= (uint32_t)waiting) {
    /* At least half of the elements exist. */
    lua_createtable(d->L, (int)l->length, 0);
  } else {
    lua_createtable(d->L, 0, waiting / 2);
  }
  lua_replace(d->L, l->bottom);
}

/* Appends the waiting entries to those that are stored already. */
static void store_entries(cp_clone_decoder *d, const cp_clone_level *l)
{
  int waiting = lua_gettop(d->L) - l->bottom;
  lua_Integer stored = (lua_Integer)l->count - waiting;

  if (stored == 0) {
    for (int i = waiting; i > 0; i--) {
      lua_rawseti(d->L, l->bottom, i);
    }
    return;
  }
  for (int i = 1; i <= waiting; i++) { /* in order, so that the array part grows */
    lua_pushvalue(d->L, l->bottom + i);
    lua_rawseti(d->L, l->bottom, stored + i);
  }
  lua_settop(d->L, l->bottom);
}

/* Stores the waiting keys and values, in order, so that the last value of a repeated key wins.
 * Returns false for a key that is NaN. */
static bool store_pairs(cp_clone_decoder *d, const cp_clone_level *l)
{
  int top = lua_gettop(d->L);

  for (int i = l->bottom + 1; i < top; i += 2) {
    if (l->form == CP_CLONE_FORM_PAIRS && cp_clone_is_nan(d->L, i)) {
      return cp_clone_fail(&d->in, "NaN as a key");
    }
    lua_pushvalue(d->L, i);
    lua_pushvalue(d->L, i + 1);
    lua_rawset(d->L, l->bottom);
  }
  lua_settop(d->L, l->bottom);
  return true;
}

bool cp_clone_store(cp_clone_decoder *d, const cp_clone_level *l)
{
  if (l->is_gathered) {
    return cp_clone_store_gathered(d, l);
  }
  make_table(d, l);
  if (cp_clone_is_sequence(l->form)) {
    store_entries(d, l);
    return true;
  }
  return store_pairs(d, l);
}

/* Closing. */

static void set_array_mark(cp_clone_decoder *d)
{
  if (lua_isnil(d->L, d->mark)) {
    cp_array_push_mark(d->L);
    lua_replace(d->L, d->mark);
  }
  lua_pushvalue(d->L, d->mark);
  lua_setmetatable(d->L, -2);
}

cp_clone_step cp_clone_end_level(cp_clone_decoder *d)
{
  const cp_clone_level *l = &d->levels[d->depth - 1];

  if (l->form == CP_CLONE_FORM_HOST) {
    lua_replace(d->L, l->bottom);
  } else if (!cp_clone_store(d, l)) {
    return CP_CLONE_STEP_FAILED;
  }
  switch (l->form) {
    case CP_CLONE_FORM_ELEMENTS:
    case CP_CLONE_FORM_OTHERS:
    case CP_CLONE_FORM_SPARSE: set_array_mark(d); break;
    case CP_CLONE_FORM_MAP: cp_clone_set_class(d->L, CP_CLONE_MAP); break;
    case CP_CLONE_FORM_SET: cp_clone_set_class(d->L, CP_CLONE_SET); break;
    case CP_CLONE_FORM_ERROR:
      cp_clone_complete_error(d->L);
      cp_clone_set_class(d->L, CP_CLONE_ERROR);
      break;
    default: break;
  }
  CP_ASSERT(lua_gettop(d->L) == l->bottom); /* the members are stored */
  cp_clone_remember(d, l->id);
  d->depth--;
  return CP_CLONE_STEP_END;
}
