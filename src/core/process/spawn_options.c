/* The PATH of a program to start, and its process group. */
#include "core/process/spawn_options.h"

#include "core/process/terminal_signals.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool reads_terminal(const cp_spawn_options *options)
{
  return options->stdio_count > 0 && options->stdio[0].kind == CP_STDIO_DESCRIPTOR &&
         cp_terminal_is_ours(options->stdio[0].fd);
}

void cp_spawn_choose_group(cp_spawn_options *options)
{
  if (options->tree && !options->detached && !options->set_process_group) {
    options->set_process_group = !reads_terminal(options);
  }
}

bool cp_spawn_leads_group(const cp_spawn_options *options)
{
  return options->detached || (options->set_process_group && options->process_group == 0);
}

const char *cp_spawn_search_path(const cp_spawn_options *options)
{
  static const char *const fallback = "/usr/local/bin:/bin:/usr/bin";
  const char *path = NULL;

  if (strchr(options->file, '/') != NULL) {
    return "";
  }
  if (options->env == NULL) {
    path = getenv("PATH");
  } else {
    for (char *const *entry = options->env; *entry != NULL && path == NULL; entry++) {
      path = strncmp(*entry, "PATH=", 5) == 0 ? *entry + 5 : NULL;
    }
  }
  return path != NULL ? path : fallback;
}
