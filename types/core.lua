---@meta child_process.core

-- The C module child_process.core, for editors and readers: nothing loads this file. Only the Lua
-- files of this project use the module.
--
-- Conventions that hold for every function here:
--   * `errno` is a negative number of the system, like -core.errno.ENOENT. A function that returns
--     only an errno returns nothing on success.
--   * A function raises an error when an argument has the wrong type or an integer does not fit
--     into a C int, when there is no memory, and while the Lua state is being closed. Other errors
--     that it raises are named.
--   * Every method of a handle but `close`, `cancel`, `isListening` and `collected` raises
--     "<class>: the handle is closed" once the handle is closed.
--   * `fd` is the number of a descriptor of this process.
--   * Addresses are numeric, like "127.0.0.1" and "fe80::1%eth0"; they are never looked up.

---@class child_process.core
---@field path? string the path of this module, if it comes from a file
---@field null lightuserdata what scripts know as cp.null: null in JSON, and an absent value
---@field signals table<string|integer, integer|string> from name to number, and from number to name
---@field errno table<string|integer, integer|string> the same for the positive numbers of errors
---@field MOST_CPUS integer numbers of CPUs are below this
---@field MOST_NOISE integer most bytes that a link skips before the first frame
---@field inheritedChannel? integer descriptor of the message channel that our parent has made
---@field inheritedSerialization? "json"|"advanced" the format of its messages
local core = {}

-- Calls into Lua --------------------------------------------------------------------------------

--- Sets the functions through which all calls from the loop into Lua go.
---@param dispatch fun(method: function, owner: any, ...: any) calls the method, then drains ticks
---@param drain fun() drains ticks
---@param copied fun() called once in each forked process; must not raise
function core.setDispatcher(dispatch, drain, copied) end

--- Makes the next callbacks run in another coroutine than before.
function core.leaveCoroutine() end

--- Reports that there are ticks. They are drained after the running callback. Outside of callbacks
--- the loop runs an iteration for them, even if nothing else happens.
function core.wake() end

--- Raises an error as error(err, 0) does. A message handler can recognise this function.
---@param err any
function core.throw(err) end

--- Makes a function that calls `fn` and raises its error after it has returned, so that no line of
--- `fn` stands above the caller's in the traceback.
---@param fn fun(...: any): boolean, any returns true and a result, or false and an error
---@return fun(...: any): any
function core.raising(fn) end

--- Makes a coroutine like coroutine.create does. The loop may resume it at any time: in nginx it
--- does not belong to the request that has made it.
---@param fn function
---@return thread
function core.coroutine(fn) end

--- Returns whether the running coroutine can yield.
---@return boolean? yieldable nil: Lua 5.1 does not report it
function core.isYieldable() end

--- Returns the traceback of the error that `run` raised last.
---@return string?
function core.traceback() end

-- The loop --------------------------------------------------------------------------------------

--- Runs the loop. Raises the first error of a callback, unchanged; further ones are kept for later
--- runs. Raises, too, when it is called from a callback, and when the loop cannot wait.
---@param mode? "default"|"once"|"nowait" default: until nothing keeps the loop alive
---@return boolean alive whether anything still keeps the loop alive
function core.run(mode) end

--- Makes `run` return after the running callback.
function core.stop() end

--- Returns whether `run` or a callback is running.
---@return boolean
function core.isRunning() end

--- Returns whether the running `run` is to return: other events wait for the next one.
---@return boolean
function core.isEnding() end

--- Returns a descriptor that becomes readable when the loop has something to do.
---@return integer fd
function core.backend() end

--- Makes the descriptor of `backend` readable from now on also when the loop needs an iteration for
--- something else than a descriptor.
function core.openAlarm() end

--- Returns the time after which the loop wants an iteration.
---@return integer? milliseconds nil: no limit
function core.timeout() end

--- Returns whether anything keeps the loop alive.
---@return boolean
function core.isAlive() end

--- Returns names of the things that keep the loop alive, like "descriptor 5" and "timer".
---@return string[]
function core.handles() end

--- Returns what keeps the loop alive: handles, some of them twice; and strings for what is no
--- handle of ours: "tick", "closed channel", types of libuv handles, "descriptor 5".
---@return (userdata|string)[]
function core.holders() end

--- Returns the object whose methods a handle calls; the handle itself if it has none.
---@param handle userdata
---@return table|userdata
function core.ownerOf(handle) end

--- Sends the messages that can be sent at once, and returns whether anything then keeps the loop
--- alive.
---@return boolean
function core.hasStarted() end

-- Objects ---------------------------------------------------------------------------------------

--- Returns the name of the class of an object of this module, like "child_process.StreamHandle".
--- A script cannot forge it.
---@param value any
---@return string? class
function core.kindOf(value) end

--- Loads a Lua file as loadfile does, even if the process has no free descriptor.
---@param path string
---@return function? chunk
---@return string? message
function core.loadFile(path) end

--- A descriptor that came with a message. It is closed when the object is collected.
---@class child_process.Descriptor: userdata
local Descriptor = {}

--- Returns the descriptor.
---@return integer? fd nil after it was taken or closed
function Descriptor:fileno() end

--- Returns the descriptor, which the caller has to close from now on.
---@return integer? fd nil after it was taken or closed
function Descriptor:take() end

--- Closes the descriptor. May be called again, and after `take`.
function Descriptor:close() end

-- Children --------------------------------------------------------------------------------------

