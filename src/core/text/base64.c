/* Base64 and base64url: the text of three bytes is four characters. */
#include "core/text/transcode.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const char *alphabet_of(const cp_decoder *decoder)
{
  return decoder->encoding == CP_ENCODING_BASE64URL ? url_alphabet : alphabet;
}

static inline uint8_t *put_group(const uint8_t *in, const char *digits, uint8_t *out)
{
  out[0] = (uint8_t)digits[in[0] >> 2];
  out[1] = (uint8_t)digits[(in[0] & 0x03) << 4 | in[1] >> 4];
  out[2] = (uint8_t)digits[(in[1] & 0x0F) << 2 | in[2] >> 6];
  out[3] = (uint8_t)digits[in[2] & 0x3F];
  return out + 4;
}

size_t cp_base64_decode(cp_decoder *decoder, const uint8_t *in, size_t n, uint8_t *out)
{
  const uint8_t *end = in + n, *start = out;
  const char *digits = alphabet_of(decoder);
  if (decoder->held_count > 0) {
    while (decoder->held_count < 3 && in < end) decoder->held[decoder->held_count++] = *in++;
    if (decoder->held_count < 3) return 0;
    out = put_group(decoder->held, digits, out);
  }
  for (; end - in >= 3; in += 3) out = put_group(in, digits, out);
  decoder->held_count = (uint8_t)(end - in);
  memcpy(decoder->held, in, decoder->held_count);
  return (size_t)(out - start);
}

/* One held byte makes two characters, two bytes make three. `=` fills the group, except in
 * base64url. */
size_t cp_base64_finish(cp_decoder *decoder, uint8_t *out)
{
  size_t count = decoder->held_count;
  if (count == 0) return 0;
  memset(decoder->held + count, 0, sizeof decoder->held - count);
  put_group(decoder->held, alphabet_of(decoder), out);
  if (decoder->encoding == CP_ENCODING_BASE64URL) return count + 1;
  memset(out + count + 1, '=', 3 - count);
  return 4;
}

static int value_of(uint8_t digit)
{
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9') return digit - '0' + 52;
  if (digit == '+' || digit == '-') return 62;
  if (digit == '/' || digit == '_') return 63;
  return -1;
}

size_t cp_base64_encode(const uint8_t *in, size_t n, uint8_t *out)
{
  const uint8_t *start = out;
  uint32_t bits = 0;
  unsigned bit_count = 0;
  for (size_t i = 0; i < n && in[i] != '='; i++) {
    int value = value_of(in[i]);
    if (value < 0) continue;
    bits = bits << 6 | (uint32_t)value;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      *out++ = (uint8_t)(bits >> bit_count & 0xFF);
    }
  }
  return (size_t)(out - start);
}
