/* The text between the quotes of a JSON string: which bytes of a Lua string it contains unchanged,
 * and how the others are escaped. */
#ifndef CP_JSON_ESCAPE_H
#define CP_JSON_ESCAPE_H

#include "core/base/buffer.h"

#include <stddef.h>

/* Returns the number of plain bytes at the start of the text. Plain bytes are the same in the
 * string and in its JSON: valid UTF-8 without quotes, backslashes and control characters. */
size_t cp_json_plain_prefix(const char *text, size_t length);

/* Appends a text as a JSON string, with U+FFFD for invalid UTF-8, and then the character `after`.
 * Returns 0 or -ENOMEM; on failure a part may have been appended. */
int cp_json_write_string(cp_buffer *out, const char *text, size_t length, char after);

#endif