--- The program to start.
---@class child_process.core.SpawnArguments
---@field file string name, which is looked for in PATH of `env`, or path
---@field args string[] arguments, with argv[0] as the first
---@field stdio integer[] for each of the child's descriptors from 0 on a descriptor, or a kind of
--- core.stdio
---@field env? string[] "KEY=value"; default: the environment of this process
---@field cwd? string
---@field detached? boolean the child leads a session of its own
---@field tree? boolean in a process group of its own, unless another one was given
---@field uid? integer
---@field gid? integer
---@field attributes? child_process.core.SpawnAttributes

--- What a child may use and who it is.
---@class child_process.core.SpawnAttributes
---@field processGroup? integer the process group to join; 0: one of its own
---@field killOnParentExit? boolean killed when we have ended; with `tree`, all of the tree
---@field terminalForeground? boolean false: signals of our terminal are not passed on to the tree
---@field limits? table[] {resource, soft, hard} each; a negative value: no limit
---@field nice? integer
---@field affinity? integer[] CPUs from 0 on
---@field umask? integer
---@field groups? integer[] ids of the supplementary groups
---@field noNewPrivileges? boolean
---@field terminal? child_process.core.Terminal controls the session that the child leads then

--- The terminal of a child: a new one, or that of another child.
---@class child_process.core.Terminal
---@field columns? integer at least 1, at most core.terminal.LARGEST
---@field rows? integer the same
---@field raw? boolean it passes on all bytes as they are
---@field echo? boolean it shows what is typed, unless it is raw
---@field handle? child_process.StreamHandle the terminal of another child, instead of the rest

--- A program to run to its end.
---@class child_process.core.SyncArguments: child_process.core.SpawnArguments
---@field input? string bytes to write to the pipe at 0
---@field maxBuffer number most bytes to read from each pipe
---@field timeout? integer milliseconds; default: no limit
---@field tree? boolean as in SpawnArguments, and signals go to all of it
---@field killSignal integer sent when a limit is exceeded
---@field forceKillAfterDelay? integer milliseconds after killSignal until SIGKILL follows
---@field waitDelay? integer milliseconds after the end until pipes are closed that others hold

--- Returns the limits of this system that a process can have.
---@return table<string, integer> resources the numbers for `limit`, by name
function core.limits() end

--- Returns our own limits.
---@param resource integer
---@return number? soft nil: no limit
---@return number? hard nil: no limit
function core.limit(resource) end

--- Looks up a user by name. May wait for a server of the network.
---@param name string
---@return integer? id nil if there is no such user, or if the lookup failed
---@return integer? errno
function core.userId(name) end

--- Looks up a group by name. May wait for a server of the network.
---@param name string
---@return integer? id nil if there is no such group, or if the lookup failed
---@return integer? errno
function core.groupId(name) end

--- Kinds of stdio entries, all negative.
---@class child_process.core.stdio
---@field IGNORE integer /dev/null
---@field PIPE integer a new pipe: written at 0, read at 1 and 2, both ways from 3 on
---@field DUPLEX integer a new message channel
---@field TERMINAL integer the child's terminal
---@field CHILD_FD integer CHILD_FD - n: what the child's descriptor n is, whose entry is of another
---kind
core.stdio = {}

--- Returns in which directions we use a new pipe. Raises for other kinds than PIPE and DUPLEX.
---@param kind integer
---@param fd integer the child's descriptor
---@return boolean reads whether we read from it
---@return boolean writes whether we write to it
function core.stdio.direction(kind, fd) end

--- A child. Scripts see its methods, which child.lua adds to this table, and may set any field.
---@class ChildProcess: userdata
---@field onexit fun(self: ChildProcess, code: integer?, signum: integer?) called once, with one of
--- the two; again if it ran out of memory
core.ChildProcess = {}

--- Makes a child without a program.
---@return ChildProcess
function core.ChildProcess.new() end

--- Functions on children that scripts do not see.
core.child = {}

--- Starts a program. Nothing was started if it raises, which it does for a child that was started
--- before.
---@param child ChildProcess
---@param options child_process.core.SpawnArguments
---@return table<integer, child_process.StreamHandle|child_process.ChannelHandle>? handles of the
--- new pipes, by the child's descriptor, and of a new terminal, at "terminal"; nil without any, and
--- when it fails
---@return integer result process id, or errno
---@return child_process.StartFailure? failure
function core.child.start(child, options) end

--- Sends a signal, or probes with 0.
---@param child ChildProcess
---@param signum integer
---@param tree? boolean to the tree of the child; succeeds if at least one process got it
---@param remember? boolean with `tree`: further signals reach whom this one has found, too
---@return integer? errno -ESRCH after the child has ended
function core.child.signal(child, signum, tree, remember) end

--- Stops remembering the processes that signals to the tree have found. After SIGKILL they stay
--- known until they have ended.
---@param child ChildProcess
function core.child.forgetTree(child) end

--- Sets whether the running child keeps the loop alive, as it does at first.
---@param child ChildProcess
---@param on boolean
function core.child.reference(child, on) end

--- In a forked process: returns the running children that the original has started. Each is
--- returned once.
---@return ChildProcess[]
function core.child.takeForeign() end

--- Returns whether the original of this process has started the child.
---@param child ChildProcess
---@return boolean
function core.child.isForeign(child) end

--- Returns what the child has used, once its end was reported.
---@param child ChildProcess
---@return ResourceUsage? usage nil before, and if another part of the process has reaped it
function core.child.usage(child) end

--- Returns what the running child uses.
---@param child ChildProcess
---@param tree? boolean with the other processes of its tree
---@return ChildStats? stats the state is a letter, as ps prints it
---@return integer? errno -ESRCH after the child has ended
function core.child.stats(child, tree) end

