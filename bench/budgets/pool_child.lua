-- Answers each request with what it has got.

require("child_process.process"):handle(function(task)
  return task
end)
