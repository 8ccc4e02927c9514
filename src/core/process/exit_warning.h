/* A warning that the process writes to stderr when it exits successfully. */
#ifndef CP_EXIT_WARNING_H
#define CP_EXIT_WARNING_H

/* Sets the text, truncated to 511 bytes. Only the first call in a process has an effect. Call it
 * when the stock interpreter closes its Lua state. The process writes the text if it then exits
 * with status 0, but not if it exits with another status, by _exit or by a signal. A forked process
 * does not write it. Does nothing if a script closes the state with os.exit, or if the C library
 * passes no status to exit handlers. */
void cp_exit_warning_set(const char *text);

#endif
