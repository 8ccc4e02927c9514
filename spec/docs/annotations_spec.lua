-- The annotations describe exactly what the public modules and their objects have.

local cp = require("child_process")
local lfs = require("lfs")
local strict = require("child_process.base.strict")
local support = require("spec.support")

local annotations = dofile("scripts/types/annotations.lua").read()

-- The public modules, by name.
local modules = {child_process = cp}
for file in lfs.dir("lua/child_process") do
  local name = file:match("^(%w+)%.lua$")
  if name then modules["child_process." .. name] = require("child_process." .. name) end
end

local clone = modules["child_process.clone"]
local dgram = modules["child_process.dgram"]
local events = modules["child_process.events"]
local net = modules["child_process.net"]
local process = modules["child_process.process"]
local timers = modules["child_process.timers"]

local function started(child)
  finally(support.run)
  return child
end

-- Makes an object of each class that users get to see, by the name of the class.
local makers = {
  AbortController = modules["child_process.abort"].AbortController,
  AbortSignal = function() return modules["child_process.abort"].AbortController().signal end,
  ArrayBuffer = function() return clone.ArrayBuffer("") end,
  BigInt = function() return clone.BigInt("0x1f") end,
  Channel = function()
    return started(cp.spawn("true", {}, {stdio = {"ignore", "ignore", "ignore", "ipc"}})).channel
  end,
  ChildProcess = function() return started(cp.spawn("true")) end,
  ["child_process.decoder"] = function()
    return modules["child_process.encoding"].decoder("utf8")
  end,
  ["child_process.promises"] = function() return cp.promises end,
  DatagramSocket = function()
    local socket = dgram.createSocket("udp4")
    finally(function() socket:close() end)
    return socket
  end,
  CommandResult = function() return cp.command.run("true", {all = true}) end,
  Date = clone.Date,
  Error = function() return select(2, pcall(cp.spawn)) end,
  ["child_process.EventEmitterClass"] = function() return events.EventEmitter end,
  EventEmitter = function() return events.inherit("Thing").new() end,
  ExecPromise = function() return started(cp.promises.execFile("true")) end,
  Immediate = function() return started(timers.setImmediate(function() end)) end,
  Map = clone.Map,
  Pool = function() return modules["child_process.pool"]("none.lua") end,
  Promise = modules["child_process.promise"].resolve,
  RegExp = function() return clone.RegExp("a") end,
  RunningCommand = function() return started(cp.command.start("true")) end,
  Server = net.createServer,
  Set = clone.Set,
  Socket = net.Socket.new,
  StandardStream = function() return process.stdout end,
  Stream = function() return started(cp.spawn("true")).stdin end,
  SyncResult = function() return cp.spawnSync("true") end,
  SystemCompleted = function() return cp.system({"true"}):wait() end,
  SystemObj = function() return started(cp.system({"true"})) end,
  Timeout = function() return started(timers.setTimeout(function() end, 1)) end,
  TypedArray = function() return clone.TypedArray("Uint8Array", "") end,
}

-- Makes a call that has an option which does not exist.
local options = {
  ChildOptions = function(wrong)
    wrong.file = "true"
    cp.ChildProcess():spawn(wrong)
  end,
  DatagramOptions = function(wrong)
    wrong.type = "udp4"
    dgram.createSocket(wrong)
  end,
  DisposeOptions = function(wrong) cp.ChildProcess():dispose(wrong) end,
  EventIteratorOptions = function(wrong) events.on(process, "exit", wrong) end,
  ExecOptions = function(wrong) cp.exec("true", wrong) end,
  ForkOptions = function(wrong) cp.fork("none.lua", {}, wrong) end,
  KillOptions = function(wrong) cp.ChildProcess():kill(0, wrong) end,
  LinesOptions = function(wrong) process.stdin:lines(wrong) end,
  PipelineOptions = function(wrong) cp.pipeline(net.Socket(), net.Socket(), wrong, print) end,
  PoolMapOptions = function(wrong) modules["child_process.pool"]("none"):map({}, wrong) end,
  PoolOptions = function(wrong) modules["child_process.pool"]("none", wrong) end,
  PoolRunOptions = function(wrong) modules["child_process.pool"]("none"):run(1, wrong) end,
  RequestOptions = function(wrong) cp.spawn("true"):request(1, wrong) end,
  SendOptions = function(wrong) cp.spawn("true"):send("message", nil, wrong) end,
  ServerOptions = net.createServer,
  SpawnOptions = function(wrong) cp.spawn("true", {}, wrong) end,
  StatsOptions = function(wrong) cp.ChildProcess():stats(wrong) end,
  SyncOptions = function(wrong) cp.spawnSync("true", {}, wrong) end,
  SystemOpts = function(wrong) cp.system({"true"}, wrong) end,
  WaitOptions = function(wrong) events.once(process, "exit", wrong) end,
}

---@class Described
---@field place string
---@field isPrivate boolean
---@field isOptional boolean
---@field isMethod? boolean a function whose first argument is the object
---@field arguments? string[] of a function, without self; absent if the annotation has no list
---@field described? string[] the arguments that the comment of a function describes

