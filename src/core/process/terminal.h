/* Pseudo-terminals for children: a pair of descriptors of which the child has the terminal, and we
 * have the end that controls it, as a terminal emulator does. What we write is typed there; what
 * the child writes we read.
 *
 * The functions below that take a descriptor work with either end, and return 0 or a negative
 * errno. */
#ifndef CP_TERMINAL_H
#define CP_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

struct termios;

/* The terminal of a child that is to be started. */
typedef struct cp_terminal {
  int ours;       /* -1 unless it is open, and once another object owns both ends */
  int theirs;     /* -1 unless it is open */
  bool is_shared; /* it is the terminal of another child; only `theirs` is set */
  int columns, rows;
  bool raw;  /* see cp_terminal_set_raw */
  bool echo; /* whether it shows what is typed, unless it is raw */
} cp_terminal;

/* Opens a new terminal of this size and mode. Both ends are close-on-exec; `ours` is non-blocking.
 * Returns 0, or a negative errno and leaves nothing open. Does nothing for a shared one. */
int cp_terminal_open(cp_terminal *terminal);

/* Close what cp_terminal_open has opened, unless another object owns it by now. */
void cp_terminal_close_theirs(cp_terminal *terminal);
void cp_terminal_close(cp_terminal *terminal);

/* Gives the terminal to a user, so that programs may open it by its path. */
void cp_terminal_give(const cp_terminal *terminal, uid_t uid);

enum {
  CP_TERMINAL_LARGEST = 65535, /* columns or rows */
  /* For how long the terminal of a child that was sent a signal is kept open. Closing it hangs up:
   * SIGHUP would end the child before that signal does. */
  CP_TERMINAL_TIME_TO_END_MS = 200,
};

int cp_terminal_get_size(int fd, int *columns, int *rows);

/* Sends SIGWINCH to the foreground process group if the size changes. */
int cp_terminal_set_size(int fd, int columns, int rows);

/* May be called in a signal handler. */
int cp_terminal_set_settings(int fd, const struct termios *settings);

/* In raw mode the terminal passes on all bytes as they are, in both directions: it does not echo
 * what is typed, edit lines, turn control characters into signals, or convert the ends of lines.
 * `on` = false restores all of that. */
int cp_terminal_set_raw(int fd, bool on);

/* Sets whether what is typed is shown. */
int cp_terminal_set_echo(int fd, bool on);

/* Stores the character that, typed at the start of a line, lets a program read end-of-file. Returns
 * 1, or 0 if there is none, as in raw mode. */
int cp_terminal_end_of_file(int fd, char *character);

#endif
