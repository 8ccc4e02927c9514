/* The descriptors of a program that is an agent: its standard input and output. */
#ifndef CP_LINK_STANDARD_H
#define CP_LINK_STANDARD_H

/* Moves standard input and output away. Afterwards the program reads nothing from its standard
 * input, and what it prints goes to standard error. Returns 0, or a negative errno. */
int cp_link_take_standard(int *in, int *out);

#endif
