/* Reading leaf objects: those that hold no other values. */
#ifndef CP_CLONE_LEAF_INPUT_H
#define CP_CLONE_LEAF_INPUT_H

#include "clone_input.h"

/* Each pushes what comes behind the tag; false: see clone_input.h. */
bool cp_clone_read_date(cp_clone_input *in, lua_State *L);
bool cp_clone_read_regexp(cp_clone_input *in, lua_State *L);
bool cp_clone_read_bigint(cp_clone_input *in, lua_State *L, bool as_object);
bool cp_clone_read_array_buffer(cp_clone_input *in, lua_State *L, bool is_resizable);

/* A view as Node writes it: a Buffer is a string. */
bool cp_clone_read_host_view(cp_clone_input *in, lua_State *L);

/* A view as V8 writes it, of the ArrayBuffer on top, whose place it takes. So many bytes may be
 * copied for it, which are taken off. */
bool cp_clone_read_view(cp_clone_input *in, lua_State *L, uint32_t version, size_t *allowance);

#endif
