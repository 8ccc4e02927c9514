/* Gathers keys and values in a list, counts the steps that Lua will take to store them in a table,
 * and then fills the table. */
#include "codec/clone/number_keys.h"

#include "compat/hash.h"

#include <math.h>
#include <string.h>

/* Harmless tables have chains, too: for instance the multiples of a number that divides the size of
 * the table collide. */
enum {
  FREE_STEPS = 1 << 20,
  STEPS_PER_BYTE = 32,
  /* Smaller sizes of a growing table are not checked. */
  LEAST_BITS = 7,
};

uint64_t cp_clone_step_limit(size_t length)
{
  return FREE_STEPS + STEPS_PER_BYTE * (uint64_t)length;
}

bool cp_clone_is_nan(lua_State *L, int index)
{
  return lua_type(L, index) == LUA_TNUMBER && isnan(lua_tonumber(L, index));
}

/* Gathering. A list alternates keys and values. The table at `gathered` holds it under the depth of
 * its level. */

static void push_list(const cp_clone_decoder *d)
{
  lua_rawgeti(d->L, d->gathered, d->depth);
}

/* Returns whether one of the waiting keys is a number. */
static bool has_numbers(lua_State *L, int bottom)
{
  int top = lua_gettop(L);

  for (int i = bottom + 1; i < top; i += 2) {
    if (lua_type(L, i) == LUA_TNUMBER) {
      return true;
    }
  }
  return false;
}

static void make_list(const cp_clone_decoder *d)
{
  if (lua_isnil(d->L, d->gathered)) {
    lua_newtable(d->L);
    lua_replace(d->L, d->gathered);
  }
  lua_createtable(d->L, 2 * CP_CLONE_PORTION, 0);
  lua_rawseti(d->L, d->gathered, d->depth);
}

/* Moves the waiting keys and values to the end of the list. */
static void append(const cp_clone_decoder *d, const cp_clone_level *l)
{
  int top = lua_gettop(d->L);
  lua_Integer length = 0;

  push_list(d);
  length = (lua_Integer)lua_rawlen(d->L, -1);
  for (int i = l->bottom + 1; i <= top; i++) {
    lua_pushvalue(d->L, i);
    lua_rawseti(d->L, -2, ++length);
  }
  lua_settop(d->L, l->bottom);
}

bool cp_clone_gather(cp_clone_decoder *d, cp_clone_level *l)
{
  if (!l->is_gathered) {
    if (!has_numbers(d->L, l->bottom)) {
      return false;
    }
    l->is_gathered = true;
    make_list(d);
  }
  append(d, l);
  return true;
}

/* Counting steps. */

/* The chains of a table that is about to be filled. */
typedef struct chains {
  cp_clone_decoder *d;
  uint64_t array;    /* size of the array part */
  unsigned bits;     /* the hash part has 1 << bits places */
  uint32_t *lengths; /* of the chains, by place */
} chains;

/* Makes empty chains, and pushes the userdata that holds their lengths. */
static void make_chains(chains *c, unsigned bits)
{
  size_t size = sizeof(*c->lengths) << bits;

  c->bits = bits;
  c->lengths = lua_newuserdatauv(c->d->L, size, 0);
  memset(c->lengths, 0, size);
}

/* Adds the number on top of the stack. Returns false if that takes more steps than are left. */
static bool add_to_chain(chains *c)
{
  uint32_t *length = &c->lengths[cp_hash_place(c->d->L, -1, c->bits)];

  if (*length > c->d->steps_left) {
    return cp_clone_fail(&c->d->in, "too many keys that collide");
  }
  c->d->steps_left -= (*length)++;
  return true;
}

/* A new table. */

/* Pushes a table with room for all keys of the list, so that it does not grow while it is filled.
 * Returns false if filling it takes too many steps. */
static bool make_table(cp_clone_decoder *d, int list)
{
  lua_Integer length = (lua_Integer)lua_rawlen(d->L, list);
  cp_hash_integers counts = {{0}};
  uint64_t inside = 0, hashed = 0;
  chains c = {.d = d};
  bool good = true;

  for (lua_Integer i = 1; i < length; i += 2) {
    lua_rawgeti(d->L, list, i);
    cp_hash_count(d->L, -1, &counts);
    lua_pop(d->L, 1);
  }
  c.array = cp_hash_array_size(&counts, &inside);
  hashed = (uint64_t)length / 2 - inside;
  make_chains(&c, cp_hash_ceil_log2(hashed));
  for (lua_Integer i = 1; i < length && good; i += 2) {
    lua_rawgeti(d->L, list, i);
    good = !cp_hash_is_outside(d->L, -1, c.array) || add_to_chain(&c);
    lua_pop(d->L, 1);
  }
  lua_pop(d->L, 1);
  lua_createtable(d->L, (int)c.array, (int)hashed);
  return good;
}

