/* Chunks of places, in a list that only grows. */
#include "core/process/group_set.h"

#include "core/base/assert.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

enum { FREE = 0, RESERVED = -1 };

typedef _Atomic(pid_t) place;

static pid_t read_place(const place *at)
{
  return atomic_load_explicit(at, memory_order_relaxed);
}

static cp_group_chunk *next_of(const cp_group_chunk *chunk)
{
  return atomic_load_explicit(&chunk->next, memory_order_acquire);
}

/* Returns a place with this content, or NULL. */
static place *find(cp_group_set *set, pid_t content)
{
  for (cp_group_chunk *chunk = &set->first; chunk != NULL; chunk = next_of(chunk)) {
    for (int i = 0; i < CP_GROUP_SET_CHUNK; i++) {
      if (read_place(&chunk->groups[i]) == content) {
        return &chunk->groups[i];
      }
    }
  }
  return NULL;
}

static place *grow(cp_group_set *set)
{
  cp_group_chunk *last = &set->first;
  cp_group_chunk *made = calloc(1, sizeof(*made));

  if (made == NULL) {
    return NULL;
  }
  while (next_of(last) != NULL) {
    last = next_of(last);
  }
  atomic_store_explicit(&last->next, made, memory_order_release);
  return &made->groups[0];
}

static void write_place(place *at, pid_t content)
{
  CP_ASSERT(at != NULL);
  atomic_store_explicit(at, content, memory_order_relaxed);
}

int cp_group_set_reserve(cp_group_set *set)
{
  place *at = find(set, FREE);

  at = at == NULL ? grow(set) : at;
  if (at == NULL) {
    return -ENOMEM;
  }
  write_place(at, RESERVED);
  set->count++;
  return 0;
}

void cp_group_set_cancel(cp_group_set *set)
{
  CP_ASSERT(set->count > 0);
  write_place(find(set, RESERVED), FREE);
  set->count--;
}

void cp_group_set_add(cp_group_set *set, pid_t group)
{
  CP_ASSERT(group > 1);
  write_place(find(set, RESERVED), group);
}

void cp_group_set_remove(cp_group_set *set, pid_t group)
{
  place *at = find(set, group);

  if (at != NULL) {
    write_place(at, FREE);
    set->count--;
  }
}

void cp_group_set_clear(cp_group_set *set)
{
  set->count = 0;
  for (cp_group_chunk *chunk = &set->first; chunk != NULL; chunk = next_of(chunk)) {
    for (int i = 0; i < CP_GROUP_SET_CHUNK; i++) {
      write_place(&chunk->groups[i], FREE);
    }
  }
}

void cp_group_set_signal(const cp_group_set *set, int signum)
{
  for (const cp_group_chunk *chunk = &set->first; chunk != NULL; chunk = next_of(chunk)) {
    for (int i = 0; i < CP_GROUP_SET_CHUNK; i++) {
      pid_t group = read_place(&chunk->groups[i]);

      if (group > 1) {
        (void)kill(-group, signum);
      }
    }
  }
}
