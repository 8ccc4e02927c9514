/* Writing the parts of a value that are no tables. All of these raise for want of memory. */
#ifndef CP_CLONE_OUTPUT_H
#define CP_CLONE_OUTPUT_H

#include "../core/buffer.h"
#include "clone_tags.h"

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct cp_clone_output {
  lua_State *L;
  cp_buffer *buffer;
  uint32_t next_id; /* of the next object */
} cp_clone_output;

/* The most bytes of a number in the form with seven bits in each. */
enum { CP_CLONE_VARINT_BOUND = 10 };

/* Makes room for so many more bytes. */
void cp_clone_grow(cp_clone_output *out, size_t size);

/* The same, and returns where they begin. */
static inline char *cp_clone_room(cp_clone_output *out, size_t size)
{
  if (out->buffer->capacity - out->buffer->length < size) {
    cp_clone_grow(out, size);
  }
  return out->buffer->data + out->buffer->length;
}

/* Counts what was written into the room. */
static inline void cp_clone_wrote(cp_clone_output *out, const char *end)
{
  out->buffer->length = (size_t)(end - out->buffer->data);
}

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
  cp_clone_wrote(out, cp_clone_varint(cp_clone_room(out, CP_CLONE_VARINT_BOUND), number));
}

/* A tag and a number. */
void cp_clone_put_counted(cp_clone_output *out, cp_clone_tag tag, uint64_t number);

/* A tag, the length of bytes, and these. */
void cp_clone_put_bytes(cp_clone_output *out, cp_clone_tag tag, const char *bytes, size_t length);

/* A tag and a float. */
void cp_clone_put_double(cp_clone_output *out, cp_clone_tag tag, double real);

/* A Lua number, so that it is read again as the same one. */
void cp_clone_put_number(cp_clone_output *out, int index);

/* The number that is a key of an object and not the name of a property. */
void cp_clone_put_number_key(cp_clone_output *out, int index);

/* Whether a text can be a JavaScript string. */
bool cp_clone_is_text(const char *text, size_t length);

/* The same, and writes it then. */
bool cp_clone_put_if_text(cp_clone_output *out, const char *text, size_t length);

/* A JavaScript string. What is not valid in it becomes U+FFFD there, and comes back as it is here. */
void cp_clone_put_text(cp_clone_output *out, const char *text, size_t length);

/* A string if it is text, else a Buffer, which counts among the objects. */
void cp_clone_put_string(cp_clone_output *out, const char *text, size_t length);

/* A view on bytes as Node writes it: it, too, counts among the objects. */
void cp_clone_put_view(cp_clone_output *out, unsigned view, const char *bytes, size_t length);

#endif
