-- Answers the questions of a program, which it asks at its terminal, like expect(1): a login.
--
--   lua5.4 examples/expect.lua [COMMAND [ARGUMENT...]]
--
-- The command asks for a name and a password, and is then a shell: `login`, `ssh USER@HOST` (which
-- asks for no name), `telnet HOST`. Without one there is a script that behaves like that. The
-- environment variables LOGIN_NAME and PASSWORD have the answers.

local AbortSignal = require("child_process.abort").AbortSignal
local cp = require("child_process")
local process = require("child_process.process")

local PATIENCE = 30000 -- milliseconds until the next output

-- What `login` does: the password is not shown, and wrong ones are refused.
local STAND_IN = [[
  while :; do
    printf 'login: '; read -r name || exit 1
    stty -echo; printf 'Password: '; read -r password; stty echo; echo
    [ "$name" = guest ] && [ "$password" = secret ] && break
    echo 'Login incorrect'
  done
  echo "Welcome, $name"
  PS1='$ ' exec sh
]]

local command, arguments = arg[1], {}
for index = 2, #arg do
  arguments[#arguments + 1] = arg[index]
end
if not command then
  command, arguments = "sh", {"-c", STAND_IN}
end

local child = cp.spawn(command, arguments, {terminal = true, tree = true})
local terminal = child.terminal
local nextChunk = terminal:chunks()
local printed = "" -- what it has printed, and nobody has expected yet

-- Waits until the program has printed a text that matches one of the patterns. Returns the index of
-- the pattern, and its captures.
local function expect(...)
  local patterns = {...}
  while true do
    for index, pattern in ipairs(patterns) do
      local found = {printed:find(pattern)}
      if found[1] then
        printed = printed:sub(found[2] + 1)
        return index, (table.unpack or unpack)(found, 3)
      end
    end
    local chunk = nextChunk({signal = AbortSignal.timeout(PATIENCE)})
    if not chunk then
      error(("expected %s, but it has ended after: %s"):format(table.concat(patterns, " or "),
        printed), 0)
    end
    printed = printed .. chunk
  end
end

-- Types a line.
local function send(text)
  terminal:write(text .. "\n")
end

cp.async(function()
  local name = process.env.LOGIN_NAME or "guest"
  if expect("login: $", "assword: $") == 1 then
    send(name)
    expect("assword: $")
  end
  send(process.env.PASSWORD or "secret")
  if expect("%$ $", "incorrect") == 2 then
    print("The password was refused.")
    child:kill("SIGHUP")
    return
  end
  print("logged in")
  send("echo the answer is $((6 * 7))")
  local _, answer = expect("\nthe answer is (%d+)")
  print("answer: " .. answer)
  expect("%$ $")
  send("exit")
  local code = child:wait("exit")
  print(("the program has ended with %s"):format(code))
end):catch(function(err)
  print(err)
  child:kill("SIGKILL")
end)
cp.run()
