-- luv, libuv for Lua. Options as name=value, see ../rows.lua.

local uv = require("luv")

local options = {}
for _, argument in ipairs(arg) do
  local name, value = argument:match("^(%w+)=(.*)$")
  options[name] = value
end

local function number(name, fallback)
  return tonumber(options[name]) or fallback
end

local function now()
  return uv.hrtime() / 1e9
end

-- Starts the program; `onClose` is called when it has ended and its pipes are closed.
local function start(onClose)
  local open = 1
  local function done()
    open = open - 1
    if open == 0 then
      onClose()
    end
  end
  local stdin, stdout, stderr, stdio
  if options.pipes then
    open = 4
    stdin, stdout, stderr = uv.new_pipe(), uv.new_pipe(), uv.new_pipe()
    stdio = {stdin, stdout, stderr}
  end
  local handle, pid
  handle, pid = uv.spawn(options.program, {stdio = stdio}, function()
    handle:close(done)
    if stdin then
      stdin:close(done)
    end
  end)
  assert(handle, pid)
  for _, stream in pairs({stdout, stderr}) do
    stream:read_start(function(_, data)
      if not data then
        stream:close(done)
      end
    end)
  end
  return handle
end

-- Keeps `atonce` children running for a time; microseconds that each took.
local function spawnFor(seconds)
  local began, ended = now(), 0
  local function next()
    start(function()
      ended = ended + 1
      if now() - began < seconds then
        next()
      end
    end)
  end
  for _ = 1, number("atonce", 1) do
    next()
  end
  uv.run()
  return (now() - began) / ended * 1e6
end

-- Microseconds that the call of uv.spawn itself took.
local function callFor(seconds)
  local began, inCalls, count = now(), 0, 0
  local function next()
    local before = now()
    start(function()
      if now() - began < seconds then
        next()
      end
    end)
    inCalls = inCalls + now() - before
    count = count + 1
  end
  next()
  uv.run()
  return inCalls / count * 1e6
end

local function residentKiB()
  local file = assert(io.open("/proc/self/statm"))
  local pages = select(2, file:read("*n", "*n"))
  file:close()
  return pages * 4
end

-- KiB of memory, microseconds to start, microseconds to end, for each child.
local function keepAlive(count)
  local handles = {}
  collectgarbage()
  local before, began = residentKiB(), now()
  for i = 1, count do
    handles[i] = start(function() end)
  end
  local started = now() - began
  collectgarbage()
  local memory, ending = residentKiB() - before, now()
  for _, handle in ipairs(handles) do
    handle:kill("sigterm")
  end
  uv.run()
  local ended = now() - ending
  return memory / count, started / count * 1e6, ended / count * 1e6
end

local function readAll(total)
  local count, began, stdout = 0, now(), uv.new_pipe()
  local handle
  handle = uv.spawn(options.program, {
    args = {options.piece, ("%d"):format(total)},
    stdio = {nil, stdout},
  }, function()
    handle:close()
  end)
  stdout:read_start(function(_, data)
    if data then
      count = count + #data
    else
      stdout:close()
    end
  end)
  uv.run()
  return count / (now() - began) / 1e9
end

-- Keeps two writes under way, so that the child never waits for us.
local function writeAll(total)
  local piece = ("x"):rep(number("piece"))
  local count, began, stdin, shut = 0, now(), uv.new_pipe(), false
  local handle
  handle = uv.spawn(options.program, {stdio = {stdin}}, function()
    handle:close()
  end)
  local function feed()
    if count < total then
      count = count + #piece
      stdin:write(piece, feed)
    elseif not shut then
      shut = true
      stdin:shutdown(function()
        stdin:close()
      end)
    end
  end
  feed()
  feed()
  uv.run()
  return count / (now() - began) / 1e9
end

local function pipeAll(total)
  local began, between, stdin = now(), uv.new_pipe(), uv.new_pipe()
  local from, to
  from = uv.spawn(options.from, {
    args = {options.piece, ("%d"):format(total)},
    stdio = {nil, between},
  }, function()
    from:close()
  end)
  to = uv.spawn(options.to, {stdio = {stdin}}, function()
    to:close()
  end)
  local onData
  local function resume()
    if not between:is_closing() then
      between:read_start(onData)
    end
  end
  function onData(_, data)
    if not data then
      between:close()
      stdin:shutdown(function()
        stdin:close()
      end)
      return
    end
    stdin:write(data, resume)
    if stdin:get_write_queue_size() > 0 then
      between:read_stop()
    end
  end
  resume()
  uv.run()
  return total / (now() - began) / 1e9
end

-- A work: measures with the argument of this name.
local function once(measure, name)
  return function()
    return measure(number(name))
  end
end

-- The same after a warm-up with a fifth of it.
local function twice(measure, name)
  return function()
    measure(number(name) / 5)
    return measure(number(name))
  end
end

local works = {
  spawn = twice(spawnFor, "seconds"),
  call = twice(callFor, "seconds"),
  alive = once(keepAlive, "alive"),
  read = twice(readAll, "bytes"),
  write = twice(writeAll, "bytes"),
  pipe = twice(pipeAll, "bytes"),
}

local heap = {}
for i = 1, number("heap", 0) * 1024 do
  heap[i] = ("x"):rep(1000)
end
local opened = {}
for i = 1, number("open", 0) do
  opened[i] = assert(io.open("/dev/null"))
end
collectgarbage()
print(works[options.work]())
os.exit(#heap + #opened >= 0, false)
