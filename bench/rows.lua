-- The rows of the table. In `arguments`, which every contestant gets, BIN/ is the folder of the
-- built programs.
--
-- row        its name on the command line; several entries may share it
-- text       what is done
-- arguments  name=value for all contestants, see below
-- limit      which of the programs in limit/ is the measure: the name of one in C, the file in Lua;
--            absent if there is none
-- pinned     all on one processor
-- against    the ratio is taken to our own figure of that row instead of to the limit
-- seldom     the peers, being slow at it, take part in the first round only
-- without    the peers, by their names, that have no call for it
-- alone      no peer takes part, since none has it
-- needs      a shell command; without its success the row is left out
-- unit       of the number that a contestant prints: "us", the default, "KiB" or "GB/s"
-- and the targets, each of which has to be met:
--   most       the ratio is at most this
--   least      the ratio is at least this
--   ceiling    the figure itself, in its unit, is at most this
--   beyond     the figure is at most that much more than the limit
--   notBehind  the figure is at most that of this peer, if it is installed
-- figures    where several numbers are printed: for each of them `unit`, the targets, and
--   what       said after the row's text
--
-- Arguments: `work` (spawn: from spawn to close; sync: one call that waits; call: the call of spawn
-- alone; await: spawn, reading both outputs, waiting for the end; command: one call that does this;
-- alive: memory, start and end of many; read, write, pipe: bytes through streams; pipeline: bytes
-- through three programs that are connected; terminal: bytes that a child prints at a terminal;
-- capture: one call that returns all bytes; roundtrip, send: messages to a forked child; first:
-- from fork to the first message; idle: memory of forked children; pass: connections that are
-- passed on; pool: tasks that two children share; spawnThere: spawn with `host`, less a round
-- trip), `host` (here, or ssh: through an agent on this machine, which ssh reaches), `program` or
-- `from` and `to`, `pipes`, `atonce`, `heap` in MiB, `open` descriptors, `alive` children, `piece`
-- and `bytes`, `keep` for the limit of capture, `rows` of a message (0: a small one) or its bytes
-- (`binary`), `burst` of messages that are sent in one iteration, `serialization`, `count` of
-- connections or tasks, `workers` that get them. run.lua adds `seconds`.

local TRUE = "work=spawn program=/bin/true"
local TINY = "work=spawn program=BIN/tiny"
local SYNC = "work=sync program=/bin/true"
local READ = "work=read program=BIN/source bytes=4e8 piece="
local COMMAND = "program=/bin/true work="
local NO_FORK = {"Python", "luv"}
-- The same, and whose fork knows neither structured clone nor handles.
local NO_FORK_OF_ALL = {"Python", "luv", "Deno"}

