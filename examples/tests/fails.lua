-- A test of examples/test_runner.lua that fails.

assert(1 + 1 == 3, "1 + 1 is not 3")
