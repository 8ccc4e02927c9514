--- Puts an address and its port into words.

--- "127.0.0.1:80" or "[::1]:80".
---@param address string
---@param family "IPv4"|"IPv6"
---@param port integer
---@return string
return function(address, family, port)
  return ("%s:%d"):format(family == "IPv6" and "[" .. address .. "]" or address, port)
end
