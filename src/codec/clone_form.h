/* The forms that an object with members takes in the bytes. */
#ifndef CP_CLONE_FORM_H
#define CP_CLONE_FORM_H

#include <stdbool.h>

typedef enum cp_clone_form {
  CP_CLONE_FORM_OBJECT,   /* names and values */
  CP_CLONE_FORM_PAIRS,    /* keys and values of a table whose keys no JavaScript object can have */
  CP_CLONE_FORM_ELEMENTS, /* entries of an array; its other fields come behind them */
  CP_CLONE_FORM_OTHERS,   /* keys and values of an array, behind its elements */
  CP_CLONE_FORM_SPARSE,   /* keys and values of an array that has no elements */
  CP_CLONE_FORM_MAP,      /* keys and values, kept in turns */
  CP_CLONE_FORM_SET,
  CP_CLONE_FORM_ERROR, /* kind, message, cause and stack */
  CP_CLONE_FORM_HOST,  /* the one value that stands for an object of Node's; only read */
} cp_clone_form;

/* Whether the members are entries from 1, and not keys and values. */
static inline bool cp_clone_is_sequence(unsigned form)
{
  return form == CP_CLONE_FORM_ELEMENTS || form == CP_CLONE_FORM_MAP || form == CP_CLONE_FORM_SET;
}

#endif
