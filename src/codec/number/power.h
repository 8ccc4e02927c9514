/* Powers of ten, with the precision that converting floats needs, and arithmetic with them. */
#ifndef CP_NUMBER_POWER_H
#define CP_NUMBER_POWER_H

#include <stdbool.h>
#include <stdint.h>

#define CP_POWER_LEAST (-342)
#define CP_POWER_GREATEST 324

/* The highest 128 bits of a number, truncated, not rounded. The highest bit is set. */
typedef struct cp_power {
  uint64_t high;
  uint64_t low;
  bool exact; /* all truncated bits are zeros */
} cp_power;

/* Returns 10 to the power of `exponent`, which must lie between CP_POWER_LEAST and
 * CP_POWER_GREATEST. */
cp_power cp_power_of_ten(int exponent);

/* Returns the binary logarithm of 10 to the power of `exponent`, rounded down. */
static inline int cp_power_log2(int exponent)
{
  return (exponent * 217706) >> 16;
}

/* Returns the high half of a product, and stores the low half. */
static inline uint64_t cp_multiply(uint64_t a, uint64_t b, uint64_t *low)
{
  uint64_t a_low = (uint32_t)a, a_high = a >> 32;
  uint64_t b_low = (uint32_t)b, b_high = b >> 32;
  uint64_t lowest = a_low * b_low;
  uint64_t middle = a_high * b_low + (lowest >> 32);
  uint64_t other = a_low * b_high + (uint32_t)middle;

  *low = other << 32 | (uint32_t)lowest;
  return a_high * b_high + (middle >> 32) + (other >> 32);
}

/* Returns the highest 64 bits of the product of a power and a factor, and stores the next 64 bits
 * in `low`. Lower bits are dropped. */
static inline uint64_t cp_power_multiply(cp_power power, uint64_t factor, uint64_t *low)
{
  uint64_t ignored = 0;
  uint64_t carried = cp_multiply(power.low, factor, &ignored);
  uint64_t high = cp_multiply(power.high, factor, low);

  *low += carried;
  return high + (*low < carried);
}

#endif
