/* Reads binaries of 32 and 64 bits in this machine's byte order. Needs no elf.h, which some systems
 * lack. */
#include "core/process/elf.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
  HEADER_SIZE = 64,  /* of the file, at most */
  SEGMENT_SIZE = 56, /* of a segment's header, at most */
  MOST_SEGMENTS = 64,
  CLASS_AT = 4, /* in the file's header */
  CLASS_64 = 2,
  TYPE_LOADER = 3, /* of a segment: it holds the path of the loader */
};

static const char MAGIC[] = {0x7f, 'E', 'L', 'F'};

/* Where the numbers are in the two headers, in bytes. */
typedef struct layout {
  size_t header_size;
  size_t word; /* bytes of an offset or a length */
  size_t segments_at;
  size_t count_at;
  size_t segment_size;
  size_t offset_at;
  size_t length_at;
} layout;

static const layout bits_32 = {52, 4, 28, 44, 32, 4, 16};
static const layout bits_64 = {64, 8, 32, 56, 56, 8, 32};

static uint64_t number(const char *bytes, size_t size)
{
  uint16_t two = 0;
  uint32_t four = 0;
  uint64_t eight = 0;

  switch (size) {
    case sizeof(two): memcpy(&two, bytes, size); return two;
    case sizeof(four): memcpy(&four, bytes, size); return four;
    default: memcpy(&eight, bytes, size); return eight;
  }
}

bool cp_elf_is_binary(const char *start, size_t length)
{
  return length >= bits_32.header_size && memcmp(start, MAGIC, sizeof(MAGIC)) == 0;
}

static bool read_path(int fd, uint64_t offset, uint64_t length, char *path, size_t size)
{
  ssize_t n = pread(fd, path, length < size ? (size_t)length : size - 1, (off_t)offset);

  path[n > 0 ? n : 0] = '\0';
  return n > 0;
}

bool cp_elf_read_loader(int fd, char *path, size_t size)
{
  char header[HEADER_SIZE] = {0};
  char segment[SEGMENT_SIZE];
  ssize_t n = pread(fd, header, sizeof(header), 0);
  const layout *form = header[CLASS_AT] == CLASS_64 ? &bits_64 : &bits_32;
  uint64_t at = number(header + form->segments_at, form->word);
  uint64_t count = number(header + form->count_at, sizeof(uint16_t));

  if (n < (ssize_t)form->header_size) {
    return false;
  }
  for (uint64_t i = 0; i < MOST_SEGMENTS && i < count; i++, at += form->segment_size) {
    if (pread(fd, segment, form->segment_size, (off_t)at) != (ssize_t)form->segment_size) {
      return false;
    }
    if (number(segment, sizeof(uint32_t)) == TYPE_LOADER) {
      return read_path(fd, number(segment + form->offset_at, form->word),
                       number(segment + form->length_at, form->word), path, size);
    }
  }
  return false;
}
