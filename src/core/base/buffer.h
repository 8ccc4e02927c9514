/* A growing array of bytes. */
#ifndef CP_BUFFER_H
#define CP_BUFFER_H

#include "core/base/assert.h"

#include <stddef.h>

/* Resizes `block`, or allocates one if it is NULL. A new size of 0 frees the block and returns
 * NULL. */
typedef void *(*cp_allocate)(void *argument, void *block, size_t old_size, size_t new_size);

/* A buffer that is all zeros is empty, and takes its memory from malloc(3). */
typedef struct cp_buffer {
  char *data;
  size_t length;
  size_t capacity;
  /* Unused bytes in front of `data`, where the caller of cp_buffer_take can put a header. It can
   * also put a terminator after the bytes: the block has one byte more than the capacity. */
  size_t headroom;
  cp_allocate allocate;
  void *allocator; /* the argument of `allocate` */
} cp_buffer;

/* The slow path of cp_buffer_reserve. */
int cp_buffer_grow(cp_buffer *buffer, size_t size);

/* Makes room for `size` more bytes at data + length. The caller writes them there and then adds
 * them to `length`, or calls cp_buffer_end_at. Returns 0, or -ENOMEM and leaves the buffer
 * unchanged. */
static inline int cp_buffer_reserve(cp_buffer *buffer, size_t size)
{
  CP_ASSERT(buffer->length <= buffer->capacity);
  return buffer->capacity - buffer->length >= size ? 0 : cp_buffer_grow(buffer, size);
}

/* Sets the end of the buffer, after the caller has written bytes into the room made for them. */
static inline void cp_buffer_end_at(cp_buffer *buffer, const char *end)
{
  CP_ASSERT(end >= buffer->data && (size_t)(end - buffer->data) <= buffer->capacity);
  buffer->length = (size_t)(end - buffer->data);
}

/* Appends bytes. Returns 0, or -ENOMEM and leaves the buffer unchanged. */
int cp_buffer_append(cp_buffer *buffer, const char *data, size_t length);

/* Frees unused memory, which may move the bytes. */
void cp_buffer_trim(cp_buffer *buffer);

/* Returns the memory, which starts with the headroom, and leaves the buffer empty. The caller must
 * free the memory with `allocate`. */
void *cp_buffer_take(cp_buffer *buffer);

/* Empties the buffer. Keeps its memory for reuse unless that is large. */
void cp_buffer_reset(cp_buffer *buffer);

/* Empties the buffer and frees its memory. */
void cp_buffer_free(cp_buffer *buffer);

#endif
