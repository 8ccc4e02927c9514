/* Reads and writes files under /proc/self. */
#include "core/sys/own_process.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

extern char **environ;

#define TITLE_FILE "/proc/self/comm"

static const uint64_t SECOND = 1000000000; /* nanoseconds */

ssize_t cp_own_process_title(char *title)
{
  FILE *file = fopen(TITLE_FILE, "re");
  size_t size = 0;

  if (file == NULL) {
    return -errno;
  }
  size = fread(title, 1, CP_OWN_PROCESS_TITLE_SIZE + 1, file);
  fclose(file);
  return size == 0 ? 0 : (ssize_t)size - 1; /* it ends with a newline */
}

int cp_own_process_set_title(const char *title)
{
  FILE *file = fopen(TITLE_FILE, "we");

  if (file == NULL) {
    return -errno;
  }
  /* Writes the zero, too: an empty write would change nothing. */
  fwrite(title, 1, strlen(title) + 1, file);
  return fclose(file) == 0 ? 0 : -errno;
}

/* Returns the number in /proc/self/stat after `spaces` spaces behind the name, which is in brackets
 * and may contain anything. Returns 0 if there is no such number. */
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

int cp_own_process_start_time(uint64_t *time)
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

char **cp_own_process_environment(void)
{
  return environ;
}

#ifdef __GLIBC__

static void (*exit_callback)(int status);

static void on_status(int status, void *unused)
{
  (void)unused;
  exit_callback(status);
}

int cp_own_process_on_exit(void (*callback)(int status))
{
  exit_callback = callback;
  return on_exit(on_status, NULL) == 0 ? 0 : -ENOMEM;
}

#else

int cp_own_process_on_exit(void (*callback)(int status))
{
  (void)callback;
  return -ENOTSUP;
}

#endif

/* Examines the first object, which is the program. */
static int find_function(struct dl_phdr_info *object, size_t size, void *function)
{
  uintptr_t address = *(uintptr_t *)function - object->dlpi_addr;

  (void)size;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];

    if (part->p_type == PT_LOAD && address >= part->p_vaddr &&
        address - part->p_vaddr < part->p_memsz) {
      return 1;
    }
  }
  return -1;
}

bool cp_own_process_contains(const void *function)
{
  uintptr_t address = (uintptr_t)function;

  return dl_iterate_phdr(find_function, &address) == 1;
}

void cp_own_process_pin_module(void)
{
  /* The linker has done that (-z nodelete). */
}
