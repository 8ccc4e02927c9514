/* Integers of any size: hexadecimal digits in Lua ("-0x1f"), bytes on the wire. */
#ifndef CP_CLONE_BIGINT_H
#define CP_CLONE_BIGINT_H

#include "clone_output.h"

/* Writes the BigInt of such digits, with the mark of an object. Returns false, with nothing written,
 * if they are none, or more than JavaScript can hold. */
bool cp_clone_put_bigint(cp_clone_output *out, const char *hex, size_t length);

/* Finds the integer that bytes (the lowest first) stand for, if it has 64 bits. */
bool cp_clone_bigint_fits(const char *bytes, size_t length, bool negative, lua_Integer *integer);

/* Pushes their digits. */
void cp_clone_push_hex(lua_State *L, const char *bytes, size_t length, bool negative);

#endif