--- Returns the table of the fields that were set on the child.
---@param child ChildProcess
---@return table<string, any>
function core.child.fields(child) end

--- Runs a program to its end. No callback is called meanwhile.
---@param options child_process.core.SyncArguments
---@return integer? pid nil if the program could not be started
---@return table<integer, string>|integer outputs by the child's descriptor, or the errno of the
--- start
---@return integer|child_process.StartFailure|nil code exit code, nil after a signal, or the failure
--- of the start
---@return integer? signum the signal that ended it
---@return integer? errno of the run: -ETIMEDOUT, -ENOBUFS and others
---@return {forced: boolean, refused: integer?, cut: integer[]}? events whether SIGKILL had to
--- follow, the signal that we were not allowed to send, and the child's descriptors whose pipes
--- were closed after waitDelay; nil if none of that happened
---@return string? usage packed; nil if another part of the process has reaped the child
function core.runSync(options) end

--- Returns the usage that `runSync` has packed.
---@param packed string
---@return ResourceUsage
function core.unpackUsage(packed) end

-- Streams ---------------------------------------------------------------------------------------

--- The owner of a stream handle. Methods that are not asked for need not exist.
---@class child_process.core.StreamOwner
---@field onread? fun(self, bytes: string?, errno: integer?) nil at the end and after a failure
---@field onoverflow? fun(self) there were more bytes than `collect` allows
---@field onroom? fun(self)
---@field onhangup? fun(self)
---@field onsplice? fun(self, moved: integer, state: string|integer|nil, errno: integer) bytes
--- moved to all targets; nil while the transfer goes on, then "end", "read" (it has failed), the
--- index of a target (writing to it has failed) or "refused"

--- A pipe, socket, terminal or file that is read and written. It may be collected unless it is
--- reading or waiting.
---@class child_process.StreamHandle: userdata
local StreamHandle = {}

--- Makes a handle on a descriptor that it never closes or makes non-blocking. Writing waits until
--- everything is written.
---@param fd integer
---@param readable boolean
---@param writable boolean
---@return child_process.StreamHandle
function core.stream(fd, readable, writable) end

--- Makes a handle that owns a stream socket or pipe. Closes the descriptor on failure; but refuses
--- a descriptor that an object of this module owns with -EBADF.
---@param fd integer
---@return child_process.StreamHandle? handle
---@return boolean|integer readable, or errno
---@return boolean? writable
function core.openSocket(fd) end

--- Sets the object whose methods are called.
---@param owner child_process.core.StreamOwner
function StreamHandle:setOwner(owner) end

--- Ends the callbacks. Closes the descriptor unless it is borrowed. May be called again.
function StreamHandle:close() end

--- Returns the descriptor.
---@return integer fd
function StreamHandle:fileno() end

--- Keeps the handle from being collected until it is closed.
function StreamHandle:hold() end

--- Sets whether reading and waiting for room keep the loop alive, as they do at first.
---@param on boolean
---@return integer? errno
function StreamHandle:reference(on) end

--- Notes that another program now has the descriptor, too, and may make it blocking.
function StreamHandle:share() end

--- Notes that a program that had the descriptor has ended, which may have made it blocking.
function StreamHandle:takeBack() end

--- Starts or stops reading, which calls owner:onread.
---@param on boolean
---@return integer? errno
function StreamHandle:read(on) end

--- Makes the stream end after the bytes that can be read now, even if other processes hold its
--- other end open.
---@return integer? bytes number of these; with 0 the end is not reported to onread
---@return integer? errno
function StreamHandle:endAfterRest() end

--- Returns whether another process, or this one, holds the other end open.
---@return boolean
function StreamHandle:isHeld() end

--- Collects bytes instead of calling onread. If there are more than `limit`, drops the rest of that
--- piece, calls owner:onoverflow(), and goes back to onread.
---@param limit? integer bytes; nil: goes back to onread
function StreamHandle:collect(limit) end

--- Returns the bytes that were collected, and drops them.
---@return string
function StreamHandle:collected() end

--- Writes a string as far as there is room.
---@param bytes string
---@param offset? integer number of bytes to leave out at the start; raises if past the end
---@return integer? written number of bytes
---@return boolean|integer all whether these were all, or errno
function StreamHandle:write(bytes, offset) end

--- Writes several strings as far as there is room, at most 16 at a time.
---@param pieces string[]
---@param first integer index of the first piece
---@param last integer index of the last piece
---@param offset? integer number of bytes to leave out of the first piece; raises if past its end
---@return integer? written number of bytes
---@return boolean|integer all whether these were all of the pieces taken, or errno
function StreamHandle:writev(pieces, first, last, offset) end

--- Calls owner:onroom() once, when there is room to write, or when writing would fail.
---@return integer? errno
function StreamHandle:awaitRoom() end

--- Calls owner:onhangup() once, when the other end is closed. Only for streams that are not read.
--- Does not keep the loop alive.
---@return integer? errno
function StreamHandle:awaitHangup() end

--- Ends writing to a socket. Does nothing to a terminal.
---@return integer? errno
function StreamHandle:shutdown() end

--- Starts to move all that can be read to other streams, at most 16, inside the kernel, and calls
--- owner:onsplice. None of the streams may be read or written otherwise meanwhile; if there are
--- several targets, all must be pipes. Raises if a target is closed.
---@param ... child_process.StreamHandle
---@return integer? errno
function StreamHandle:splice(...) end

