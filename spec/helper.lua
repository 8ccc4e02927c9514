-- Loaded by busted before the specs. With CHILD_PROCESS_SPEC_GC=1 the garbage collector runs all
-- the time, so that whatever is needed but not anchored is collected under the eyes of a test.

if os.getenv("CHILD_PROCESS_SPEC_GC") ~= "1" then return end

-- A young collection frees what has become unreachable soon after it was made, and costs next to
-- nothing: it can run every few instructions. What has grown old is freed by a full collection
-- alone, which looks at everything that is alive and so runs less often.
local INSTRUCTIONS = 100
local YOUNG_PER_FULL = 50

local young = 0

local function collect()
  -- A test that has stopped the collector is measuring.
  if not collectgarbage("isrunning") then return end
  young = young + 1
  if young < YOUNG_PER_FULL then
    collectgarbage("step")
  else
    young = 0
    collectgarbage()
  end
end

--- Lets the collector run in the current coroutine: a hook belongs to one coroutine.
local function hook()
  if debug.gethook() ~= collect then debug.sethook(collect, "", INSTRUCTIONS) end
end

for _, name in ipairs({"create", "wrap"}) do
  local make = coroutine[name]
  rawset(coroutine, name, function(fn)
    return make(function(...)
      hook()
      return fn(...)
    end)
  end)
end

-- Coroutines that C code makes are found in another way: a finalizer runs in whichever coroutine is
-- running, and one that renews itself runs in every collection.
local function watch()
  hook()
  setmetatable({}, {__gc = watch})
end

-- Where there is no hook yet, a young collection comes after each 1 % of growth.
collectgarbage("generational", 1)
watch()
