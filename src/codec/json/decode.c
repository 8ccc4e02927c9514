/* Decodes a text from start to end. Each step reads one value, or opens it if it is a table, or
 * goes on after a value. */
#include "codec/json/json.h"

#include "codec/array.h"
#include "codec/json/escape.h"
#include "codec/json/input.h"
#include "codec/name_cache.h"
#include "compat/lua.h"
#include "core/base/assert.h"

/* Members wait on the Lua stack until their table ends, so that it is made with the right size. The
 * members of a long table are stored in portions of this many values. */
enum { PORTION = 256 };

/* Stack slots for the values that are pushed from one value to the next. */
enum { STACK_NEEDED = 16 };

/* Each open table has the following values on the Lua stack, above those of the table around it: an
 * integer that describes that outer table, the table itself once a portion is stored, and the
 * waiting members. */
typedef struct decoder {
  lua_State *L;
  cp_json_input in;
  int top;        /* the height of the Lua stack before and after each member */
  int limit;      /* the stack is reserved up to this index */
  int mark;       /* stack index of the array mark; nil until it is needed */
  int depth;      /* number of open tables */
  int bottom;     /* stack index of the integer of the innermost table */
  bool is_array;  /* the innermost table is an array */
  bool is_stored; /* a portion of the innermost table is stored */
  bool has_names;
  cp_name_cache names;
} decoder;

/* What to do next. */
typedef enum step {
  STEP_FAILED, /* stop: the reason is in the input */
  STEP_BEGIN,  /* read a value */
  STEP_END,    /* go on after a value, which is on top of the stack */
  STEP_DONE    /* return the outermost value */
} step;

/* Reads the name of a member and the colon, and pushes the name. */
static bool read_name(decoder *d)
{
  cp_json_input *in = &d->in;
  size_t plain = 0;

  cp_json_skip_space(in);
  if (!cp_json_accept(in, '"')) {
    return cp_json_fail_here(in);
  }
  plain = cp_json_plain_prefix(in->at, (size_t)(in->end - in->at));
  if (!d->has_names || in->at + plain == in->end || in->at[plain] != '"') {
    if (!cp_json_read_string(in, d->L, plain)) {
      return false;
    }
  } else {
    cp_name_cache_push(&d->names, d->L, in->at, plain);
    in->at += plain + 1;
  }
  d->top++;
  cp_json_skip_space(&d->in);
  return cp_json_accept(&d->in, ':') || cp_json_fail_here(&d->in);
}

/* Moves the entries that wait above an array into it, after the `stored` entries. */
static void store_entries(decoder *d, int array, lua_Integer stored)
{
  int count = d->top - array;

  if (stored == 0) {
    for (int i = count; i > 0; i--) {
      lua_rawseti(d->L, array, i);
    }
    return;
  }
  for (int i = 1; i <= count; i++) { /* in order, so that the array part grows */
    lua_pushvalue(d->L, array + i);
    lua_rawseti(d->L, array, stored + i);
  }
  lua_settop(d->L, array);
}

/* Moves the names and values that wait above an object into it, in order, so that the last member
 * with a name wins. */
static void store_members(decoder *d, int object)
{
  for (int i = object + 1; i < d->top; i += 2) {
    lua_pushvalue(d->L, i);
    lua_pushvalue(d->L, i + 1);
    lua_rawset(d->L, object);
  }
  lua_settop(d->L, object);
}

/* Pushes a new table with room for the waiting members of the innermost table. */
static void make_table(decoder *d)
{
  int count = d->top - d->bottom;

  lua_createtable(d->L, d->is_array ? count : 0, d->is_array ? 0 : count / 2);
}

/* Moves the waiting members into the innermost table, which stays open. */
static void store_portion(decoder *d)
{
  int table = d->bottom + 1;
  lua_Integer stored = 0;

  if (d->is_stored) {
    stored = (lua_Integer)lua_rawlen(d->L, table);
  } else {
    make_table(d);
    lua_insert(d->L, table);
    d->top++;
    d->is_stored = true;
  }
  if (d->is_array) {
    store_entries(d, table, stored);
  } else {
    store_members(d, table);
  }
  d->top = table;
}

static void push_array_mark(decoder *d)
{
  if (lua_isnil(d->L, d->mark)) {
    cp_array_push_mark(d->L);
    lua_replace(d->L, d->mark);
  }
  lua_pushvalue(d->L, d->mark);
}

/* The integer that describes a table: these bits, and above them its `bottom`. */
enum { WAS_ARRAY = 1, WAS_STORED = 2, BOTTOM_SHIFT = 2 };

