/* What each file of this folder adds to the module's table, for core.c. Every function takes that
 * table on top of the stack, adds its fields, and leaves the stack as it was. A comment at
 * each C function that Lua sees describes its arguments and results; types/core.lua lists all. */
#ifndef CPL_PARTS_H
#define CPL_PARTS_H

#include "compat/lua.h"

void cpl_add_call(lua_State *L);
void cpl_add_channel(lua_State *L);
void cpl_add_channel_send(lua_State *L);
void cpl_add_child(lua_State *L);
void cpl_add_child_pipes(lua_State *L);
void cpl_add_clone(lua_State *L);
void cpl_add_codec(lua_State *L);
void cpl_add_coroutine(lua_State *L);
void cpl_add_datagram(lua_State *L);
void cpl_add_datagram_options(lua_State *L);
void cpl_add_descriptor(lua_State *L);
void cpl_add_emit(lua_State *L);
void cpl_add_encoding(lua_State *L);
void cpl_add_immediate(lua_State *L);
void cpl_add_inherited(lua_State *L);
void cpl_add_json(lua_State *L);
void cpl_add_kept_errors(lua_State *L);
void cpl_add_link(lua_State *L);
void cpl_add_link_streams(lua_State *L);
void cpl_add_listener(lua_State *L);
void cpl_add_load(lua_State *L);
void cpl_add_lookup(lua_State *L);
void cpl_add_loop_handles(lua_State *L);
void cpl_add_object(lua_State *L);
void cpl_add_os_constants(lua_State *L);
void cpl_add_raising(lua_State *L);
void cpl_add_run(lua_State *L);
void cpl_add_signal(lua_State *L);
void cpl_add_socket(lua_State *L);
void cpl_add_spawn_arguments(lua_State *L);
void cpl_add_spawn_attributes(lua_State *L);
void cpl_add_stream(lua_State *L);
void cpl_add_stream_splice(lua_State *L);
void cpl_add_stream_write(lua_State *L);
void cpl_add_sync(lua_State *L);
void cpl_add_system(lua_State *L);
void cpl_add_terminal(lua_State *L);
void cpl_add_timer(lua_State *L);
void cpl_add_usage(lua_State *L);

#endif
