/* Children whose loop was closed while they were running: nobody waits for them any more, and in a
 * program that goes on they would stay behind as zombies. */
#ifndef CP_ORPHANS_H
#define CP_ORPHANS_H

#include <sys/types.h>

/* Sees to it that the child is reaped when it ends, from a thread of its own. Takes the pidfd, which
 * may be -1. */
void cp_orphans_adopt(pid_t pid, int pidfd);

#endif
