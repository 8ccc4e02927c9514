/* UTF-8, and the decoder that replaces invalid bytes. */
#include "core/text/utf8.h"

#include "core/base/assert.h"
#include "core/text/transcode.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu

uint8_t *cp_utf8_put_replacement(uint8_t *out)
{
  memcpy(out, "\xEF\xBF\xBD", 3);
  return out + 3;
}

uint8_t *cp_utf8_put(uint32_t code_point, uint8_t *out)
{
  if (code_point < 0x80) {
    *out++ = (uint8_t)code_point;
    return out;
  }
  if (code_point < 0x800) {
    *out++ = (uint8_t)(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      *out++ = (uint8_t)(0xE0 | code_point >> 12);
    } else {
      *out++ = (uint8_t)(0xF0 | code_point >> 18);
      *out++ = (uint8_t)(0x80 | (code_point >> 12 & 0x3F));
    }
    *out++ = (uint8_t)(0x80 | (code_point >> 6 & 0x3F));
  }
  *out++ = (uint8_t)(0x80 | (code_point & 0x3F));
  return out;
}

static inline bool is_continuation(uint8_t byte)
{
  return (byte & 0xC0) == 0x80;
}

/* The second byte rules out overlong forms, surrogates, and code points above U+10FFFF. */
static inline bool is_second(uint8_t lead, uint8_t byte)
{
  switch (lead) {
    case 0xE0: return byte >= 0xA0 && byte <= 0xBF;
    case 0xED: return byte >= 0x80 && byte <= 0x9F;
    case 0xF0: return byte >= 0x90 && byte <= 0xBF;
    case 0xF4: return byte >= 0x80 && byte <= 0x8F;
    default: return is_continuation(byte);
  }
}

/* Examines the start of `n` > 0 bytes. Returns the length of a valid character; or the negative
 * length of the invalid bytes that one U+FFFD replaces, which are the longest valid start of a
 * character; or 0 if the bytes end within a character that is valid so far. */
static inline int sequence_length(const uint8_t *text, size_t n)
{
  uint8_t lead = text[0];
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return -1;
  if (n < 2) return 0;
  if (!is_second(lead, text[1])) return -1;
  if (lead < 0xE0) return 2;
  if (n < 3) return 0;
  if (!is_continuation(text[2])) return -2;
  if (lead < 0xF0) return 3;
  if (n < 4) return 0;
  return is_continuation(text[3]) ? 4 : -3;
}

size_t cp_utf8_next(const uint8_t *text, size_t n, uint32_t *code_point)
{
  int length = sequence_length(text, n);
  switch (length) {
    case 1: *code_point = text[0]; return 1;
    case 2: *code_point = (text[0] & 0x1Fu) << 6 | (text[1] & 0x3Fu); return 2;
    case 3:
      *code_point = (text[0] & 0x0Fu) << 12 | (text[1] & 0x3Fu) << 6 | (text[2] & 0x3Fu);
      return 3;
    case 4:
      *code_point = (text[0] & 0x07u) << 18 | (text[1] & 0x3Fu) << 12 | (text[2] & 0x3Fu) << 6 |
                    (text[3] & 0x3Fu);
      return 4;
    default: *code_point = REPLACEMENT; return length < 0 ? (size_t)-length : n;
  }
}

size_t cp_ascii_prefix(const uint8_t *text, size_t n)
{
  const uint8_t *at = text, *end = text + n;
  uint64_t words[4];
  while ((size_t)(end - at) >= sizeof words) {
    memcpy(words, at, sizeof words);
    if ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u) break;
    at += sizeof words;
  }
  while ((size_t)(end - at) >= sizeof words[0]) {
    memcpy(words, at, sizeof words[0]);
    if (words[0] & 0x8080808080808080u) break;
    at += sizeof words[0];
  }
  while (at < end && *at < 0x80) at++;
  return (size_t)(at - text);
}

size_t cp_utf8_valid_prefix(const uint8_t *text, size_t n)
{
  size_t at = 0;
  for (;;) {
    at += cp_ascii_prefix(text + at, n - at);
    /* Characters that are not ASCII often follow each other. */
    do {
      if (at == n) return n;
      int length = sequence_length(text + at, n - at);
      if (length <= 0) return at;
      at += (size_t)length;
    } while (at < n && text[at] >= 0x80);
  }
}

static void hold(cp_decoder *decoder, const uint8_t *bytes, size_t count)
{
  CP_ASSERT(count <= sizeof decoder->held);
  memcpy(decoder->held, bytes, count);
  decoder->held_count = (uint8_t)count;
}

/* Completes the character whose first bytes are held. Returns the number of bytes used of `in`. */
static size_t resume(cp_decoder *decoder, const uint8_t *in, size_t n, uint8_t **out)
{
  uint8_t joined[4];
  size_t held = decoder->held_count;
  size_t added = n < sizeof joined - held ? n : sizeof joined - held;
  memcpy(joined, decoder->held, held);
  memcpy(joined + held, in, added);

  int length = sequence_length(joined, held + added);
  if (length == 0) {
    hold(decoder, joined, held + added);
    return added;
  }
  decoder->held_count = 0;
  if (length < 0) {
    *out = cp_utf8_put_replacement(*out);
    return (size_t)-length - held;
  }
  memcpy(*out, joined, (size_t)length);
  *out += length;
  return (size_t)length - held;
}

size_t cp_utf8_decode(cp_decoder *decoder, const uint8_t *in, size_t n, uint8_t *out)
{
  const uint8_t *end = in + n, *start = out;
  if (decoder->held_count > 0) in += resume(decoder, in, n, &out);
  while (in < end) {
    size_t valid = cp_utf8_valid_prefix(in, (size_t)(end - in));
    memcpy(out, in, valid);
    in += valid;
    out += valid;
    if (in == end) break;

    int length = sequence_length(in, (size_t)(end - in));
    if (length == 0) {
      hold(decoder, in, (size_t)(end - in));
      break;
    }
    in += -length;
    out = cp_utf8_put_replacement(out);
  }
  return (size_t)(out - start);
}

size_t cp_utf8_finish(cp_decoder *decoder, uint8_t *out)
{
  return decoder->held_count > 0 ? (size_t)(cp_utf8_put_replacement(out) - out) : 0;
}
