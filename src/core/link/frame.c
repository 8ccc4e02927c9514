/* Writes and reads numbers byte by byte, so that both sides may have any byte order. */
#include "core/link/frame.h"

#include <string.h>

static void write_number(unsigned char *bytes, uint32_t number, int size)
{
  for (int i = size - 1; i >= 0; i--) {
    bytes[i] = (unsigned char)(number & 0xFF);
    number >>= 8;
  }
}

static uint32_t read_number(const unsigned char *bytes, int size)
{
  uint32_t number = 0;

  for (int i = 0; i < size; i++) {
    number = number << 8 | bytes[i];
  }
  return number;
}

void cp_link_frame_write(const cp_link_frame *frame, unsigned char bytes[CP_FRAME_HEADER])
{
  write_number(bytes, frame->length, 4);
  write_number(bytes + 4, frame->child, 4);
  bytes[8] = frame->kind;
  bytes[9] = 0;
  write_number(bytes + 10, frame->stream, 2);
}

static uint32_t longest(uint8_t kind)
{
  switch (kind) {
    case CP_FRAME_DATA: return CP_FRAME_LONGEST_DATA;
    case CP_FRAME_END:
    case CP_FRAME_STOP: return 0;
    case CP_FRAME_CREDIT: return 4;
    default: return CP_FRAME_LONGEST;
  }
}

bool cp_link_frame_read(cp_link_frame *frame, const unsigned char bytes[CP_FRAME_HEADER])
{
  *frame = (cp_link_frame){
      .length = read_number(bytes, 4),
      .child = read_number(bytes + 4, 4),
      .kind = bytes[8],
      .stream = (uint16_t)read_number(bytes + 10, 2),
  };
  return bytes[9] == 0 && frame->length <= longest(frame->kind) &&
         (frame->kind != CP_FRAME_CREDIT || frame->length == 4) &&
         (frame->kind <= CP_FRAME_CREDIT ? frame->kind >= CP_FRAME_DATA
                                         : frame->kind >= CP_FRAME_FIRST_OTHER);
}

void cp_link_credit_write(uint32_t credit, unsigned char bytes[4])
{
  write_number(bytes, credit, 4);
}

uint32_t cp_link_credit_read(const unsigned char bytes[4])
{
  return read_number(bytes, 4);
}

/* No text that a person reads has zeros in it. The two sides have different marks, so that a
 * launcher that only echoes is not taken for an agent. The zero that ends a string is no part of a
 * mark. */
const char *cp_link_mark(cp_link_side side)
{
  static const char host[CP_LINK_MARK + 1] = "\0child_process host   \0\n";
  static const char agent[CP_LINK_MARK + 1] = "\0child_process agent  \0\n";

  return side == CP_LINK_HOST ? host : agent;
}

size_t cp_link_mark_find(cp_link_side side, const char *bytes, size_t length)
{
  const char *mark = cp_link_mark(side);
  const char *end = bytes + length;
  const char *at = bytes;

  while (at != NULL && (size_t)(end - at) >= CP_LINK_MARK) {
    if (memcmp(at, mark, CP_LINK_MARK) == 0) {
      return (size_t)(at - bytes) + CP_LINK_MARK;
    }
    at = memchr(at + 1, mark[0], (size_t)(end - at) - 1);
  }
  return 0;
}
