/* The single encodings, for encoding.c, which chooses among them. Each function keeps the promises
 * of cp_decoder_write, cp_decoder_finish or cp_encoding_encode, for n > 0. */
#ifndef CP_ENCODING_PARTS_H
#define CP_ENCODING_PARTS_H

#include <stdint.h>

#include "encoding.h"

/* Writes the three bytes of U+FFFD and returns where they end. */
uint8_t *cp_utf8_put_replacement(uint8_t *out);

/* Writes a code point as UTF-8 and returns where it ends. */
uint8_t *cp_utf8_put(uint32_t code_point, uint8_t *out);

/* Takes the next code point from `n` > 0 bytes of text and returns how many bytes it took. What is
 * not valid, or is cut off by the end, is U+FFFD. */
size_t cp_utf8_next(const uint8_t *text, size_t n, uint32_t *code_point);

/* The length of the run of ASCII characters, and of valid UTF-8, at the start of the text. */
size_t cp_ascii_prefix(const uint8_t *text, size_t n);
size_t cp_utf8_valid_prefix(const uint8_t *text, size_t n);

/* Code points above U+FFFF are two units in UTF-16. */
static inline uint16_t cp_utf16_high(uint32_t code_point)
{
  return (uint16_t)(0xD7C0 + (code_point >> 10));
}
static inline uint16_t cp_utf16_low(uint32_t code_point)
{
  return (uint16_t)(0xDC00 + (code_point & 0x3FF));
}

size_t cp_utf8_decode(cp_decoder *decoder, const uint8_t *in, size_t n, uint8_t *out);
size_t cp_utf8_finish(cp_decoder *decoder, uint8_t *out);

size_t cp_utf16_decode(cp_decoder *decoder, const uint8_t *in, size_t n, uint8_t *out);
size_t cp_utf16_finish(cp_decoder *decoder, uint8_t *out);
size_t cp_utf16_encode(const uint8_t *in, size_t n, uint8_t *out);

size_t cp_latin1_decode(const uint8_t *in, size_t n, uint8_t *out);
size_t cp_latin1_encode(const uint8_t *in, size_t n, uint8_t *out);
size_t cp_ascii_decode(const uint8_t *in, size_t n, uint8_t *out);

size_t cp_hex_decode(const uint8_t *in, size_t n, uint8_t *out);
size_t cp_hex_encode(const uint8_t *in, size_t n, uint8_t *out);

size_t cp_base64_decode(cp_decoder *decoder, const uint8_t *in, size_t n, uint8_t *out);
size_t cp_base64_finish(cp_decoder *decoder, uint8_t *out);
size_t cp_base64_encode(const uint8_t *in, size_t n, uint8_t *out);

#endif
