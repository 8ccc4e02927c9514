/* Reads and changes what the system records about this process. See sys.h. */
#ifndef CP_OWN_PROCESS_H
#define CP_OWN_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The most bytes of a title. */
#define CP_OWN_PROCESS_TITLE_SIZE 15

/* Reads the title: the name of the first thread, which is what ps shows. `title` has room for
 * CP_OWN_PROCESS_TITLE_SIZE bytes and one more. Returns its length, or a negative errno if the
 * system does not report it. */
ssize_t cp_own_process_title(char *title);

/* Sets the title, truncated if it is too long. The command line belongs to the host program, so it
 * stays as it is. */
int cp_own_process_set_title(const char *title);

/* Stores when the process was started, in nanoseconds on the clock of uv_hrtime, rounded to the
 * system's ticks. Returns -ENOTSUP if the system does not report it. */
int cp_own_process_start_time(uint64_t *time);

/* The environment: "KEY=value", ends with NULL. NULL if it is empty. */
char **cp_own_process_environment(void);

/* Makes exit(3) call `callback` with the status. Returns -ENOTSUP if the C library passes no status
 * to exit handlers. */
int cp_own_process_on_exit(void (*callback)(int status));

/* Whether a function belongs to the program itself, and not to a library. */
bool cp_own_process_contains(const void *function);

/* Keeps this module loaded until the process ends. Otherwise closing a Lua state would unmap code
 * that libuv still refers to. */
void cp_own_process_pin_module(void);

#endif
