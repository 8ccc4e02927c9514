/* Strings of Lua and the text between the quotes of a JSON string. */
#ifndef CP_JSON_TEXT_H
#define CP_JSON_TEXT_H

#include "../core/buffer.h"

#include <stddef.h>

/* How many bytes at the start stand for themselves in both: valid UTF-8 without quotes, backslashes
 * and control characters. */
size_t cp_json_plain(const char *text, size_t length);

/* Appends the JSON string of a text, with U+FFFD for what is not valid UTF-8, and one more
 * character behind it. -ENOMEM if there is no room; some of it may have been appended then. */
int cp_json_write_string(cp_buffer *out, const char *text, size_t length, char after);

#endif
