/* The table of all kinds of views. */
#include "codec/clone/view.h"

#include <string.h>

static const cp_clone_view views[] = {
    {0, "Int8Array", 1, 'b'},
    {1, "Uint8Array", 1, 'B'},
    {2, "Uint8ClampedArray", 1, 'C'},
    {3, "Int16Array", 2, 'w'},
    {4, "Uint16Array", 2, 'W'},
    {5, "Int32Array", 4, 'd'},
    {6, "Uint32Array", 4, 'D'},
    {7, "Float32Array", 4, 'f'},
    {8, "Float64Array", 8, 'F'},
    {9, "DataView", 1, '?'},
    {CP_CLONE_VIEW_BUFFER, "Buffer", 1, CP_CLONE_NO_TAG},
    {11, "BigInt64Array", 8, 'q'},
    {12, "BigUint64Array", 8, 'Q'},
    {13, "Float16Array", 2, 'h'},
};

enum { VIEWS = sizeof(views) / sizeof(views[0]) };

const cp_clone_view *cp_clone_view_of_number(uint32_t number)
{
  return number < VIEWS ? &views[number] : NULL;
}

const cp_clone_view *cp_clone_view_of_tag(uint8_t tag)
{
  for (int i = 0; i < VIEWS; i++) {
    if (views[i].tag == tag && tag != CP_CLONE_NO_TAG) {
      return &views[i];
    }
  }
  return NULL;
}

const cp_clone_view *cp_clone_view_of_name(const char *name)
{
  for (int i = 0; i < VIEWS; i++) {
    if (strcmp(views[i].name, name) == 0) {
      return &views[i];
    }
  }
  return NULL;
}
