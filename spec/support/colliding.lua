--- Numbers that have one place in tables of this version of Lua: as keys, they make a table slow.
--- Each function returns a list of `count` numbers, for tables with `places` places, which is a
--- power of two. There may be fewer indexes, since they are below 2^32.

local colliding = {}

--- How many numbers the functions can make.
---@type integer
colliding.MOST = 1048575

local function list(count, number)
  local made = {}
  for i = 1, count do made[i] = number(i) end
  return made
end

if rawget(_G, "jit") then
  local bit = require("bit")

  colliding.MOST = 4096

  local function hash(low, high)
    high = bit.lshift(high, 1)
    low = bit.bxor(low, high)
    low = bit.tobit(low - bit.rol(high, 14))
    return bit.tobit(bit.bxor(low, bit.rol(high, 19)) - bit.rol(low, 13))
  end

  -- The number with these upper bits whose lower bits add nothing to the hash. Up to 32768 places,
  -- the place depends on only some of the upper bits.
  local function withHigh(high, exponent)
    local twice = bit.lshift(high, 1)
    local low = bit.bxor(bit.rol(twice, 14), twice) % 2 ^ 32
    return (1 + (high % 2 ^ 20 * 2 ^ 32 + low) / 2 ^ 52) * 2 ^ exponent
  end

  function colliding.integers(count)
    return list(count, function(i) return withHigh(0x43300000 + i - 1, 52) end)
  end

  function colliding.floats(count)
    return list(count, function(i) return withHigh(0x3FF00000 + i - 1, 0) end)
  end

  function colliding.indexes(count, places)
    local found, i = {}, 0
    while #found < count do
      i = i + 1
      local low, high = i % 2048 * 2 ^ 21, 0x41E00000 + math.floor(i / 2048)
      if hash(low, high) % places == 0 then found[#found + 1] = 2 ^ 31 + i - 1 end
    end
    return found
  end
elseif _VERSION == "Lua 5.1" then
  -- The place depends on the sum of the two halves of a float.
  function colliding.integers(count)
    return list(count, function(i) return 2 ^ 52 + 2 ^ 31 + i * (2 ^ 32 - 1) end)
  end

  function colliding.floats(count)
    return list(count, function(i) return 1 + (2 ^ 31 + i * (2 ^ 32 - 1)) / 2 ^ 52 end)
  end

  function colliding.indexes(count, places)
    local found = {}
    for low = 0, 2047 do
      local sum = (0x41E00000 + low * 2 ^ 21) % 2 ^ 32
      for high = -sum % (places - 1), 2 ^ 20 - 1, places - 1 do
        if sum + high < 2 ^ 32 then found[#found + 1] = 2 ^ 31 + high * 2048 + low - 1 end
        if #found == count then return found end
      end
    end
    return found
  end
else
  -- Multiples of what newer releases divide by, and of the number of places, by which older ones
  -- divide.
  function colliding.integers(count, places)
    return list(count, function(i) return i * (places - 1) * places end)
  end

  -- The digits that Lua looks at are the same.
  function colliding.floats(count)
    return list(count, function(i) return 1 + i * 2.0 ^ -50 end)
  end

  function colliding.indexes(count, places)
    local divisor = _VERSION == "Lua 5.3" and places or places - 1
    local most = math.floor(0xFFFFFFFE / divisor)
    return list(math.min(count, most), function(i) return i * divisor end)
  end
end

return colliding
