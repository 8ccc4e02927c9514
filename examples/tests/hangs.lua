-- A test of examples/test_runner.lua that never ends, and ignores SIGTERM together with the shell
-- that it waits for.

os.execute("trap '' TERM; while :; do sleep 1; done")