--- Ends the transfer from the stream. Bytes that were not moved can still be read. Returns the
--- bytes that only some targets have got, which cannot be read any more, and how many of the first
--- of them each target has; nothing if all have got the same.
---@return string? bytes
---@return integer? ... ahead
function StreamHandle:unsplice() end

--- On the terminal of a child: the child has ended. The stream ends when no other process has the
--- terminal open.
function StreamHandle:letEnd() end

--- Returns whether another child can get the terminal: `letEnd` was not called.
---@return boolean
function StreamHandle:isKept() end

-- Terminals ---------------------------------------------------------------------------------------

--- Terminals of children, by our end, and our own.
---@class child_process.core.terminal
---@field LARGEST integer the most columns or rows
---@field TIME_TO_END integer milliseconds for which the terminal of a child is kept open after a
---signal
core.terminal = {}

--- Returns the size of a terminal.
---@param fd integer
---@return integer? columns
---@return integer rows or errno
function core.terminal.size(fd) end

--- Sets the size of a terminal, whose programs get SIGWINCH.
---@param fd integer
---@param columns integer
---@param rows integer
---@return integer? errno
function core.terminal.resize(fd, columns, rows) end

--- Sets whether the terminal passes on all bytes as they are, in both directions.
---@param fd integer
---@param on boolean
---@return integer? errno
function core.terminal.setRaw(fd, on) end

--- Sets whether the terminal shows what is typed.
---@param fd integer
---@param on boolean
---@return integer? errno
function core.terminal.setEcho(fd, on) end

--- Returns the character that makes a program read end-of-file when it is typed.
---@param fd integer
---@return string? character nil if there is none, as in raw mode
---@return integer? errno
function core.terminal.endOfFile(fd) end

--- Sets the mode of our own terminal, which gets back its settings when the process ends.
---@param fd integer
---@param mode "usual"|"raw"|"rawBoth" rawBoth: output, too, is passed on as it is
---@return integer? errno
function core.terminal.setOwnMode(fd, mode) end

--- Passes a signal of our terminal on to trees.
---@param signum integer
function core.terminal.forward(signum) end

-- Message channels ------------------------------------------------------------------------------

--- The owner of a channel handle. Values are decoded messages.
---@class child_process.core.ChannelOwner
---@field deliver fun(self, value: any) a message
---@field oninternal fun(self, value: any) a message of the protocol itself
---@field ongarbage fun(self, bytes: string, reason: string) bytes that are not a message
---@field onend fun(self, errno: integer?) nothing more arrives
---@field onwritten fun(self, errno: integer?) see awaitWritten
---@field ondrained fun(self) see drain

--- One end of a message channel. It is not collected until it is closed.
---@class child_process.ChannelHandle: userdata
local ChannelHandle = {}

--- Makes a channel on a connected Unix socket, which it owns.
---@param fd integer
---@return child_process.ChannelHandle
function core.channel(fd) end

--- Returns whether a value is a message of the protocol itself.
---@param value any
---@return boolean
function core.isInternal(value) end

--- Waits for the bytes ahead of all messages on the inherited channel. There only if there is such
--- a channel.
---@param size integer number of bytes
---@return string? bytes
---@return integer? errno
function core.receivePreamble(size) end

--- Sets the object whose methods are called. An owner whose method `deliver` has changed is set
--- again.
---@param owner child_process.core.ChannelOwner
function ChannelHandle:setOwner(owner) end

--- Ends the callbacks. Messages that were accepted are still written. May be called again.
function ChannelHandle:close() end

--- Drops messages that are not written yet. No more can be sent.
function ChannelHandle:drop() end

--- Sets the format of messages in both directions. To be called before the first message.
---@param name "json"|"advanced" at first it is "json"
function ChannelHandle:setSerialization(name) end

--- Sets the size of the longest message. A longer one ends the channel with -EMSGSIZE.
---@param bytes integer
function ChannelHandle:setMaxMessageSize(bytes) end

--- Starts or stops receiving.
---@param on boolean
---@return integer? errno
function ChannelHandle:read(on) end

--- Sets whether receiving keeps the loop alive, as it does at first. Messages that wait to be
--- written always do.
---@param on boolean
---@return integer? errno
function ChannelHandle:reference(on) end

--- Receives only messages whose first byte has arrived, and sends no more.
---@return boolean any whether there are such messages; owner:onend() is called after them
function ChannelHandle:finish() end

--- Calls owner:ondrained() when everything that has arrived by now was delivered.
function ChannelHandle:drain() end

--- Returns how much has been received, the message that is being delivered included.
---@return integer bytes since the start
function ChannelHandle:received() end

--- Returns the descriptor that came with the message that is being delivered.
---@return child_process.Descriptor?
function ChannelHandle:takeDescriptor() end

--- Sends a value, with a copy of a descriptor. Returns nothing for values that have no JSON text.
--- Raises for values that cannot be encoded.
---@param value any
---@param fd? integer
---@return integer? backlog number of bytes that wait to be written
---@return integer? held number of messages that wait for a descriptor to be acknowledged, or errno
---@return boolean? started whether the loop had nothing to do for the channel before
function ChannelHandle:send(value, fd) end

--- Sends a value that does not wait for the acknowledgement of a descriptor. Raises as `send` does.
---@param value any
---@return integer? errno
function ChannelHandle:reply(value) end

--- The other side has received the descriptor that is on its way.
function ChannelHandle:acknowledge() end

--- The other side has not received the descriptor that is on its way: sends it again.
---@return integer? errno -ECANCELED after too many tries
function ChannelHandle:retry() end

--- Returns whether a descriptor has not been acknowledged yet.
---@return boolean
function ChannelHandle:awaitsAck() end

