/* A decoding error: why the bytes are not a value, and where. */
#ifndef CP_DECODE_ERROR_H
#define CP_DECODE_ERROR_H

#include <stddef.h>

typedef struct cp_decode_error {
  const char *reason; /* a string constant */
  size_t offset;      /* from 0 */
} cp_decode_error;

#endif
