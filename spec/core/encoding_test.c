/* The encodings without Lua: the output stays within its bound, is the same wherever the bytes are
 * cut, and UTF-8 is as Unicode defines it. */
#include "check.h"
#include "core/text/encoding.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cp_encoding encodings[] = {
    CP_ENCODING_NONE,  CP_ENCODING_UTF8, CP_ENCODING_UTF16LE, CP_ENCODING_LATIN1,
    CP_ENCODING_ASCII, CP_ENCODING_HEX,  CP_ENCODING_BASE64,  CP_ENCODING_BASE64URL,
};
#define ENCODING_COUNT (sizeof encodings / sizeof encodings[0])

static const char *label(cp_encoding encoding)
{
  const char *name = cp_encoding_name(encoding);
  return name ? name : "bytes";
}

/* Allocates exactly this size, so that a sanitizer or valgrind notices one byte too many. */
static char *allocate(size_t size)
{
  char *memory = malloc(size > 0 ? size : 1);
  if (!memory) abort();
  return memory;
}

typedef struct text {
  char bytes[256];
  size_t length;
} text;

/* Decodes `n` bytes, and appends the text. */
static void feed(cp_decoder *decoder, const char *bytes, size_t n, text *to)
{
  char *in = allocate(n), *out = allocate(CP_DECODER_BOUND(n));
  memcpy(in, bytes, n);
  size_t length = cp_decoder_write(decoder, in, n, out);
  check_of(length <= CP_DECODER_BOUND(n), "write stays within its bound", label(decoder->encoding));
  memcpy(to->bytes + to->length, out, length);
  to->length += length;
  free(in);
  free(out);
}

static void finish(cp_decoder *decoder, text *to)
{
  char out[CP_DECODER_FINISH_BOUND];
  size_t length = cp_decoder_finish(decoder, out);
  check_of(length <= sizeof out, "finish stays within its bound", label(decoder->encoding));
  memcpy(to->bytes + to->length, out, length);
  to->length += length;
}

/* Decodes the bytes in two pieces. */
static text decode_split(cp_encoding encoding, const char *bytes, size_t n, size_t cut)
{
  cp_decoder decoder = cp_decoder_init(encoding);
  text result = {.length = 0};
  feed(&decoder, bytes, cut, &result);
  feed(&decoder, bytes + cut, n - cut, &result);
  finish(&decoder, &result);
  return result;
}

static text decode_bytewise(cp_encoding encoding, const char *bytes, size_t n)
{
  cp_decoder decoder = cp_decoder_init(encoding);
  text result = {.length = 0};
  for (size_t i = 0; i < n; i++) feed(&decoder, bytes + i, 1, &result);
  finish(&decoder, &result);
  return result;
}

/* Decodes like a caller that uses unchanged bytes directly. */
static text decode_from_unchanged(cp_encoding encoding, const char *bytes, size_t n)
{
  cp_decoder decoder = cp_decoder_init(encoding);
  text result = {.length = cp_decoder_unchanged(&decoder, bytes, n)};
  memcpy(result.bytes, bytes, result.length);
  feed(&decoder, bytes + result.length, n - result.length, &result);
  finish(&decoder, &result);
  return result;
}

static text encode(cp_encoding encoding, const char *bytes, size_t n)
{
  text result = {.length = 0};
  char *in = allocate(n), *out = allocate(CP_ENCODE_BOUND(n));
  memcpy(in, bytes, n);
  result.length = cp_encoding_encode(encoding, in, n, out);
  check_of(result.length <= CP_ENCODE_BOUND(n), "encode stays within its bound", label(encoding));
  memcpy(result.bytes, out, result.length);
  free(in);
  free(out);
  return result;
}

static bool same(const text *a, const char *bytes, size_t n)
{
  return a->length == n && memcmp(a->bytes, bytes, n) == 0;
}

static bool equal(const text *a, const text *b)
{
  return same(a, b->bytes, b->length);
}

/* Random numbers, the same in every run. */
static uint32_t random_state = 1;
static uint32_t random_below(uint32_t limit)
{
  random_state = random_state * 1664525u + 1013904223u;
  return (random_state >> 8) % limit;
}

/* Bytes at which the rules of UTF-8 and UTF-16 change, in runs long enough for the fast paths. */
static size_t random_bytes(char *bytes)
{
  static const unsigned char edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                        0xC0, 0xC2, 0xD8, 0xDB, 0xDC, 0xDF, 0xE0, 0xE1, 0xED,
                                        0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
  static const char *const pieces[] = {"\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x3D\xD8", "Zm9v",
                                       "a run of letters that is longer than a few words"};
  size_t n = 0;
  for (uint32_t count = random_below(10); count > 0 && n < 24; count--) {
    if (random_below(3) == 0) {
      const char *piece = pieces[random_below(sizeof pieces / sizeof pieces[0])];
      size_t length = strlen(piece);
      memcpy(bytes + n, piece, length);
      n += length;
    } else {
      bytes[n++] = (char)edges[random_below(sizeof edges)];
    }
  }
  return n;
}

