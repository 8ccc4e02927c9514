-- What is measured in growing sizes. Each of these files has
--
--   name      the name on the command line
--   title     what is done
--   x         what the size is a number of
--   unit      of what is measured: the cost of one unit of work, which is to stay the same
--   lines     the names of the numbers that `measure` returns
--   sizes     of which each is measured in a process of its own
--   fits      a function that says why there can be no measurement of a size, or nothing
--   measure   a function that does the work in a size and returns a number for each line, in
--             `unit`, or NaN; BIN is the folder of the built programs
--
-- In this order they are measured and shown.

return {"children", "descriptors", "heap", "output", "messages", "sends", "listeners", "timers"}
