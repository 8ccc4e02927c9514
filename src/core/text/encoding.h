/* Text encodings. Text is UTF-8. A decoder converts bytes that arrive in pieces to text, and never
 * splits a character between two pieces. The encoder converts a whole text to bytes. Both behave
 * like Node's strings, buffers and StringDecoder. Neither allocates: the caller provides the
 * output, whose size is bounded. */
#ifndef CP_ENCODING_H
#define CP_ENCODING_H

#include "core/text/decoder_state.h"

#include <stddef.h>

/* Returns the encoding with this name, in upper or lower case, or CP_ENCODING_NONE. */
cp_encoding cp_encoding_from_name(const char *name, size_t length);

/* Returns the canonical name of an encoding, or NULL for CP_ENCODING_NONE. */
const char *cp_encoding_name(cp_encoding encoding);

/* The greatest number of bytes that cp_decoder_write writes for `n` bytes, and that
 * cp_decoder_finish and cp_decoder_take write. */
#define CP_DECODER_BOUND(n) (3 * (n) + 3)
#define CP_DECODER_FINISH_BOUND 4

/* Returns a decoder at the start of a text. With CP_ENCODING_NONE it copies bytes unchanged. */
cp_decoder cp_decoder_init(cp_encoding encoding);

/* Returns the number of bytes at the start of `bytes` that decode to themselves. The caller may use
 * them directly, and call cp_decoder_write with the rest only. */
size_t cp_decoder_unchanged(const cp_decoder *decoder, const char *bytes, size_t n);

/* Decodes the next `n` bytes to `text`, which must not overlap with them and has room for
 * CP_DECODER_BOUND(n) bytes. Holds the start of an incomplete character for the next call. Invalid
 * UTF-8 or UTF-16 becomes U+FFFD. Returns the length of the text. */
size_t cp_decoder_write(cp_decoder *decoder, const char *bytes, size_t n, char *text);

/* Ends the text: decodes the held bytes to U+FFFD, the last characters of base64, or nothing. The
 * decoder is then at the start of a text. Returns the length of the text. */
size_t cp_decoder_finish(cp_decoder *decoder, char *text);

/* Moves the held bytes to `bytes`, which has room for CP_DECODER_FINISH_BOUND. The decoder is then
 * at the start of a text. Returns the number of bytes. */
size_t cp_decoder_take(cp_decoder *decoder, char *bytes);

/* The greatest number of bytes that cp_encoding_encode writes for `n` bytes of text. */
#define CP_ENCODE_BOUND(n) (2 * (n))

/* Returns the number of bytes at the start of `text` that encode to themselves. The caller may use
 * them directly, and call cp_encoding_encode with the rest only. */
size_t cp_encoding_unchanged(cp_encoding encoding, const char *text, size_t n);

/* Encodes a text to `bytes`, which must not overlap with it and has room for CP_ENCODE_BOUND(n).
 * Returns the number of bytes. UTF-8 and CP_ENCODING_NONE copy the text, valid or not. The other
 * encodings read invalid UTF-8 as U+FFFD. Latin-1 and ASCII keep the low eight bits of each UTF-16
 * unit. Hex ends before the first pair that is not two digits. Base64 in either alphabet ends at
 * `=` and skips other characters. */
size_t cp_encoding_encode(cp_encoding encoding, const char *text, size_t n, char *bytes);

#endif
