-- Both ends of a handle's way, for specs and for the scripts that they start: makes a handle of
-- each kind, serves it, and asks its server.

local dgram = require("child_process.dgram")
local net = require("child_process.net")

local passing = {}

local HERE = {[4] = "127.0.0.1", [6] = "::1"}

local function tcp(family)
  return function() return {port = 0, host = HERE[family]} end
end

local function unixSocket()
  return {path = "\0child_process_spec." .. os.tmpname()} -- an abstract name: no file is left
end

--- Where a server listens, as `connect` takes it, and messages carry it.
function passing.placeOf(server)
  local address = server:address()
  if type(address) == "string" then return {path = address} end
  return {port = address.port, host = address.address}
end

--- Connects, and gives everything that is answered.
---@param place table
---@param callback fun(answer: string)
---@param question? string
function passing.ask(place, callback, question)
  local socket = net.connect(place)
  local answer = {}
  socket:on("data", function(data) answer[#answer + 1] = data end)
  socket:on("close", function() callback(table.concat(answer)) end)
  if question then socket:write(question) end
  return socket
end

local function answer(socket, who)
  socket:finish("handled by " .. who)
  socket:resume()
end

local server = {
  make = function(place, onPlace, onHandle)
    local made = net.createServer()
    made:listen(place, function()
      onPlace(passing.placeOf(made))
      onHandle(made)
    end)
  end,
  ask = passing.ask,
  serve = function(handle, who)
    handle:on("connection", function(socket)
      answer(socket, who)
      handle:close()
    end)
  end,
  -- of a native handle
  open = function(native) return net.createServer():listen(native) end,
  close = function(handle) handle:close() end,
}

local socket = {
  make = function(place, onPlace, onHandle)
    local listening = net.createServer({pauseOnConnect = true})
    listening:on("connection", function(connection)
      onHandle(connection)
      listening:close()
    end)
    listening:listen(place, function() onPlace(passing.placeOf(listening)) end)
  end,
  ask = passing.ask,
  serve = answer,
  open = function(native) return net.Socket({handle = native}) end,
  close = function(handle) handle:destroy() end,
}

local datagrams = {
  make = function(family, onPlace, onHandle)
    local made = dgram.createSocket("udp" .. family)
    made:bind(0, HERE[family])
    onPlace({port = made:address().port, host = HERE[family], type = made.type})
    onHandle(made)
  end,
  ask = function(place, callback)
    local asking = dgram.createSocket(place.type, function(message)
      callback(message)
    end)
    asking:on("message", function() asking:close() end)
    asking:send("question", place.port, place.host)
  end,
  serve = function(handle, who)
    handle:on("message", function(_, rinfo)
      handle:send("handled by " .. who, rinfo.port, rinfo.address, function() handle:close() end)
    end)
  end,
  open = function(native) return dgram.createSocket("udp4"):bind(native) end,
  close = function(handle) handle:close() end,
}

local function of(functions, place)
  local kind = {}
  for name, fn in pairs(functions) do kind[name] = fn end
  function kind.make(onPlace, onHandle) functions.make(place(), onPlace, onHandle) end
  return kind
end

--- What can be sent, by name:
---   make(onPlace, onHandle)  makes one; calls back with where it is to be asked, and with itself
---   ask(place, callback)     calls back with the answer
---   serve(handle, who)       lets it answer, once
---   open(native)             the same kind of handle, of a native one
---   close(handle)
passing.kinds = {
  ["net.Server over IPv4"] = of(server, tcp(4)),
  ["net.Server over IPv6"] = of(server, tcp(6)),
  ["net.Server on a Unix socket"] = of(server, unixSocket),
  ["net.Socket over IPv4"] = of(socket, tcp(4)),
  ["net.Socket over IPv6"] = of(socket, tcp(6)),
  ["net.Socket on a Unix socket"] = of(socket, unixSocket),
  ["dgram.Socket over IPv4"] = of(datagrams, function() return 4 end),
  ["dgram.Socket over IPv6"] = of(datagrams, function() return 6 end),
}

--- Makes a handle of a kind and sends it away, as it is or as a native one; says first where it is.
---@param target ChildProcess|process
---@param name string of the kind
---@param native? boolean
---@param onPlace? fun(place: table) default: it is sent, too
function passing.send(target, name, native, onPlace)
  local kind = passing.kinds[name]
  kind.make(onPlace or function(place) target:send({place = place}) end, function(handle)
    target:send({serve = name, native = native}, native and handle._handle or handle)
    kind.close(handle)
  end)
end

--- Serves what is sent, once, and asks at the address it gets.
---@param target ChildProcess|process
---@param who string what answers say
---@param onAnswer? fun(answer: string)
function passing.receive(target, who, onAnswer)
  target:on("message", function(message, handle)
    if message.serve then
      local kind = passing.kinds[message.serve]
      if message.native then handle = kind.open(handle) end
      kind.serve(handle, who)
    elseif message.place then
      local kind = message.place.type and datagrams or server
      kind.ask(message.place, onAnswer)
    end
  end)
end

return passing
