--- The start of a child at an agent: what a START frame asks for, and the pipes that are relayed.

local arguments = require("child_process.spawn.arguments")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local environment = require("child_process.spawn.environment")
local errors = require("child_process.errors")
local known = require("child_process.spawn.options")
local protocol = require("child_process.link.protocol")

local DUPLEX, IGNORE, PIPE = core.stdio.DUPLEX, core.stdio.IGNORE, core.stdio.PIPE

-- What the options of the request become for the program that is started here.
local function optionsFor(request)
  local options = {argv0 = request.args[1], detached = request.detached}
  for _, name in ipairs(protocol.OPTIONS) do
    options[name] = request[name]
  end
  -- Whatever ends us, nothing of it remains.
  options.killOnParentExit = true
  options.tree = request.processGroup == nil
  return options
end

local function preparedFork(request, options)
  options.argv0, options.stdio = nil, nil
  local fork = request.fork
  return require("child_process.fork.fork").prepare(fork.modulePath, fork.args, {
    execPath = fork.execPath, execArgv = fork.execArgv or (not fork.execPath and {}) or nil,
    serialization = request.serialization, source = fork.source,
  }, options)
end

local function prepared(request)
  local options = optionsFor(request)
  if request.fork then
    return preparedFork(request, options)
  end
  local args = compat.move(request.args, 2, #request.args, 1, {})
  return arguments.normalize(request.file, args, options)
end

-- Opens what the child gets. Returns the list of its descriptors, and adds the objects that own
-- them to `owners`.
local function openStreams(link, id, request, preamble, owners)
  local list = {}
  for index, word in ipairs(request.stdio) do
    local fd = index - 1
    if word == "pipe" or word == "ipc" then
      local kind = word == "ipc" and DUPLEX or PIPE
      local owner, errno = link:openTheirs(id, fd, kind, word == "ipc" and preamble or nil)
      if not owner then
        error(errors.system(errno, "pipe"), 0)
      end
      owners[#owners + 1], list[index] = owner, owner:fileno()
    elseif word == "ignore" then
      list[index] = IGNORE
    elseif word.of then -- another child reads it
      local owner, errno = link:shareTheirs(word.of, word.fd)
      if not owner then
        error(errors.system(errno, "dup"), 0)
      end
      owners[#owners + 1], list[index] = owner, owner:fileno()
    else
      list[index] = core.stdio.CHILD_FD - word.childFd
    end
  end
  return list
end

local function begin(child, link, id, request, owners)
  local call = prepared(request)
  call.stdio = openStreams(link, id, request, call.preamble, owners)
  call.preamble, call.sharedStreams = nil, nil
  call.killSignal = known.check("killSignal", request.killSignal)
  call.env = request.unsetEnv and environment.overOurs(request.env, request.unsetEnv)
    or request.env
  if request.ipc then
    call.env = environment.withChannel(call.env, request.ipc, request.serialization)
  end
  call.ipc = nil
  child:_start(call)
end

--- Starts the program. Raises an error if it could not even be tried.
---@param child ChildProcess new, with its listeners
---@param link userdata of core
---@param id integer of the child
---@param request table the values of the frame, see host/start_request.lua
return function(child, link, id, request)
  local owners = {}
  local ok, err = pcall(begin, child, link, id, request, owners)
  for _, owner in ipairs(owners) do
    owner:close()
  end
  if not ok then
    error(err, 0)
  end
end
