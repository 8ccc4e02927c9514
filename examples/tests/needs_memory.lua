-- A test of examples/test_runner.lua that takes more memory than it may have.

local text = ("x"):rep(1024 * 1024)
local texts = {}
for i = 1, 4096 do
  texts[i] = text .. i
end
print(#texts)
