--- dgram: UDP sockets.

local assign = require("child_process.base.assign")
local bind = require("child_process.dgram.bind")
local check = require("child_process.base.check")
local options = require("child_process.dgram.options")
local send = require("child_process.dgram.send")
local Socket = require("child_process.dgram.socket")

assign(Socket, bind, send, options)

---@class child_process.dgram
---@field Socket DatagramSocket the class of the objects that createSocket returns
local dgram = {Socket = Socket}

--- Returns whether the value is a UDP socket.
---@type fun(value: any): boolean
dgram.isSocket = Socket.isSocket

--- Makes a socket. Events: "message" (message, rinfo) for each datagram, "listening", "connect",
--- "error" (err), "close".
---@param type "udp4"|"udp6"|DatagramOptions
---@param listener? fun(message: string, rinfo: child_process.rinfo) of "message"
---@return DatagramSocket
function dgram.createSocket(type, listener)
  check.dot(type, dgram, "dgram.createSocket")
  return Socket.new(type, listener)
end

return dgram
