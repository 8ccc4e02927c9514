-- child_process.encoding: "Encodings" in doc/manual/streams.md

local compat = require("child_process.base.compat")
local encoding = require("child_process.encoding")

local replacement = "�"

--- The text of bytes that arrive in these pieces.
local function decodePieces(name, ...)
  local decoder = assert(encoding.decoder(name))
  local text = {}
  for _, piece in ipairs({...}) do text[#text + 1] = decoder:write(piece) end
  text[#text + 1] = decoder:finish()
  return table.concat(text)
end

--- Checks the text of the bytes: at once, in single bytes, and cut in two at every place.
local function assertText(name, bytes, text)
  assert.equal(text, encoding.decode(bytes, name))
  local single = {}
  for i = 1, #bytes do single[i] = bytes:sub(i, i) end
  assert.equal(text, decodePieces(name, compat.unpack(single)))
  for cut = 0, #bytes do
    assert.equal(text, decodePieces(name, bytes:sub(1, cut), bytes:sub(cut + 1)))
  end
end

describe("the name of an encoding", function()
  it("is one of Node's, in upper or lower case", function()
    local names = {
      utf8 = {"utf8", "utf-8", "UTF-8", "Utf8"},
      utf16le = {"utf16le", "utf-16le", "ucs2", "ucs-2", "UTF-16LE", "UCS-2"},
      latin1 = {"latin1", "binary", "Latin1", "BINARY"},
      ascii = {"ascii", "ASCII"},
      hex = {"hex", "HEX"},
      base64 = {"base64", "Base64"},
      base64url = {"base64url", "base64URL"},
    }
    for canonical, list in pairs(names) do
      for _, name in ipairs(list) do assert.equal(canonical, encoding.normalize(name)) end
    end
  end)

  it("stands for bytes when it is 'buffer' or unknown", function()
    local bytes = "\255\0\233"
    local names = {"buffer", "utf", "utf88", "utf8\0", "utf-16", "iso-8859-1", "", 8, true, {}}
    names[#names + 1] = print
    for _, name in ipairs(names) do
      assert.is_nil(encoding.normalize(name))
      assert.is_nil(encoding.decoder(name))
      assert.equal(bytes, encoding.decode(bytes, name))
      assert.equal(bytes, encoding.encode(bytes, name))
    end
    assert.is_nil(encoding.normalize(nil))
    assert.is_nil(encoding.decoder(nil))
    assert.equal(bytes, encoding.decode(bytes, nil))
    assert.equal(bytes, encoding.encode(bytes, nil))
  end)
end)

describe("decoding utf8", function()
  it("hands over valid text unchanged", function()
    local text = "plain, \0, café, €, 😀, \244\143\191\191, and a run of plain letters"
    assertText("utf8", text, text)
    assertText("utf8", "", "")
  end)

  it("never splits a character over two chunks", function()
    local decoder = encoding.decoder("utf8")
    assert.equal("a", decoder:write("a\226"))
    assert.equal("", decoder:write("\130"))
    assert.equal("€b", decoder:write("\172b\240\159"))
    assert.equal("😀", decoder:write("\152\128"))
    assert.equal("", decoder:finish())
  end)

  it("replaces invalid sequences with U+FFFD as Node does", function()
    local cases = {
      {"\128", 1}, {"\255\254", 2}, {"\192\128", 2}, {"\193\191", 2},
      {"\195A", 1, "A"}, {"\226\130A", 1, "A"}, {"\240\159\152A", 1, "A"},
      {"\224\128\128", 3}, {"\224\159\191", 3}, {"\237\160\128", 3}, {"\237\191\191", 3},
      {"\240\128\128\128", 4}, {"\240\143\191\191", 4}, {"\244\144\128\128", 4},
      {"\245\128\128\128", 4}, {"\241\128\241\128\128", 2},
      {"\226\226\130\172", 1, "€"},
    }
    for _, case in ipairs(cases) do
      local bytes, count, rest = compat.unpack(case)
      local text = replacement:rep(count) .. (rest or "")
      assertText("utf8", bytes, text)
      assertText("utf8", "before " .. bytes .. " after", "before " .. text .. " after")
    end
  end)

  it("finds an invalid byte at any place in a run of plain letters", function()
    local letters = ("letters "):rep(10)
    for at = 0, #letters do
      local before, after = letters:sub(1, at), letters:sub(at + 1)
      local text = encoding.decode(before .. "\255" .. after, "utf8")
      assert.equal(before .. replacement .. after, text)
    end
  end)

  it("replaces a character that the end cuts off with one U+FFFD", function()
    for _, bytes in ipairs({"\195", "\226", "\226\130", "\240", "\240\159", "\240\159\152"}) do
      assertText("utf8", "a" .. bytes, "a" .. replacement)
    end
  end)

  it("decodes data of any size", function()
    local text = ("漢字 and 😀 "):rep(20000)
    local pieces = {}
    for at = 1, #text, 4099 do pieces[#pieces + 1] = text:sub(at, at + 4098) end
    assert.is_true(decodePieces("utf8", compat.unpack(pieces)) == text)
    local broken = text .. "\255"
    assert.is_true(encoding.decode(broken, "utf8") == text .. replacement)
    assert.is_true(encoding.decode(("\255"):rep(50000), "utf8") == replacement:rep(50000))
  end)
end)

describe("decoding utf16le", function()
  it("joins surrogate pairs, also over chunks", function()
    assertText("utf16le", "A\0\233\0\172\32\61\216\0\222\255\219\255\223",
      "Aé€😀\244\143\191\191")
    local decoder = encoding.decoder("ucs2")
    assert.equal("", decoder:write("\61\216\0"))
    assert.equal("😀", decoder:write("\222B"))
    assert.equal("B", decoder:write("\0"))
  end)

  it("replaces lone surrogates with U+FFFD", function()
    assertText("utf16le", "\61\216A\0", replacement .. "A")
    assertText("utf16le", "\0\222A\0", replacement .. "A")
    assertText("utf16le", "\61\216\61\216\0\222", replacement .. "😀")
    assertText("utf16le", "A\0\61\216", "A" .. replacement)
  end)

  it("drops an odd byte at the end", function()
    assertText("utf16le", "A\0B", "A")
    assertText("utf16le", "\61\216\0", replacement)
  end)
end)

describe("decoding single bytes", function()
  it("turns latin1 into UTF-8: the byte E9 becomes C3 A9", function()
    assertText("latin1", "caf\233\128\255\0", "café\194\128ÿ\0")
    assertText("binary", "\233", "\195\169")
    assert.is_true(encoding.decode(("\233"):rep(50000), "latin1") == ("é"):rep(50000))
  end)

  it("ignores the eighth bit in ascii", function()
    assertText("ascii", "plain\233\128\255", "plaini\0\127")
  end)

  it("writes two digits for each byte in hex", function()
    assertText("hex", "\0\9\171\255z", "0009abff7a")
    assert.is_true(encoding.decode(("\171"):rep(50000), "hex") == ("ab"):rep(50000))
  end)
end)

describe("decoding to base64", function()
  it("carries groups of three bytes over chunks and pads at the end", function()
    assertText("base64", "", "")
    assertText("base64", "f", "Zg==")
    assertText("base64", "fo", "Zm8=")
    assertText("base64", "foo", "Zm9v")
    assertText("base64", "foob", "Zm9vYg==")
    assertText("base64", "\255\239\190\251", "/++++w==")
    local decoder = encoding.decoder("base64")
    assert.equal("", decoder:write("f"))
    assert.equal("Zm9v", decoder:write("oob"))
    assert.equal("YmE=", decoder:write("a") .. decoder:finish())
  end)

  it("uses the other alphabet and no padding in base64url", function()
    assertText("base64url", "\255\239\190\251", "_----w")
    assertText("base64url", "fo", "Zm8")
  end)
end)

describe("a decoder", function()
  it("starts a new text after finish", function()
    local pending = {utf8 = "\226\130", utf16le = "\61\216\0", base64 = "f", base64url = "fo"}
    for name, bytes in pairs(pending) do
      local decoder = encoding.decoder(name)
      decoder:write(bytes)
      assert.is_true(#decoder:finish() > 0)
      assert.equal("", decoder:finish())
      assert.equal(encoding.decode("abcd", name), decoder:write("abcd") .. decoder:finish())
    end
  end)

  it("keeps what is pending over an empty chunk", function()
    assert.equal("€", decodePieces("utf8", "\226", "", "\130\172"))
    assert.equal("Zm9v", decodePieces("base64", "fo", "", "o"))
    assert.equal("😀", decodePieces("utf16le", "\61", "", "\216\0", "", "\222"))
  end)

  it("refuses what is not a string of bytes", function()
    local decoder = encoding.decoder("utf8")
    assert.has_error(function() decoder:write(nil) end)
    assert.has_error(function() decoder:write({}) end)
    assert.has_error(function() decoder.write("text") end)
    assert.has_error(function() encoding.decode(nil, "utf8") end)
    assert.has_error(function() encoding.encode(nil, "utf8") end)
  end)
end)

describe("encoding text", function()
  it("leaves utf8 as it is, valid or not", function()
    for _, text in ipairs({"", "café", "\255\195"}) do
      assert.equal(text, encoding.encode(text, "utf8"))
    end
  end)

  it("keeps the low eight bits of each UTF-16 unit in latin1 and ascii", function()
    for _, name in ipairs({"latin1", "binary", "ascii"}) do
      assert.equal("plain", encoding.encode("plain", name))
      assert.equal("caf\233", encoding.encode("café", name))
      assert.equal("\65\172\61\0", encoding.encode("Ł€😀", name))
      assert.equal("a\253b", encoding.encode("a\255b", name))
    end
  end)

  it("writes two bytes for each unit in utf16le", function()
    assert.equal("A\0\233\0\172\32\61\216\0\222",
      encoding.encode("Aé€😀", "utf16le"))
    assert.equal("\253\255A\0\253\255", encoding.encode("\255A\226\130", "utf16le"))
  end)

  it("ends hex before the first pair that is not of digits", function()
    local cases = {
      ["00fFAb"] = "\0\255\171", abc = "\171", ["ab c"] = "\171", abxxcd = "\171", a = "",
      zz = "", ["0x12"] = "", ["12é"] = "\18", [""] = "",
    }
    for text, bytes in pairs(cases) do assert.equal(bytes, encoding.encode(text, "hex")) end
  end)

  it("reads both alphabets of base64, skips other characters, and ends at padding", function()
    local cases = {
      [""] = "", Z = "", Zg = "f", ["Zg=="] = "f", Zm8 = "fo", ["Zm8="] = "fo", Zm9v = "foo",
      ["Zm 9v\n"] = "foo", ["Zm!9v="] = "foo", ["Zém9v"] = "foo", ["Z☃m9v"] = "foo",
      ["-_+/"] = "\251\255\191", ["Zm9v=Zm9v"] = "foo", ["Zm=9v"] = "f", ["=Zm9v"] = "",
      AAAAA = "\0\0\0", ["Zm9vYg"] = "foob",
    }
    for text, bytes in pairs(cases) do
      assert.equal(bytes, encoding.encode(text, "base64"))
      assert.equal(bytes, encoding.encode(text, "base64url"))
    end
  end)

  it("gives back the bytes that latin1, hex and base64 show", function()
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    local bytes = table.concat(all):rep(50) .. "ab"
    for _, name in ipairs({"latin1", "hex", "base64", "base64url"}) do
      assert.is_true(encoding.encode(encoding.decode(bytes, name), name) == bytes)
    end
  end)
end)
