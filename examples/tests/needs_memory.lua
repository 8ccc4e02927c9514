-- A test of examples/test_runner.lua that takes more memory than it may have, soon: 256 MiB.

local text = ("x"):rep(64 * 1024)
for _ = 1, 4 do
  text = text .. text .. text .. text .. text .. text .. text .. text
end
print(#text)
