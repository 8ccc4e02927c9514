/* Powers of ten, as precise as the conversion of any float needs, and the arithmetic for them. */
#ifndef CP_NUMBER_POWER_H
#define CP_NUMBER_POWER_H

#include <stdbool.h>
#include <stdint.h>

#define CP_POWER_LEAST (-342)
#define CP_POWER_GREATEST 324

/* The highest 128 bits of a number, cut off and not rounded; the highest of them is set. */
typedef struct cp_power {
  uint64_t high;
  uint64_t low;
  bool exact; /* nothing but zeros was cut off */
} cp_power;

/* 10 to the power of `exponent`, from CP_POWER_LEAST to CP_POWER_GREATEST. */
cp_power cp_power_of_ten(int exponent);

/* The binary logarithm of 10 to the power of `exponent`, rounded down. */
static inline int cp_power_log2(int exponent)
{
  return (exponent * 217706) >> 16;
}

/* The high half of a product; the other one goes to `low`. */
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

/* The highest 64 bits of the product of a power and a factor; the next 64 go to `low`, and what is
 * below those is left out. */
static inline uint64_t cp_power_multiply(cp_power power, uint64_t factor, uint64_t *low)
{
  uint64_t ignored = 0;
  uint64_t carried = cp_multiply(power.low, factor, &ignored);
  uint64_t high = cp_multiply(power.high, factor, low);

  *low += carried;
  return high + (*low < carried);
}

#endif
