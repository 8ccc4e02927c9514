/* Keeps the header and the payload of a frame until all of it has arrived. */
#include "core/link/frame_reader.h"

#include <errno.h>

void cp_frame_reader_init(cp_frame_reader *reader, cp_link_side from,
                          const cp_frame_reader_callbacks *callbacks, void *owner)
{
  *reader = (cp_frame_reader){.from = from, .callbacks = callbacks, .owner = owner};
}

void cp_frame_reader_free(cp_frame_reader *reader)
{
  cp_buffer_free(&reader->noise);
  cp_buffer_free(&reader->payload);
}

/* Takes a part of the header. Returns the number of bytes, or a negative errno. */
static ssize_t take_header(cp_frame_reader *reader, const char *data, size_t length)
{
  size_t taken = 0;

  while (taken < length && reader->header_length < CP_FRAME_HEADER) {
    reader->header[reader->header_length++] = (unsigned char)data[taken++];
  }
  if (reader->header_length == CP_FRAME_HEADER) {
    if (!cp_link_frame_read(&reader->frame, reader->header)) {
      return -EPROTO;
    }
    reader->missing = reader->frame.length;
    cp_buffer_reset(&reader->payload);
  }
  return (ssize_t)taken;
}

/* Takes a part of the payload. */
static ssize_t take_payload(cp_frame_reader *reader, const char *data, size_t length)
{
  size_t taken = length < reader->missing ? length : reader->missing;
  int r = 0;

  if (reader->frame.kind != CP_FRAME_DATA) {
    r = cp_buffer_append(&reader->payload, data, taken);
  } else if (!reader->callbacks->on_data(reader->owner, &reader->frame, data, taken)) {
    r = -EPROTO;
  }
  reader->missing -= taken;
  return r < 0 ? r : (ssize_t)taken;
}

/* Takes a part of a frame, and passes it on if that was the last one. */
static ssize_t take_frame(cp_frame_reader *reader, const char *data, size_t length)
{
  ssize_t n = reader->header_length < CP_FRAME_HEADER ? take_header(reader, data, length)
                                                      : take_payload(reader, data, length);

  if (n >= 0 && reader->header_length == CP_FRAME_HEADER && reader->missing == 0) {
    reader->header_length = 0;
    if (reader->frame.kind != CP_FRAME_DATA) {
      reader->callbacks->on_frame(reader->owner, &reader->frame, reader->payload.data);
    }
  }
  return n;
}

/* Takes bytes before the first frame. */
static ssize_t take_noise(cp_frame_reader *reader, const char *data, size_t length)
{
  size_t before = reader->noise.length;
  size_t found = 0;

  if (cp_buffer_append(&reader->noise, data, length) < 0) {
    return -ENOMEM;
  }
  found = cp_link_mark_find(reader->from, reader->noise.data, reader->noise.length);
  if (found == 0) {
    return reader->noise.length > CP_LINK_NOISE ? -EPROTO : (ssize_t)length;
  }
  reader->has_started = true;
  reader->noise.length = found - CP_LINK_MARK;
  return (ssize_t)(found - before);
}

ssize_t cp_frame_reader_take(cp_frame_reader *reader, const char *data, size_t length)
{
  return reader->has_started ? take_frame(reader, data, length) : take_noise(reader, data, length);
}
