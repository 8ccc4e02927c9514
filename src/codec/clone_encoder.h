/* What the parts of the encoder share: the tables that are open. */
#ifndef CP_CLONE_ENCODER_H
#define CP_CLONE_ENCODER_H

#include "clone.h"
#include "clone_form.h"
#include "clone_ids.h"
#include "clone_output.h"

/* A table that is open. On the Lua stack lies the table, and above it the key of the member that is
 * being written. If that member is a table, that one and its key lie above these two. */
typedef struct cp_clone_encoder_level {
  size_t begin; /* where its tag is */
  uint32_t length;
  uint32_t index;      /* entries that were written */
  uint32_t properties; /* that were written */
  uint8_t form;
  bool has_others;
  bool value_waits; /* a key that is a table was written, its value was not */
} cp_clone_encoder_level;

typedef struct cp_clone_encoder {
  lua_State *L;
  cp_clone_output out;
  const void *array_mark;
  int bottom;  /* where the outermost table lies */
  int wrapped; /* so many outermost tables are not named in errors */
  int depth;
  cp_clone_ids ids;
  cp_clone_encoder_level levels[CP_CLONE_DEPTH];
} cp_clone_encoder;

/* Where the innermost table lies on the Lua stack. */
static inline int cp_clone_table_at(const cp_clone_encoder *e)
{
  return e->bottom + 2 * (e->depth - 1);
}

/* Writes the value on top of the stack and takes it off; or begins it, if it holds others. */
void cp_clone_put_value(cp_clone_encoder *e);

/* Writes the members of all tables that are open, and of those that are begun meanwhile, and their ends. */
void cp_clone_put_members(cp_clone_encoder *e);

#endif
