/* A hash table. */
#include "core/link/relays.h"

void cp_relays_add(cp_relays *relays, cp_relay *relay)
{
  CP_LIST_INSERT(&relays->buckets[relay->child % CP_RELAYS_BUCKETS], relay, entry);
}

cp_relay *cp_relays_find(const cp_relays *relays, uint32_t child, unsigned stream)
{
  cp_relay *relay = NULL;

  CP_LIST_FOREACH(relay, &relays->buckets[child % CP_RELAYS_BUCKETS], entry)
  {
    if (relay->child == child && relay->number == stream) {
      return relay;
    }
  }
  return NULL;
}

void cp_relays_each(cp_relays *relays, void (*function)(cp_relay *relay))
{
  for (int i = 0; i < CP_RELAYS_BUCKETS; i++) {
    cp_relay *next = NULL;

    for (cp_relay *relay = CP_LIST_FIRST(&relays->buckets[i]); relay != NULL; relay = next) {
      next = CP_LIST_NEXT(relay, entry);
      function(relay);
    }
  }
}

void cp_relays_each_of(cp_relays *relays, uint32_t child, void (*function)(cp_relay *relay))
{
  cp_relay *next = NULL;

  for (cp_relay *relay = CP_LIST_FIRST(&relays->buckets[child % CP_RELAYS_BUCKETS]); relay != NULL;
       relay = next) {
    next = CP_LIST_NEXT(relay, entry);
    if (relay->child == child) {
      function(relay);
    }
  }
}
