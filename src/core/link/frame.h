/* The frames of a link: twelve bytes, all numbers with the highest byte first, and a payload.
 *
 *     length  4   of the payload
 *     child   4   the number that the host has given it; 0 for the link itself
 *     kind    1
 *     zero    1
 *     stream  2   the child's descriptor, where the kind is about a stream
 *
 * Before its first frame each side writes a mark, by which the other side finds the start among
 * what launchers and shells print. */
#ifndef CP_LINK_FRAME_H
#define CP_LINK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CP_FRAME_HEADER = 12,
  /* The longest payload of a data frame, and of any other. */
  CP_FRAME_LONGEST_DATA = 64 * 1024,
  CP_FRAME_LONGEST = 64 * 1024 * 1024,
};

typedef enum cp_frame_kind {
  CP_FRAME_DATA = 1,   /* bytes of a stream */
  CP_FRAME_END = 2,    /* no more data of this stream follows */
  CP_FRAME_STOP = 3,   /* the other side need send no more data of this stream: nobody reads it */
  CP_FRAME_CREDIT = 4, /* how many more bytes of it may be sent: four bytes */
  /* The meaning of the others is up to the owner of the link. */
  CP_FRAME_FIRST_OTHER = 16,
} cp_frame_kind;

typedef struct cp_link_frame {
  uint32_t length;
  uint32_t child;
  uint8_t kind;
  uint16_t stream;
} cp_link_frame;

void cp_link_frame_write(const cp_link_frame *frame, unsigned char bytes[CP_FRAME_HEADER]);

/* Returns false if no peer that follows the protocol sends such a frame. */
bool cp_link_frame_read(cp_link_frame *frame, const unsigned char bytes[CP_FRAME_HEADER]);

/* The payload of a credit frame. */
void cp_link_credit_write(uint32_t credit, unsigned char bytes[4]);
uint32_t cp_link_credit_read(const unsigned char bytes[4]);

/* Which side of a link. */
typedef enum cp_link_side { CP_LINK_HOST, CP_LINK_AGENT } cp_link_side;

enum { CP_LINK_MARK = 24 };

/* The mark that this side writes. */
const char *cp_link_mark(cp_link_side side);

/* Returns the position after the first mark of `side`, or 0 if it is not among the bytes. */
size_t cp_link_mark_find(cp_link_side side, const char *bytes, size_t length);

#endif
