/* Names and numbers of signals. */
#ifndef CP_SIGNALS_H
#define CP_SIGNALS_H

typedef struct cp_signal_name {
  const char *name;
  int number;
} cp_signal_name;

/* All signals that have a fixed number on this system. If two names share a number, the usual name
 * comes last. Ends with a NULL name. Real-time signals, SIGRTMIN to SIGRTMAX, are not among
 * them. */
extern const cp_signal_name cp_signal_names[];

#endif
