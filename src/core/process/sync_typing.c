/* Nothing reports that a program has read what was typed, so this looks now and then. */
#include "core/process/sync_typing.h"

#include "core/base/fd.h"

#include <poll.h>
#include <stddef.h>

enum { SHORTEST_NAP_MS = 5, LONGEST_NAP_MS = 160 };

static void type(const cp_terminal *terminal)
{
  char character = '\0';

  if (cp_terminal_end_of_file(terminal->theirs, &character) >= 0 && character != '\0') {
    struct iovec piece = {&character, 1};

    (void)cp_fd_writev(terminal->ours, &piece, 1);
  }
}

void cp_sync_typing_begin(cp_sync_typing *typing, const cp_terminal *terminal)
{
  *typing = (cp_sync_typing){.nap = SHORTEST_NAP_MS};
  if (terminal != NULL && !terminal->raw) {
    typing->terminal = terminal;
    type(terminal);
  }
}

int cp_sync_typing_time_left(const cp_sync_typing *typing)
{
  return typing->terminal != NULL && typing->terminal->theirs != -1 ? typing->nap : -1;
}

void cp_sync_typing_again(cp_sync_typing *typing)
{
  struct pollfd typed = {.events = POLLIN};

  if (typing->terminal == NULL || typing->terminal->theirs == -1) {
    return;
  }
  typed.fd = typing->terminal->theirs;
  if (poll(&typed, 1, 0) == 0) {
    type(typing->terminal);
  }
  typing->nap = typing->nap < LONGEST_NAP_MS ? typing->nap * 2 : LONGEST_NAP_MS;
}
