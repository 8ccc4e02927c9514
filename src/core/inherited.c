#include "inherited.h"

#include "pipe.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTOR_VARIABLE "NODE_CHANNEL_FD"
#define SERIALIZATION_VARIABLE "NODE_CHANNEL_SERIALIZATION_MODE"

/* The number that is all of the text, or -1. */
static int read_descriptor(const char *text)
{
  char *end = NULL;
  long number = text == NULL ? -1 : strtol(text, &end, 10);

  return end == text || *end != '\0' || number < 0 || number > INT_MAX ? -1 : (int)number;
}

int cp_inherited_take(bool *advanced)
{
  const char *serialization = getenv(SERIALIZATION_VARIABLE);
  int fd = read_descriptor(getenv(DESCRIPTOR_VARIABLE));

  *advanced = serialization != NULL && strcmp(serialization, "advanced") == 0;
  unsetenv(DESCRIPTOR_VARIABLE);
  unsetenv(SERIALIZATION_VARIABLE);
  return fd != -1 && cp_pipe_adopt(fd) == 0 ? fd : -1;
}
