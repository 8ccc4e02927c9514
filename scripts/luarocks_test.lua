-- `luarocks test`: runs `make test` for the interpreter of LuaRocks, which runs this script.
-- Further arguments are make's: luarocks test -- SPEC=spec/spawn

local words = {"make", "test", "LUA=" .. arg[-1]}
for _, word in ipairs(arg) do words[#words + 1] = word end
for index, word in ipairs(words) do words[index] = "'" .. word:gsub("'", "'\\''") .. "'" end

local status = os.execute(table.concat(words, " "))
os.exit(status == true or status == 0)
