-- Signals beside those of a real Node: children are aborted at the same moments in both languages,
-- and the events, their order and the errors are compared line by line.

local cp = require("child_process")
local messages = require("spec.support.messages")
local support = require("spec.support")

local withNode = messages.withNode

-- Each way of starting a program takes options and a callback, which spawn does without.
local LUA = [[
  local cp = require("child_process")
  local abort = require("child_process.abort")
  local AbortController, AbortSignal = abort.AbortController, abort.AbortSignal
  local SLEEP = "exec sleep 60"
  local function show(value)
    if value == nil then return "null" end
    return tostring(value)
  end
  local function log(...)
    local words = {...}
    for index = 1, select("#", ...) do words[index] = show(words[index]) end
    print(table.concat(words, " "))
  end
  local function describe(err)
    local cause = err.cause
    if type(cause) == "table" then cause = cause.name .. " " .. cause.message end
    return err.name .. " " .. show(err.code) .. " " .. err.message .. " " .. show(cause)
  end
  local function callback(err, stdout, stderr)
    log("callback", describe(err), "[" .. err.cmd .. "]", "[" .. stdout .. "," .. stderr .. "]")
  end
  local ways = {
    spawn = function(script, options) return cp.spawn("sh", {"-c", script}, options) end,
    execFile = function(script, options)
      return cp.execFile("sh", {"-c", script}, options, callback)
    end,
    exec = function(script, options) return cp.exec(script, options, callback) end,
    nothing = function(_, options) return cp.spawn("/nonexistent/command", options) end,
  }
  local function start(way, script, options)
    local child = ways[way](script, options)
    child:on("spawn", function() log("spawn", child.killed) end)
    child:on("error", function(err) log("error", describe(err), child.killed) end)
    child:on("exit", function(code, signal) log("exit", code, signal) end)
    child:on("close", function(code, signal) log("close", code, signal, child.killed) end)
    return child
  end
  %s
  cp.run()
]]

local JAVASCRIPT = [[
  const cp = require('child_process')
  const SLEEP = 'exec sleep 60'
  const show = value => value === undefined || value === null ? 'null' : String(value)
  const log = (...words) => console.log(words.map(show).join(' '))
  const describe = err => {
    let cause = err.cause
    if (cause && cause.name) cause = cause.name + ' ' + cause.message
    return err.name + ' ' + show(err.code) + ' ' + err.message + ' ' + show(cause)
  }
  const callback = (err, stdout, stderr) =>
    log('callback', describe(err), '[' + err.cmd + ']', '[' + stdout + ',' + stderr + ']')
  const ways = {
    spawn: (script, options) => cp.spawn('sh', ['-c', script], options),
    execFile: (script, options) => cp.execFile('sh', ['-c', script], options, callback),
    exec: (script, options) => cp.exec(script, options, callback),
    nothing: (_, options) => cp.spawn('/nonexistent/command', options),
  }
  const start = (way, script, options) => {
    const child = ways[way](script, options)
    child.on('spawn', () => log('spawn', child.killed))
    child.on('error', err => log('error', describe(err), child.killed))
    child.on('exit', (code, signal) => log('exit', code, signal))
    child.on('close', (code, signal) => log('close', code, signal, child.killed))
    return child
  }
  %s
]]

