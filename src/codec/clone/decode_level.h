/* Stores the members of open objects, and closes them. */
#ifndef CP_CLONE_DECODE_LEVEL_H
#define CP_CLONE_DECODE_LEVEL_H

#include "codec/clone/decoder_state.h"

/* Records the object on top of the stack under its id, if the message has references. */
void cp_clone_remember(cp_clone_decoder *d, uint32_t id);

/* Pushes the table of the open object with this id. Returns false if there is no such object. */
bool cp_clone_push_open(cp_clone_decoder *d, uint32_t id);

/* Moves the waiting members into the table. Returns false for an invalid key. */
bool cp_clone_store(cp_clone_decoder *d, const cp_clone_level *l);

/* Closes the innermost object, which becomes a value of the object around it. */
cp_clone_step cp_clone_end_level(cp_clone_decoder *d);

#endif
