-- A test of examples/test_runner.lua that ends well, but leaves a job that holds its output.

os.execute("sleep 1000 &")
