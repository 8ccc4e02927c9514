-- What specs of dgram need.

local assert = require("luassert")
local core = require("child_process.core")
local dgram = require("child_process.dgram")
local support = require("spec.support")

local datagrams = {}

--- This machine's address.
datagrams.HERE = "127.0.0.1"

--- Makes a socket that is bound to this machine.
---@param listener? function of "message"
---@param options? string|table default "udp4"
---@return DatagramSocket
---@return integer port
function datagrams.boundSocket(listener, options)
  local socket = dgram.createSocket(options or "udp4", listener)
  socket:bind(0, socket.type == "udp4" and datagrams.HERE or "::1")
  return socket, socket:address().port
end

--- Expects an error of a call that concerns an address of this machine.
---@param syscall string
---@param code string
---@param port integer
---@param err any
function datagrams.assertAddressError(syscall, code, port, err)
  assert.equal(("%s %s %s:%d"):format(syscall, code, datagrams.HERE, port), err.message)
  assert.equal(code, err.code)
  assert.equal(-core.errno[code], err.errno)
  assert.equal(syscall, err.syscall)
  assert.equal(datagrams.HERE, err.address)
  assert.equal(port, err.port)
end

--- Closes sockets.
---@param ... DatagramSocket
function datagrams.closeAll(...)
  for _, socket in ipairs({...}) do socket:close() end
end

--- Expects of a call that it raises an error with these fields.
---@param expected table
---@param fn function
---@param ... any its arguments
function datagrams.assertError(expected, fn, ...)
  local err = support.error(fn, ...)
  for key, value in pairs(expected) do assert.equal(value, err[key]) end
end

return datagrams
