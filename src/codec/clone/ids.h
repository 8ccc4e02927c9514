/* The ids of the tables that the encoder has written. V8 numbers objects in the order in which they
 * are written; an object that occurs again, also within itself, is written as a reference to its
 * id. */
#ifndef CP_CLONE_IDS_H
#define CP_CLONE_IDS_H

#include "compat/lua.h"

#include <stdint.h>

/* Twice the number of tables that most messages have. */
enum { CP_CLONE_FIRST_IDS = 32 };

typedef struct cp_clone_id {
  const void *table;
  uint32_t id;
} cp_clone_id;

/* A hash table from the addresses of tables to ids. Beyond `first` the entries are in a userdata,
 * so that nothing leaks when an error is raised. */
typedef struct cp_clone_ids {
  int slot; /* stack index of that userdata */
  uint32_t count;
  uint32_t capacity; /* a power of two */
  cp_clone_id *entries;
  cp_clone_id first[CP_CLONE_FIRST_IDS];
} cp_clone_ids;

/* Empties the hash table. Pushes a value that must stay in its slot while the table is in use. */
void cp_clone_ids_init(cp_clone_ids *ids, lua_State *L);

#define CP_CLONE_NEW_ID UINT32_MAX

/* Returns the id of a table. If it has none, records `next` as its id and returns CP_CLONE_NEW_ID.
 * Raises when out of memory. */
uint32_t cp_clone_ids_find(cp_clone_ids *ids, lua_State *L, const void *table, uint32_t next);

#endif
