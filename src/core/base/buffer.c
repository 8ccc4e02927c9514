/* Grows by doubling, so that appending takes constant time on average. */
#include "core/base/buffer.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  FIRST_CAPACITY = 4096,
  KEPT_CAPACITY = 256 * 1024, /* the most that cp_buffer_reset keeps */
};

static void *allocate(const cp_buffer *buffer, void *block, size_t old_size, size_t new_size)
{
  if (buffer->allocate != NULL) {
    return buffer->allocate(buffer->allocator, block, old_size, new_size);
  }
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

static void *block_of(const cp_buffer *buffer)
{
  return buffer->data == NULL ? NULL : buffer->data - buffer->headroom;
}

static size_t block_size(const cp_buffer *buffer, size_t capacity)
{
  return buffer->headroom + capacity + 1;
}

static void forget(cp_buffer *buffer)
{
  buffer->data = NULL;
  buffer->length = 0;
  buffer->capacity = 0;
}

int cp_buffer_grow(cp_buffer *buffer, size_t size)
{
  size_t wanted = buffer->length + size;
  size_t capacity = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity;
  char *grown = NULL;

  if (size > SIZE_MAX / 4 || wanted > SIZE_MAX / 4) {
    return -ENOMEM;
  }
  while (capacity < wanted) {
    capacity *= 2;
  }
  grown = allocate(buffer, block_of(buffer),
                   buffer->data == NULL ? 0 : block_size(buffer, buffer->capacity),
                   block_size(buffer, capacity));
  if (grown == NULL) {
    return -ENOMEM;
  }
  buffer->data = grown + buffer->headroom;
  buffer->capacity = capacity;
  return 0;
}

int cp_buffer_append(cp_buffer *buffer, const char *data, size_t length)
{
  int r = cp_buffer_reserve(buffer, length);

  if (r == 0 && length > 0) {
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
  }
  return r;
}

void cp_buffer_trim(cp_buffer *buffer)
{
  char *trimmed = NULL;

  if (buffer->data != NULL && buffer->length < buffer->capacity) {
    trimmed = allocate(buffer, block_of(buffer), block_size(buffer, buffer->capacity),
                       block_size(buffer, buffer->length));
  }
  if (trimmed != NULL) {
    buffer->data = trimmed + buffer->headroom;
    buffer->capacity = buffer->length;
  }
}

void *cp_buffer_take(cp_buffer *buffer)
{
  void *block = block_of(buffer);

  forget(buffer);
  return block;
}

void cp_buffer_reset(cp_buffer *buffer)
{
  buffer->length = 0;
  if (buffer->capacity > KEPT_CAPACITY) {
    cp_buffer_free(buffer);
  }
}

void cp_buffer_free(cp_buffer *buffer)
{
  if (buffer->data != NULL) {
    allocate(buffer, block_of(buffer), block_size(buffer, buffer->capacity), 0);
    forget(buffer);
  }
}
