/* The errors of decoding: why bytes are no value, and where. */
#ifndef CP_DECODE_ERROR_H
#define CP_DECODE_ERROR_H

#include <stddef.h>

typedef struct cp_decode_error {
  const char *reason; /* never to be freed */
  size_t offset;      /* from 0, of what does not fit */
} cp_decode_error;

#endif
