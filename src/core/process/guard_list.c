/* An array that only grows, in no order. */
#include "core/process/guard_list.h"

#include "core/base/assert.h"
#include "core/sys/process.h"

#include <errno.h>
#include <stdlib.h>

int cp_guard_list_reserve(cp_guard_list *list)
{
  if (list->count + list->reserved == list->capacity) {
    size_t capacity = list->capacity * 2 + 8;
    void *larger = realloc(list->entries, capacity * sizeof(*list->entries));

    if (larger == NULL) {
      return -ENOMEM;
    }
    list->entries = larger;
    list->capacity = capacity;
  }
  list->reserved++;
  return 0;
}

void cp_guard_list_cancel(cp_guard_list *list)
{
  CP_ASSERT(list->reserved > 0);
  list->reserved--;
}

void cp_guard_list_add(cp_guard_list *list, pid_t pid, cp_guard_kind kind)
{
  cp_guarded *entry = cp_guard_list_find(list, pid);

  CP_ASSERT(list->reserved > 0 && list->count < list->capacity);
  list->reserved--;
  if (entry == NULL) {
    entry = &list->entries[list->count++];
  }
  *entry = (cp_guarded){.pid = pid, .kind = kind, .pidfd = -1};
}

cp_guarded *cp_guard_list_find(cp_guard_list *list, pid_t pid)
{
  for (size_t i = 0; i < list->count; i++) {
    if (list->entries[i].pid == pid) {
      return &list->entries[i];
    }
  }
  return NULL;
}

cp_guarded *cp_guard_list_find_orphan(cp_guard_list *list, int pidfd)
{
  for (size_t i = 0; i < list->count && pidfd != -1; i++) {
    if (list->entries[i].pidfd == pidfd) {
      return &list->entries[i];
    }
  }
  return NULL;
}

void cp_guard_list_remove(cp_guard_list *list, cp_guarded *entry)
{
  *entry = list->entries[--list->count];
}

void cp_guard_list_clear(cp_guard_list *list)
{
  list->count = 0;
  list->reserved = 0;
}

static bool has_members(pid_t group)
{
  return cp_sys_signal(-1, -group, 0) != -ESRCH;
}

bool cp_guarded_is_over(const cp_guarded *entry)
{
  return entry->has_ended && !has_members(entry->pid);
}
