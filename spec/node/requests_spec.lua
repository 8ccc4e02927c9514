-- Requests with a real Node at the other end, which speaks the documented messages.

local messages = require("spec.support.messages")
local support = require("spec.support")

local withNode = messages.withNode

--- The program of the manual that answers requests, and makes one itself.
local ANSWERS = [[
const running = new Map()
async function answer(value, signal) {
  if (value === 'fail') throw new RangeError('out of range')
  if (value === 'hang') return new Promise(resolve => {
    signal.addEventListener('abort', () => { process.send('cancelled'); resolve() })
  })
  return {doubled: value * 2}
}
process.on('message', async message => {
  if (message.child_process === 'cancel') {
    running.get(message.id)?.abort()
  } else if (message.child_process === 'request') {
    const {id, value} = message
    const controller = new AbortController()
    running.set(id, controller)
    try {
      const reply = value === undefined ? undefined : await answer(value, controller.signal)
      process.send({child_process: 'reply', id, value: reply})
    } catch ({name, message, code, stack}) {
      process.send({child_process: 'reply', id, error: {name, message, code, stack}})
    }
    running.delete(id)
  } else if (message.child_process === 'reply') {
    process.send(['reply', message.value])
  } else if (message === 'ask') {
    process.send({child_process: 'request', id: 1, value: 'from Node'})
  }
})
]]

for _, serialization in ipairs({"json", "advanced"}) do
  describe(("Requests to Node (%s)"):format(serialization), function()
    it("are answered, fail, are cancelled, and go the other way", withNode(function()
      local child = messages.forkNode(ANSWERS, {serialization = serialization})
      child.stdout:resume()
      child.stderr:resume()
      local received = messages.received(child)
      support.inTime(function()
        assert.same({doubled = 42}, child:request(21):await())
        local ok, err = pcall(function() child:request("fail"):await() end)
        assert.is_false(ok)
        assert.equal("RangeError", err.name)
        assert.equal("out of range", err.message)
        assert.matches("script.js:", err.traceback, 1, true)
        ok, err = pcall(function() child:request("hang", {timeout = 30}):await() end)
        assert.is_false(ok)
        assert.equal("ETIMEDOUT", err.code)
        messages.await(function() return received[1] end)
        child:handle(function(value) return value .. ", answered" end)
        child:send("ask")
        messages.await(function() return received[2] end)
      end)
      assert.same({"cancelled", {"reply", "from Node, answered"}}, received)
      child:disconnect()
      support.run()
      assert.equal(0, child.exitCode)
    end))
  end)
end

describe("A parent in Node", function()
  it("gets replies from a child in Lua, and refuses a request itself", withNode(function()
    local child = support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      process:handle(function(value) return value .. " from Lua" end)
      process:request("up"):catch(function(err) process:send(err.message) end)
      cp.run()
    ]])
    local stdout = require("child_process").execFileSync("node", {messages.javascript([[
      const {fork} = require('child_process')
      const [,, lua, script] = process.argv
      const child = fork(script, {execPath: lua})
      child.on('message', message => {
        if (message.child_process === 'request') {
          child.send({child_process: 'reply', id: message.id, error: 'not here'})
        } else if (message.child_process === 'reply') {
          console.log(message.id, message.value)
          child.disconnect()
        } else {
          console.log(message)
          child.send({child_process: 'request', id: 'any id', value: 'hello'})
        }
      })
    ]]), support.lua, child}, {stdio = {"ignore", "pipe", "inherit"}})
    assert.equal("not here\nany id hello from Lua\n", stdout)
  end))
end)