--- Sends bytes ahead of all messages, see core.receivePreamble.
---@param bytes string
---@return integer? errno
function ChannelHandle:sendPreamble(bytes) end

--- Returns the number of bytes that wait to be written.
---@return integer
function ChannelHandle:backlog() end

--- Returns the number of bytes accepted since the start.
---@return integer
function ChannelHandle:accepted() end

--- Returns the number of bytes written since the start.
---@return integer
function ChannelHandle:written() end

--- Calls owner:onwritten() once, when `total` bytes have been written since the start, or
--- owner:onwritten(errno) if they cannot be written. The latter is also called without a request.
---@param total? integer default: everything, replies included
function ChannelHandle:awaitWritten(total) end

-- Links -----------------------------------------------------------------------------------------

---@class child_process.core.LinkOwner
---@field onframe fun(self, kind: integer, child: integer, bytes: string) a frame has arrived
---@field ondrained fun(self, child: integer, fd: integer) see LinkHandle:drain
---@field onrefused fun(self, child: integer, fd: integer, errno: integer) what has arrived for a
--- stream cannot be written, and is dropped
---@field onend fun(self, errno: integer?, syscall: string?) nothing more arrives; -EPROTO if the
--- other side has broken the protocol; syscall: the name of the call that has failed
---@field onfinished fun(self) see LinkHandle:finish
---@field onidle fun(self) see LinkHandle:awaitIdle

--- The connection between a host and an agent, which carries the streams of many children. It is
--- not collected until it is closed, and does not keep the loop alive unless `reference` says so.
---@class child_process.LinkHandle: userdata
local LinkHandle = {}

--- Makes the host's side of a link.
---@return child_process.LinkHandle? handle
---@return child_process.Descriptor|integer stdin for the launcher; or errno
---@return child_process.Descriptor? stdout for the launcher
function core.hostLink() end

--- Makes the agent's side of a link from the standard input and output of the process. These are
--- then /dev/null and standard error.
---@return child_process.LinkHandle? handle
---@return integer? errno
function core.agentLink() end

--- Sets the object whose methods the handle calls.
---@param owner child_process.core.LinkOwner
function LinkHandle:setOwner(owner) end

--- Stops the callbacks, and drops what was not written. May be called again.
function LinkHandle:close() end

--- Closes the output, and calls owner:onfinished(), when everything was written.
function LinkHandle:finish() end

--- Ends without owner:onend(), and drops what was not written. Streams get what has arrived for
--- them.
function LinkHandle:cut() end

--- Calls owner:onidle() once, when no streams are left.
function LinkHandle:awaitIdle() end

--- Sets whether waiting for frames keeps the loop alive.
---@param on boolean
---@return integer? errno
function LinkHandle:reference(on) end

--- Sends a frame.
---@param kind integer from 16 to 255
---@param child integer its number; 0 if the frame is about no child
---@param bytes? string at most 64 MiB
function LinkHandle:send(kind, child, bytes) end

--- Returns how many bytes have arrived since the start.
---@return integer
function LinkHandle:received() end

--- Returns what has arrived before the first frame.
---@return string
function LinkHandle:noise() end

--- Makes a pipe, relays the other end, and returns a handle on ours. For the host.
---@param child integer
---@param fd integer the child's descriptor
---@param kind integer core.stdio.PIPE or core.stdio.DUPLEX
---@return child_process.StreamHandle|child_process.ChannelHandle|nil handle
---@return integer? errno
function LinkHandle:openOurs(child, fd, kind) end

--- Makes a pipe, relays our end, and returns that of the child. For the agent.
---@param child integer
---@param fd integer the child's descriptor
---@param kind integer core.stdio.PIPE or core.stdio.DUPLEX
---@param prefix? string what the child reads first
---@return child_process.Descriptor? descriptor
---@return integer? errno
function LinkHandle:openTheirs(child, fd, kind, prefix) end

--- Returns our end of a pipe to a child, for another child, which then writes to the first one. If
--- nobody reads that pipe any more, neither does anybody read this one. For the agent.
---@param child integer
---@param fd integer the child's descriptor
---@return child_process.Descriptor? descriptor
---@return integer? errno
function LinkHandle:shareTheirs(child, fd) end

--- Relays what the child writes to a copy of a descriptor of ours. For the host.
---@param child integer
---@param fd integer the child's descriptor
---@param target integer
---@return integer? errno
function LinkHandle:relayTo(child, fd, target) end

--- Waits, at the agent, until what can be read from a stream now was sent, and at the host, until
--- what has arrived for it was written.
---@param child integer
---@param fd integer the child's descriptor
---@return boolean waits whether owner:ondrained(child, fd) will be called; false if that is so
--- already
function LinkHandle:drain(child, fd) end

--- Takes no more data for the streams of a child, and ends them. For the host, when the agent could
--- not start the child, and may not have opened them.
---@param child integer
function LinkHandle:refuse(child) end

--- Ends all streams that are sent, after what can be read now, even if others hold their other
--- ends.
function LinkHandle:endAfterRest() end

-- Sockets ---------------------------------------------------------------------------------------

---@class child_process.core.Address
---@field address string
---@field family "IPv4"|"IPv6"
---@field port integer

--- Makes a stream handle that is connecting. Once it has room, socketError returns the result.
---@param address string numeric, or the path of a Unix socket
---@param port? integer without it `address` is a path
---@param localAddress? string
---@param localPort? integer
---@return child_process.StreamHandle? handle
---@return integer? errno
---@return "bind"|"connect"|nil call the one that failed
function core.connect(address, port, localAddress, localPort) end

