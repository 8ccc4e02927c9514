/* Encodes the members of open tables. */
#ifndef CP_CLONE_ENCODE_MEMBER_H
#define CP_CLONE_ENCODE_MEMBER_H

#include "codec/clone/encoder_state.h"

/* Writes the members and the end of each open table, including the tables that are opened on the
 * way, until no level is left. */
void cp_clone_encode_members(cp_clone_encoder *e);

#endif
