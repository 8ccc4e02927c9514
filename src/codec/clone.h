/* Structured clone: V8's serialization format, as Node puts it on a channel with `serialization:
 * 'advanced'`, straight from and onto the Lua stack. Written is version 15 of the format; 13 to 15
 * are read. doc/manual.md says which value becomes which.
 *
 * V8 skips zero bytes before a value, and writes one at most, before strings in two-byte form. Here
 * a zero byte before another value is a private mark. It tells Lua what JavaScript cannot tell
 * apart:
 *
 *   mark before      means
 *   a double         a float, though an integer has the same value
 *   a BigInt         an object of the class BigInt, though an integer has the same value
 *   a key            a number that is the key, not its name
 *   a map            a table whose keys no JavaScript object can have
 *
 * Tables are read and written without their metamethods. Neither direction calls itself for what is
 * nested. */
#ifndef CP_CLONE_H
#define CP_CLONE_H

#include "../core/buffer.h"
#include "decode_error.h"

#include <lua.h>
#include <stdbool.h>

/* More tables within each other than this are an error, in both directions. */
#define CP_CLONE_DEPTH 1000

/* Appends header and value, and returns true: other than with JSON every value has a form. Raises an
 * error for what cannot be cloned (functions, coroutines, userdata, too much depth), where the
 * classes cannot be loaded, and for want of memory. Something may have been appended then, which the
 * caller takes back. Finalizers may run meanwhile: nobody else may touch `out`. `wrapped` is as for
 * cp_json_encode. */
bool cp_clone_encode(lua_State *L, int index, int wrapped, cp_buffer *out);

/* Raises such an error about the value at `index` as a whole. */
void cp_clone_raise(lua_State *L, int index, const char *reason);

/* Takes a function off the stack that makes the errors which cp_clone_encode raises: see raise.h. */
void cp_clone_set_error(lua_State *L);

/* Pushes the value that the bytes stand for. Returns false, with nothing pushed, if they are none, in
 * a version that is not known, or nested too deeply. What is allocated is bounded by the bytes that
 * are there, whatever they say. Raises for want of memory, and where the classes cannot be loaded.
 * The bytes have to stay as they are until then, also where finalizers run. */
bool cp_clone_decode(lua_State *L, const char *bytes, size_t length, cp_decode_error *error);

/* Takes a function off the stack that gives a list of the metatables of the classes (see
 * clone_class.h), called when the first of them is needed. */
void cp_clone_set_classes(lua_State *L);

/* Pushes the light userdata that stands for JavaScript's undefined. */
void cp_clone_push_undefined(lua_State *L);
bool cp_clone_is_undefined(lua_State *L, int index);

/* Pushes the light userdata that stands for an entry of a Map or Set that was deleted. */
void cp_clone_push_deleted(lua_State *L);
bool cp_clone_is_deleted(lua_State *L, int index);

#endif
