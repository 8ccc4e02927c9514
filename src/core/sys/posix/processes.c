/* POSIX has no way to list processes. */
#include "core/sys/processes.h"

#include <errno.h>

int cp_process_read(pid_t pid, cp_process_info *info)
{
  (void)pid;
  (void)info;
  return -ENOSYS;
}

bool cp_process_has_ended(const cp_process_info *info)
{
  (void)info;
  return false;
}

int64_t cp_process_processor_time(pid_t pid)
{
  (void)pid;
  return -ENOSYS;
}

bool cp_process_is_stopped(const cp_process_info *info, bool blocked)
{
  (void)info;
  (void)blocked;
  return false;
}

bool cp_process_adopts_orphans(void)
{
  return false;
}

void cp_process_ids_free(cp_process_ids *ids)
{
  (void)ids;
}

int cp_process_children(const cp_process_info *parent, cp_process_ids *ids)
{
  (void)parent;
  (void)ids;
  return -ENOSYS;
}

int cp_process_list_all(cp_process_ids *ids)
{
  (void)ids;
  return -ENOSYS;
}

int cp_process_open(pid_t pid)
{
  (void)pid;
  return -ENOSYS;
}
