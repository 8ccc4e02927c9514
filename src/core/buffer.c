#include "buffer.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 4096 };

void cp_buffer_use_huge_pages(void *memory, size_t size)
{
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t begin = ((uintptr_t)memory + page - 1) & ~(page - 1);
  uintptr_t end = ((uintptr_t)memory + size) & ~(page - 1);

  if (begin < end) {
    madvise((char *)memory + (begin - (uintptr_t)memory), end - begin, MADV_HUGEPAGE);
  }
}

/* Large buffers are mappings, which grow without being copied. */
static char *map_larger(const cp_buffer *buffer, size_t capacity)
{
  char *grown = NULL;

  if (buffer->capacity >= CP_BUFFER_LARGE) {
    grown = mremap(buffer->data, buffer->capacity, capacity, MREMAP_MAYMOVE);
    return grown == MAP_FAILED ? NULL : grown;
  }
  grown = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (grown == MAP_FAILED) {
    return NULL;
  }
  cp_buffer_use_huge_pages(grown, capacity);
  if (buffer->length > 0) {
    memcpy(grown, buffer->data, buffer->length);
  }
  free(buffer->data);
  return grown;
}

int cp_buffer_reserve(cp_buffer *buffer, size_t size)
{
  size_t wanted = buffer->length + size;
  size_t capacity = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity;
  char *grown = NULL;

  if (wanted <= buffer->capacity) {
    return 0;
  }
  if (wanted > SIZE_MAX / 2) {
    return -ENOMEM;
  }
  while (capacity < wanted) {
    capacity *= 2;
  }
  grown =
      capacity < CP_BUFFER_LARGE ? realloc(buffer->data, capacity) : map_larger(buffer, capacity);
  if (grown == NULL) {
    return -ENOMEM;
  }
  buffer->data = grown;
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

void cp_buffer_free(cp_buffer *buffer)
{
  if (buffer->capacity >= CP_BUFFER_LARGE) {
    munmap(buffer->data, buffer->capacity);
  } else {
    free(buffer->data);
  }
  *buffer = (cp_buffer){NULL, 0, 0};
}
