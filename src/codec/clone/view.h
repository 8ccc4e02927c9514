/* The kinds of views on an ArrayBuffer: typed arrays, DataView and Node's Buffer. */
#ifndef CP_CLONE_VIEW_H
#define CP_CLONE_VIEW_H

#include <stdint.h>

enum { CP_CLONE_VIEW_BUFFER = 10, CP_CLONE_NO_TAG = 0 };

typedef struct cp_clone_view {
  uint32_t number; /* identifies the kind in a host object, which Node writes */
  const char *name;
  unsigned element_size;
  uint8_t tag; /* identifies the kind in V8's views; CP_CLONE_NO_TAG for Buffer */
} cp_clone_view;

/* Each of these returns NULL for an unknown kind. */
const cp_clone_view *cp_clone_view_of_number(uint32_t number);
const cp_clone_view *cp_clone_view_of_tag(uint8_t tag);
const cp_clone_view *cp_clone_view_of_name(const char *name);

#endif
