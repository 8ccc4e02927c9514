/* Shared by the programs for libFuzzer: an allocator that fails now and then, and calls into Lua
 * that may raise no other error. */
#ifndef CP_FUZZ_H
#define CP_FUZZ_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct cp_fuzz_memory {
  int failure_interval; /* one allocation in this number fails; 0: none */
  int allocations;
  size_t used;
  size_t limit; /* of `used`; 0: none */
} cp_fuzz_memory;

static inline void require(bool good, const char *what)
{
  if (good) return;
  fprintf(stderr, "not so: %s\n", what);
  abort();
}

static inline void *cp_fuzz_allocate(void *data, void *block, size_t old_size, size_t new_size)
{
  cp_fuzz_memory *memory = data;
  if (block == NULL) old_size = 0; /* Lua passes the type of the new object */
  if (new_size == 0) {
    memory->used -= old_size;
    free(block);
    return NULL;
  }
  if (memory->failure_interval > 0 && ++memory->allocations >= memory->failure_interval) {
    memory->allocations = -1; /* Lua tries again, which has to succeed */
    return NULL;
  }
  block = realloc(block, new_size);
  if (block != NULL) memory->used += new_size - old_size;
  require(memory->limit == 0 || memory->used <= memory->limit,
          "what is allocated is in proportion to the bytes");
  return block;
}

/* Calls a test with a light userdata. It may only raise errors about memory. */
static inline void cp_fuzz_call(lua_State *L, const cp_fuzz_memory *memory, lua_CFunction test,
                                void *input)
{
  lua_pushcfunction(L, test);
  lua_pushlightuserdata(L, input);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    require(memory->failure_interval > 0 && strstr(message, "memory"), message);
    lua_pop(L, 1);
  }
}

#endif
