/* Reads what lies between the values of an object: keys, counts and the end. */
#ifndef CP_CLONE_DECODE_MEMBER_H
#define CP_CLONE_DECODE_MEMBER_H

#include "codec/clone/decoder_state.h"

/* Advances the innermost object to its next member, or closes it. `top` is the height of the
 * stack. */
cp_clone_step cp_clone_next_member(cp_clone_decoder *d, int top);

#endif
