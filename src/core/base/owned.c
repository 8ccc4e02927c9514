/* A table with one bit for each descriptor. Several threads use it, but it has no lock: in a forked
 * process a lock could stay locked forever. */
#include "core/base/owned.h"

#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

typedef atomic_ulong word;

enum {
  WORD_BITS = sizeof(unsigned long) * CHAR_BIT,
  BLOCK_WORDS = 512,
  BLOCK_BITS = BLOCK_WORDS * WORD_BITS,
  BLOCK_COUNT = 1024,
};

static word first[BLOCK_WORDS];             /* the first block */
static _Atomic(word *) blocks[BLOCK_COUNT]; /* the others, allocated on first use */

static word *make_block(size_t number)
{
  word *made = calloc(BLOCK_WORDS, sizeof(*made));
  word *block = NULL;

  if (made != NULL && !atomic_compare_exchange_strong(&blocks[number], &block, made)) {
    free(made); /* another thread was faster */
    return block;
  }
  return made;
}

/* Returns the word with the bit of `fd`, or NULL if its block is missing. */
static word *find(int fd, bool make)
{
  size_t number = (size_t)fd / BLOCK_BITS;
  word *block = first;

  if (fd < 0 || number >= BLOCK_COUNT) {
    return NULL;
  }
  if (number > 0) {
    block = atomic_load(&blocks[number]);
    if (block == NULL && make) {
      block = make_block(number);
    }
  }
  return block == NULL ? NULL : &block[(size_t)fd % BLOCK_BITS / WORD_BITS];
}

static unsigned long bit(int fd)
{
  return 1UL << ((unsigned)fd % WORD_BITS);
}

bool cp_owned_add(int fd)
{
  word *found = find(fd, true);

  return found == NULL || (atomic_fetch_or(found, bit(fd)) & bit(fd)) == 0;
}

void cp_owned_remove(int fd)
{
  word *found = find(fd, false);

  if (found != NULL && (atomic_load_explicit(found, memory_order_relaxed) & bit(fd)) != 0) {
    atomic_fetch_and(found, ~bit(fd));
  }
}

bool cp_owned_has(int fd)
{
  word *found = find(fd, false);

  return found != NULL && (atomic_load(found) & bit(fd)) != 0;
}
