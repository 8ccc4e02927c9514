#include "self.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#define TITLE_FILE "/proc/self/comm"

static const uint64_t SECOND = 1000000000; /* nanoseconds */

ssize_t cp_self_title(char *title)
{
  FILE *file = fopen(TITLE_FILE, "re");
  size_t size = 0;

  if (file == NULL) {
    return -errno;
  }
  size = fread(title, 1, CP_SELF_TITLE_SIZE + 1, file);
  fclose(file);
  return size == 0 ? 0 : (ssize_t)size - 1; /* it ends with a newline */
}

int cp_self_set_title(const char *title)
{
  FILE *file = fopen(TITLE_FILE, "we");

  if (file == NULL) {
    return -errno;
  }
  /* With the zero: of nothing at all the system would take no notice. */
  fwrite(title, 1, strlen(title) + 1, file);
  return fclose(file) == 0 ? 0 : -errno;
}

/* The number in /proc/self/stat after that many spaces behind the name, which is in brackets and may
 * contain anything itself; 0 if there is none. */
static unsigned long long stat_field(int spaces)
{
  FILE *file = fopen("/proc/self/stat", "re");
  char text[1024];
  const char *field = NULL;

  if (file == NULL) {
    return 0;
  }
  text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
  fclose(file);
  field = strrchr(text, ')');
  for (int i = 0; i < spaces && field != NULL; i++) {
    field = strchr(field + 1, ' ');
  }
  return field == NULL ? 0 : strtoull(field, NULL, 10);
}

int cp_self_start_time(uint64_t *time)
{
  uint64_t began = stat_field(20); /* in ticks since the system was started */
  long ticks = sysconf(_SC_CLK_TCK);
  struct timespec now;
  uint64_t running = 0;

  if (began == 0 || ticks <= 0 || clock_gettime(CLOCK_BOOTTIME, &now) == -1) {
    return -ENOTSUP;
  }
  running =
      (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec - began * (SECOND / (uint64_t)ticks);
  *time = uv_hrtime() - running;
  return 0;
}
