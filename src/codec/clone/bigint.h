/* BigInts: hexadecimal digits in Lua ("-0x1f"), little-endian bytes in the format. */
#ifndef CP_CLONE_BIGINT_H
#define CP_CLONE_BIGINT_H

#include "codec/clone/output.h"

/* Writes the BigInt with these digits, after the mark that makes it an object in Lua (clone.h).
 * Returns false and writes nothing if the digits are invalid, or too many for V8. */
bool cp_clone_put_bigint(cp_clone_output *out, const char *hex, size_t length);

/* Converts the bytes to an integer. Returns false if the value does not fit. */
bool cp_clone_bigint_to_integer(const char *bytes, size_t length, bool negative, int64_t *integer);

/* Pushes the bytes as a string of digits. */
void cp_clone_push_hex(lua_State *L, const char *bytes, size_t length, bool negative);

#endif
