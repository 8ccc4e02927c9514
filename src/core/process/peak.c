/* Compares a child's peak with ours at the time of the question. What the child may have taken over
 * is our peak at its start or less, and ours only grows. So the answer is never wrong, but
 * sometimes not known although it was at the start; and a start costs nothing. */
#include "core/process/peak.h"

#include <stdatomic.h>

/* The most that children may have taken over when it was read last, in KiB. Peaks below need no
 * other look. */
static _Atomic(int64_t) known;

/* There are two upper bounds of it. What is reported of this process includes what it has taken
 * over itself, and the program's own peak is not exact. */
static int64_t most_taken_over(void)
{
  int64_t reported = cp_sys_own_usage().peak;
  int64_t bound = cp_sys_own_peak_bound();

  return bound >= 0 && bound < reported ? bound : reported;
}

int64_t cp_peak_of_child(const cp_usage *child)
{
  int64_t most = 0;

  if (child->peak <= atomic_load_explicit(&known, memory_order_relaxed)) {
    return -1;
  }
  most = most_taken_over();
  atomic_store_explicit(&known, most, memory_order_relaxed);
  return child->peak > most ? child->peak : -1;
}

int64_t cp_peak_of_self(const cp_usage *self)
{
  int64_t peak = cp_sys_own_peak();

  return peak >= 0 && peak < self->peak ? peak : self->peak;
}
