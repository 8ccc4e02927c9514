/* Passes signals of our terminal on to trees.
 *
 * The terminal sends SIGINT for Ctrl-C to its foreground process group, which is usually ours. A
 * tree has a group of its own, so it would not be told. While there are trees, handlers of the
 * signals below pass them on, and then do to us what would have happened without a handler:
 *
 *   SIGINT, SIGQUIT    end us
 *   SIGTSTP            stops us
 *   SIGCONT, SIGWINCH  nothing
 *
 * A handler is installed only where the signal has its default disposition: whoever handles a
 * signal decides about it. An exception is a handler of SIGINT that belongs to the program itself,
 * as the stock interpreter has one: ours calls it after passing the signal on. */
#ifndef CP_TERMINAL_SIGNALS_H
#define CP_TERMINAL_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Whether this descriptor is the terminal that controls this process. A child that reads from it
 * must stay in our process group: the system would stop it in another one. It is then told of
 * signals by the terminal itself. */
bool cp_terminal_is_ours(int fd);

/* Call it before a tree with a process group of its own is started, and cp_terminal_signals_end
 * after that, with the mask that this one stores. The thread gets no such signals in between: one
 * that came before the group is known would miss it. Returns 0; -ENOTTY if no terminal controls us,
 * and then there is nothing to end; or -ENOMEM. */
int cp_terminal_signals_begin(sigset_t *mask);

/* `group` is -1 if the tree could not be started. */
void cp_terminal_signals_end(const sigset_t *mask, pid_t group);

/* Passes on a signal that other code has handled, and that would have had no other effect. */
void cp_terminal_signals_forward(int signum);

/* Call it when the leader of a group was reaped. Does nothing for other groups than those that were
 * added. */
void cp_terminal_signals_remove(pid_t group);

/* Installs handlers again where the default disposition was restored, and those of own_terminal.h.
 * Costs next to nothing if there are no trees. */
void cp_terminal_signals_refresh(void);

/* A listener of `process` handles the signal now: its handler is never replaced, wherever its code
 * is. */
void cp_terminal_signals_yield(int signum);

#endif
