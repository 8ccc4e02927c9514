/* Protects the decoder against tables whose number keys collide.
 *
 * Lua derives a number's place in a table from a remainder, so a sender who knows the size of the
 * table can choose numbers that all have the same place. Such keys form a chain, and Lua searches
 * the whole chain for each new key: n keys take n * n / 2 steps. Therefore an object that has
 * number keys and more members than a portion is not stored as its members arrive. The decoder
 * gathers them in a list. At the end of the object it counts the steps before it fills the table,
 * and fails if the message takes more steps than cp_clone_step_limit allows. */
#ifndef CP_CLONE_NUMBER_KEYS_H
#define CP_CLONE_NUMBER_KEYS_H

#include "codec/clone/decoder_state.h"

/* Returns the number of steps that a message of this length may take. */
uint64_t cp_clone_step_limit(size_t length);

/* Returns whether the value is NaN, which is not a valid key. */
bool cp_clone_is_nan(lua_State *L, int index);

/* Moves the waiting keys and values to the list of the object, and marks it as gathered. Does
 * nothing and returns false if none of its keys so far is a number. */
bool cp_clone_gather(cp_clone_decoder *d, cp_clone_level *l);

/* Moves all gathered and waiting members into the table. Returns false if that takes too many
 * steps, and for an invalid key. */
bool cp_clone_store_gathered(cp_clone_decoder *d, const cp_clone_level *l);

#endif
