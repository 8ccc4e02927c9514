/* The class ChildProcess: starts a program, reports its end, sends signals to it. */
#include "core/process/child.h"

#include "binding/child_pipes.h"
#include "binding/emit.h"
#include "binding/numbers.h"
#include "binding/parts.h"
#include "binding/spawn_arguments.h"
#include "binding/state.h"
#include "binding/usage.h"
#include "core/loop/retry.h"

static const char CLASS[] = "ChildProcess";

/* The number of fields that child.lua sets, so that their table need not grow. */
enum { USUAL_FIELDS = 12 };

typedef struct child_process {
  cpl_handle base;
  cp_child process;
  bool exit_is_due;      /* it was started, and its exit was not reported yet */
  cp_exit_status status; /* once it has ended */
  cp_retry retry;        /* to report the status again */
} child_process;

static bool is_active(const cpl_handle *handle)
{
  return ((const child_process *)handle)->exit_is_due;
}

static void close_handle(cpl_handle *handle)
{
  child_process *child = (child_process *)handle;

  cp_retry_end(&child->retry);
  cp_child_release(&child->process);
  child->exit_is_due = false;
}

static const cpl_handle_kind kind = {CLASS, is_active, close_handle};

static child_process *check_child(lua_State *L)
{
  return cpl_object_check(L, 1, CLASS);
}

/* Call it when no exit will be reported any more. */
static void release(child_process *child)
{
  child->exit_is_due = false;
  cpl_handle_release_if_idle(&child->base);
}

/* If Lua runs out of memory, which `run` raises, reports the exit again later: it occurs only
 * once. */
static void report_exit(void *owner)
{
  child_process *child = owner;
  cpl_value values[] = {cpl_integer(child->status.code), cpl_nil()};

  if (child->status.signum != 0) {
    values[0] = cpl_nil();
    values[1] = cpl_integer(child->status.signum);
  }
  if (cpl_emit(&child->base, "onexit", values, 2) ||
      !cp_retry_later(&child->base.state->runtime.loop, &child->retry, report_exit, child)) {
    release(child);
  }
}

static void on_exit_status(void *owner, cp_exit_status status)
{
  child_process *child = owner;

  child->status = status;
  report_exit(child);
}

/* new() -> a child without a program */
static int child_new(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);
  child_process *child = cpl_handle_new(L, state, &kind, sizeof(*child));

  child->base.core = &child->process;
  child->base.is_own_owner = true;
  lua_createtable(L, 0, USUAL_FIELDS);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* What is left of child_close if the coroutine was suspended. */
static int closed(lua_State *L, int status, lua_KContext context)
{
  (void)L;
  (void)status;
  (void)context;
  return 0;
}

/* What a to-be-closed variable does with the child when it goes out of scope. The method may
 * suspend the coroutine. */
static int child_close(lua_State *L)
{
  lua_settop(L, 2); /* the child, and the error of the block */
  lua_getfield(L, 1, "_leave");
  lua_insert(L, 1);
  lua_callk(L, 2, 0, 0, closed);
  return 0;
}

static int child_tostring(lua_State *L)
{
  lua_getfield(L, 1, "pid");
  if (lua_isnil(L, -1)) {
    lua_pushstring(L, CLASS);
  } else {
    lua_pushfstring(L, "%s (pid %d)", CLASS, (int)lua_tointeger(L, -1));
  }
  return 1;
}

/* start(child, options) -> handles (nil if there are no pipes), pid; or what
 * cpl_spawn_arguments_push_failure pushes. Options as in spawn_arguments.h. Later calls
 * child:onexit(code, nil) or child:onexit(nil, signum). If it raises, nothing was started. */
static int child_start(lua_State *L)
{
  child_process *child = check_child(L);
  cpl_state *state = cpl_state_check(L);
  cpl_spawn_arguments arguments;
  cp_spawn_failure failure = {.fd = -1};
  int r = 0;

  luaL_argcheck(L, !cp_child_was_started(&child->process), 1, "was started already");
  cpl_spawn_arguments_read(L, 2, &arguments);
  luaL_checkstack(L, 8, NULL);
  /* Code that can raise comes before the start: a running program must not be lost to an error. */
  cpl_handle_anchor(L, &child->base, 1);
  child->exit_is_due = true;
  r = cpl_child_pipes_open(L, state, &arguments, &failure);
  if (r != 0) {
    release(child);
    if (r == CPL_CHILD_PIPES_RAISED) {
      return lua_error(L);
    }
    return cpl_spawn_arguments_push_failure(L, &arguments, &failure);
  }
  /* handles or nil */
  r = cp_child_start(&child->process, &state->runtime.children, &arguments.options, on_exit_status,
                     child, &failure);
  cp_stdio_close_theirs(arguments.options.stdio, arguments.options.stdio_count);
  if (r < 0) {
    cpl_child_pipes_close(L);
    release(child);
    return cpl_spawn_arguments_push_failure(L, &arguments, &failure);
  }
  lua_pushinteger(L, cp_child_pid(&child->process));
  return 2;
}

