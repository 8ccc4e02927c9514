/* Assertions about the height of the Lua stack. */
#ifndef CPL_STACK_H
#define CPL_STACK_H

#include "compat/lua.h"
#include "core/base/assert.h"

/* Put this among the declarations of a function: it records the height for CPL_STACK_ASSERT. */
#ifdef CP_ASSERTIONS
#define CPL_STACK_NOTE(L) const int cpl_stack_height = lua_gettop(L)
#else
#define CPL_STACK_NOTE(L) enum { cpl_stack_height }
#endif

/* Asserts that the stack holds `count` more values than at CPL_STACK_NOTE. */
#define CPL_STACK_ASSERT(L, count) CP_ASSERT(lua_gettop(L) == cpl_stack_height + (count))

#endif
