/* The file in which the guard finds what to end: a line for each place of the list, all of the same
 * length, so that each can be replaced where it stands. The guard reads the file when we have
 * ended; until then nothing wakes it. The file has no name. */
#ifndef CP_GUARD_FILE_H
#define CP_GUARD_FILE_H

#include "core/process/guard_list.h"

/* Checks whether this place is within the limit of this process for the size of files, which would
 * end us with SIGXFSZ. Returns 0 or -EFBIG. */
int cp_guard_file_check(size_t place);

/* Writes the line of a process that has been started. */
void cp_guard_file_write(int fd, size_t place, cp_guard_kind kind, pid_t pid);

/* The same in a starting child, for itself. It is safe where cp_spawn_child is. Returns 0 or a
 * negative errno. */
int cp_guard_file_write_self(int fd, size_t place, cp_guard_kind kind);

/* Makes the line blank. */
void cp_guard_file_clear(int fd, size_t place);

#endif
