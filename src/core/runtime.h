/* Everything in the core that exists once for each Lua state.
 *
 * A part knows the parts below it: a channel knows the loop, but the loop knows no channel. Only
 * the runtime knows all of them. It makes them, ends them, and renews them in a forked process. */
#ifndef CP_RUNTIME_H
#define CP_RUNTIME_H

#include "core/channel/channels.h"
#include "core/loop/loop.h"
#include "core/net/lookup.h"
#include "core/process/child.h"
#include "core/process/spawner.h"
#include "core/stream/stream.h"

typedef struct cp_runtime {
  cp_loop loop;
  cp_spawner *spawner;
  cp_streams streams;
  cp_lookups lookups;
  cp_children children;
  cp_channels channels;
} cp_runtime;

/* Makes all parts, on a loop of their own if `host` is NULL, otherwise on the host's, which must
 * outlive them. The runtime must not move. The environment variables CHILD_PROCESS_NO_PIDFD and
 * CHILD_PROCESS_NO_VFORK, when not empty, select the fallbacks for systems without pidfds or shared
 * memory. Returns 0, or a negative errno and leaves nothing behind. */
int cp_runtime_init(cp_runtime *runtime, uv_loop_t *host);

/* Ends all parts without calling any callback. Channels first write what they have accepted. Before
 * this, close streams and sockets, release children and cancel lookups. */
void cp_runtime_destroy(cp_runtime *runtime);

#endif
