/* The program to start, as Lua describes it: a table with the fields
 *
 *   file, cwd, detached, uid, gid
 *   tree        true: in a process group of its own, unless `detached` or `processGroup` is given
 *   args        with argv[0]
 *   env         a list of "KEY=value"; nil: our own environment
 *   stdio       for each of the child's descriptors, from 0 on: a descriptor of ours, or a kind of
 *               core.stdio; core.stdio.CHILD_FD - n is what the child's descriptor n is
 *   attributes  a table with rarely used fields, or nil. It has those of spawn_attributes.h and
 *     processGroup      the process group to join; 0: one of its own
 *     killOnParentExit  true: it is killed when we have ended; with `tree`, all of the tree
 *     terminalForeground  false: signals of our terminal are not passed on to the tree
 *     terminal          the terminal that controls its session, as in terminal.h; sets
 *                       `detached` */
#ifndef CPL_SPAWN_ARGUMENTS_H
#define CPL_SPAWN_ARGUMENTS_H

#include "compat/lua.h"
#include "core/process/spawn.h"

/* The arguments (with the final NULL) and descriptors of most children fit into the struct
 * below. */
enum { CPL_INLINE_STRINGS = 8, CPL_INLINE_DESCRIPTORS = 4 };

/* The same in C. The strings belong to the table. */
typedef struct cpl_spawn_arguments {
  cp_spawn_options options;
  bool has_handles;     /* there are pipes, or a terminal of its own */
  cp_terminal terminal; /* if options.terminal is set, which then points to it */
  char *inline_strings[CPL_INLINE_STRINGS];
  cp_stdio inline_stdio[CPL_INLINE_DESCRIPTORS];
} cpl_spawn_arguments;

/* Reads the table at `index`, or raises. Lists that do not fit into the struct are in userdata that
 * stay on the stack, so they live until the calling function returns, and an error leaks nothing.
 */
void cpl_spawn_arguments_read(lua_State *L, int index, cpl_spawn_arguments *arguments);

/* Pushes the results of a call that could not start the program: nil, the negative errno, and a
 * table about the step that failed. Returns their number. The fields of the table are:
 *
 *   step            "prepare", "stdio", "cwd", "gid", "uid", "execute", or an option of the
 *                   attributes
 *   position        of "limits" and "affinity": the position in the list of the item that failed
 *   fd              of "stdio": the child's descriptor
 *   obstacle, path  of "execute", if known: "directory", "mode" or "interpreter", see
 *                   cp_spawn_obstacle */
int cpl_spawn_arguments_push_failure(lua_State *L, const cpl_spawn_arguments *arguments,
                                     const cp_spawn_failure *failure);

#endif
