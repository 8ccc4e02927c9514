-- What busted takes from the C part of the module `term`, for an interpreter for which that cannot
-- be compiled.

return {isatty = function() return false end}
