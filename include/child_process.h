/* child_process for Lua, as a part of a program written in C.
 *
 * A program that is linked with libchild_process.a contains the C part of the module. The Lua part
 * stays in its files: child_process.lua and the folder child_process, which must be on package.path
 * of every Lua state that uses the module, and must be of the same version. `pkg-config --cflags
 * --libs child_process` prints what compiling and linking need, for the Lua that the library was
 * built for.
 *
 * Each function works on one Lua state, and belongs to the thread that uses that state. Each state
 * has an event loop of its own, so states in several threads may use the module at the same time.
 *
 * The manual's chapter "In other programs" describes what the module does to the process, and how
 * a program that has its own event loop drives this one. */
#ifndef CHILD_PROCESS_H
#define CHILD_PROCESS_H

struct lua_State; /* lua.h */
struct uv_loop_s; /* uv.h: a uv_loop_t */

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CHILD_PROCESS_API __attribute__((visibility("default")))
#else
#define CHILD_PROCESS_API
#endif

/* The version of this header, as a string and as a number that grows with each version:
 * major * 1000000 + minor * 1000 + patch. */
#define CHILD_PROCESS_VERSION "1.0.0"
#define CHILD_PROCESS_VERSION_NUMBER 1000000

/* Returns the version of the library: CHILD_PROCESS_VERSION when that was compiled. */
CHILD_PROCESS_API const char *child_process_version(void);

/* Loads the module in a Lua state, as require("child_process") does, with the C part in this
 * program. The standard libraries must be open (luaL_openlibs). From then on `require` in scripts
 * of this state returns the same module.
 *
 * Returns 0 (LUA_OK) and pushes the module. Otherwise returns the status of lua_pcall and pushes a
 * message: the Lua files were not found, or are of another version; a script has loaded the module
 * with a C part that is not this one; the system refuses an event loop; there is not enough
 * memory. */
CHILD_PROCESS_API int child_process_open(struct lua_State *L);

/* Makes the module run on the host's libuv loop in this Lua state: uv_run on that loop calls back
 * into Lua. Call it before the module is loaded. NULL, the default, is a loop of the module's own.
 * The library and the host must use the same libuv. The loop must outlive the Lua state, or the
 * call of child_process_close. May raise a Lua error when out of memory.
 *
 * Returns 0, or -EBUSY and changes nothing if the module was loaded in this state already. */
CHILD_PROCESS_API int child_process_set_loop(struct lua_State *L, struct uv_loop_s *loop);

/* Closes everything that the module has open in a Lua state, as lua_close does, but leaves the
 * state itself open: timers, streams, servers, sockets, channels, and the loop unless it is the
 * host's. No callback is called. Messages that were accepted are written first, which waits until
 * the receivers have read them. Children go on running with closed pipes, and are still reaped when
 * they end. Afterwards most functions and methods of the module raise errors in this state, and it
 * cannot be loaded there again.
 *
 * A host's libuv loop frees the closed handles when it runs next: after one uv_run nothing of the
 * module is left in it, and it can be closed.
 *
 * Returns 0, also if there is nothing to close. Returns -EBUSY and does nothing while cp.run or a
 * callback of the module is running in this state. */
CHILD_PROCESS_API int child_process_close(struct lua_State *L);

/* The C part alone, a lua_CFunction. For a host whose scripts load the module only when they need
 * it: the host stores the function in package.preload["child_process.core"]. Does not check the
 * version of the Lua files. */
CHILD_PROCESS_API int luaopen_child_process_core(struct lua_State *L);

#ifdef __cplusplus
}
#endif

#endif
