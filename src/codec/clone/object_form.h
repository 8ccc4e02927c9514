/* The layouts of an object's members in the format. The encoder and the decoder record the layout
 * of each open object. */
#ifndef CP_CLONE_OBJECT_FORM_H
#define CP_CLONE_OBJECT_FORM_H

#include <stdbool.h>

typedef enum cp_clone_form {
  CP_CLONE_FORM_OBJECT, /* names and values */
  CP_CLONE_FORM_PAIRS, /* keys and values of a table with keys that no JavaScript object can have */
  CP_CLONE_FORM_ELEMENTS, /* elements of a dense array; its other keys follow as OTHERS */
  CP_CLONE_FORM_OTHERS,   /* keys and values of a dense array, after its elements */
  CP_CLONE_FORM_SPARSE,   /* keys and values of a sparse array, which has no elements */
  CP_CLONE_FORM_MAP,      /* entries: a key, its value, the next key, ... */
  CP_CLONE_FORM_SET,
  CP_CLONE_FORM_ERROR, /* kind, message, stack and cause */
  CP_CLONE_FORM_HOST,  /* one value, which represents an object of Node's; decoder only */
} cp_clone_form;

/* True if the members are entries, numbered from 1; false if they are keys and values. */
static inline bool cp_clone_is_sequence(unsigned form)
{
  return form == CP_CLONE_FORM_ELEMENTS || form == CP_CLONE_FORM_MAP || form == CP_CLONE_FORM_SET;
}

#endif
