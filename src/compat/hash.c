/* For each version of Lua, a hash of numbers and the least use of an array part. */
#include "compat/hash.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* The remainder that most versions take. */
static uint64_t remainder_of(uint64_t hash, unsigned bits)
{
  return hash % ((((uint64_t)1 << bits) - 1) | 1);
}

#if LUA_VERSION_NUM >= 503

static uint64_t hash_of_float(lua_Number value)
{
  int exponent = 0;
  lua_Number mantissa = frexp(value, &exponent) * -(lua_Number)INT_MIN;
  unsigned hash = 0;

  if (!isfinite(mantissa)) {
    return 0;
  }
  hash = (unsigned)exponent + (unsigned)(lua_Integer)mantissa;
  return hash <= INT_MAX ? hash : ~hash;
}

static uint64_t place_of_integer(lua_Integer integer, unsigned bits)
{
#if LUA_VERSION_NUM == 503 || (LUA_VERSION_NUM == 504 && LUA_VERSION_RELEASE_NUM < 50404)
  return (uint64_t)integer & (((uint64_t)1 << bits) - 1);
#else
  return remainder_of((uint64_t)integer, bits);
#endif
}

uint64_t cp_hash_place(lua_State *L, int index, unsigned bits)
{
  int is_integer = 0;
  lua_Integer integer = lua_tointegerx(L, index, &is_integer); /* 2.0 is the same key as 2 */

  if (is_integer) {
    return place_of_integer(integer, bits);
  }
  return remainder_of(hash_of_float(lua_tonumber(L, index)), bits);
}

/* The size of an array part is a power of two. Returns whether Lua makes one for `keys` keys. */
static bool is_array_used(uint64_t size, uint64_t keys)
{
#if LUA_VERSION_NUM >= 505
  return keys * 3 >= size;
#else
  return keys * 2 > size;
#endif
}

#else

/* A function of LuaJIT. Its address is NULL in Lua 5.1. */
extern int luaJIT_setmode(lua_State *L, int index, int mode) __attribute__((weak));

static bool is_luajit(void)
{
  return luaJIT_setmode != NULL;
}

static uint32_t rotate(uint32_t bits, unsigned by)
{
  return bits << by | bits >> (32 - by);
}

static uint32_t hash_of_luajit(uint32_t low, uint32_t high)
{
  low ^= high;
  low -= rotate(high, 14);
  high = low ^ rotate(high, 19);
  return high - rotate(low, 13);
}

uint64_t cp_hash_place(lua_State *L, int index, unsigned bits)
{
  double value = lua_tonumber(L, index) + 0.0; /* without the sign of -0 */
  uint64_t halves = 0;
  uint32_t low = 0, high = 0;

  memcpy(&halves, &value, sizeof(halves));
  low = (uint32_t)halves;
  high = (uint32_t)(halves >> 32);
  if (is_luajit()) {
    return hash_of_luajit(low, high << 1) & (((uint64_t)1 << bits) - 1);
  }
  return remainder_of(low + high, bits);
}

static bool is_array_used(uint64_t size, uint64_t keys)
{
  return keys * (is_luajit() ? 4 : 2) > size;
}

#endif

unsigned cp_hash_ceil_log2(uint64_t n)
{
  return n <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(n - 1);
}

void cp_hash_count(lua_State *L, int index, cp_hash_integers *counts)
{
  int is_integer = 0;
  lua_Integer value = lua_tointegerx(L, index, &is_integer);

  if (is_integer && lua_type(L, index) == LUA_TNUMBER && value > 0) {
    counts->up_to[cp_hash_ceil_log2((uint64_t)value)]++;
  }
}

uint64_t cp_hash_array_size(const cp_hash_integers *counts, uint64_t *inside)
{
  uint64_t size = 0, sum = 0, used = 0;

  for (unsigned bits = 0; bits < 31; bits++) {
    uint64_t room = (uint64_t)1 << bits;
    uint64_t most = bits == 0 ? 1 : room / 2; /* a repeated key may have been counted twice */
    uint64_t more = counts->up_to[bits] < most ? counts->up_to[bits] : most;

    sum += more;
    if (more > 0 && is_array_used(room, sum)) {
      size = room;
      used = sum;
    }
  }
  *inside = used;
  return size;
}

bool cp_hash_is_outside(lua_State *L, int index, uint64_t array_size)
{
  int is_integer = 0;
  lua_Integer value = 0;

  if (lua_type(L, index) != LUA_TNUMBER) {
    return false;
  }
  value = lua_tointegerx(L, index, &is_integer);
  return !is_integer || value <= 0 || (uint64_t)value > array_size;
}
