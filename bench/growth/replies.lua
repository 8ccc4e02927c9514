-- A child that sends back what it is asked.

require("child_process.process"):handle(function(value)
  return value
end)
