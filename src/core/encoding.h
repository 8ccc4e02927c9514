/* Text encodings: the bytes of a program as text, and text as bytes.
 *
 * Text is UTF-8. A decoder turns bytes that arrive in pieces into text, and never splits a
 * character over two pieces. The encoder turns a whole text into bytes. Both do what Node's
 * strings, buffers and StringDecoder do, and neither allocates: the caller provides the room, whose
 * size is bounded. */
#ifndef CP_ENCODING_H
#define CP_ENCODING_H

#include <stddef.h>
#include <stdint.h>

typedef enum cp_encoding {
  CP_ENCODING_NONE, /* bytes as they are: no name of an encoding was given, or none that we know */
  CP_ENCODING_UTF8,
  CP_ENCODING_UTF16LE,
  CP_ENCODING_LATIN1,
  CP_ENCODING_ASCII,
  CP_ENCODING_HEX,
  CP_ENCODING_BASE64,
  CP_ENCODING_BASE64URL
} cp_encoding;

/* The encoding of that name, in upper or lower case; CP_ENCODING_NONE when there is none. */
cp_encoding cp_encoding_from_name(const char *name, size_t length);

/* The one name that an encoding with several names goes by; NULL for CP_ENCODING_NONE. */
const char *cp_encoding_name(cp_encoding encoding);

/* What a decoder remembers between two pieces. A plain value: a copy is a decoder of its own, in
 * the same state, and there is nothing to destroy. */
typedef struct cp_decoder {
  cp_encoding encoding;
  uint16_t high_surrogate; /* UTF-16: the first half of a pair, or 0 */
  uint8_t held_count;
  uint8_t held[3]; /* the bytes that came last, when they are part of something longer */
} cp_decoder;

/* The most bytes that cp_decoder_write puts out for `n` bytes, and cp_decoder_finish. */
#define CP_DECODER_BOUND(n) (3 * (n) + 3)
#define CP_DECODER_FINISH_BOUND 4

/* A decoder at the start of its text. With CP_ENCODING_NONE it hands the bytes on unchanged. */
cp_decoder cp_decoder_init(cp_encoding encoding);

/* How many bytes at the start of `bytes` would come out as they are. They need not be given to
 * cp_decoder_write; what follows them does. */
size_t cp_decoder_unchanged(const cp_decoder *decoder, const char *bytes, size_t n);

/* Writes the text of `n` further bytes to `text`, which must not overlap with them and has room for
 * CP_DECODER_BOUND(n) bytes. Keeps back the start of a character whose rest is missing. What is no
 * valid UTF-8 or UTF-16 becomes U+FFFD. Returns the length of the text. */
size_t cp_decoder_write(cp_decoder *decoder, const char *bytes, size_t n, char *text);

/* Writes what stands for the bytes kept back, now that no others follow: U+FFFD, the last
 * characters of base64, or nothing. The decoder is at the start of a text again. Returns the
 * length. */
size_t cp_decoder_finish(cp_decoder *decoder, char *text);

/* The most bytes that cp_encoding_encode puts out for `n` bytes of text. */
#define CP_ENCODE_BOUND(n) (2 * (n))

/* How many bytes at the start of `text` are their own encoding. They need not be given to
 * cp_encoding_encode; what follows them does. */
size_t cp_encoding_unchanged(cp_encoding encoding, const char *text, size_t n);

/* Writes the bytes that the text stands for to `bytes`, which must not overlap with it and has room
 * for CP_ENCODE_BOUND(n). Returns their number. For UTF-8 (and CP_ENCODING_NONE) they are those of
 * the text, valid or not. Elsewhere what is no valid UTF-8 counts as U+FFFD. Latin-1 and ASCII keep
 * the low eight bits of each UTF-16 unit; hex ends before the first pair that is not of digits;
 * base64 in either alphabet ends at `=` and skips characters that it does not use. */
size_t cp_encoding_encode(cp_encoding encoding, const char *text, size_t n, char *bytes);

#endif
