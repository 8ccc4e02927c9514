/* Writes leaf objects: objects of classes that hold no other values. */
#ifndef CP_CLONE_LEAF_OUTPUT_H
#define CP_CLONE_LEAF_OUTPUT_H

#include "codec/clone/class.h"
#include "codec/clone/output.h"

/* Returns whether the objects of the class are leaves. */
bool cp_clone_is_leaf(cp_clone_class class);

/* Writes the leaf object on top of the stack. Returns NULL, or for an invalid object the predicate
 * of an error message ("is a Date without a time"). In that case part of it may have been written,
 * and values may have been pushed. */
const char *cp_clone_put_leaf(cp_clone_output *out, cp_clone_class class);

#endif
