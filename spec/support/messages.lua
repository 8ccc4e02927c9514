-- What specs of fork and messages need: children with a channel, in Lua, of raw bytes, and in Node.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local json = require("child_process.json")
local process = require("child_process.process")
local support = require("spec.support")

local messages = {}

--- A script that sends back whatever comes, until it is disconnected.
messages.ECHO = "process:on('message', function(message) process:send(message) end)"

--- The same in JavaScript.
messages.ECHO_NODE = "process.on('message', message => process.send(message))"

--- Forks a script that is removed after the test.
---@param text string the script
---@param options? table of fork
---@param args? string[]
---@return ChildProcess
function messages.fork(text, options, args)
  return cp.fork(support.script(text), args or {}, options)
end

--- Starts a shell that speaks on the channel instead of a program that knows the protocol:
--- its descriptor is 3.
---@param script string
---@param options? table of spawn; its stdio is set
---@param ... string arguments: $0, $1, ...
---@return ChildProcess
function messages.shell(script, options, ...)
  return cp.spawn("sh", {"-c", script, ...},
    support.merge(options, {stdio = {"pipe", "pipe", "inherit", "ipc"}}))
end

--- Our environment with some changes.
---@param changes table<string, string|false>
---@return table<string, string>
function messages.environment(changes)
  local env = support.merge(process.env, changes)
  for name, value in pairs(changes) do env[name] = value or nil end
  return env
end

--- Starts a script whose channel is child.stdio[3], a pipe that the test reads and writes.
---@param text string
---@return ChildProcess
function messages.rawParent(text)
  local script = support.script([[
    local cp = require("child_process")
    local process = require("child_process.process")
  ]] .. text .. "\ncp.run()\n")
  return cp.spawn(support.lua, {script}, {
    env = messages.environment({NODE_CHANNEL_FD = "3"}),
    stdio = {"ignore", "pipe", "pipe", "pipe"},
  })
end

local function describe(value)
  return type(value) == "table" and (value.code or json.encode(value)) or tostring(value)
end

--- Notes what both ends of a channel emit, each event with its arguments: "message {"n":1}",
--- "error ERR_IPC_DISCONNECTED", "exit 0 nil".
---@param emitter ChildProcess
---@param without? table<string, boolean> events that are not listened to
---@return string[] # grows as they come
function messages.events(emitter, without)
  local counts = {message = 1, internalMessage = 1, error = 1, disconnect = 0, exit = 2, close = 2}
  for name in pairs(without or {}) do counts[name] = nil end
  return support.note(emitter, counts, describe)
end

--- Gathers the messages that come.
---@param emitter ChildProcess
---@return any[] # grows as they come
function messages.received(emitter)
  local list = {}
  emitter:on("message", function(message) list[#list + 1] = message end)
  return list
end

--- Sends values to a child that answers each, and disconnects it after the last answer.
---@param child ChildProcess
---@param values any[]
---@return any[] answers grows as they come
function messages.exchange(child, values)
  local answers = messages.received(child)
  child:on("message", function()
    if #answers == #values then child:disconnect() end
  end)
  for _, value in ipairs(values) do child:send(value) end
  return answers
end

--- Sends values to a child in Lua that sends them back, and runs the loop to its end.
---@param options? table of fork
---@param ... any the values
---@return any ... as they came back
function messages.echoed(options, ...)
  local answers = messages.exchange(messages.fork(messages.ECHO, options), {...})
  support.run()
  return compat.unpack(answers)
end

--- Runs the loop until a function gives something. Fails when that takes too long.
---@generic T
---@param look fun(): T?
---@return T
function messages.await(look)
  return support.inTime(function()
    local value = look()
    while not value do
      local alive = cp.run("once")
      value = look()
      assert(value or alive, "the loop has ended")
    end
    return value
  end)
end

--- Makes a test's function pending where there is no node.
---@param fn fun()
---@return fun()
function messages.withNode(fn)
  return function()
    if not support.hasNode() then support.skip("Node 20 is not installed") end
    fn()
  end
end

--- Writes a JavaScript program that is removed after the test.
---@param text string
---@return string path absolute
function messages.javascript(text)
  local path = support.tmpdir() .. "/script.js"
  support.writeFile(path, text)
  return path
end

--- Forks a JavaScript program that is removed after the test.
---@param text string
---@param options? table of fork; default: a pipe for stdout and for stderr
---@param args? string[]
---@return ChildProcess
function messages.forkNode(text, options, args)
  return cp.fork(messages.javascript(text), args or {},
    support.merge({execPath = "node", stdio = {"ignore", "pipe", "pipe", "ipc"}}, options))
end

return messages
