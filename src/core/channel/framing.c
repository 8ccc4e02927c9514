/* Newlines between messages, or the length ahead of each. */
#include "core/channel/framing.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Node reads the length as a signed number. */
enum { LENGTH_SIZE = 4, LONGEST = INT32_MAX - LENGTH_SIZE };

int cp_framing_begin(cp_framing framing, cp_buffer *out)
{
  static const char zeros[LENGTH_SIZE];

  return framing == CP_FRAMING_LENGTH ? cp_buffer_append(out, zeros, LENGTH_SIZE) : 0;
}

int cp_framing_end(cp_framing framing, cp_buffer *out, size_t begin)
{
  size_t length = out->length - begin - LENGTH_SIZE;

  if (framing == CP_FRAMING_LINES) {
    return cp_buffer_append(out, "\n", 1);
  }
  if (length > LONGEST) {
    return -EMSGSIZE;
  }
  for (size_t i = 0; i < LENGTH_SIZE; i++) {
    out->data[begin + i] = (char)(length >> 8 * (LENGTH_SIZE - 1 - i) & 0xFF);
  }
  return 0;
}

static bool find_line(const char *bytes, size_t length, size_t *searched, cp_frame *frame)
{
  const char *end = memchr(bytes + *searched, '\n', length - *searched);

  *searched = length;
  *frame = (cp_frame){.length = end == NULL ? length : (size_t)(end - bytes), .tail = 1};
  return true;
}

static bool find_by_length(const char *bytes, size_t length, cp_frame *frame)
{
  const unsigned char *digits = (const unsigned char *)bytes;

  if (length < LENGTH_SIZE) {
    return false;
  }
  *frame = (cp_frame){.head = LENGTH_SIZE};
  for (int i = 0; i < LENGTH_SIZE; i++) {
    frame->length = frame->length << 8 | digits[i];
  }
  return true;
}

bool cp_framing_find(cp_framing framing, const char *bytes, size_t length, size_t *searched,
                     cp_frame *frame)
{
  return framing == CP_FRAMING_LINES ? find_line(bytes, length, searched, frame)
                                     : find_by_length(bytes, length, frame);
}
