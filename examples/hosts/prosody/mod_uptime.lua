-- Commands in a module of Prosody: one runs when the server has started, and its output goes to the
-- log; another runs for each HTTP request to /uptime. Needs mod_child_process, beside this file:
--
--   modules_enabled = { "http", "uptime" }

module:depends("child_process")
local cp = require("child_process")

module:hook_global("server-started", function()
  cp.execFile("uname", {"-sr"}, function(err, stdout)
    if err then
      module:log("warn", "%s", err)
    else
      module:log("info", "The system is %s", stdout:match("[^\n]*"))
    end
  end)
end)

-- Prosody goes on while this waits, and answers with the status 500 if it raises an error.
local function answer(event)
  event.response.headers.content_type = "text/plain"
  return cp.promises.execFile("uptime", {}, {timeout = 5000}):await().stdout
end

module:depends("http")
module:provides("http", {route = {GET = answer}})
