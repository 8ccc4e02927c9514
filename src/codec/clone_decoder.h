/* What the parts of the decoder share: the objects that are open, and what is to be done next. */
#ifndef CP_CLONE_DECODER_H
#define CP_CLONE_DECODER_H

#include "clone.h"
#include "clone_form.h"
#include "clone_input.h"
#include "name_cache.h"

/* An object that is open. On the Lua stack lies its table, or nil as long as that is not made. Above
 * it lie the members that have come and are not stored yet. */
typedef struct cp_clone_level {
  int bottom; /* where the table is */
  uint32_t id;
  uint32_t length;     /* as declared */
  uint32_t count;      /* members that have come, or are about to */
  uint32_t properties; /* the same */
  uint8_t form;
} cp_clone_level;

typedef struct cp_clone_decoder {
  lua_State *L;
  cp_clone_input in;
  uint32_t version;
  uint32_t next_id;
  size_t allowance; /* so many bytes of ArrayBuffers may still be copied for views */
  int limit;        /* as much of the Lua stack may be used */
  int references;   /* where the table of all objects by number is, nil without references */
  int mark;         /* where the mark of arrays is, nil before it is needed */
  int depth;
  bool has_names;
  cp_name_cache names;
  cp_clone_level levels[CP_CLONE_DEPTH];
} cp_clone_decoder;

/* What comes next. */
typedef enum cp_clone_step {
  CP_CLONE_STEP_FAILED,
  CP_CLONE_STEP_BEGIN, /* a value begins */
  CP_CLONE_STEP_END,   /* one has ended, and is on top of the stack */
  CP_CLONE_STEP_DONE
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

/* The members of a table wait on the Lua stack until it ends, so that it is made with the right
 * size. Of a long one they are moved over in portions of this many values. */
enum { CP_CLONE_PORTION = 256 };

/* Keeps the object on top of the stack, if there may be references to it. */
void cp_clone_remember(cp_clone_decoder *d, uint32_t id);

/* Pushes the table of an object that is still open, if it has this number. */
bool cp_clone_push_open(cp_clone_decoder *d, uint32_t id);

bool cp_clone_is_nan(lua_State *L, int index);

/* Moves what waits into the table. Returns false for what can be no key. */
bool cp_clone_store(cp_clone_decoder *d, const cp_clone_level *l);

/* Ends the innermost object, which becomes a value of the one around it. */
cp_clone_step cp_clone_end_level(cp_clone_decoder *d);

/* Goes on with the innermost object, above which the stack is `top` high: to its next member, or to
 * its end. */
cp_clone_step cp_clone_next_member(cp_clone_decoder *d, int top);

#endif
