/* The errors of the encoder. */
#ifndef CP_CLONE_ENCODE_ERROR_H
#define CP_CLONE_ENCODE_ERROR_H

#include "codec/clone/encoder_state.h"

/* Raises an error about the value on top of the stack, the current member of the innermost
 * table. */
void cp_clone_encode_error(cp_clone_encoder *e, const char *reason);

#endif
