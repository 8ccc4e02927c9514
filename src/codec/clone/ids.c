/* Open addressing with linear probing; at most half of the entries are used. */
#include "codec/clone/ids.h"

#include "core/base/assert.h"

#include <string.h>

void cp_clone_ids_init(cp_clone_ids *ids, lua_State *L)
{
  lua_pushnil(L);
  ids->slot = lua_gettop(L);
  ids->count = 0;
  ids->capacity = CP_CLONE_FIRST_IDS;
  ids->entries = ids->first;
  memset(ids->first, 0, sizeof(ids->first));
}

/* Returns the entry of the table, or the free one where it belongs. */
static cp_clone_id *place_of(const cp_clone_ids *ids, const void *table)
{
  /* The golden ratio spreads addresses, which all have the same lowest bits. */
  uint64_t hash = (uint64_t)(uintptr_t)table * 0x9E3779B97F4A7C15u;
  uint32_t i = (uint32_t)(hash >> 32) & (ids->capacity - 1);

  while (ids->entries[i].table != NULL && ids->entries[i].table != table) {
    i = (i + 1) & (ids->capacity - 1);
  }
  return &ids->entries[i];
}

static void grow(cp_clone_ids *ids, lua_State *L)
{
  cp_clone_id *old = ids->entries;
  uint32_t old_capacity = ids->capacity;
  size_t size = (size_t)old_capacity * 4 * sizeof(*old);
  cp_clone_id *entries = lua_newuserdatauv(L, size, 0);

  memset(entries, 0, size);
  ids->entries = entries;
  ids->capacity = old_capacity * 4;
  for (uint32_t i = 0; i < old_capacity; i++) {
    if (old[i].table != NULL) {
      *place_of(ids, old[i].table) = old[i];
    }
  }
  lua_replace(L, ids->slot);
}

uint32_t cp_clone_ids_find(cp_clone_ids *ids, lua_State *L, const void *table, uint32_t next)
{
  cp_clone_id *place = place_of(ids, table);

  if (place->table == table) {
    return place->id;
  }
  if (ids->count >= ids->capacity / 2) {
    grow(ids, L);
    place = place_of(ids, table);
  }
  CP_ASSERT(ids->count < ids->capacity / 2); /* otherwise place_of may not end */
  ids->count++;
  *place = (cp_clone_id){table, next};
  return CP_CLONE_NEW_ID;
}
