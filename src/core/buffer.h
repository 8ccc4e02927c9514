/* Bytes that grow at the end. */
#ifndef CP_BUFFER_H
#define CP_BUFFER_H

#include <stddef.h>

/* An all-zero buffer is empty. */
typedef struct cp_buffer {
  char *data;
  size_t length;
  size_t capacity;
} cp_buffer;

/* Makes room for `size` more bytes at data + length, which the caller fills and then counts in
 * `length`. -ENOMEM leaves the buffer as it was. */
int cp_buffer_reserve(cp_buffer *buffer, size_t size);

/* Appends bytes; -ENOMEM leaves the buffer as it was. */
int cp_buffer_append(cp_buffer *buffer, const char *data, size_t length);

/* Empties the buffer and gives its memory back. */
void cp_buffer_free(cp_buffer *buffer);

/* Memory of this size and more is worth the call of cp_buffer_use_huge_pages. */
#define CP_BUFFER_LARGE ((size_t)1024 * 1024)

/* Asks the system to make `size` bytes that nobody has touched yet of huge pages, which come at a
 * fraction of the price. It may refuse. */
void cp_buffer_use_huge_pages(void *memory, size_t size);

#endif
