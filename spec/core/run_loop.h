/* Runs a loop without Lua. */
#ifndef RUN_LOOP_H
#define RUN_LOOP_H

#include "core/loop/iteration.h"

/* Runs iterations until nothing keeps the loop alive. */
static inline void run_loop(cp_loop *loop)
{
  while (cp_loop_is_alive(loop)) {
    cp_loop_iterate(loop, true);
  }
}

#endif
