/* Writes the registered outboxes when the process ends, so that accepted messages are not lost. */
#ifndef CP_EXIT_FLUSH_H
#define CP_EXIT_FLUSH_H

#include "core/base/list.h"
#include "core/channel/outbox.h"

#include <pthread.h>
#include <sys/types.h>

typedef struct cp_exit_flush {
  int fd;
  cp_outbox *outbox;
  pthread_t thread; /* the only one that uses the outbox */
  pid_t process;    /* the only one that writes: forked ones do not */
  CP_LIST_ENTRY(cp_exit_flush) entry;
} cp_exit_flush;

/* Register and unregister an outbox of the calling thread, and the socket `fd` to write it to. */
void cp_exit_flush_add(cp_exit_flush *flush, int fd, cp_outbox *outbox);
void cp_exit_flush_remove(cp_exit_flush *flush);

/* Keeps cp_exit_flush_write from writing it. */
void cp_exit_flush_cancel(cp_exit_flush *flush);

/* Writes everything now, and waits for the other side to read if necessary. */
void cp_exit_flush_write(const cp_exit_flush *flush);

#endif
