/* As what a synchronous run collects the output of a terminal. */
#include "core/process/sync_options.h"

#include <stddef.h>
#include <unistd.h>

int cp_sync_terminal_output(const cp_sync_options *options)
{
  const cp_terminal *terminal = options->spawn.terminal;
  int fd = STDOUT_FILENO;

  if (terminal == NULL || terminal->is_shared) {
    return -1;
  }
  while (fd <= STDERR_FILENO && cp_stdio_is_pipe(&options->spawn.stdio[fd])) {
    fd++;
  }
  return fd <= STDERR_FILENO ? fd : STDIN_FILENO;
}
