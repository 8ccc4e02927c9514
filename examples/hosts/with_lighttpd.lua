-- Commands in requests of lighttpd, by its module magnet:
--
--   server.modules += ("mod_magnet")
--   $HTTP["url"] =~ "^/(uptime|job)$" {
--     magnet.attract-raw-url-to = ("/etc/lighttpd/commands.lua") # this file
--   }
--
-- /uptime answers with the output of a command; the whole server waits for it. /job starts a
-- command that goes on after the answer. The server's log has its end, which is noticed at the
-- first request after it.

local cp = require("child_process")

-- magnet runs scripts for requests only. So each request handles the events of the children that
-- earlier requests have started. An error of a listener must not become the answer to this request.
local ok, err = pcall(cp.run, "nowait")
if not ok then
  print(tostring(err))
end

local request = lighty.r
request.resp_header["Content-Type"] = "text/plain"

if request.req_attr["uri.path"] == "/job" then
  local job = cp.spawn("sh", {"-c", "sleep 1; exit 3"}, {stdio = "ignore"})
  job:on("error", function(failure)
    print(tostring(failure))
  end)
  job:on("exit", function(code, signal)
    print(("job %d has ended with %s"):format(job.pid, code or signal))
  end)
  request.resp_body:set("started\n")
  return 202
end

local result = cp.spawnSync("uptime", {timeout = 2000})
if result.error then
  request.resp_body:set(tostring(result.error) .. "\n")
  return 500
end
request.resp_body:set(result.stdout)
return 200
