#include "bytes.h"

/* Lua allocates the string and copies into it at once. For a large one most of that time goes into
 * page faults, so for the length of that call an allocator is put before the state's own that asks for
 * huge pages: 256 MiB take 45 ms instead of 165. */

typedef struct allocator {
  lua_Alloc function;
  void *argument;
} allocator;

static void *allocate(void *argument, void *block, size_t old_size, size_t new_size)
{
  const allocator *own = argument;
  void *memory = own->function(own->argument, block, old_size, new_size);

  if (block == NULL && memory != NULL && new_size >= CP_BUFFER_LARGE) {
    cp_buffer_use_huge_pages(memory, new_size);
  }
  return memory;
}

static int push(lua_State *L)
{
  const cp_buffer *buffer = lua_touserdata(L, 1);

  lua_pushlstring(L, buffer->data, buffer->length);
  return 1;
}

static void push_large(lua_State *L, const cp_buffer *buffer)
{
  allocator own;
  int status = LUA_OK;

  lua_pushcfunction(L, push);
  lua_pushlightuserdata(L, (void *)buffer);
  own.function = lua_getallocf(L, &own.argument);
  lua_setallocf(L, allocate, &own);
  status = lua_pcall(L, 1, 1, 0);
  lua_setallocf(L, own.function, own.argument);
  if (status != LUA_OK) {
    lua_error(L);
  }
}

void cp_bytes_push(lua_State *L, const cp_buffer *buffer)
{
  if (buffer->length == 0) {
    lua_pushliteral(L, "");
  } else if (buffer->length < CP_BUFFER_LARGE) {
    lua_pushlstring(L, buffer->data, buffer->length);
  } else {
    push_large(L, buffer);
  }
}
