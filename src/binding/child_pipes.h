/* The pipes between us and a child, with handles on our ends of them. */
#ifndef CPL_CHILD_PIPES_H
#define CPL_CHILD_PIPES_H

#include "binding/spawn_arguments.h"
#include "binding/state.h"

enum { CPL_CHILD_PIPES_RAISED = 1 };

/* Makes the pipes, and the terminal, that the arguments ask for. Returns 0, and pushes a table from
 * the child's descriptors, and "terminal", to handles; or nil if there are none. If one cannot be
 * made, returns a negative errno, stores it in `failure` and pushes nothing. If making a handle
 * raised, returns CPL_CHILD_PIPES_RAISED and pushes the error. A failure leaves no descriptor open.
 */
int cpl_child_pipes_open(lua_State *L, cpl_state *state, cpl_spawn_arguments *arguments,
                         cp_spawn_failure *failure);

/* Closes the handles in the table on top of the stack, which may be nil. */
void cpl_child_pipes_close(lua_State *L);

#endif
