/* Scans and copies eight bytes at a time, since most of a text is plain ASCII. */
#include "codec/json/escape.h"

#include "core/text/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The size of a word. The first byte of the text is the lowest byte of the word, so that loading it
 * is a single instruction on little-endian machines. */
enum { WORD = 8 };

/* A word of equal bytes. */
#define ALL(byte) (0x0101010101010101u * (byte))

static inline uint64_t load_half(const char *text)
{
  const uint8_t *bytes = (const uint8_t *)text;

  return bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 | (uint64_t)bytes[3] << 24;
}

static inline uint64_t load(const char *text)
{
  return load_half(text) | load_half(text + 4) << 32;
}

/* Returns a word whose first `n` bytes, 1 to 7, are those of the text; the others are spaces. */
static inline uint64_t load_part(const char *text, size_t n)
{
  const uint8_t *bytes = (const uint8_t *)text;
  uint64_t word = ALL(' ') << 8 * n;

  if (n >= 4) {
    return word | load_half(text) | load_half(text + n - 4) << 8 * (n - 4);
  }
  return word | bytes[0] | (uint64_t)bytes[n / 2] << 8 * (n / 2) |
         (uint64_t)bytes[n - 1] << 8 * (n - 1);
}

/* Copies 1 to 7 bytes. */
static inline void copy_part(char *to, const char *text, size_t n)
{
  if (n >= 4) {
    memcpy(to, text, 4);
    memcpy(to + n - 4, text + n - 4, 4);
  } else {
    to[0] = text[0];
    to[n / 2] = text[n / 2];
    to[n - 1] = text[n - 1];
  }
}

/* Returns the number of plain ASCII bytes at the start of a word. In `special` the highest bit of
 * each byte that is not plain is set. A subtraction that borrows spoils the bits of later bytes,
 * but only the first bit is used. */
static inline size_t count_plain(uint64_t word)
{
  uint64_t control = word - ALL(0x20);
  uint64_t quote = (word ^ ALL('"')) - ALL(1);
  uint64_t backslash = (word ^ ALL('\\')) - ALL(1);
  uint64_t special = (word | control | quote | backslash) & ALL(0x80);

  return special == 0 ? WORD : (size_t)__builtin_ctzll(special) / 8;
}

static size_t smaller(size_t a, size_t b)
{
  return a < b ? a : b;
}

/* Returns the number of plain ASCII bytes at the start of a text. */
static size_t plain_ascii(const char *text, size_t length)
{
  size_t done = 0, count = 0;

  while (length - done >= WORD) {
    count = count_plain(load(text + done));
    done += count;
    if (count < WORD) {
      return done;
    }
  }
  if (done < length) {
    count = count_plain(load_part(text + done, length - done));
    return smaller(done + count, length);
  }
  return done;
}

/* Copies the plain ASCII bytes at the start of a text, and returns their number. Writes up to
 * `length` bytes; those after the plain ones are garbage. */
static inline size_t copy_plain_ascii(char *to, const char *text, size_t length)
{
  size_t done = 0, count = 0;

  while (length - done >= WORD) {
    memcpy(to + done, text + done, WORD);
    count = count_plain(load(text + done));
    done += count;
    if (count < WORD) {
      return done;
    }
  }
  if (done < length) {
    copy_part(to + done, text + done, length - done);
    count = count_plain(load_part(text + done, length - done));
    return smaller(done + count, length);
  }
  return done;
}

static bool is_ascii(char character)
{
  return (uint8_t)character < 0x80;
}

/* Returns whether a text starts with a valid character that is not ASCII. `*count` becomes the
 * length of the character, or of the invalid bytes that one U+FFFD replaces. */
static bool is_valid(const char *text, size_t length, size_t *count)
{
  uint32_t code_point = 0;

  *count = cp_utf8_next((const uint8_t *)text, length, &code_point);
  return code_point != 0xFFFD || (*count == 3 && memcmp(text, "\xEF\xBF\xBD", 3) == 0);
}

size_t cp_json_plain_prefix(const char *text, size_t length)
{
  size_t done = plain_ascii(text, length), count = 0;

  while (done < length && !is_ascii(text[done]) && is_valid(text + done, length - done, &count)) {
    done += count;
    if (done < length && is_ascii(text[done])) {
      done += plain_ascii(text + done, length - done);
    }
  }
  return done;
}

/* Writes the escape of an ASCII character that is not plain, and returns its end. */
static char *put_escape(char *to, char character)
{
  static const char letters[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
                                 ['\t'] = 't', ['"'] = '"',  ['\\'] = '\\'};
  static const char digits[] = "0123456789abcdef";
  uint8_t byte = (uint8_t)character;

  *to++ = '\\';
  if (letters[byte] != '\0') {
    *to++ = letters[byte];
    return to;
  }
  memcpy(to, "u00", 3);
  to[3] = digits[byte >> 4];
  to[4] = digits[byte & 0xF];
  return to + 5;
}

/* Appends the start of a text that is not plain ASCII: an escape, a run of valid characters, or
 * U+FFFD. The buffer has room for it. Returns the rest of the text. */
static const char *write_special(cp_buffer *out, const char *text, size_t length)
{
  char *to = out->data + out->length;
  uint32_t code_point = 0;
  size_t count = 0;

  if (is_ascii(*text)) {
    cp_buffer_end_at(out, put_escape(to, *text));
    return text + 1;
  }
  count = cp_json_plain_prefix(text, length);
  if (count > 0) {
    memcpy(to, text, count);
    out->length += count;
    return text + count;
  }
  cp_buffer_end_at(out, (char *)cp_utf8_put_replacement((uint8_t *)to));
  return text + cp_utf8_next((const uint8_t *)text, length, &code_point);
}

int cp_json_write_string(cp_buffer *out, const char *text, size_t length, char after)
{
  /* Room for the first quote, one escape, the last quote, and the character after it. */
  enum { MORE = 1 + 6 + 1 + 1 };
  const char *end = text + length;
  char *to = NULL;

  if (cp_buffer_reserve(out, length + MORE) != 0) {
    return -ENOMEM;
  }
  out->data[out->length++] = '"';
  for (;;) {
    size_t count = copy_plain_ascii(out->data + out->length, text, (size_t)(end - text));

    text += count;
    out->length += count;
    if (text == end) {
      break;
    }
    text = write_special(out, text, (size_t)(end - text));
    if (cp_buffer_reserve(out, (size_t)(end - text) + MORE) != 0) {
      return -ENOMEM;
    }
  }
  to = out->data + out->length;
  to[0] = '"';
  to[1] = after;
  out->length += 2;
  return 0;
}