--- Returns the error of a socket since it was last asked.
---@param fd integer
---@return integer? errno
function core.socketError(fd) end

--- Makes another descriptor of the same socket, close-on-exec.
---@param fd integer
---@return integer? fd
---@return integer? errno
function core.copySocket(fd) end

--- Returns whether the descriptor is a stream socket, a pipe or a terminal.
---@param fd integer
---@return boolean
function core.isConnection(fd) end

--- Returns whether an object of this module closes the descriptor.
---@param fd integer
---@return boolean
function core.isOwned(fd) end

--- Sets whether small pieces are sent at once instead of being gathered. TCP only.
---@param fd integer
---@param on boolean
---@return integer? errno
function core.setNoDelay(fd, on) end

--- Sets whether the peer is asked for a sign of life. TCP only.
---@param fd integer
---@param on boolean
---@param seconds integer of silence before that; 0: the system's default
---@return integer? errno
function core.setKeepAlive(fd, on, seconds) end

--- Makes closing the socket a reset for the peer. TCP only.
---@param fd integer
---@return integer? errno
function core.resetOnClose(fd) end

--- Returns the addresses of both ends of a socket; nil for Unix sockets and for ends without an
--- address.
---@param fd integer
---@return string? peerAddress
---@return string? peerFamily "IPv4" or "IPv6"
---@return integer? peerPort
---@return string? localAddress
---@return string? localFamily
---@return integer? localPort
function core.socketNames(fd) end

--- Returns which kind of numeric address a text is.
---@param text string
---@return 0|4|6 family 0: it is not one
function core.addressFamily(text) end

---@class child_process.core.LookupOwner
---@field onlookup fun(self, errno: integer?, addresses: table?, name: string?) a sequence of
--- child_process.core.Address with port 0, in the order in which to try them; or errno and its name
--- in libuv

--- A lookup that is running. It is not collected until it is answered or cancelled.
---@class child_process.LookupRequest: userdata
local LookupRequest = {}

--- Looks up a host, and calls owner:onlookup once. Raises for a host with a zero byte.
---@param host string
---@param family 0|4|6 0: both
---@param owner child_process.core.LookupOwner
---@return child_process.LookupRequest
function core.lookup(host, family, owner) end

--- The owner is not called. May be called again, and after the answer.
function LookupRequest:cancel() end

-- Listeners -------------------------------------------------------------------------------------

---@class child_process.core.ListenerOwner
---@field onconnection fun(self, handle: child_process.StreamHandle?, errno: integer?) with an errno
--- nothing more comes

--- A listening socket. It may be collected unless it listens.
---@class child_process.ListenerHandle: userdata
local ListenerHandle = {}

--- Makes a handle on a new socket, which does not listen yet.
---@param address string numeric, or the path of a Unix socket
---@param port? integer 0: any free one; without it `address` is a path
---@param ipv6Only? boolean accepts no IPv4 connections
---@param reusePort? boolean shares the address with sockets that set this as well
---@return child_process.ListenerHandle? handle
---@return integer? errno
function core.bindListener(address, port, ipv6Only, reusePort) end

--- Makes a handle that owns an existing socket, which may be listening already. Closes the
--- descriptor on failure; but refuses a descriptor that an object of this module owns with -EBADF.
---@param fd integer
---@return child_process.ListenerHandle? handle
---@return integer? errno
function core.openListener(fd) end

--- Sets the object whose methods are called.
---@param owner child_process.core.ListenerOwner
function ListenerHandle:setOwner(owner) end

--- Ends the callbacks, and removes the path that the socket was bound to. May be called again.
function ListenerHandle:close() end

--- Listens, and calls owner:onconnection for each connection.
---@param backlog integer number of connections that may wait to be accepted
---@return integer? errno
function ListenerHandle:listen(backlog) end

--- Returns whether it listens; false once it is closed.
---@return boolean
function ListenerHandle:isListening() end

--- Returns the descriptor.
---@return integer fd
function ListenerHandle:fileno() end

--- Sets whether it keeps the loop alive while it listens, as it does at first.
---@param on boolean
---@return integer? errno
function ListenerHandle:reference(on) end

--- Returns the address that it is bound to.
---@return child_process.core.Address|string|nil address a string is the path of a Unix socket
---@return integer? errno
function ListenerHandle:address() end

--- Notes that another program now has the descriptor, too, and may make it blocking.
function ListenerHandle:share() end

-- Datagrams -------------------------------------------------------------------------------------

---@class child_process.core.DatagramOwner
---@field ondatagram? fun(self, bytes: string, from: child_process.core.Address)
---@field onreceiveerror? fun(self, errno: integer)
---@field onroom? fun(self)

--- A UDP socket. It may be collected unless it receives or waits for room.
---@class child_process.DatagramHandle: userdata
local DatagramHandle = {}

--- Makes a handle without a socket, which `bind` makes.
---@param family 4|6
---@return child_process.DatagramHandle
function core.datagram(family) end

--- Makes a handle on an existing UDP socket, which it owns. Closes the descriptor on failure; but
--- refuses a descriptor that an object of this module owns with -EBADF.
---@param fd integer
---@param copy? boolean the handle gets another descriptor of the socket, and `fd` stays the owner's
---@return child_process.DatagramHandle? handle
---@return integer? errno
function core.openDatagram(fd, copy) end

--- Returns whether a value is an open handle that is bound and has no owner.
---@param value any
---@return boolean
function core.isFreeDatagram(value) end

