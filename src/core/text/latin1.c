/* Latin-1 and ASCII: a byte per character. */
#include "core/text/transcode.h"
#include "core/text/utf8.h"

size_t cp_latin1_decode(const uint8_t *in, size_t n, uint8_t *out)
{
  const uint8_t *start = out;
  for (size_t i = 0; i < n; i++) {
    uint8_t byte = in[i];
    if (byte < 0x80) {
      *out++ = byte;
    } else {
      *out++ = (uint8_t)(0xC0 | byte >> 6);
      *out++ = (uint8_t)(0x80 | (byte & 0x3F));
    }
  }
  return (size_t)(out - start);
}

size_t cp_latin1_encode(const uint8_t *in, size_t n, uint8_t *out)
{
  const uint8_t *end = in + n, *start = out;
  while (in < end) {
    uint32_t code_point;
    in += cp_utf8_next(in, (size_t)(end - in), &code_point);
    if (code_point > 0xFFFF) {
      *out++ = (uint8_t)(cp_utf16_high(code_point) & 0xFF);
      code_point = cp_utf16_low(code_point);
    }
    *out++ = (uint8_t)(code_point & 0xFF);
  }
  return (size_t)(out - start);
}

/* As in Node, decoding ASCII ignores the highest bit, and encoding it is encoding Latin-1. */
size_t cp_ascii_decode(const uint8_t *in, size_t n, uint8_t *out)
{
  for (size_t i = 0; i < n; i++) out[i] = in[i] & 0x7F;
  return n;
}