static int describe_table(const decoder *d)
{
  return d->bottom << BOTTOM_SHIFT | (d->is_stored ? WAS_STORED : 0) |
         (d->is_array ? WAS_ARRAY : 0);
}

/* Makes the described table the innermost one again. */
static void return_to_table(decoder *d, int description)
{
  d->bottom = description >> BOTTOM_SHIFT;
  d->is_stored = (description & WAS_STORED) != 0;
  d->is_array = (description & WAS_ARRAY) != 0;
}

/* Closes the innermost table, which becomes a value of the table around it. */
static void close_table(decoder *d)
{
  int outer = (int)lua_tointeger(d->L, d->bottom);

  if (d->is_stored) {
    store_portion(d);
    lua_replace(d->L, d->bottom);
  } else {
    make_table(d);
    lua_replace(d->L, d->bottom);
    if (d->is_array) {
      store_entries(d, d->bottom, 0);
    } else {
      store_members(d, d->bottom);
    }
  }
  if (d->is_array) {
    push_array_mark(d);
    lua_setmetatable(d->L, d->bottom);
  }
  d->top = d->bottom;
  return_to_table(d, outer);
  d->depth--;
}

/* Opens a table as the innermost one. */
static step open_table(decoder *d, bool is_array)
{
  if (d->depth == CP_JSON_DEPTH) {
    d->in.at--;
    cp_json_fail(&d->in, "nested too deeply");
    return STEP_FAILED;
  }
  lua_pushinteger(d->L, describe_table(d));
  d->bottom = ++d->top;
  d->is_array = is_array;
  d->is_stored = false;
  d->depth++;
  cp_json_skip_space(&d->in);
  if (cp_json_accept(&d->in, is_array ? ']' : '}')) {
    close_table(d);
    return STEP_END;
  }
  return is_array || read_name(d) ? STEP_BEGIN : STEP_FAILED;
}

static step read_value(decoder *d)
{
  if (d->limit - d->top < STACK_NEEDED) {
    luaL_checkstack(d->L, PORTION, NULL);
    d->limit = d->top + PORTION;
  }
  cp_json_skip_space(&d->in);
  if (cp_json_accept(&d->in, '{')) {
    return open_table(d, false);
  }
  if (cp_json_accept(&d->in, '[')) {
    return open_table(d, true);
  }
  d->top++;
  return cp_json_read_scalar(&d->in, d->L) ? STEP_END : STEP_FAILED;
}

/* Advances after a value: to the next value, or to the end of the table or the text. */
static step go_on(decoder *d)
{
  cp_json_skip_space(&d->in);
  if (d->depth == 0) {
    return d->in.at == d->in.end || cp_json_fail_here(&d->in) ? STEP_DONE : STEP_FAILED;
  }
  if (cp_json_accept(&d->in, ',')) {
    if (d->top - d->bottom >= PORTION) {
      store_portion(d);
    }
    return d->is_array || read_name(d) ? STEP_BEGIN : STEP_FAILED;
  }
  if (cp_json_accept(&d->in, d->is_array ? ']' : '}')) {
    close_table(d);
    return STEP_END;
  }
  cp_json_fail_here(&d->in);
  return STEP_FAILED;
}

bool cp_json_decode(lua_State *L, const char *text, size_t length, cp_decode_error *error)
{
  step next = STEP_BEGIN;
  decoder d;

  luaL_checkstack(L, STACK_NEEDED + CP_NAME_CACHE_SIZE, NULL);
  lua_pushnil(L);
  d.L = L;
  d.in = (cp_json_input){text, text + length, NULL};
  d.mark = lua_gettop(L);
  d.has_names = length >= CP_NAME_CACHE_LEAST;
  if (d.has_names) {
    cp_name_cache_init(&d.names, L);
  }
  d.top = lua_gettop(L);
  d.limit = d.top + STACK_NEEDED;
  d.depth = 0;
  d.bottom = 0;
  d.is_array = false;
  d.is_stored = false;

  while (next == STEP_BEGIN || next == STEP_END) {
    CP_ASSERT(d.top == lua_gettop(L) && d.in.at <= d.in.end);
    next = next == STEP_BEGIN ? read_value(&d) : go_on(&d);
  }
  if (next == STEP_FAILED) {
    *error = (cp_decode_error){d.in.reason, (size_t)(d.in.at - text)};
    lua_settop(L, d.mark - 1);
    return false;
  }
  CP_ASSERT(d.top == d.mark + (d.has_names ? CP_NAME_CACHE_SIZE : 0) + 1);
  lua_replace(L, d.mark);
  lua_settop(L, d.mark);
  return true;
}
