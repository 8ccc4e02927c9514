/* The Lua objects that stand for JavaScript's: tables with certain metatables. Their methods are
 * Lua's business; here they are their fields. */
#ifndef CP_CLONE_CLASS_H
#define CP_CLONE_CLASS_H

#include <lua.h>
#include <stdint.h>

typedef enum cp_clone_class {
  CP_CLONE_NO_CLASS,
  CP_CLONE_MAP,          /* key, value, key, value, ... from 1, or twice the mark of deleted ones */
  CP_CLONE_SET,          /* its values, from 1, or that mark */
  CP_CLONE_DATE,         /* time: milliseconds since 1970 */
  CP_CLONE_REGEXP,       /* source, flags: "gi" */
  CP_CLONE_BIGINT,       /* hex: "-0x1f" */
  CP_CLONE_ARRAY_BUFFER, /* bytes */
  CP_CLONE_TYPED_ARRAY,  /* type: "Uint8Array", bytes; also of DataView and Buffer */
  CP_CLONE_ERROR,        /* name, message, stack, cause */
  CP_CLONE_CLASSES = CP_CLONE_ERROR
} cp_clone_class;

/* Pushes a table with the metatable of each class, and the class of each metatable. */
void cp_clone_push_classes(lua_State *L);

/* The kinds of views on memory. */

enum { CP_CLONE_VIEW_BUFFER = 10, CP_CLONE_NO_TAG = 0 };

typedef struct cp_clone_view {
  uint32_t number; /* by which Node calls it when it writes one */
  const char *name;
  unsigned element_size;
  uint8_t tag; /* by which V8 calls it; CP_CLONE_NO_TAG for Node's Buffer */
} cp_clone_view;

/* Each returns NULL if there is no such view. */
const cp_clone_view *cp_clone_view_of_number(uint32_t number);
const cp_clone_view *cp_clone_view_of_tag(uint8_t tag);
const cp_clone_view *cp_clone_view_of_name(const char *name);

#endif
