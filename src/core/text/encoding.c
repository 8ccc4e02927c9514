/* The names of the encodings, and the choice of the function for each. */
#include "core/text/encoding.h"

#include "core/base/assert.h"
#include "core/text/transcode.h"
#include "core/text/utf8.h"

#include <stdbool.h>
#include <string.h>

/* The first name of each encoding is the canonical one. */
static const struct {
  const char *name;
  cp_encoding encoding;
} names[] = {
    {"utf8", CP_ENCODING_UTF8},       {"utf-8", CP_ENCODING_UTF8},
    {"utf16le", CP_ENCODING_UTF16LE}, {"utf-16le", CP_ENCODING_UTF16LE},
    {"ucs2", CP_ENCODING_UTF16LE},    {"ucs-2", CP_ENCODING_UTF16LE},
    {"latin1", CP_ENCODING_LATIN1},   {"binary", CP_ENCODING_LATIN1},
    {"ascii", CP_ENCODING_ASCII},     {"hex", CP_ENCODING_HEX},
    {"base64", CP_ENCODING_BASE64},   {"base64url", CP_ENCODING_BASE64URL},
};

#define NAME_COUNT (sizeof names / sizeof names[0])

/* Compares names without case. Unlike strncasecmp, this does not depend on the locale. `lower` is
 * in lower case. */
static bool is_name(const char *lower, const char *name, size_t length)
{
  if (strlen(lower) != length) return false;
  for (size_t i = 0; i < length; i++) {
    char c = name[i];
    if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
    if (c != lower[i]) return false;
  }
  return true;
}

cp_encoding cp_encoding_from_name(const char *name, size_t length)
{
  for (size_t i = 0; i < NAME_COUNT; i++) {
    if (is_name(names[i].name, name, length)) return names[i].encoding;
  }
  return CP_ENCODING_NONE;
}

const char *cp_encoding_name(cp_encoding encoding)
{
  for (size_t i = 0; i < NAME_COUNT; i++) {
    if (names[i].encoding == encoding) return names[i].name;
  }
  return NULL;
}

static size_t copy(const char *from, size_t n, char *to)
{
  memcpy(to, from, n);
  return n;
}

cp_decoder cp_decoder_init(cp_encoding encoding)
{
  return (cp_decoder){.encoding = encoding};
}

size_t cp_decoder_unchanged(const cp_decoder *decoder, const char *bytes, size_t n)
{
  switch (decoder->encoding) {
    case CP_ENCODING_NONE: return n;
    case CP_ENCODING_UTF8:
      return decoder->held_count > 0 ? 0 : cp_utf8_valid_prefix((const uint8_t *)bytes, n);
    case CP_ENCODING_LATIN1:
    case CP_ENCODING_ASCII: return cp_ascii_prefix((const uint8_t *)bytes, n);
    case CP_ENCODING_UTF16LE:
    case CP_ENCODING_HEX:
    case CP_ENCODING_BASE64:
    case CP_ENCODING_BASE64URL: break;
  }
  return 0;
}

static size_t decode(cp_decoder *decoder, const char *bytes, size_t n, char *text)
{
  const uint8_t *in = (const uint8_t *)bytes;
  uint8_t *out = (uint8_t *)text;
  switch (decoder->encoding) {
    case CP_ENCODING_NONE: break;
    case CP_ENCODING_UTF8: return cp_utf8_decode(decoder, in, n, out);
    case CP_ENCODING_UTF16LE: return cp_utf16_decode(decoder, in, n, out);
    case CP_ENCODING_LATIN1: return cp_latin1_decode(in, n, out);
    case CP_ENCODING_ASCII: return cp_ascii_decode(in, n, out);
    case CP_ENCODING_HEX: return cp_hex_decode(in, n, out);
    case CP_ENCODING_BASE64:
    case CP_ENCODING_BASE64URL: return cp_base64_decode(decoder, in, n, out);
  }
  return copy(bytes, n, text);
}

size_t cp_decoder_write(cp_decoder *decoder, const char *bytes, size_t n, char *text)
{
  size_t length = n == 0 ? 0 : decode(decoder, bytes, n, text);

  CP_ASSERT(length <= CP_DECODER_BOUND(n) && decoder->held_count <= sizeof decoder->held);
  return length;
}

size_t cp_decoder_finish(cp_decoder *decoder, char *text)
{
  uint8_t *out = (uint8_t *)text;
  size_t length = 0;
  switch (decoder->encoding) {
    case CP_ENCODING_UTF8: length = cp_utf8_finish(decoder, out); break;
    case CP_ENCODING_UTF16LE: length = cp_utf16_finish(decoder, out); break;
    case CP_ENCODING_BASE64:
    case CP_ENCODING_BASE64URL: length = cp_base64_finish(decoder, out); break;
    case CP_ENCODING_NONE:
    case CP_ENCODING_LATIN1:
    case CP_ENCODING_ASCII:
    case CP_ENCODING_HEX: break;
  }
  CP_ASSERT(length <= CP_DECODER_FINISH_BOUND);
  *decoder = cp_decoder_init(decoder->encoding);
  return length;
}

size_t cp_decoder_take(cp_decoder *decoder, char *bytes)
{
  size_t length = 0;
  if (decoder->high_surrogate != 0) {
    bytes[length++] = (char)(decoder->high_surrogate & 0xFF);
    bytes[length++] = (char)(decoder->high_surrogate >> 8);
  }
  memcpy(bytes + length, decoder->held, decoder->held_count);
  length += decoder->held_count;
  *decoder = cp_decoder_init(decoder->encoding);
  return length;
}

size_t cp_encoding_unchanged(cp_encoding encoding, const char *text, size_t n)
{
  switch (encoding) {
    case CP_ENCODING_NONE:
    case CP_ENCODING_UTF8: return n;
    case CP_ENCODING_LATIN1:
    case CP_ENCODING_ASCII: return cp_ascii_prefix((const uint8_t *)text, n);
    case CP_ENCODING_UTF16LE:
    case CP_ENCODING_HEX:
    case CP_ENCODING_BASE64:
    case CP_ENCODING_BASE64URL: break;
  }
  return 0;
}

static size_t encode(cp_encoding encoding, const char *text, size_t n, char *bytes)
{
  const uint8_t *in = (const uint8_t *)text;
  uint8_t *out = (uint8_t *)bytes;
  switch (encoding) {
    case CP_ENCODING_NONE:
    case CP_ENCODING_UTF8: break;
    case CP_ENCODING_UTF16LE: return cp_utf16_encode(in, n, out);
    case CP_ENCODING_LATIN1:
    case CP_ENCODING_ASCII: return cp_latin1_encode(in, n, out);
    case CP_ENCODING_HEX: return cp_hex_encode(in, n, out);
    case CP_ENCODING_BASE64:
    case CP_ENCODING_BASE64URL: return cp_base64_encode(in, n, out);
  }
  return copy(text, n, bytes);
}

size_t cp_encoding_encode(cp_encoding encoding, const char *text, size_t n, char *bytes)
{
  size_t length = n == 0 ? 0 : encode(encoding, text, n, bytes);

  CP_ASSERT(length <= CP_ENCODE_BOUND(n));
  return length;
}
