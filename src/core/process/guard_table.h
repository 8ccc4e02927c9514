/* The lines in which the guard finds what to end: one of a fixed length for each place of the list.
 * They are in a file without a name, which is mapped into our memory, so that writing a line takes
 * no system call and wakes nobody. The guard reads the file when we have ended. */
#ifndef CP_GUARD_TABLE_H
#define CP_GUARD_TABLE_H

#include "core/process/guard_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All zeros: closed. */
typedef struct cp_guard_table {
  char *lines; /* NULL if the table is closed */
  size_t room; /* how many lines the file has */
  int fd;
  bool knows_time; /* the lines get one */
} cp_guard_table;

/* Opens a table without lines. Returns 0 or a negative errno. */
int cp_guard_table_open(cp_guard_table *table);

void cp_guard_table_close(cp_guard_table *table);

/* Makes room for this place. Returns 0 or a negative errno: -EFBIG if our limit for the size of
 * files is too low. */
int cp_guard_table_make_room(cp_guard_table *table, size_t place);

/* The line of a place, which does not move. */
char *cp_guard_table_line(const cp_guard_table *table, size_t place);

/* Whether lines get times depends on the guard that will read them: a new one is running. */
void cp_guard_table_note_reader(cp_guard_table *table);

/* Fills in a line that is blank. A starting child calls it with its own id: it is safe where
 * cp_spawn_child is. */
void cp_guard_line_write(char *line, cp_guard_kind kind, pid_t pid);

bool cp_guard_line_is_blank(const char *line);

/* Adds the time to a line that was written, if the guard would have the same time. */
void cp_guard_table_add_time(const cp_guard_table *table, char *line);

/* Makes a line blank. */
void cp_guard_line_clear(char *line);

#endif
