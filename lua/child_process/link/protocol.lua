--- What a host and its agent say to each other: the kinds of frames, and what they carry. For the
--- layout of frames, and the kinds for bytes of streams, see src/core/link/frame.h.

local clone = require("child_process.clone")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local json = require("child_process.json")

---@class child_process.protocol
local protocol = {}

--- Both sides must have the same. It changes whenever one of them would misunderstand the other.
protocol.VERSION = 1

--- The kinds. Those marked with a child are about the child that the frame names.
protocol.kinds = {
  HELLO = 16,   -- the first frame of each side: JSON, as it must be readable in all versions
  START = 17,   -- child, to the agent: what to start
  STARTED = 18, -- child, to the host: its pid
  FAILED = 19,  -- child, to the host: the error with which it could not be started
  SIGNAL = 20,  -- child, to the agent: a signal to send
  ERROR = 21,   -- child, to the host: an error that it has emitted
  EXIT = 22,    -- child, to the host: how it has ended; the messages of its channel come before
  CLOSED = 23,  -- child, to the host: it has closed, and whether processes of its group are left
  PING = 24,    -- to the agent; it answers with PONG
  PONG = 25,
  BYE = 26,     -- to the agent: end all children, and yourself
  STATS = 27,   -- child, to the agent: what does it use? To the host: the answer
}

--- The options of a child that a START frame carries as they were given, for the program there.
--- Names of users mean those over there.
protocol.OPTIONS = {
  "cwd", "uid", "gid", "groups", "limits", "nice", "affinity", "umask", "processGroup",
  "noNewPrivileges",
}

--- Packs the values of a frame. Strings are bytes.
---@param value any
---@return string
function protocol.pack(value)
  return clone.encode(value)
end

---@param bytes string
---@return any # nil if they cannot be read
---@return string? problem
function protocol.unpack(bytes)
  local ok, value = pcall(clone.decode, bytes)
  if ok and value ~= nil then
    return value
  elseif not ok and not errors.isError(value) then
    return nil, tostring(value) -- there was no memory
  end
  return nil, "the other side has sent what cannot be read"
end

-- What is sent of an error. Lists and texts; no tracebacks, which are about another program.
local FIELDS = {"name", "message", "code", "errno", "syscall", "path", "spawnargs"}

---@param err any what was raised
---@return table
function protocol.packError(err)
  local fields = {}
  if not errors.isError(err) then
    err = errors.Error(tostring(err)) -- there was no memory, for instance
  end
  for _, name in ipairs(FIELDS) do
    fields[name] = err[name]
  end
  return fields
end

---@param fields table
---@return Error
function protocol.unpackError(fields)
  local err = errors.make(fields.name or "Error", fields.message)
  for _, name in ipairs(FIELDS) do
    err[name] = fields[name]
  end
  return err
end

--- What this side is.
---@param nonce string by which the answer to a hello is known
---@param more? table further fields
---@return string
function protocol.hello(nonce, more)
  local fields = {
    version = protocol.VERSION, nonce = nonce, lua = rawget(_G, "jit") and "LuaJIT" or _VERSION,
    pid = core.pid(),
  }
  for name, value in pairs(more or {}) do
    fields[name] = value
  end
  return json.encode(fields)
end

---@param bytes string
---@return table? # nil if they are not a hello
---@return string? problem if there was no memory to read it
function protocol.readHello(bytes)
  local ok, value = pcall(json.decode, bytes)
  if not ok and not errors.isError(value) then
    return nil, tostring(value)
  elseif ok and type(value) == "table" and compat.toInteger(value.version)
    and type(value.nonce) == "string" then
    return value
  end
  return nil
end

return protocol
