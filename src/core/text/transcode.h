/* The functions of each encoding, in one file per encoding; encoding.c chooses among them. They
 * implement cp_decoder_write (`decode`), cp_decoder_finish (`finish`) and cp_encoding_encode
 * (`encode`), as encoding.h documents these. `n` is greater than 0. */
#ifndef CP_TRANSCODE_H
#define CP_TRANSCODE_H

#include "core/text/decoder_state.h"

#include <stddef.h>
#include <stdint.h>

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

/* The two UTF-16 units of a code point above U+FFFF. */
static inline uint16_t cp_utf16_high(uint32_t code_point)
{
  return (uint16_t)(0xD7C0 + (code_point >> 10));
}

static inline uint16_t cp_utf16_low(uint32_t code_point)
{
  return (uint16_t)(0xDC00 + (code_point & 0x3FF));
}

#endif
