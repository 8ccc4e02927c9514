/* What a signal does to this process. The functions may be called in a signal handler. */
#ifndef CP_DISPOSITION_H
#define CP_DISPOSITION_H

#include <stdbool.h>

/* Whether the signal has its default disposition. */
bool cp_disposition_is_default(int signum);

void cp_disposition_set_default(int signum);

#endif
