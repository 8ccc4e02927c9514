/* Hexadecimal: the text of a byte is two digits. */
#include "core/text/transcode.h"

size_t cp_hex_decode(const uint8_t *in, size_t n, uint8_t *out)
{
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++) {
    out[2 * i] = (uint8_t)digits[in[i] >> 4];
    out[2 * i + 1] = (uint8_t)digits[in[i] & 0xF];
  }
  return 2 * n;
}

static int value_of(uint8_t digit)
{
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

size_t cp_hex_encode(const uint8_t *in, size_t n, uint8_t *out)
{
  size_t length = 0;
  for (size_t i = 0; i + 1 < n; i += 2) {
    int high = value_of(in[i]), low = value_of(in[i + 1]);
    if (high < 0 || low < 0) break;
    out[length++] = (uint8_t)(high * 16 + low);
  }
  return length;
}
