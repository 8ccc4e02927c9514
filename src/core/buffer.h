/* Bytes that grow at the end. */
#ifndef CP_BUFFER_H
#define CP_BUFFER_H

#include <stddef.h>

/* Makes `block` (NULL: a new one) `new_size` bytes large; 0 frees it and returns NULL. */
typedef void *(*cp_allocate)(void *argument, void *block, size_t old_size, size_t new_size);

/* An all-zero buffer is empty, and takes its memory from malloc. */
typedef struct cp_buffer {
  char *data;
  size_t length;
  size_t capacity;
  /* Bytes of the memory before `data`, for a header of whoever takes the memory; one byte behind the
   * capacity is for a terminator. */
  size_t headroom;
  cp_allocate allocate;
  void *allocator; /* its argument */
} cp_buffer;

/* The part of cp_buffer_reserve for when there is not yet room. */
int cp_buffer_grow(cp_buffer *buffer, size_t size);

/* Makes room for `size` more bytes at data + length, which the caller fills and then counts in
 * `length`. -ENOMEM leaves the buffer as it was. */
static inline int cp_buffer_reserve(cp_buffer *buffer, size_t size)
{
  return buffer->capacity - buffer->length >= size ? 0 : cp_buffer_grow(buffer, size);
}

/* Appends bytes; -ENOMEM leaves the buffer as it was. */
int cp_buffer_append(cp_buffer *buffer, const char *data, size_t length);

/* Gives back the memory that is not used, which may move the bytes. */
void cp_buffer_trim(cp_buffer *buffer);

/* Takes the memory out of the buffer, with the headroom; the buffer is empty then. The caller frees it with
 * `allocate`. */
void *cp_buffer_take(cp_buffer *buffer);

/* Empties the buffer and keeps its memory for what comes next, unless that is so much that it should not be
 * held for long. */
void cp_buffer_reset(cp_buffer *buffer);

/* Empties the buffer and gives its memory back. */
void cp_buffer_free(cp_buffer *buffer);

#endif
