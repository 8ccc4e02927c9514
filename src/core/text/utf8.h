/* UTF-8: reads and writes code points, and finds the valid part of a text. */
#ifndef CP_UTF8_H
#define CP_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Writes the three bytes of U+FFFD, and returns their end. */
uint8_t *cp_utf8_put_replacement(uint8_t *out);

/* Writes a code point, and returns its end. */
uint8_t *cp_utf8_put(uint32_t code_point, uint8_t *out);

/* Reads the code point at the start of `n` > 0 bytes, and returns its length. If the text starts
 * with invalid bytes, or ends within a character, reads U+FFFD and returns the number of bytes that
 * one U+FFFD replaces. */
size_t cp_utf8_next(const uint8_t *text, size_t n, uint32_t *code_point);

/* Returns the length of the run of ASCII characters at the start of the text. */
size_t cp_ascii_prefix(const uint8_t *text, size_t n);

/* Returns the length of the run of valid and complete characters at the start of the text. */
size_t cp_utf8_valid_prefix(const uint8_t *text, size_t n);

#endif
