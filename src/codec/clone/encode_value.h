/* Encodes single values. */
#ifndef CP_CLONE_ENCODE_VALUE_H
#define CP_CLONE_ENCODE_VALUE_H

#include "codec/clone/encoder_state.h"

/* Writes the value on top of the stack and pops it. If the value is a table with members, writes
 * only its start and leaves the table on the stack as the new innermost level. */
void cp_clone_encode_value(cp_clone_encoder *e);

#endif
