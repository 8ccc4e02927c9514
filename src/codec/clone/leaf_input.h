/* Reads leaf objects: objects that hold no other values. */
#ifndef CP_CLONE_LEAF_INPUT_H
#define CP_CLONE_LEAF_INPUT_H

#include "codec/clone/input.h"

/* Each of these reads the object whose tag has been read, and pushes it. They return false for an
 * error, as the functions of input.h do. */
bool cp_clone_read_date(cp_clone_input *in, lua_State *L);
bool cp_clone_read_regexp(cp_clone_input *in, lua_State *L);
/* With `as_object` the result is an object even if a Lua integer has the same value. */
bool cp_clone_read_bigint(cp_clone_input *in, lua_State *L, bool as_object);
bool cp_clone_read_array_buffer(cp_clone_input *in, lua_State *L, bool is_resizable);

/* Reads a view in a host object, as Node writes it. A Buffer becomes a string. */
bool cp_clone_read_host_view(cp_clone_input *in, lua_State *L);

/* Reads a view as V8 writes it, and replaces the ArrayBuffer on top of the stack by it. Subtracts
 * the number of copied bytes from `*allowance`; running out of it is an error. */
bool cp_clone_read_view(cp_clone_input *in, lua_State *L, uint32_t version, uint64_t *allowance);

#endif