/* takeForeign() -> in a forked process, a sequence of the running children that the original has
 * started. Returns each of them once, and releases its anchor. */
static int children_take_foreign(lua_State *L)
{
  cpl_state *state = cpl_state_check(L);
  child_process *child = NULL;

  lua_newtable(L);
  while ((child = cp_children_take_foreign(&state->runtime.children)) != NULL) {
    cpl_handle_push(L, &child->base);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    release(child);
  }
  return 1;
}

/* isForeign(child) -> whether the process from which this one was forked has started it */
static int child_is_foreign(lua_State *L)
{
  child_process *child = check_child(L);

  (void)cpl_state_check(L);
  lua_pushboolean(L, cp_child_was_started(&child->process) && cp_child_is_foreign(&child->process));
  return 1;
}

/* usage(child) -> table of what it has used, once its end was reported; nil before, and if another
 * part of the process has reaped it */
static int child_usage(lua_State *L)
{
  cpl_usage_push(L, &check_child(L)->status.usage);
  return 1;
}

/* stats(child, tree) -> what child:stats() returns, except that the state is a letter; or nil,
 * errno */
static int child_stats(lua_State *L)
{
  child_process *child = check_child(L);
  cp_stats stats;
  int r = 0;

  (void)cpl_state_check(L);
  r = cp_child_stats(&child->process, lua_toboolean(L, 2), &stats);
  if (r < 0) {
    return cpl_push_failure(L, r);
  }
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, stats.processor_time);
  lua_setfield(L, -2, "cpuTime");
  lua_pushinteger(L, stats.resident);
  lua_setfield(L, -2, "rss");
  lua_pushinteger(L, stats.threads);
  lua_setfield(L, -2, "threads");
  lua_pushinteger(L, stats.processes);
  lua_setfield(L, -2, "processes");
  lua_pushlstring(L, &stats.state, 1);
  lua_setfield(L, -2, "state");
  return 1;
}

/* fields(child) -> the table with the fields that were set on it */
static int child_fields(lua_State *L)
{
  check_child(L);
  lua_getiuservalue(L, 1, 1);
  return 1;
}

/* signal(child, signum, tree, remember) -> nil, or the negative errno. With `tree`, signals all
 * descendants, too, and with `remember` remembers them from now on, for further signals. */
static int child_signal(lua_State *L)
{
  child_process *child = check_child(L);
  int signum = cpl_check_int(L, 2);

  (void)cpl_state_check(L);
  if (!lua_toboolean(L, 3)) {
    return cpl_push_errno(L, cp_child_kill(&child->process, signum));
  }
  if (lua_toboolean(L, 4)) {
    cp_child_remember_tree(&child->process, true);
  }
  return cpl_push_errno(L, cp_child_kill_tree(&child->process, signum));
}

/* forgetTree(child): stops remembering descendants. */
static int child_forget_tree(lua_State *L)
{
  cp_child_remember_tree(&check_child(L)->process, false);
  return 0;
}

/* reference(child, on): sets whether the running child keeps the loop alive. */
static int child_reference(lua_State *L)
{
  cp_child_reference(&check_child(L)->process, lua_toboolean(L, 2));
  return 0;
}

void cpl_add_child(lua_State *L)
{
  static const luaL_Reg metamethods[] = {
      {"__gc", cpl_handle_gc},
      {"__close", child_close},
      {"__tostring", child_tostring},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"new", child_new},
      {NULL, NULL},
  };
  static const luaL_Reg functions[] = {
      {"start", child_start},
      {"signal", child_signal},
      {"forgetTree", child_forget_tree},
      {"reference", child_reference},
      {"takeForeign", children_take_foreign},
      {"isForeign", child_is_foreign},
      {"fields", child_fields},
      {"usage", child_usage},
      {"stats", child_stats},
      {NULL, NULL},
  };

  cpl_object_open_class(L, CLASS, metamethods, methods);
  lua_setfield(L, -2, "ChildProcess");
  luaL_newlib(L, functions);
  lua_setfield(L, -2, "child");
}
