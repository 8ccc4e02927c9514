/* Writing leaf objects: those of the classes whose objects hold no other values. */
#ifndef CP_CLONE_LEAF_OUTPUT_H
#define CP_CLONE_LEAF_OUTPUT_H

#include "clone_class.h"
#include "clone_output.h"

/* Whether objects of the class are written by the next one. */
bool cp_clone_is_leaf(cp_clone_class class);

/* Writes the object on top of the stack. Returns NULL, or what is wrong with it as the rest of a
 * sentence; then something may have been written and pushed. */
const char *cp_clone_put_leaf(cp_clone_output *out, cp_clone_class class);

#endif
