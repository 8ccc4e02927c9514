/* Objects are numbered in the order in which they are written, so that one that comes again, or
 * that holds itself, is a reference. */
#ifndef CP_CLONE_IDS_H
#define CP_CLONE_IDS_H

#include <lua.h>
#include <stdint.h>

/* Most messages have no more tables than half of these. */
enum { CP_CLONE_FIRST_IDS = 32 };

typedef struct cp_clone_id {
  const void *table;
  uint32_t id;
} cp_clone_id;

/* A hash table. Larger ones are userdata, which leave nothing behind after an error. */
typedef struct cp_clone_ids {
  int slot; /* of the Lua stack, for such a one */
  uint32_t count;
  uint32_t capacity; /* a power of two */
  cp_clone_id *entries;
  cp_clone_id first[CP_CLONE_FIRST_IDS];
} cp_clone_ids;

/* Pushes a value that has to stay where it is for as long as this is used. */
void cp_clone_ids_init(cp_clone_ids *ids, lua_State *L);

#define CP_CLONE_NEW_ID UINT32_MAX

/* The number of a table, known by its address; where it has none it gets this one, and CP_CLONE_NEW_ID is
 * returned. Raises for want of memory. */
uint32_t cp_clone_ids_find(cp_clone_ids *ids, lua_State *L, const void *table, uint32_t next);

#endif
