/* Runs a work of the budgets and counts what a unit of it takes: callgrind counts the instructions,
 * this program what Lua allocates.
 *
 *   counter WARM_UP UNITS SCRIPT [ARGUMENT...]
 *
 * The script gets a function and the arguments. It calls the function after each unit of its work;
 * the function returns whether there is another one to be done. The first WARM_UP units do not
 * count. When the other UNITS have been done, callgrind writes a dump, and the program prints how
 * many blocks of memory Lua has allocated for them, and how many bytes.
 *
 * Two counts of the same code differ by little: no garbage is collected, and Lua's strings have the
 * same hashes in each run. */
#include <alloca.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <valgrind/callgrind.h>

enum { ARGUMENTS_AT = 4 };

typedef struct counter {
  long warm_up, units; /* still to be done */
  size_t blocks, bytes;
} counter;

/* Lua makes the seed of its hashes from the time, and from addresses. Under valgrind these are
 * always the same, except those on the stack. */

time_t time(time_t *result)
{
  if (result != NULL) {
    *result = 0;
  }
  return 0;
}

/* The module waits for the copy of a process, and looks around every 10 ms, which on a busy machine
 * is more often. Here it never has to. */
int poll(struct pollfd *polled, nfds_t count, int timeout)
{
  const struct timespec limit = {timeout / 1000, timeout % 1000 * 1000000L};

  return ppoll(polled, count, timeout < 0 || (timeout > 0 && count > 0) ? NULL : &limit, NULL);
}

static void *allocate(void *data, void *block, size_t old_size, size_t size)
{
  counter *counts = data;

  if (size == 0) {
    free(block);
    return NULL;
  }
  if (block == NULL) {
    counts->blocks++;
    counts->bytes += size;
  } else if (size > old_size) {
    counts->bytes += size - old_size;
  }
  return realloc(block, size);
}

static int more(lua_State *L)
{
  counter *counts = lua_touserdata(L, lua_upvalueindex(1));

  if (counts->warm_up > 0) {
    if (--counts->warm_up == 0) {
      counts->blocks = counts->bytes = 0;
      CALLGRIND_ZERO_STATS;
    }
  } else if (--counts->units == 0) {
    CALLGRIND_DUMP_STATS;
    printf("%zu %zu\n", counts->blocks, counts->bytes);
  }
  lua_pushboolean(L, counts->units > 0);
  return 1;
}

/* Away from the environment and what else is at the top of the stack, by at least STACK_MARGIN. */
enum { STACK_MARGIN = 0x10000, STACK_STEP = 0x100000 };

__attribute__((noinline)) static int run(int argc, char **argv)
{
  counter counts = {.warm_up = atol(argv[1]), .units = atol(argv[2])};
  lua_State *L = lua_newstate(allocate, &counts);

  if (L == NULL) {
    return 1;
  }
  luaL_openlibs(L);
  lua_gc(L, LUA_GCSTOP, 0);
  int status = luaL_loadfile(L, argv[ARGUMENTS_AT - 1]);
  if (status == 0) {
    lua_pushlightuserdata(L, &counts);
    lua_pushcclosure(L, more, 1);
    for (int i = ARGUMENTS_AT; i < argc; i++) {
      lua_pushstring(L, argv[i]);
    }
    status = lua_pcall(L, 1 + argc - ARGUMENTS_AT, 0, 0);
  }
  if (status != 0) {
    fprintf(stderr, "counter: %s\n", lua_tostring(L, -1));
  }
  lua_close(L);
  return status == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
  if (argc < ARGUMENTS_AT) {
    fprintf(stderr, "usage: counter WARM_UP UNITS SCRIPT [ARGUMENT...]\n");
    return 2;
  }
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  uintptr_t there = (here - STACK_MARGIN) / STACK_STEP * STACK_STEP;
  *(volatile char *)alloca(here - there) = 0;
  return run(argc, argv);
}
