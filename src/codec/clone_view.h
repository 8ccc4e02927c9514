/* The kinds of views on memory: typed arrays, DataView and Node's Buffer. */
#ifndef CP_CLONE_VIEW_H
#define CP_CLONE_VIEW_H

#include <stdint.h>

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
