/* Writes tags, numbers, strings and views. All of these functions raise when out of memory. */
#ifndef CP_CLONE_OUTPUT_H
#define CP_CLONE_OUTPUT_H

#include "codec/clone/format.h"
#include "codec/raise.h"
#include "compat/lua.h"
#include "core/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct cp_clone_output {
  lua_State *L;
  cp_buffer *buffer;
  uint32_t next_id; /* the id of the next object */
} cp_clone_output;

/* The greatest length of a varint, which has seven bits of its number in each byte. */
enum { CP_CLONE_VARINT_BOUND = 10 };

/* Makes room for `size` more bytes, and returns a pointer to it. */
static inline char *cp_clone_room(cp_clone_output *out, size_t size)
{
  if (cp_buffer_reserve(out->buffer, size) != 0) {
    cp_raise_memory(out->L);
  }
  return out->buffer->data + out->buffer->length;
}

/* Writes a varint, and returns its end. */
static inline char *cp_clone_varint(char *to, uint64_t number)
{
  while (number >= 0x80) {
    *to++ = (char)(number | 0x80);
    number >>= 7;
  }
  *to++ = (char)number;
  return to;
}

static inline void cp_clone_put_byte(cp_clone_output *out, char byte)
{
  *cp_clone_room(out, 1) = byte;
  out->buffer->length++;
}

static inline void cp_clone_put_varint(cp_clone_output *out, uint64_t number)
{
  cp_buffer_end_at(out->buffer, cp_clone_varint(cp_clone_room(out, CP_CLONE_VARINT_BOUND), number));
}

/* Writes a tag and a varint. */
void cp_clone_put_counted(cp_clone_output *out, cp_clone_tag tag, uint64_t number);

/* Writes a tag, a length and the bytes. */
void cp_clone_put_bytes(cp_clone_output *out, cp_clone_tag tag, const char *bytes, size_t length);

/* Writes a tag and a double. */
void cp_clone_put_double(cp_clone_output *out, cp_clone_tag tag, double real);

/* Writes a Lua number such that decoding yields the same number of the same subtype. */
void cp_clone_put_number(cp_clone_output *out, int index);

/* Writes the cdata on top of the stack like the same integer of Lua. Returns false if it is no
 * integer. */
bool cp_clone_put_cdata(cp_clone_output *out);

/* Writes a number as the key of a member, with the mark that keeps it a number in Lua. */
void cp_clone_put_number_key(cp_clone_output *out, int index);

/* Returns whether the text is valid UTF-8, so that it can be a JavaScript string. */
bool cp_clone_is_text(const char *text, size_t length);

/* Writes the text as a JavaScript string and returns true. Returns false and writes nothing if the
 * text is not valid UTF-8. */
bool cp_clone_put_if_text(cp_clone_output *out, const char *text, size_t length);

/* Writes a text as a JavaScript string, valid or not. JavaScript reads invalid bytes as U+FFFD; our
 * decoder returns them unchanged. */
void cp_clone_put_text(cp_clone_output *out, const char *text, size_t length);

/* Writes a Lua string: as a JavaScript string if it is valid UTF-8, else as a Buffer, which takes
 * an id. */
void cp_clone_put_string(cp_clone_output *out, const char *text, size_t length);

/* Writes a view in the host object that Node uses for it. It takes an id. */
void cp_clone_put_view(cp_clone_output *out, unsigned view, const char *bytes, size_t length);

#endif
