/* The relays of a link, by the number of their child. A relay leaves them when it is freed. */
#ifndef CP_RELAYS_H
#define CP_RELAYS_H

#include "core/link/relay.h"

enum { CP_RELAYS_BUCKETS = 256 };

/* All zeros: there is none. It must not move. */
typedef struct cp_relays {
  CP_LIST(cp_relay) buckets[CP_RELAYS_BUCKETS];
} cp_relays;

/* Adds a relay, whose child and number are set. */
void cp_relays_add(cp_relays *relays, cp_relay *relay);

/* Returns NULL if there is no such relay. */
cp_relay *cp_relays_find(const cp_relays *relays, uint32_t child, unsigned stream);

/* Call `function` for each relay, and for each of a child. It may free that relay. */
void cp_relays_each(cp_relays *relays, void (*function)(cp_relay *relay));
void cp_relays_each_of(cp_relays *relays, uint32_t child, void (*function)(cp_relay *relay));

#endif
