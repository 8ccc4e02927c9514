/* What the system tells of this process, and takes from it, in files under /proc/self. */
#ifndef CP_SELF_H
#define CP_SELF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The most bytes of a title. */
#define CP_SELF_TITLE_SIZE 15

/* Reads the title: the name of the first thread, which is what ps shows. `title` has room for
 * CP_SELF_TITLE_SIZE bytes and one more. Returns its length, or a negative errno where the system
 * does not tell. */
ssize_t cp_self_title(char *title);

/* Sets the title; what is too long is cut off. The command line belongs to the program that we are
 * in, so it stays as it is. */
int cp_self_set_title(const char *title);

/* When the process began, in nanoseconds on the clock of uv_hrtime; as exact as the ticks in which
 * the system counts. -ENOTSUP where it does not tell. */
int cp_self_start_time(uint64_t *time);

#endif
