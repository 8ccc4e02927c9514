/* The end of the open descriptors of this process. The parent finds it before a start; the child
 * uses it. */
#ifndef CP_OPEN_DESCRIPTORS_H
#define CP_OPEN_DESCRIPTORS_H

/* Records where they end now. */
void cp_open_descriptors_note(void);

/* Returns the first number after all open descriptors, plus some room for those that other threads
 * have opened since. */
int cp_open_descriptors_end(void);

#endif
