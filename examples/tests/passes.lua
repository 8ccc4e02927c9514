-- A test of examples/test_runner.lua that passes.

assert(table.concat({"a", "b"}) == "ab")
