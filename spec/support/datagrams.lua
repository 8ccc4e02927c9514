-- What specs of dgram need.

local assert = require("luassert")
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

--- Runs the loop until it ends without raising.
---@return any[] what was raised
function datagrams.runThrough()
  local raised = {}
  while true do
    local ok, err = pcall(support.run)
    if ok then return raised end
    raised[#raised + 1] = err
    assert(#raised < 100, err)
  end
end

return datagrams