/* Fills the table on top of the stack in the order of the list, so that the last value of a
 * repeated key wins. Returns false for a key that is NaN. */
static bool fill_table(cp_clone_decoder *d, int list)
{
  lua_Integer length = (lua_Integer)lua_rawlen(d->L, list);

  for (lua_Integer i = 1; i < length; i += 2) {
    lua_rawgeti(d->L, list, i);
    if (cp_clone_is_nan(d->L, -1)) {
      return cp_clone_fail(&d->in, "NaN as a key");
    }
    lua_rawgeti(d->L, list, i + 1);
    lua_rawset(d->L, -3);
  }
  return true;
}

/* An existing table: it has entries already, or a nested value refers to it. It grows while it is
 * filled, and Lua decides when. So the steps are counted for each size that it may pass through,
 * each time for the number of keys that fit into that size. */

/* Counts the steps for one size of the hash part. */
static bool count_for_size(chains *c, int source, unsigned bits)
{
  lua_State *L = c->d->L;
  uint64_t left = (uint64_t)1 << bits;
  bool good = true;

  make_chains(c, bits);
  lua_pushnil(L);
  while (good && left > 0 && lua_next(L, source) != 0) {
    lua_pop(L, 1);
    if (cp_hash_is_outside(L, -1, c->array)) {
      good = add_to_chain(c);
      left--;
    }
  }
  lua_settop(L, source);
  return good;
}

/* Counts the steps for adding the table at `source` to one that has the entries 1 to `entries`.
 * `total` is the number of keys to add. */
static bool check_growth(cp_clone_decoder *d, int source, uint64_t entries, uint64_t total)
{
  cp_hash_integers counts = {{0}};
  uint64_t inside = 0;
  chains c = {.d = d};
  unsigned most = cp_hash_ceil_log2(total) + 1;

  for (unsigned bits = 0; bits < 31 && ((uint64_t)1 << bits) / 2 < entries; bits++) {
    uint64_t before = bits == 0 ? 0 : ((uint64_t)1 << bits) / 2;
    uint64_t here = ((uint64_t)1 << bits) < entries ? (uint64_t)1 << bits : entries;

    counts.up_to[bits] = here - before;
  }
  lua_pushnil(d->L);
  while (lua_next(d->L, source) != 0) {
    lua_pop(d->L, 1);
    cp_hash_count(d->L, -1, &counts);
  }
  c.array = cp_hash_array_size(&counts, &inside);
  for (unsigned bits = LEAST_BITS; bits <= most; bits++) {
    if (!count_for_size(&c, source, bits)) {
      return false;
    }
  }
  return true;
}

static void copy_table(lua_State *L, int source, int target)
{
  lua_pushnil(L);
  while (lua_next(L, source) != 0) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, target);
  }
}

/* Adds the members of the table on top of the stack to the table of the object. */
static bool add_to_table(cp_clone_decoder *d, const cp_clone_level *l)
{
  uint64_t pairs = l->form == CP_CLONE_FORM_PAIRS ? l->count / 2 : l->properties;
  uint64_t entries = l->form == CP_CLONE_FORM_OTHERS ? l->length : 0;

  if (!check_growth(d, lua_gettop(d->L), entries, pairs)) {
    return false;
  }
  copy_table(d->L, lua_gettop(d->L), l->bottom);
  return true;
}

bool cp_clone_store_gathered(cp_clone_decoder *d, const cp_clone_level *l)
{
  int list = l->bottom + 1;
  bool good = false;

  append(d, l);
  push_list(d);
  lua_pushnil(d->L);
  lua_rawseti(d->L, d->gathered, d->depth);
  good = make_table(d, list) && fill_table(d, list);
  if (good && lua_isnil(d->L, l->bottom)) {
    lua_replace(d->L, l->bottom);
  } else if (good) {
    good = add_to_table(d, l);
  }
  lua_settop(d->L, l->bottom);
  return good;
}
