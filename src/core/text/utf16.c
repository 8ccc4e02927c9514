/* UTF-16 in little-endian order. The decoder holds half a unit, or the first half of a pair. */
#include "core/text/transcode.h"
#include "core/text/utf8.h"

static inline uint16_t unit_of(uint8_t low, uint8_t high)
{
  return (uint16_t)(low | high << 8);
}

/* Decodes a unit. The first half of a pair waits in `*pending` for the second half. */
static inline uint8_t *put_unit(uint16_t unit, uint16_t *pending, uint8_t *out)
{
  uint16_t high = *pending;
  if (high == 0 && unit < 0x80) {
    *out++ = (uint8_t)unit;
    return out;
  }
  *pending = 0;
  if (unit >= 0xDC00 && unit <= 0xDFFF) {
    if (high == 0) return cp_utf8_put_replacement(out);
    return cp_utf8_put(0x10000 + ((high & 0x3FFu) << 10 | (unit & 0x3FFu)), out);
  }
  if (high != 0) out = cp_utf8_put_replacement(out);
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    *pending = unit;
    return out;
  }
  return cp_utf8_put(unit, out);
}

size_t cp_utf16_decode(cp_decoder *decoder, const uint8_t *in, size_t n, uint8_t *out)
{
  const uint8_t *end = in + n, *start = out;
  uint16_t pending = decoder->high_surrogate;
  if (decoder->held_count > 0) out = put_unit(unit_of(decoder->held[0], *in++), &pending, out);
  while (end - in >= 2) {
    out = put_unit(unit_of(in[0], in[1]), &pending, out);
    in += 2;
  }
  decoder->held_count = (uint8_t)(end - in);
  if (in < end) decoder->held[0] = *in;
  decoder->high_surrogate = pending;
  return (size_t)(out - start);
}

/* Half a unit is dropped, as Node does. */
size_t cp_utf16_finish(cp_decoder *decoder, uint8_t *out)
{
  return decoder->high_surrogate != 0 ? (size_t)(cp_utf8_put_replacement(out) - out) : 0;
}

static inline uint8_t *put_bytes(uint32_t unit, uint8_t *out)
{
  out[0] = (uint8_t)(unit & 0xFF);
  out[1] = (uint8_t)(unit >> 8);
  return out + 2;
}

size_t cp_utf16_encode(const uint8_t *in, size_t n, uint8_t *out)
{
  const uint8_t *end = in + n, *start = out;
  while (in < end) {
    uint32_t code_point;
    in += cp_utf8_next(in, (size_t)(end - in), &code_point);
    if (code_point > 0xFFFF) {
      out = put_bytes(cp_utf16_high(code_point), out);
      code_point = cp_utf16_low(code_point);
    }
    out = put_bytes(code_point, out);
  }
  return (size_t)(out - start);
}
