/* Bytes that grow at the end. */
#ifndef CP_BUFFER_H
#define CP_BUFFER_H

#include <stddef.h>

typedef struct cp_buffer {
  char *data;
  size_t length;
  size_t capacity;
} cp_buffer;

/* Appends `length` bytes; -ENOMEM leaves the buffer as it was. An all-zero buffer is empty. */
int cp_buffer_append(cp_buffer *buffer, const char *data, size_t length);

/* Empties the buffer and gives its memory back. */
void cp_buffer_free(cp_buffer *buffer);

#endif
