/* The parent names the channel in variables of the environment, as Node does. */
#include "core/channel/inherited.h"

#include "core/base/fd.h"
#include "core/base/owned.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTOR_VARIABLE "NODE_CHANNEL_FD"
#define SERIALIZATION_VARIABLE "NODE_CHANNEL_SERIALIZATION_MODE"

/* Returns the number if the text consists of one, otherwise -1. */
static int read_descriptor(const char *text)
{
  char *end = NULL;
  long number = text == NULL ? -1 : strtol(text, &end, 10);

  return end == text || *end != '\0' || number < 0 || number > INT_MAX ? -1 : (int)number;
}

static bool can_adopt(int fd)
{
  return !cp_owned_has(fd) && cp_fd_is_socket(fd);
}

int cp_inherited_take(bool *advanced)
{
  const char *serialization = getenv(SERIALIZATION_VARIABLE);
  int fd = read_descriptor(getenv(DESCRIPTOR_VARIABLE));

  *advanced = serialization != NULL && strcmp(serialization, "advanced") == 0;
  unsetenv(DESCRIPTOR_VARIABLE);
  unsetenv(SERIALIZATION_VARIABLE);
  return fd != -1 && can_adopt(fd) && cp_fd_set_cloexec(fd) == 0 ? fd : -1;
}