--- Returns the family of a UDP socket.
---@param fd integer
---@return 4|6|nil family nil: it is not a UDP socket
function core.datagramFamily(fd) end

--- Sets the object whose methods are called.
---@param owner child_process.core.DatagramOwner
function DatagramHandle:setOwner(owner) end

--- Ends the callbacks. May be called again.
function DatagramHandle:close() end

--- Returns the descriptor.
---@return integer fd -1 before it is bound
function DatagramHandle:fileno() end

--- Returns the family.
---@return 4|6
function DatagramHandle:family() end

--- Sets whether it keeps the loop alive while it receives or waits for room, as it does at first.
---@param on boolean
---@return integer? errno
function DatagramHandle:reference(on) end

--- Makes the socket and binds it. After a failure it may be called again.
---@param address string
---@param port integer 0: any free one
---@param reuseAddr? boolean shares the address with sockets that set this as well
---@param ipv6Only? boolean receives no IPv4 datagrams
---@param reusePort? boolean the kernel distributes datagrams among sockets that set this as well
---@return integer? errno
function DatagramHandle:bind(address, port, reuseAddr, ipv6Only, reusePort) end

--- Receives only from this peer, and sends to it without an address.
---@param address? string without it, disconnects
---@param port? integer
---@return integer? errno
function DatagramHandle:connect(address, port) end

--- Returns the address that it is bound to.
---@return child_process.core.Address? address
---@return integer? errno
function DatagramHandle:address() end

--- Returns the address of the peer that it is connected to.
---@return child_process.core.Address? address
---@return integer? errno
function DatagramHandle:peer() end

--- Starts receiving, until it is closed. Calls owner:ondatagram for each datagram, and
--- owner:onreceiveerror when receiving fails.
---@return integer? errno
function DatagramHandle:receive() end

--- Calls owner:onroom() once, when there is room to send.
---@return integer? errno
function DatagramHandle:awaitRoom() end

--- Sends one datagram, without waiting.
---@param bytes string
---@param address? string without it, to the peer
---@param port? integer
---@return integer? sent number of bytes
---@return integer? errno -EAGAIN if there is no room
function DatagramHandle:send(bytes, address, port) end

---@alias child_process.core.DatagramOption
---| "broadcast" 0 or 1
---| "ttl" hops
---| "multicastTtl" hops
---| "multicastLoopback" 0 or 1
---| "recvBufferSize" bytes
---| "sendBufferSize" bytes

--- Sets an option.
---@param option child_process.core.DatagramOption
---@param value integer
---@return integer? errno
function DatagramHandle:set(option, value) end

--- Returns an option.
---@param option child_process.core.DatagramOption
---@return integer? value
---@return integer? errno
function DatagramHandle:get(option) end

--- Joins or leaves a multicast group.
---@param join boolean
---@param group string numeric address
---@param interface? string numeric address of one; default: the system chooses
---@return integer? errno
function DatagramHandle:membership(join, group, interface) end

--- Sets the interface by which multicasts leave.
---@param address string numeric
---@return integer? errno
function DatagramHandle:multicastInterface(address) end

-- Timers, immediates and signals ----------------------------------------------------------------

---@class child_process.core.TimerOwner
---@field ontimeout fun(self)

--- A timer. It may be collected unless it is started.
---@class child_process.TimerHandle: userdata
local TimerHandle = {}

--- Makes a timer.
---@param owner child_process.core.TimerOwner
---@return child_process.TimerHandle
function core.timer(owner) end

--- Calls owner:ontimeout() once. Starts anew if it was started.
---@param ms integer milliseconds from now; negative ones count as 0
function TimerHandle:start(ms) end

--- The owner is not called.
function TimerHandle:stop() end

--- Sets whether the timer keeps the loop alive while it is started, as it does at first.
---@param on boolean
function TimerHandle:reference(on) end

---@class child_process.core.ImmediateOwner
---@field onimmediate fun(self)

--- An immediate. It may be collected unless it is started.
---@class child_process.ImmediateHandle: userdata
local ImmediateHandle = {}

--- Makes an immediate.
---@param owner child_process.core.ImmediateOwner
---@return child_process.ImmediateHandle
function core.immediate(owner) end

--- Calls owner:onimmediate() once, after the events of an iteration of the loop, which does not
--- wait for any.
function ImmediateHandle:start() end

--- The owner is not called.
function ImmediateHandle:stop() end

--- Sets whether the immediate keeps the loop alive while it is started, as it does at first.
---@param on boolean
function ImmediateHandle:reference(on) end

---@class child_process.core.SignalOwner
---@field onsignal fun(self, signum: integer)

--- A signal that this process catches. It never keeps the loop alive, and may be collected unless
--- it is started.
---@class child_process.SignalHandle: userdata
local SignalHandle = {}

--- Makes a handle that catches nothing yet.
---@param owner child_process.core.SignalOwner
---@return child_process.SignalHandle
function core.signal(owner) end

--- Calls owner:onsignal(signum) each time the signal comes.
---@param signum integer
---@return integer? errno
function SignalHandle:start(signum) end

--- Restores the former effect of the signal.
function SignalHandle:stop() end

-- The process -----------------------------------------------------------------------------------

--- Returns the value of a variable of the environment.
---@param name string
---@return string?
function core.getenv(name) end

--- Sets a variable of the environment.
---@param name string
---@param value? string nil removes it
---@return integer? errno
function core.setenv(name, value) end

--- Returns the environment.
---@return string[] # "KEY=value"
function core.environ() end

--- Returns the working directory.
---@return string? path
---@return integer? errno
function core.cwd() end