static void test_pieces(void)
{
  char bytes[128];
  for (int round = 0; round < 3000; round++) {
    size_t n = random_bytes(bytes);
    for (size_t e = 0; e < ENCODING_COUNT; e++) {
      const char *name = label(encodings[e]);
      text whole = decode_split(encodings[e], bytes, n, 0);
      for (size_t cut = 1; cut <= n; cut++) {
        text cut_text = decode_split(encodings[e], bytes, n, cut);
        check_of(equal(&whole, &cut_text), "two pieces are decoded as one", name);
      }
      text bytewise = decode_bytewise(encodings[e], bytes, n);
      check_of(equal(&whole, &bytewise), "single bytes are decoded as one piece", name);
      text rest = decode_from_unchanged(encodings[e], bytes, n);
      check_of(equal(&whole, &rest), "what is unchanged need not be decoded", name);

      text bytes_of_text = encode(encodings[e], bytes, n);
      size_t kept = cp_encoding_unchanged(encodings[e], bytes, n);
      text tail = encode(encodings[e], bytes + kept, n - kept);
      check_of(bytes_of_text.length == kept + tail.length &&
                   memcmp(bytes_of_text.bytes, bytes, kept) == 0 &&
                   memcmp(bytes_of_text.bytes + kept, tail.bytes, tail.length) == 0,
               "what is unchanged need not be encoded", name);
    }
  }
}

/* Arbitrary bytes are the same after decoding and encoding. */
static void test_round_trips(void)
{
  static const cp_encoding lossless[] = {CP_ENCODING_NONE, CP_ENCODING_LATIN1, CP_ENCODING_HEX,
                                         CP_ENCODING_BASE64, CP_ENCODING_BASE64URL};
  char bytes[128];
  for (int round = 0; round < 3000; round++) {
    size_t n = random_bytes(bytes);
    if (n > 64) n = 64;
    for (size_t e = 0; e < sizeof lossless / sizeof lossless[0]; e++) {
      text shown = decode_split(lossless[e], bytes, n, 0);
      text back = encode(lossless[e], shown.bytes, shown.length);
      check_of(same(&back, bytes, n), "bytes come back from their text", label(lossless[e]));
    }
  }
}

/* Every character is the same after UTF-16 and back. */
static void test_characters(void)
{
  cp_decoder utf8 = cp_decoder_init(CP_ENCODING_UTF8);
  for (uint32_t c = 0; c <= 0x10FFFF; c++) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    uint32_t high = 0xD800 + ((c - 0x10000) >> 10), low = 0xDC00 + ((c - 0x10000) & 0x3FF);
    unsigned char units[4] = {(unsigned char)c, (unsigned char)(c >> 8), 0, 0};
    size_t unit_bytes = 2;
    if (c > 0xFFFF) {
      units[0] = (unsigned char)high, units[1] = (unsigned char)(high >> 8);
      units[2] = (unsigned char)low, units[3] = (unsigned char)(low >> 8);
      unit_bytes = 4;
    }
    char shown[CP_DECODER_BOUND(4)], back[CP_ENCODE_BOUND(4)], number[16];
    cp_decoder decoder = cp_decoder_init(CP_ENCODING_UTF16LE);
    size_t length = cp_decoder_write(&decoder, (const char *)units, unit_bytes, shown);
    snprintf(number, sizeof number, "U+%04X", (unsigned)c);
    check_of(length == (c < 0x80      ? 1u
                        : c < 0x800   ? 2u
                        : c < 0x10000 ? 3u
                                      : 4u),
             "a character has the length that UTF-8 gives it", number);
    check_of(cp_decoder_unchanged(&utf8, shown, length) == length, "a character is valid", number);
    size_t back_length = cp_encoding_encode(CP_ENCODING_UTF16LE, shown, length, back);
    check_of(back_length == unit_bytes && memcmp(back, units, unit_bytes) == 0,
             "a character comes back from UTF-8", number);
  }
}

/* The number of valid sequences of a length is the number of characters of that length. Six values,
 * two of them continuations, represent all values of the last bytes. */
static void test_validity(void)
{
  static const unsigned char last[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
  cp_decoder utf8 = cp_decoder_init(CP_ENCODING_UTF8);
  int two = 0, three = 0, four = 0;
  for (unsigned lead = 0x80; lead < 0x100; lead++) {
    for (unsigned second = 0; second < 0x100; second++) {
      char bytes[4] = {(char)lead, (char)second, 0, 0};
      two += cp_decoder_unchanged(&utf8, bytes, 2) == 2;
      for (size_t i = 0; i < sizeof last; i++) {
        bytes[2] = (char)last[i];
        three += lead >= 0xE0 && cp_decoder_unchanged(&utf8, bytes, 3) == 3;
        for (size_t j = 0; j < sizeof last; j++) {
          bytes[3] = (char)last[j];
          four += lead >= 0xF0 && cp_decoder_unchanged(&utf8, bytes, 4) == 4;
        }
      }
    }
  }
  check_of(two == 0x800 - 0x80, "of two bytes, exactly the valid sequences are valid", "utf8");
  check_of(three == (0x10000 - 0x800 - 0x800) / 64 * 2, "the same of three bytes", "utf8");
  check_of(four == 0x100000 / 64 / 64 * 2 * 2, "the same of four bytes", "utf8");
}

static void test_names(void)
{
  check_of(cp_encoding_from_name("UTF-8", 5) == CP_ENCODING_UTF8, "names have no case", "UTF-8");
  check_of(cp_encoding_from_name("utf8\0", 5) == CP_ENCODING_NONE, "a name ends at its end",
           "utf8");
  check_of(cp_encoding_from_name("utf8", 3) == CP_ENCODING_NONE, "no part is a name", "utf");
  for (size_t e = 1; e < ENCODING_COUNT; e++) {
    const char *name = label(encodings[e]);
    check_of(cp_encoding_from_name(name, strlen(name)) == encodings[e], "a name is found", name);
  }
}

int main(void)
{
  test_names();
  test_pieces();
  test_round_trips();
  test_characters();
  test_validity();
  return failures > 0;
}
