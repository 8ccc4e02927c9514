-- Writes a piece of the given size, in one call, for each byte that it reads.

local piece = ("x"):rep(tonumber(arg[1]))
io.stdout:setvbuf("no")
while io.read(1) do
  io.write(piece)
end
