/* The encoder's state. encode.c creates it; encode_member.c, encode_value.c and encode_error.c use
 * it. */
#ifndef CP_CLONE_ENCODER_STATE_H
#define CP_CLONE_ENCODER_STATE_H

#include "codec/clone/clone.h"
#include "codec/clone/ids.h"
#include "codec/clone/object_form.h"
#include "codec/clone/output.h"

/* Stack slots for the values that one step pushes. */
enum { CP_CLONE_STACK_NEEDED = 16 };

/* An open table: its members are being written. A level holds two values on the Lua stack: the
 * table, and above it the key of the current member. If that member is a table, too, the two values
 * of its level follow. */
typedef struct cp_clone_encoder_level {
  size_t start;        /* offset of the table's tag in the output */
  uint32_t length;     /* number of elements or entries */
  uint32_t index;      /* of the current element or entry, from 1 */
  uint32_t properties; /* properties written so far, or entries of a Map or Set */
  uint8_t form;
  bool has_others;  /* the array has keys besides its elements */
  bool value_waits; /* the current key has been written, its value has not */
} cp_clone_encoder_level;

typedef struct cp_clone_encoder {
  lua_State *L;
  cp_clone_output out;
  const void *array_mark; /* the metatable that marks arrays */
  int bottom;             /* stack index of the outermost table */
  int wrapped;            /* number of outermost tables that errors do not name */
  int depth;              /* number of levels */
  cp_clone_ids ids;
  cp_clone_encoder_level levels[CP_CLONE_DEPTH];
} cp_clone_encoder;

/* The stack index of the innermost open table. */
static inline int cp_clone_table_at(const cp_clone_encoder *e)
{
  return e->bottom + 2 * (e->depth - 1);
}

#endif
