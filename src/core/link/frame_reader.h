/* Separates what arrives on a link into frames: finds the mark of the other side, passes payloads
 * of data on in the pieces in which they arrive, and gathers those of other frames. */
#ifndef CP_LINK_FRAME_READER_H
#define CP_LINK_FRAME_READER_H

#include "core/base/buffer.h"
#include "core/link/frame.h"

#include <sys/types.h>

/* The most bytes before the mark of the other side. */
enum { CP_LINK_NOISE = 64 * 1024 };

/* Both may free what the reader holds. */
typedef struct cp_frame_reader_callbacks {
  /* Bytes of a data frame. Returns false if the other side has sent more than it may. */
  bool (*on_data)(void *owner, const cp_link_frame *frame, const char *bytes, size_t length);
  /* All of another frame. Its payload stays valid until the callback returns. */
  void (*on_frame)(void *owner, const cp_link_frame *frame, const char *payload);
} cp_frame_reader_callbacks;

typedef struct cp_frame_reader {
  cp_link_side from; /* the other side */
  const cp_frame_reader_callbacks *callbacks;
  void *owner;
  cp_buffer noise;  /* what has come before the mark */
  bool has_started; /* the mark was found */
  unsigned char header[CP_FRAME_HEADER];
  size_t header_length;
  cp_link_frame frame; /* once the header is complete */
  size_t missing;      /* bytes of its payload that have not arrived */
  cp_buffer payload;
} cp_frame_reader;

void cp_frame_reader_init(cp_frame_reader *reader, cp_link_side from,
                          const cp_frame_reader_callbacks *callbacks, void *owner);

/* Frees what it holds. May be called again. */
void cp_frame_reader_free(cp_frame_reader *reader);

/* Takes a part of the bytes that have arrived, at most up to the end of a frame. Returns how many,
 * -EPROTO if no peer that follows the protocol sends them, or -ENOMEM. */
ssize_t cp_frame_reader_take(cp_frame_reader *reader, const char *data, size_t length);

#endif
