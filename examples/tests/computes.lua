-- A test of examples/test_runner.lua that takes more time of a processor than it may have.

while true do
end