return {
  {
    row = "1", text = "spawn to close, `/bin/true`, stdio ignored, one at a time",
    arguments = TRUE,
    limit = "spawn", most = 1.10,
  },
  {
    row = "1t", text = "the same with tiny, one CPU",
    arguments = TINY,
    limit = "spawn", pinned = true, most = 1.5,
  },
  {
    row = "2", text = "as 1 with three pipes",
    arguments = TRUE .. " pipes=1",
    limit = "spawn", most = 1.15,
  },
  {
    row = "2t", text = "as 1t with three pipes",
    arguments = TINY .. " pipes=1",
    limit = "spawn", pinned = true, most = 1.6,
  },
  {
    row = "3", text = "as 1 from a parent with 1 GiB of live heap",
    arguments = TRUE .. " heap=1024",
    limit = "spawn", against = "1", most = 1.10,
  },
  {
    row = "4", text = "as 1, 16 at once, time for each",
    arguments = TRUE .. " atonce=16",
    limit = "spawn", most = 1.15,
  },
  {
    row = "5", text = "`spawnSync` of `/bin/true`, stdio ignored",
    arguments = SYNC,
    limit = "spawn", without = {"luv"}, most = 1.08,
  },
  {
    row = "5", text = "the same with three pipes",
    arguments = SYNC .. " pipes=1",
    limit = "spawn", without = {"luv"}, most = 1.10,
  },
  {
    row = "5c", text = "capturing 256 MiB of output in one call, written in 64 KiB",
    arguments = "work=capture program=BIN/source bytes=268435456 piece=65536 keep=1",
    limit = "read", without = {"luv"}, unit = "GB/s", least = 0.9,
  },
  {
    row = "6", text = "child's output into `data` events, written in 4 KiB",
    arguments = READ .. "4096",
    limit = "read", unit = "GB/s", least = 0.95,
  },
  {
    row = "6", text = "the same, written in 64 KiB",
    arguments = READ .. "65536",
    limit = "read", unit = "GB/s", least = 0.95,
  },
  {
    row = "7", text = "writing 64 KiB pieces to a child",
    arguments = "work=write program=BIN/sink bytes=4e8 piece=65536",
    limit = "write", unit = "GB/s", least = 0.95,
  },
  {
    row = "8", text = "child piped into child",
    arguments = "work=pipe from=BIN/source to=BIN/sink bytes=4e8 piece=65536",
    limit = "pipe", unit = "GB/s", least = 0.8,
  },
  {
    row = "9", text = "message round trip, 30 bytes, one CPU",
    arguments = "work=roundtrip",
    limit = "roundtrip", pinned = true, without = NO_FORK, most = 1.30,
  },
  {
    row = "10", text = "messages one way, small, 64 in one iteration",
    arguments = "work=send rows=0 burst=64",
    limit = "send", without = NO_FORK, ceiling = 0.6,
  },
  {
    row = "11", text = "messages one way, 6 KB (100 rows of 4 fields), 8 in one iteration",
    arguments = "work=send rows=100 burst=8",
    limit = "build.lua", without = NO_FORK, most = 1.15, notBehind = "Bun",
  },
  {
    row = "12", text = "fork to the first message",
    arguments = "work=first program=LUA",
    limit = "spawn", without = NO_FORK, ceiling = 1800,
  },
  {
    row = "13", text = "memory (PSS) of an idle forked child, of 20",
    arguments = "work=idle program=LUA alive=20",
    limit = "idle", without = NO_FORK, unit = "KiB", ceiling = 819,
  },
  {
    row = "14", text = "10,000 children alive at once",
    arguments = "work=alive program=BIN/pause alive=10000",
    limit = "spawn", seldom = true,
    figures = {
      {what = "parent memory each", unit = "KiB", ceiling = 4},
      {what = "time per start", most = 1.5},
      {what = "time per end", most = 1.5},
    },
  },
  {
    row = "15", text = "`advanced` messages one way, small, 64 in one iteration",
    arguments = "work=send serialization=advanced rows=0 burst=64",
    limit = "send", without = NO_FORK_OF_ALL, ceiling = 1,
  },
  {
    row = "15", text = "the same, 6 KB (100 rows of 4 fields), 8 in one iteration",
    arguments = "work=send serialization=advanced rows=100 burst=8",
    limit = "build.lua", without = NO_FORK_OF_ALL, ceiling = 70,
  },
  {
    row = "15b", text = "the same, strings of 1 MB that are no text",
    arguments = "work=send serialization=advanced binary=1000000 burst=1",
    limit = "send", without = NO_FORK_OF_ALL, most = 3, notBehind = "Bun",
  },
  {
    row = "16", text = "how long one `spawn` blocks the loop, parent of 1 GiB",
    arguments = "work=call program=/bin/true heap=1024",
    limit = "spawn", most = 2,
  },
  {
    row = "17", text = "as 1 while the parent has 10,000 open descriptors",
    arguments = TRUE .. " open=10000",
    limit = "spawn", most = 2,
  },
  {
    row = "17t", text = "as 1t while the parent has 10,000 open descriptors",
    arguments = TINY .. " open=10000",
    limit = "spawn", pinned = true, most = 2,
  },
  {
    row = "18", text = "connections accepted and passed on to 4 children, time for each",
    arguments = "work=pass program=BIN/client count=20000 workers=4",
    limit = "pass", without = NO_FORK_OF_ALL, most = 3, notBehind = "Node",
  },
  {
    row = "20a", text = "spawn with three pipes, outputs collected by hand, `/bin/true`",
    arguments = COMMAND .. "await",
    limit = "spawn", without = {"luv"}, most = 1.25,
  },
  {
    row = "20", text = "`command.run` of `/bin/true`",
    arguments = COMMAND .. "command",
    limit = "spawn", without = {"luv"}, against = "20a", most = 1.25,
  },
  {
    row = "21", text = "`command.pipeline` of three, 1 GB, beside `sh -c`, one CPU",
    arguments = "work=pipeline from=BIN/source to=BIN/sink bytes=1e9 piece=65536",
    limit = "shell", pinned = true, without = {"luv", "Node", "Bun", "Deno"},
    unit = "GB/s", least = 0.95,
  },
  {
    row = "22", text = "what a child prints at a terminal into `data` events, written in 4 KiB",
    arguments = "work=terminal program=BIN/source bytes=1e8 piece=4096",
    limit = "terminal", without = {"luv", "Node", "Bun", "Deno"}, unit = "GB/s", least = 0.9,
  },
  {
    row = "23", text = "a pool of 2 on 2 CPUs, 10,000 tasks of 1 ms: overhead of a task",
    arguments = "work=pool count=10000",
    limit = "pool", seldom = true, without = {"luv", "Node", "Bun", "Deno"}, beyond = 25,
  },
  {
    row = "24", text = "as 1 through an agent on this machine, less a round trip of a message",
    arguments = "work=spawnThere program=/bin/true host=here", alone = true,
    against = "1", most = 1.5,
  },
  {
    row = "24", text = "as 1 through one agent, 100 at once, time for each",
    arguments = TRUE .. " atonce=100 host=here",
    limit = "spawn", alone = true,
  },
  {
    row = "24", text = "as 9 with a child that an agent has started",
    arguments = "work=roundtrip host=here",
    limit = "roundtrip", pinned = true, alone = true,
  },
  {
    row = "24", text = "1 GB of a child's output through an agent that ssh reaches",
    arguments = "work=read program=BIN/source to=BIN/sink bytes=1e9 piece=65536 host=ssh",
    limit = "ssh.lua", alone = true, unit = "GB/s", least = 0.8,
    needs = 'PATH="$PATH:/usr/sbin"; command -v ssh sshd ssh-keygen',
  },
}