-- The arguments of a type like "fun(self: Stream, name?: string)", without self, and whether it has
-- self; nil for other types.
local function argumentsOfType(type)
  local list = type:match("^fun(%b())")
  if not list then return nil end
  -- types of arguments may have commas
  list = list:sub(2, -2):gsub("%b()", ""):gsub("%b{}", ""):gsub("%b<>", "")
  local names = {}
  for name in list:gmatch("([%w_.]+)[^,]*") do names[#names + 1] = name end
  local isMethod = names[1] == "self"
  if isMethod then table.remove(names, 1) end
  return names, isMethod
end

local function addFields(names, class)
  for _, field in ipairs(class.fields) do
    local type = field.type
    local arguments, isMethod = argumentsOfType(type)
    names[field.name] = {
      place = field.place, arguments = arguments, isMethod = isMethod,
      isPrivate = field.scope ~= nil,
      isOptional = field.isOptional or type:find("^any") ~= nil or type:find("^[^ ]+%?") ~= nil,
    }
  end
end

-- Adds the functions that follow comments.
local function addFunctions(names, class)
  for _, entry in ipairs(class.functions) do
    local described = {}
    for name in table.concat(entry.comment, "\n"):gmatch("%-%-%-@param ([%w_.]+)") do
      described[#described + 1] = name
    end
    if #entry.comment > 0 then
      names[entry.name] = {
        place = entry.place, isPrivate = false, isOptional = false, described = described,
        isMethod = entry.separator == ":", arguments = entry.parameters,
      }
    end
  end
end

-- Adds values with a type, and other names of what the class has already.
local function addValues(names, class)
  for _, value in ipairs(class.values) do
    local type = table.concat(value.comment, "\n"):match("%-%-%-@type (.+)$")
    local original = names[value.expression:match("^[%w_]+%.([%w_]+)$")]
    if type then
      local arguments, isMethod = argumentsOfType(type)
      names[value.name] = {
        place = value.place, isPrivate = false, isOptional = false, isMethod = isMethod,
        arguments = arguments,
      }
    elseif original then
      names[value.name] = original
    end
  end
end

--- What the annotations say of a class, and of those that it inherits from.
---@param name string
---@return table<string, Described>
local function documented(name)
  local class = assert(annotations.classes[name], name)
  local names = annotations.classes[class.parent] and documented(class.parent) or {}
  addFields(names, class)
  addFunctions(names, class)
  addValues(names, class)
  return names
end

-- Whether the name is for users. Methods whose names begin with "on" are called by the C module.
local function isPublic(name)
  return name == "once" or name == "_VERSION"
    or type(name) == "string" and not name:find("^_") and not name:find("^on%l+$")
end

--- The names that an object has, and its classes.
local function existing(object)
  local names = {}
  while type(object) == "table" do
    for name in next, object do names[name] = true end
    local meta = debug.getmetatable(object)
    object = meta and rawget(meta, "__index")
  end
  return names
end

local function list(names)
  local sorted = {}
  for name in pairs(names) do sorted[#sorted + 1] = name end
  table.sort(sorted)
  return sorted
end

-- Expects the object to have what the class documents, and nothing else. (`new` is a field of
-- classes, and so are the fields that an object has from its class.)
local function checkNames(object, class)
  local names, wrong = documented(class), {}
  for name in pairs(existing(object)) do
    if isPublic(name) and name ~= "new" and not names[name] then
      wrong[name .. " has no annotation"] = true
    end
  end
  for name, entry in pairs(names) do
    if isPublic(name) and name ~= "new" and not entry.isPrivate and not entry.isOptional
      and object[name] == nil then
      wrong[name .. " does not exist, " .. entry.place] = true
    end
  end
  assert.same({}, list(wrong))
end

-- The arguments of a function, without self.
local function argumentsOf(fn, isMethod)
  local info, names = debug.getinfo(fn, "u"), {}
  for index = isMethod and 2 or 1, info.nparams do
    names[#names + 1] = debug.getlocal(fn, index)
  end
  if info.isvararg then names[#names + 1] = "..." end
  return names
end

-- Whether Lua tells the names of the arguments of this function. Lua 5.1 does so for none.
local function tellsArguments(value)
  return type(value) == "function" and debug.getinfo(value, "S").what ~= "C"
    and not support.isPuc51
end

-- Expects the functions of an object to have the arguments that the annotations name. (The names in
-- a type are only descriptions, and functions that are made from a list take more than users pass.)
local function checkArguments(object, class)
  for name, entry in pairs(documented(class)) do
    local value, annotated = object[name], entry.arguments
    if entry.described then
      assert.equal(table.concat(annotated, ", "), table.concat(entry.described, ", "), entry.place)
    end
    if annotated and isPublic(name) and tellsArguments(value) then
      local arguments = argumentsOf(value, entry.isMethod)
      if entry.described then
        assert.same(annotated, arguments, entry.place)
      elseif arguments[#arguments] ~= "..." then
        assert.is_true(#annotated <= #arguments, entry.place)
      end
    end
  end
end

-- The names and the arguments of an object that `make` returns.
local function describeClass(title, class, make)
  describe(title, function()
    it("has what its annotations say, and nothing else", function()
      checkNames(make(), class)
    end)

    it("has functions with the arguments that its annotations name", function()
      checkArguments(make(), class)
    end)
  end)
end

for name, module in pairs(modules) do
  describeClass(name, annotations.returned[name], function() return module end)
end

for class, make in pairs(makers) do
  describeClass("The class " .. class, class, make)
end

-- The options that a call takes, from the check that refuses another one.
local function optionsOf(call)
  local original, taken = strict.unknownOption, nil
  function strict.unknownOption(_, _, _, known)
    taken = known
    error("unknown", 0)
  end
  local ok, err = pcall(call, {nothing = true})
  strict.unknownOption = original
  assert.is_false(ok)
  assert.equal("unknown", err)
  return taken
end

describe("The annotations of options", function()
  for class, call in pairs(options) do
    it("name exactly those that are taken: " .. class, function()
      local names, taken = {}, {}
      for name in pairs(documented(class)) do names[name] = true end
      for name in pairs(optionsOf(call)) do taken[name] = true end
      assert.same(list(taken), list(names))
    end)
  end
end)
