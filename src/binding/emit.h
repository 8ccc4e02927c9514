/* Reports the events of handles to Lua. All handles use cpl_emit. */
#ifndef CPL_EMIT_H
#define CPL_EMIT_H

#include "binding/handle.h"

#include <string.h>

/* An argument of an event, not yet pushed: pushing may raise, so the protected call does it. */
typedef struct cpl_value {
  enum { CPL_NIL, CPL_INTEGER, CPL_BYTES, CPL_PUSHED } kind;
  union {
    lua_Integer integer;
    struct {
      const char *data;
      size_t length;
    } bytes;
    struct {
      void (*push)(lua_State *L, const void *argument);
      const void *argument;
    } pushed;
  } as;
} cpl_value;

static inline cpl_value cpl_nil(void)
{
  return (cpl_value){.kind = CPL_NIL};
}

static inline cpl_value cpl_integer(lua_Integer integer)
{
  return (cpl_value){.kind = CPL_INTEGER, .as.integer = integer};
}

/* A negative errno; nil if `r` is 0. */
static inline cpl_value cpl_errno(int r)
{
  return r == 0 ? cpl_nil() : cpl_integer(r);
}

/* A string of `length` bytes, which must stay valid until cpl_emit returns. */
static inline cpl_value cpl_bytes(const char *data, size_t length)
{
  return (cpl_value){.kind = CPL_BYTES, .as.bytes = {data, length}};
}

/* The same for a text that ends with a zero; nil if `text` is NULL. */
static inline cpl_value cpl_text(const char *text)
{
  return text == NULL ? cpl_nil() : cpl_bytes(text, strlen(text));
}

/* The value that `push` pushes, given `argument`. */
static inline cpl_value cpl_pushed(void (*push)(lua_State *L, const void *argument),
                                   const void *argument)
{
  return (cpl_value){.kind = CPL_PUSHED, .as.pushed = {push, argument}};
}

/* Calls owner:method(values...), and drains the ticks that it adds; see call.h for errors. The
 * handle must be anchored, and may have been collected when this returns. Returns false if the call
 * ran out of memory. */
bool cpl_emit(cpl_handle *handle, const char *method, const cpl_value *values, int count);

#endif
