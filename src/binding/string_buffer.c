/* Lets Lua make a string in the memory of a buffer. */
#include "binding/string_buffer.h"

#include "binding/stack.h"

#include <stdint.h>

/* Copying smaller strings is faster. */
enum { SMALLEST_ADOPTED = 64 * 1024 };

/* Replaces the state's own allocator from right before a string is made until it has its memory. In
 * between nothing else runs: no hook, no finalizer. */
typedef struct interposed_allocator {
  lua_State *L;
  lua_Alloc allocate; /* the state's */
  void *argument;
  const char *text;
  size_t length;
  size_t wanted;     /* the size of the block that the string is made in */
  cp_buffer *buffer; /* becomes that block; if NULL, only records the block */
  void *block;
  size_t size; /* of `block` */
} interposed_allocator;

static void *allocate(void *argument, void *block, size_t old_size, size_t new_size)
{
  interposed_allocator *call = argument;

  if (block != NULL || new_size < call->wanted) {
    return call->allocate(call->argument, block, old_size, new_size);
  }
  lua_setallocf(call->L, call->allocate, call->argument);
  call->size = new_size;
  if (call->buffer != NULL && new_size == call->wanted && call->buffer->capacity == call->length) {
    call->block = cp_buffer_take(call->buffer);
  } else {
    call->block = call->allocate(call->argument, NULL, old_size, new_size);
  }
  return call->block;
}

/* If the block was adopted, Lua's memcpy copies the bytes onto themselves. ISO C leaves that
 * undefined, but GCC and Clang emit such calls for `*p = *p`, so C libraries allow it. */
static int push_text(lua_State *L)
{
  interposed_allocator *call = lua_touserdata(L, 1);

  lua_setallocf(L, allocate, call);
  lua_pushlstring(L, call->text, call->length);
  return 1;
}

/* Pushes the string, or an error message. */
static int push_interposed(lua_State *L, interposed_allocator *call)
{
  int status = LUA_OK;

  call->L = L;
  call->allocate = lua_getallocf(L, &call->argument);
  lua_pushcfunction(L, push_text);
  lua_pushlightuserdata(L, call);
  status = lua_pcall(L, 1, 1, 0);
  lua_setallocf(L, call->allocate, call->argument);
  return status;
}

/* LuaJIT rounds the size up, and clears the last bytes before it copies: no block for it can hold
 * the bytes already. */
static bool is_header(const interposed_allocator *call, size_t size)
{
  return size > 0 && call->size == size + call->length + 1;
}

size_t cpl_string_buffer_measure(lua_State *L)
{
  char text[256] = {0};
  interposed_allocator call = {.text = text, .length = sizeof(text), .wanted = sizeof(text) + 1};
  size_t header = 0;

  if (push_interposed(L, &call) != LUA_OK) {
    lua_error(L);
  }
  if (call.block != NULL) {
    uintptr_t begin = (uintptr_t)call.block;
    uintptr_t bytes = (uintptr_t)lua_tostring(L, -1);

    header = bytes > begin && is_header(&call, bytes - begin) ? bytes - begin : 0;
  }
  lua_pop(L, 1);
  return header;
}

cp_buffer cpl_string_buffer_new(lua_State *L, size_t header)
{
  cp_buffer buffer = {.headroom = header};

  buffer.allocate = lua_getallocf(L, &buffer.allocator);
  return buffer;
}

static void push_adopted(lua_State *L, cp_buffer *buffer)
{
  interposed_allocator call = {.length = buffer->length, .buffer = buffer};

  cp_buffer_trim(buffer);
  call.text = buffer->data;
  call.wanted = buffer->headroom + buffer->length + 1;
  if (push_interposed(L, &call) != LUA_OK) {
    lua_error(L);
  }
}

void cpl_string_buffer_push(lua_State *L, cp_buffer *buffer)
{
  CPL_STACK_NOTE(L);

  if (buffer->headroom > 0 && buffer->length >= SMALLEST_ADOPTED) {
    push_adopted(L, buffer);
  } else {
    lua_pushlstring(L, buffer->data == NULL ? "" : buffer->data, buffer->length);
  }
  cp_buffer_free(buffer);
  CPL_STACK_ASSERT(L, 1);
}
