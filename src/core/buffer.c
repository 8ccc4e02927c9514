#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 4096 };

int cp_buffer_append(cp_buffer *buffer, const char *data, size_t length)
{
  if (buffer->capacity - buffer->length < length) {
    size_t wanted = buffer->length + length;
    size_t capacity = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity * 2;
    char *grown = realloc(buffer->data, capacity < wanted ? wanted : capacity);

    if (grown == NULL) {
      return -ENOMEM;
    }
    buffer->data = grown;
    buffer->capacity = capacity < wanted ? wanted : capacity;
  }
  if (length > 0) {
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
  }
  return 0;
}

void cp_buffer_free(cp_buffer *buffer)
{
  free(buffer->data);
  *buffer = (cp_buffer){NULL, 0, 0};
}
