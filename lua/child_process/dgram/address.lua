--- Addresses of UDP sockets: defaults, and looking up names.

local core = require("child_process.core")
local errors = require("child_process.errors")
local loop = require("child_process.loop")

---@class child_process.dgram_address
local addresses = {}

--- The types of sockets, and the numbers that core has for them.
addresses.families = {udp4 = 4, udp6 = 6}
addresses.types = {[4] = "udp4", [6] = "udp6"}

--- Where a socket is bound without an address, and where it sends to without one.
addresses.any = {udp4 = "0.0.0.0", udp6 = "::"}
addresses.loopback = {udp4 = "127.0.0.1", udp6 = "::1"}

-- One lookup serves all who wait for a name, so that datagrams to it stay in order. It is a list of
-- their callbacks, and:
--   socket
--   host
--   request  of core
local Lookup = {}
Lookup.__index = Lookup

-- Called by core.lookup's request.
---@param errno integer?
---@param found {address: string}[]? without errno
---@param code string? the name of errno
function Lookup:onlookup(errno, found, code)
  self.socket._lookups[self.host] = nil
  local err = errno and errors.lookup(errno, code, self.host)
  for _, callback in ipairs(self) do
    callback(err, not err and found[1].address)
  end
end

-- What is looked up, see active_handles.lua.
function Lookup:_peerText()
  return self.host
end

--- Calls back with an address in digits, or with an error: at once if the host is in digits itself.
--- A name is looked up once for all who wait for it at the same time.
---@param socket DatagramSocket
---@param host string
---@param callback fun(err: Error?, address: string?) must not raise
---@return boolean # whether the callback is called later
function addresses.resolve(socket, host, callback)
  if core.addressFamily(host) ~= 0 then
    callback(nil, host)
    return false
  end
  local lookups = socket._lookups or {}
  local lookup = lookups[host]
  socket._lookups = lookups
  if not lookup then
    lookup = setmetatable({socket = socket, host = host}, Lookup)
    lookup.request = core.lookup(host, socket._handle:family(), lookup)
    lookups[host] = lookup
    loop.started()
  end
  lookup[#lookup + 1] = callback
  return true
end

--- Ends all lookups, and calls back those who wait for them with ECANCELED.
---@param socket DatagramSocket
function addresses.cancel(socket)
  local lookups = socket._lookups
  socket._lookups = nil
  for host, lookup in pairs(lookups or {}) do
    lookup.request:cancel()
    for _, callback in ipairs(lookup) do
      callback(errors.system(core.errno.ECANCELED, "getaddrinfo", {hostname = host}))
    end
  end
end

return addresses