--- What both print. WAY in the scripts becomes the name of a way to start a program.
local function compare(way, lua, javascript)
  local words = {WAY = way}
  local function outputOf(command, path)
    local child = cp.spawn(command, {path})
    local stdout, stderr = support.output(child)
    assert.equal("", stderr)
    return stdout
  end
  lua, javascript = lua:gsub("%u+", words), javascript:gsub("%u+", words)
  local expected = outputOf("node", messages.javascript(JAVASCRIPT:format(javascript)))
  local ours = outputOf(support.lua, support.script(LUA:format(lua)))
  ours = ours:gsub(" %(exit code %d+%)\n", "\n") -- which our messages have in addition
  assert.is_true(#expected > 0)
  assert.equal(expected, ours)
end

-- {moment, Lua, JavaScript}
local moments = {
  {"before the start", [[
    start("WAY", SLEEP, {signal = AbortSignal.abort()})
    log("started")
  ]], [[
    start('WAY', SLEEP, {signal: AbortSignal.abort()})
    log('started')
  ]]},
  {"before the start, with a reason", [[
    start("WAY", SLEEP, {signal = AbortSignal.abort("why")})
  ]], [[
    start('WAY', SLEEP, {signal: AbortSignal.abort('why')})
  ]]},
  {"right after the start", [[
    local controller = AbortController()
    start("WAY", SLEEP, {signal = controller.signal})
    log("in")
    controller:abort()
    log("out")
  ]], [[
    const controller = new AbortController()
    start('WAY', SLEEP, {signal: controller.signal})
    log('in')
    controller.abort()
    log('out')
  ]]},
  {"while the child runs", [[
    local controller = AbortController()
    local child = start("WAY", "echo ready; exec sleep 60", {signal = controller.signal})
    child.stdout:on("data", function()
      log("in")
      controller:abort("why")
      controller:abort("again")
      log("out")
    end)
  ]], [[
    const controller = new AbortController()
    const child = start('WAY', 'echo ready; exec sleep 60', {signal: controller.signal})
    child.stdout.on('data', () => {
      log('in')
      controller.abort('why')
      controller.abort('again')
      log('out')
    })
  ]]},
  {"between exit and close", [[
    local controller = AbortController()
    local child = start("WAY", "sleep 0.2 & exit 3", {signal = controller.signal})
    child:on("exit", function() controller:abort() log("aborted") end)
  ]], [[
    const controller = new AbortController()
    const child = start('WAY', 'sleep 0.2 & exit 3', {signal: controller.signal})
    child.on('exit', () => { controller.abort(); log('aborted') })
  ]]},
  {"after close", [[
    local controller = AbortController()
    local child = start("WAY", "exit 3", {signal = controller.signal})
    child:on("close", function() controller:abort() log("aborted") end)
  ]], [[
    const controller = new AbortController()
    const child = start('WAY', 'exit 3', {signal: controller.signal})
    child.on('close', () => { controller.abort(); log('aborted') })
  ]]},
  {"after another signal was sent", [[
    local controller = AbortController()
    local child = start("WAY", SLEEP, {signal = controller.signal})
    child:on("spawn", function() child:kill("SIGKILL") controller:abort() end)
  ]], [[
    const controller = new AbortController()
    const child = start('WAY', SLEEP, {signal: controller.signal})
    child.on('spawn', () => { child.kill('SIGKILL'); controller.abort() })
  ]]},
  {"by a signal of several", [[
    local one, other = AbortController(), AbortController()
    local child = start("WAY", SLEEP, {signal = AbortSignal.any({one.signal, other.signal})})
    child:on("spawn", function() other:abort("other") one:abort("one") end)
  ]], [[
    const one = new AbortController(), other = new AbortController()
    const child = start('WAY', SLEEP, {signal: AbortSignal.any([one.signal, other.signal])})
    child.on('spawn', () => { other.abort('other'); one.abort('one') })
  ]]},
  {"by a time limit", [[
    start("WAY", SLEEP, {signal = AbortSignal.timeout(100)})
  ]], [[
    start('WAY', SLEEP, {signal: AbortSignal.timeout(100)})
  ]]},
}

describe("A child that is aborted, as in a real Node,", function()
  for _, moment in ipairs(moments) do
    for _, way in ipairs({"spawn", "execFile", "exec"}) do
      it(("%s: %s"):format(moment[1], way), withNode(function()
        compare(way, moment[2], moment[3])
      end))
    end
  end

  -- Not right after the start, when Node signals its whole process group.
  it("before the start: a program that does not exist", withNode(function()
    compare("nothing", moments[1][2], moments[1][3])
  end))

  it("with killSignal: spawn", withNode(function()
    compare("spawn", [[
      local controller = AbortController()
      local options = {signal = controller.signal, killSignal = "SIGINT"}
      start("WAY", SLEEP, options):on("spawn", function() controller:abort() end)
    ]], [[
      const controller = new AbortController()
      const options = {signal: controller.signal, killSignal: 'SIGINT'}
      start('WAY', SLEEP, options).on('spawn', () => controller.abort())
    ]])
  end))

  it("with a value that is not a signal", withNode(function()
    local names = {"spawn", "execFile", "exec"}
    for _, way in ipairs(names) do
      compare(way, [[
        for _, value in ipairs({1, "x", true, AbortController()}) do
          local _, err = pcall(start, "WAY", "true", {signal = value})
          log(err.name, err.code, err.message)
        end
      ]], [[
        for (const value of [1, 'x', true, new AbortController()]) {
          try { start('WAY', 'true', {signal: value}) } catch (err) {
            log(err.name, err.code, err.message)
          }
        }
      ]])
    end
  end))
end)

describe("A promise for a child that is aborted", function()
  for _, way in ipairs({"exec", "execFile"}) do
    it("is rejected as in a real Node: " .. way, withNode(function()
      compare(way, [[
        local run = cp.promisify(cp.WAY)
        local options = {signal = AbortSignal.abort("x")}
        local promise = run("cat", options)
        log(promise.child.pid ~= nil)
        promise:catch(function(err)
          log(describe(err), err.cmd, "[" .. err.stdout .. "," .. err.stderr .. "]")
        end)
        log("later")
      ]], [[
        const run = require('util').promisify(cp.WAY)
        const options = {signal: AbortSignal.abort('x')}
        const promise = run('cat', options)
        log(promise.child.pid !== undefined)
        promise.catch(err =>
          log(describe(err), err.cmd, '[' + err.stdout + ',' + err.stderr + ']'))
        log('later')
      ]])
    end))
  end
end)
