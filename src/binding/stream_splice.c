/* Moves all data from one stream to others inside the kernel. */
#include "binding/stream.h"

#include "binding/emit.h"
#include "binding/parts.h"
#include "binding/string_buffer.h"

/* The handles of a transfer's targets. */
typedef struct target_list {
  int count;
  cpl_stream_handle *handles[CP_SPLICE_TARGETS];
} target_list;

static target_list targets_of(const cp_splice *transfer)
{
  target_list list = {.count = cp_splice_count(transfer)};

  for (int i = 0; i < list.count; i++) {
    list.handles[i] = cp_splice_target(transfer, i)->owner;
  }
  return list;
}

void cpl_stream_splice_stop(cpl_stream_handle *handle)
{
  cpl_stream_handle *source = handle->splice_source != NULL ? handle->splice_source : handle;

  if (source->splice != NULL) {
    target_list targets = targets_of(source->splice);

    source->splice = cp_splice_stop(source->splice);
    cpl_handle_release_if_idle(&source->base);
    for (int i = 0; i < targets.count; i++) {
      targets.handles[i]->splice_source = NULL;
      cpl_handle_release_if_idle(&targets.handles[i]->base);
    }
  }
}

static void on_splice(void *owner, const cp_splice_step *step)
{
  static const char *const states[] = {NULL, "end", "read", NULL, "refused"};
  cpl_stream_handle *handle = owner;
  target_list targets = targets_of(handle->splice);
  cpl_value values[] = {cpl_integer((lua_Integer)step->moved), cpl_text(states[step->state]),
                        cpl_integer(step->error)};

  if (step->state == CP_SPLICE_WRITE_ERROR) {
    values[1] = cpl_integer(step->target + 1);
  }
  for (int i = 0; i < targets.count; i++) {
    targets.handles[i]->base.calls++;
  }
  cpl_emit(&handle->base, "onsplice", values, 3);
  for (int i = 0; i < targets.count; i++) {
    targets.handles[i]->base.calls--;
    cpl_handle_release_if_idle(&targets.handles[i]->base);
  }
}

/* handle:splice(...) -> errno: starts to move all that can be read to other handles, which all get
 * all of it. Calls owner:onsplice(moved, state, errno) with the number of bytes that all of them
 * have got. The state is nil until the transfer ends; then it is "end", "read" if reading has
 * failed, the index of the target if writing has, or "refused" if the kernel cannot do it for these
 * streams. */
static int stream_splice(lua_State *L)
{
  cpl_stream_handle *handle = cpl_stream_handle_check(L);
  cp_stream *targets[CP_SPLICE_TARGETS];
  int count = lua_gettop(L) - 1;
  int r = 0;

  luaL_argcheck(L, count <= CP_SPLICE_TARGETS, 2, "too many targets");
  cpl_stream_splice_stop(handle);
  for (int i = 0; i < count; i++) {
    cpl_stream_handle *target = cpl_handle_check(L, i + 2, cpl_stream_class);

    cpl_stream_splice_stop(target);
    targets[i] = target->base.core;
  }
  for (int i = 0; i <= count; i++) {
    cpl_handle_anchor(L, cpl_handle_check(L, i + 1, cpl_stream_class), i + 1);
  }
  r = cp_splice_start(handle->base.core, targets, count, on_splice, handle, &handle->splice);
  for (int i = 0; i < count; i++) {
    cpl_stream_handle *target = targets[i]->owner;

    target->splice_source = r == 0 ? handle : NULL;
    cpl_handle_release_if_idle(&target->base);
  }
  return cpl_handle_settle(L, &handle->base, r);
}

/* handle:unsplice() -> bytes, ahead, ...: ends the transfer. Returns the bytes that it has moved to
 * some targets only, and for each target how many of the first of these it has. Bytes that it has
 * not moved can still be read. Returns nothing if all targets have got the same. */
static int stream_unsplice(lua_State *L)
{
  cpl_stream_handle *handle = cpl_stream_handle_check(L);
  size_t ahead[CP_SPLICE_TARGETS] = {0};
  int count = 0;
  int r = 0;

  if (handle->splice != NULL) {
    if (handle->collected.data == NULL) {
      handle->collected = cpl_string_buffer_new(L, handle->base.state->string_header);
    }
    count = cp_splice_count(handle->splice);
    for (int i = 0; i < count; i++) {
      ahead[i] = cp_splice_ahead(handle->splice, i);
    }
    r = cp_splice_take_rest(handle->splice, &handle->collected);
  }
  cpl_stream_splice_stop(handle);
  if (r < 0) {
    return luaL_error(L, "child_process: not enough memory for the data of a stream");
  }
  if (handle->collected.length == 0) {
    return 0;
  }
  cpl_string_buffer_push(L, &handle->collected);
  for (int i = 0; i < count; i++) {
    lua_pushinteger(L, (lua_Integer)ahead[i]);
  }
  return count + 1;
}

void cpl_add_stream_splice(lua_State *L)
{
  static const luaL_Reg methods[] = {
      {"splice", stream_splice},
      {"unsplice", stream_unsplice},
      {NULL, NULL},
  };

  cpl_object_add_methods(L, cpl_stream_class, methods);
}
