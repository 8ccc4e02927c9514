/* An array that only grows. The lowest free place is taken first. */
#include "core/process/guard_list.h"

#include "core/base/assert.h"
#include "core/sys/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FREE = 0, RESERVED = -1 }; /* in the place of a process id */

static int enlarge(cp_guard_list *list)
{
  size_t capacity = list->capacity * 2 + 8;
  cp_guarded *larger = realloc(list->entries, capacity * sizeof(*larger));

  if (larger == NULL) {
    return -ENOMEM;
  }
  memset(larger + list->capacity, 0, (capacity - list->capacity) * sizeof(*larger));
  list->entries = larger;
  list->capacity = capacity;
  return 0;
}

int cp_guard_list_reserve(cp_guard_list *list, size_t *place)
{
  size_t i = 0;
  int r = list->taken == list->capacity ? enlarge(list) : 0;

  if (r < 0) {
    return r;
  }
  while (list->entries[i].pid != FREE) {
    i++;
  }
  list->entries[i].pid = RESERVED;
  list->taken++;
  list->end = i < list->end ? list->end : i + 1;
  *place = i;
  return 0;
}

void cp_guard_list_add(cp_guard_list *list, size_t place, pid_t pid, cp_guard_kind kind)
{
  CP_ASSERT(pid > 0 && list->entries[place].pid == RESERVED);
  list->entries[place] = (cp_guarded){.pid = pid, .kind = kind, .pidfd = -1};
  list->count++;
}

void cp_guard_list_remove(cp_guard_list *list, size_t place)
{
  cp_guarded *entry = &list->entries[place];

  CP_ASSERT(entry->pid != FREE && list->taken > 0);
  list->count -= entry->pid == RESERVED ? 0 : 1;
  list->taken--;
  entry->pid = FREE;
  while (list->end > 0 && list->entries[list->end - 1].pid == FREE) {
    list->end--;
  }
}

bool cp_guard_list_find(const cp_guard_list *list, pid_t pid, size_t *place)
{
  for (size_t i = 0; i < list->end; i++) {
    if (list->entries[i].pid == pid) {
      *place = i;
      return true;
    }
  }
  return false;
}

bool cp_guard_list_find_orphan(const cp_guard_list *list, int pidfd, size_t *place)
{
  for (size_t i = 0; i < list->end && pidfd != -1; i++) {
    if (list->entries[i].pid > 0 && list->entries[i].pidfd == pidfd) {
      *place = i;
      return true;
    }
  }
  return false;
}

void cp_guard_list_clear(cp_guard_list *list)
{
  for (size_t i = 0; i < list->capacity; i++) {
    list->entries[i].pid = FREE;
  }
  list->count = 0;
  list->taken = 0;
  list->end = 0;
}

static bool has_members(pid_t group)
{
  return cp_sys_signal(-1, -group, 0) != -ESRCH;
}

bool cp_guarded_is_over(const cp_guarded *entry)
{
  return entry->has_ended && !has_members(entry->pid);
}
