/* The terminal of this process itself, in raw mode for a while. When the process ends, the terminal
 * gets back the settings that it had before: on a normal end, after an error, and after a signal
 * with its default action, except SIGKILL. */
#ifndef CP_OWN_TERMINAL_H
#define CP_OWN_TERMINAL_H

#include <signal.h>
#include <stdbool.h>

typedef enum cp_own_terminal_mode {
  CP_OWN_TERMINAL_USUAL, /* the former settings */
  CP_OWN_TERMINAL_RAW,   /* keys arrive at once, are not shown, and raise no signals */
  /* Output, too, is passed on as it is: a line feed does not return the carriage. */
  CP_OWN_TERMINAL_RAW_BOTH,
} cp_own_terminal_mode;

/* Sets the mode of the terminal at this descriptor. Only one terminal is restored. Returns 0 or a
 * negative errno. */
int cp_own_terminal_set_mode(int fd, cp_own_terminal_mode mode);

/* Restores the settings now, if they were changed. May be called in a signal handler. */
void cp_own_terminal_restore(void);

/* Whether this is the handler that restores the settings, instead of the default disposition. */
bool cp_own_terminal_handles(const struct sigaction *action);

/* Installs handlers again where the default disposition was restored. */
void cp_own_terminal_refresh(void);

#endif
