/* The input of a synchronous run at a terminal: nobody types there, so each attempt to read finds
 * end-of-file. */
#ifndef CP_SYNC_TYPING_H
#define CP_SYNC_TYPING_H

#include "core/process/terminal.h"

typedef struct cp_sync_typing {
  const cp_terminal *terminal; /* NULL: nothing to do */
  int nap;                     /* milliseconds */
} cp_sync_typing;

/* Types end-of-file. Does nothing if the terminal, which may be NULL, is raw from the start: there
 * it would be a byte like any other. */
void cp_sync_typing_begin(cp_sync_typing *typing, const cp_terminal *terminal);

/* Returns the milliseconds after which to call cp_sync_typing_again, or -1, if nothing else happens
 * before. */
int cp_sync_typing_time_left(const cp_sync_typing *typing);

/* Types end-of-file again if the program has read or discarded the last one. A program that has
 * made the terminal raw, to read single keys, gets the same key. */
void cp_sync_typing_again(cp_sync_typing *typing);

#endif
