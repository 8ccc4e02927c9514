/* Reaps children whose object or loop was closed while they were running. Otherwise they would stay
 * zombies as long as the program runs. */
#ifndef CP_ORPHANS_H
#define CP_ORPHANS_H

#include <sys/types.h>

/* Starts a thread that reaps the child when it ends. Takes over the pidfd, which may be -1. If no
 * thread can be made, cp_orphans_reap reaps the child. */
void cp_orphans_adopt(pid_t pid, int pidfd);

/* Reaps orphans without a thread that have ended, and tries to make threads for the others. Costs
 * next to nothing if every orphan has a thread. Call it from code that every loop runs from time to
 * time. */
void cp_orphans_reap(void);

#endif
