--- The messages of requests. Each is a table whose field `child_process` has its kind, so that a
--- program in Node can send them and answer them:
--
--   {child_process = "request", id = 1, value = ...}   without a value: is anybody there?
--   {child_process = "reply", id = 1, value = ...}     each request gets one reply
--   {child_process = "reply", id = 1, error = {name =, message =, code =, traceback =}}
--   {child_process = "cancel", id = 1}                 nobody waits for the reply any more

local core = require("child_process.core")
local errors = require("child_process.errors")

---@class child_process.envelope
local envelope = {}

-- JSON leaves these out, and the message would be one without a value.
local UNSENDABLE = {["function"] = true, thread = true, userdata = true}

local function isUnsendable(value)
  return UNSENDABLE[type(value)] and value ~= core.null
end

--- Raises an error if the value is of a type that no message can have.
---@param id integer
---@param value any nil asks whether anybody answers requests there
---@return table
function envelope.request(id, value)
  if isUnsendable(value) then
    error(errors.invalidArgType("value", {"string", "table", "number", "boolean"}, value))
  end
  return {child_process = "request", id = id, value = value}
end

--- Raises an error if the value is of a type that no message can have.
---@param id any
---@param value any nil too
---@return table
function envelope.reply(id, value)
  if isUnsendable(value) then
    error(errors.invalidReturnValue("string, table, number, boolean, or nil", "process:handle",
      value))
  end
  return {child_process = "reply", id = id, value = value}
end

---@param id integer
---@return table
function envelope.cancel(id)
  return {child_process = "cancel", id = id}
end

--- Returns the kind of a message; nil if it has nothing to do with requests.
---@param message any
---@return "request"|"reply"|"cancel"|nil
function envelope.kindOf(message)
  return type(message) == "table" and message.child_process or nil
end

local function isText(value)
  return type(value) == "string" or type(value) == "number"
end

-- The message of an error that is no object with a field `message`.
local function textOf(err)
  return isText(err) and tostring(err) or require("child_process.errors.inspect")(err)
end

--- The reply that an error is.
---@param id any
---@param err any what was raised
---@param traceback? string
---@return table
function envelope.failure(id, err, traceback)
  local fields = type(err) == "table" and isText(err.message) and err or {message = textOf(err)}
  return {child_process = "reply", id = id, error = {
    name = isText(fields.name) and tostring(fields.name) or "Error",
    message = tostring(fields.message),
    code = isText(fields.code) and fields.code or nil,
    traceback = traceback or isText(fields.traceback) and tostring(fields.traceback) or nil,
  }}
end

--- The error that was sent as a reply.
---@param sent any the field `error` of the reply
---@return Error
function envelope.error(sent)
  if type(sent) ~= "table" then
    return errors.Error(textOf(sent))
  end
  local err = errors.Error(isText(sent.message) and tostring(sent.message) or textOf(sent))
  err.name = isText(sent.name) and tostring(sent.name) or err.name
  err.code = isText(sent.code) and sent.code or nil
  local traceback = isText(sent.traceback) and sent.traceback or isText(sent.stack) and sent.stack
  err.traceback = traceback and tostring(traceback) or nil
  return err
end

return envelope
