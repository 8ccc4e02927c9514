/* ELF, the format of binaries on most systems: finds the loader that a binary names. */
#ifndef CP_ELF_H
#define CP_ELF_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a file that starts with these bytes is an ELF file. */
bool cp_elf_is_binary(const char *start, size_t length);

/* Stores the path of the loader, truncated if it does not fit. Returns false if the file names
 * none. */
bool cp_elf_read_loader(int fd, char *path, size_t size);

#endif
