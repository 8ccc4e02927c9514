/* The decoder's state. decode.c creates it; decode_member.c, decode_level.c and number_keys.c use
 * it. */
#ifndef CP_CLONE_DECODER_STATE_H
#define CP_CLONE_DECODER_STATE_H

#include "codec/clone/clone.h"
#include "codec/clone/input.h"
#include "codec/clone/object_form.h"
#include "codec/name_cache.h"

/* An open object: its members are being read. The Lua stack holds its table, or nil until the table
 * is made, and above that the members that have been read but not stored in the table. */
typedef struct cp_clone_level {
  int bottom; /* stack index of the table */
  uint32_t id;
  uint32_t length;     /* declared number of elements */
  uint32_t count;      /* number of elements or entries so far, with the current one */
  uint32_t properties; /* number of properties so far, with the current one */
  uint8_t form;
  bool is_gathered; /* its members are gathered in a list: see number_keys.h */
} cp_clone_level;

typedef struct cp_clone_decoder {
  lua_State *L;
  cp_clone_input in;
  uint32_t version;
  uint32_t next_id;
  uint64_t allowance;  /* number of bytes that views may still copy out of their ArrayBuffers */
  int limit;           /* the stack is reserved up to this index */
  int references;      /* stack index of the table of all objects by id; nil without references */
  uint64_t steps_left; /* along chains of keys that collide: see number_keys.h */
  int gathered;        /* stack index of the lists of gathered members; nil while there are none */
  int mark;            /* stack index of the array mark; nil until it is needed */
  int depth;           /* number of levels */
  bool has_names;
  cp_name_cache names;
  cp_clone_level levels[CP_CLONE_DEPTH];
} cp_clone_decoder;

/* What to do next. */
typedef enum cp_clone_step {
  CP_CLONE_STEP_FAILED, /* stop: the reason is in the input */
  CP_CLONE_STEP_BEGIN,  /* read a value */
  CP_CLONE_STEP_END,    /* go on after a value, which is on top of the stack */
  CP_CLONE_STEP_DONE    /* return the outermost value */
} cp_clone_step;

static inline cp_clone_step cp_clone_ended(bool good)
{
  return good ? CP_CLONE_STEP_END : CP_CLONE_STEP_FAILED;
}

static inline cp_clone_step cp_clone_failed(cp_clone_decoder *d, const char *reason)
{
  cp_clone_fail(&d->in, reason);
  return CP_CLONE_STEP_FAILED;
}

/* Members wait on the Lua stack until their object ends, so that its table is made with the right
 * size. The members of a long object are stored in portions of this many values. */
enum { CP_CLONE_PORTION = 256 };

#endif