--- Changes the working directory.
---@param path string
---@return integer? errno
function core.chdir(path) end

--- Returns the path of the running program.
---@return string? path
---@return integer? errno
function core.execPath() end

--- Returns the id of this process.
---@return integer
function core.pid() end

--- Returns the id of its parent.
---@return integer
function core.ppid() end

--- Returns the number of copies by fork(2) between the first process and this one. A value noted
--- in another process differs.
---@return integer
function core.forkDepth() end

--- Sends a signal to a process.
---@param pid integer
---@param signum integer
---@return integer? errno
function core.kill(pid, signum) end

--- Closes the Lua state and ends the process, like os.exit(status, true), which Lua 5.1 lacks.
---@param status integer
function core.exit(status) end

--- Restores the default effect of SIGINT.
function core.resetInterrupt() end

--- Returns the name of the operating system in lower case, like "linux".
---@return string?
function core.platform() end

--- Returns the title of the process.
---@return string? title nil if the system does not report it
function core.title() end

--- Sets the title of the process, truncated if it is too long. Does nothing on systems without
--- titles.
---@param text string
function core.setTitle(text) end

--- Returns what this process has used.
---@return ResourceUsage? usage nil if the system does not report it
function core.resourceUsage() end

--- Returns the resident set size.
---@return integer? bytes
---@return integer? errno
function core.residentMemory() end

--- Returns the time of a clock that never goes back.
---@return integer seconds
---@return integer nanoseconds of the second
function core.hrtime() end

--- Returns the time at which the process started; if the system does not report it, at which this
--- module was loaded.
---@return number seconds on the clock of `hrtime`
function core.startTime() end

--- Returns whether a descriptor is a terminal.
---@param fd integer
---@return boolean
function core.isatty(fd) end

--- Writes everything, waiting if need be. Never causes SIGPIPE.
---@param fd integer
---@param bytes string
---@return integer? errno
function core.writeAll(fd, bytes) end

--- Returns the descriptor of a Lua file.
---@param file any
---@return integer? fd nil if it is closed, or not a file
function core.fileOf(file) end

--- Sets a text to write to stderr when the process exits with status 0. Only the first call has an
--- effect.
---@param text string truncated to 511 bytes
function core.setExitWarning(text) end

--- Returns the description of an error.
---@param errno integer
---@return string
function core.errorText(errno) end

-- Codecs ----------------------------------------------------------------------------------------

--- Text and bytes, see encoding.lua. A name is in any case, like "UTF-8" or "base64url"; any other
--- value leaves bytes as they are.
core.encoding = {}

--- Returns the canonical name of an encoding.
---@param name any
---@return string? # nil for an unknown one
function core.encoding.normalize(name) end

--- Makes a decoder for bytes that come in pieces.
---@param name any
---@return child_process.Decoder? # nil for an unknown encoding
function core.encoding.decoder(name) end

--- Decodes bytes.
---@param bytes string
---@param name any
---@return string text
function core.encoding.decode(bytes, name) end

--- Encodes text.
---@param text string
---@param name any
---@return string bytes
function core.encoding.encode(text, name) end

--- Counts the characters of a text.
---@param text string
---@return integer? # nil if the text is not valid UTF-8
function core.encoding.utf8Length(text) end

--- Decodes bytes that come in pieces, which may split a character.
---@class child_process.Decoder: userdata
local Decoder = {}

--- Returns the text that the bytes complete.
---@param bytes string
---@return string
function Decoder:write(bytes) end

--- Returns the text for the bytes of an incomplete character.
---@return string
function Decoder:finish() end

--- Returns the bytes of an incomplete character, and drops them.
---@return string
function Decoder:take() end

--- Sets the functions for integers of 64 bits that are cdata, see base/int64.lua; nil for none.
---@param make? fun(high: number, low: number): any
---@param split? fun(value: any): number?, number?
function core.setInt64(make, split) end

--- JSON, see json.lua.
core.json = {}

--- Encodes a value. Raises the error that the function of setError makes.
---@param value any
---@return string? text nil for values that have no JSON text
function core.json.encode(value) end

--- Decodes a text.
---@param text string
---@return any value nil if it is invalid
---@return string? reason
---@return integer? offset from 1
function core.json.decode(text) end

--- Marks a table as an array.
---@param table? table default: a new one
---@return table
function core.json.array(table) end

--- Sets the function that makes the errors that `encode` raises.
---@param make fun(place: string, value: any, reason: string): any
function core.json.setError(make) end

--- Structured clone, see clone.lua.
---@class child_process.core.clone
---@field undefined lightuserdata the value undefined of JavaScript
---@field deleted lightuserdata stands for an entry of a Map or Set that was removed
core.clone = {}

--- Encodes a value. Raises the error that the function of setError makes.
---@param value any
---@return string bytes
function core.clone.encode(value) end

--- Decodes bytes.
---@param bytes string
---@return any value nil if they are invalid
---@return string? reason
---@return integer? offset from 1
function core.clone.decode(bytes) end

--- Returns the size of an element of a class of typed arrays.
---@param name string like "Uint16Array"
---@return integer? bytes nil for other names
function core.clone.elementSize(name) end

--- Sets the function that makes the errors that `encode` raises.
---@param make fun(place: string, value: any, reason: string): any
function core.clone.setError(make) end

--- Sets a function that returns the metatables of Map, Set, Date, RegExp, BigInt, ArrayBuffer,
--- typed arrays and Error, in this order. It is called when the first object of a class is met.
---@param load fun(): table[]
function core.clone.setClasses(load) end

return core
