/* The state of a decoder between two pieces of its input. encoding.h declares the functions that
 * use any encoding, transcode.h those of each encoding. */
#ifndef CP_DECODER_STATE_H
#define CP_DECODER_STATE_H

#include <stdint.h>

typedef enum cp_encoding {
  CP_ENCODING_NONE, /* bytes, not text: they stay unchanged */
  CP_ENCODING_UTF8,
  CP_ENCODING_UTF16LE,
  CP_ENCODING_LATIN1,
  CP_ENCODING_ASCII,
  CP_ENCODING_HEX,
  CP_ENCODING_BASE64,
  CP_ENCODING_BASE64URL
} cp_encoding;

/* A plain value: a copy is an independent decoder in the same state, and nothing has to be
 * destroyed. */
typedef struct cp_decoder {
  cp_encoding encoding;
  uint16_t high_surrogate; /* UTF-16: the first half of a pair, or 0 */
  uint8_t held_count;
  uint8_t held[3]; /* the last bytes, if they start an incomplete unit */
} cp_decoder;

#endif
