-- child_process.encoding: the encodings of doc/manual.md

local encoding = require("child_process.encoding")

local replacement = "\u{FFFD}"

--- The text of bytes that arrive in these pieces.
local function decodePieces(name, ...)
  local decoder = assert(encoding.decoder(name))
  local text = {}
  for _, piece in ipairs({ ... }) do text[#text + 1] = decoder:write(piece) end
  text[#text + 1] = decoder:finish()
  return table.concat(text)
end

--- Checks the text of the bytes: at once, in single bytes, and cut in two at every place.
local function assertText(name, bytes, text)
  assert.equal(text, encoding.decode(bytes, name))
  local single = {}
  for i = 1, #bytes do single[i] = bytes:sub(i, i) end
  assert.equal(text, decodePieces(name, table.unpack(single)))
  for cut = 0, #bytes do
    assert.equal(text, decodePieces(name, bytes:sub(1, cut), bytes:sub(cut + 1)))
  end
end

describe("the name of an encoding", function()
  it("is one of Node's, in upper or lower case", function()
    local names = {
      utf8 = { "utf8", "utf-8", "UTF-8", "Utf8" },
      utf16le = { "utf16le", "utf-16le", "ucs2", "ucs-2", "UTF-16LE", "UCS-2" },
      latin1 = { "latin1", "binary", "Latin1", "BINARY" },
      ascii = { "ascii", "ASCII" },
      hex = { "hex", "HEX" },
      base64 = { "base64", "Base64" },
      base64url = { "base64url", "base64URL" },
    }
    for canonical, list in pairs(names) do
      for _, name in ipairs(list) do assert.equal(canonical, encoding.normalize(name)) end
    end
  end)

  it("stands for bytes when it is 'buffer' or unknown", function()
    local bytes = "\xFF\0\xE9"
    local names = { "buffer", "utf", "utf88", "utf8\0", "utf-16", "iso-8859-1", "", 8, true, {} }
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
    local text = "plain, \0, caf\u{E9}, \u{20AC}, \u{1F600}, \u{10FFFF}, and a run of plain letters"
    assertText("utf8", text, text)
    assertText("utf8", "", "")
  end)

  it("never splits a character over two chunks", function()
    local decoder = encoding.decoder("utf8")
    assert.equal("a", decoder:write("a\xE2"))
    assert.equal("", decoder:write("\x82"))
    assert.equal("\u{20AC}b", decoder:write("\xACb\xF0\x9F"))
    assert.equal("\u{1F600}", decoder:write("\x98\x80"))
    assert.equal("", decoder:finish())
  end)

  it("replaces invalid sequences with U+FFFD as Node does", function()
    local cases = {
      { "\x80", 1 }, { "\xFF\xFE", 2 }, { "\xC0\x80", 2 }, { "\xC1\xBF", 2 },
      { "\xC3A", 1, "A" }, { "\xE2\x82A", 1, "A" }, { "\xF0\x9F\x98A", 1, "A" },
      { "\xE0\x80\x80", 3 }, { "\xE0\x9F\xBF", 3 }, { "\xED\xA0\x80", 3 }, { "\xED\xBF\xBF", 3 },
      { "\xF0\x80\x80\x80", 4 }, { "\xF0\x8F\xBF\xBF", 4 }, { "\xF4\x90\x80\x80", 4 },
      { "\xF5\x80\x80\x80", 4 }, { "\xF1\x80\xF1\x80\x80", 2 },
      { "\xE2\xE2\x82\xAC", 1, "\u{20AC}" },
    }
    for _, case in ipairs(cases) do
      local bytes, count, rest = table.unpack(case)
      local text = replacement:rep(count) .. (rest or "")
      assertText("utf8", bytes, text)
      assertText("utf8", "before " .. bytes .. " after", "before " .. text .. " after")
    end
  end)

  it("finds an invalid byte at any place in a run of plain letters", function()
    local letters = ("letters "):rep(10)
    for at = 0, #letters do
      local before, after = letters:sub(1, at), letters:sub(at + 1)
      local text = encoding.decode(before .. "\xFF" .. after, "utf8")
      assert.equal(before .. replacement .. after, text)
    end
  end)

  it("replaces a character that the end cuts off with one U+FFFD", function()
    for _, bytes in ipairs({ "\xC3", "\xE2", "\xE2\x82", "\xF0", "\xF0\x9F", "\xF0\x9F\x98" }) do
      assertText("utf8", "a" .. bytes, "a" .. replacement)
    end
  end)

  it("decodes data of any size", function()
    local text = ("\u{6F22}\u{5B57} and \u{1F600} "):rep(20000)
    local pieces = {}
    for at = 1, #text, 4099 do pieces[#pieces + 1] = text:sub(at, at + 4098) end
    assert.is_true(decodePieces("utf8", table.unpack(pieces)) == text)
    local broken = text .. "\xFF"
    assert.is_true(encoding.decode(broken, "utf8") == text .. replacement)
    assert.is_true(encoding.decode(("\xFF"):rep(50000), "utf8") == replacement:rep(50000))
  end)
end)

describe("decoding utf16le", function()
  it("joins surrogate pairs, also over chunks", function()
    assertText("utf16le", "A\0\xE9\0\xAC\x20\x3D\xD8\x00\xDE\xFF\xDB\xFF\xDF",
      "A\u{E9}\u{20AC}\u{1F600}\u{10FFFF}")
    local decoder = encoding.decoder("ucs2")
    assert.equal("", decoder:write("\x3D\xD8\x00"))
    assert.equal("\u{1F600}", decoder:write("\xDEB"))
    assert.equal("B", decoder:write("\0"))
  end)

  it("replaces lone surrogates with U+FFFD", function()
    assertText("utf16le", "\x3D\xD8A\0", replacement .. "A")
    assertText("utf16le", "\x00\xDEA\0", replacement .. "A")
    assertText("utf16le", "\x3D\xD8\x3D\xD8\x00\xDE", replacement .. "\u{1F600}")
    assertText("utf16le", "A\0\x3D\xD8", "A" .. replacement)
  end)

  it("drops an odd byte at the end", function()
    assertText("utf16le", "A\0B", "A")
    assertText("utf16le", "\x3D\xD8\x00", replacement)
  end)
end)

describe("decoding single bytes", function()
  it("turns latin1 into UTF-8: the byte E9 becomes C3 A9", function()
    assertText("latin1", "caf\xE9\x80\xFF\0", "caf\u{E9}\u{80}\u{FF}\0")
    assertText("binary", "\xE9", "\xC3\xA9")
    assert.is_true(encoding.decode(("\xE9"):rep(50000), "latin1") == ("\u{E9}"):rep(50000))
  end)

  it("ignores the eighth bit in ascii", function()
    assertText("ascii", "plain\xE9\x80\xFF", "plaini\0\x7F")
  end)

  it("writes two digits for each byte in hex", function()
    assertText("hex", "\0\x09\xAB\xFFz", "0009abff7a")
    assert.is_true(encoding.decode(("\xAB"):rep(50000), "hex") == ("ab"):rep(50000))
  end)
end)

describe("decoding to base64", function()
  it("carries groups of three bytes over chunks and pads at the end", function()
    assertText("base64", "", "")
    assertText("base64", "f", "Zg==")
    assertText("base64", "fo", "Zm8=")
    assertText("base64", "foo", "Zm9v")
    assertText("base64", "foob", "Zm9vYg==")
    assertText("base64", "\xFF\xEF\xBE\xFB", "/++++w==")
    local decoder = encoding.decoder("base64")
    assert.equal("", decoder:write("f"))
    assert.equal("Zm9v", decoder:write("oob"))
    assert.equal("YmE=", decoder:write("a") .. decoder:finish())
  end)

  it("uses the other alphabet and no padding in base64url", function()
    assertText("base64url", "\xFF\xEF\xBE\xFB", "_----w")
    assertText("base64url", "fo", "Zm8")
  end)
end)

describe("a decoder", function()
  it("starts a new text after finish", function()
    local pending = { utf8 = "\xE2\x82", utf16le = "\x3D\xD8\x00", base64 = "f", base64url = "fo" }
    for name, bytes in pairs(pending) do
      local decoder = encoding.decoder(name)
      decoder:write(bytes)
      assert.is_true(#decoder:finish() > 0)
      assert.equal("", decoder:finish())
      assert.equal(encoding.decode("abcd", name), decoder:write("abcd") .. decoder:finish())
    end
  end)

  it("keeps what is pending over an empty chunk", function()
    assert.equal("\u{20AC}", decodePieces("utf8", "\xE2", "", "\x82\xAC"))
    assert.equal("Zm9v", decodePieces("base64", "fo", "", "o"))
    assert.equal("\u{1F600}", decodePieces("utf16le", "\x3D", "", "\xD8\x00", "", "\xDE"))
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
    for _, text in ipairs({ "", "caf\u{E9}", "\xFF\xC3" }) do
      assert.equal(text, encoding.encode(text, "utf8"))
    end
  end)

  it("keeps the low eight bits of each UTF-16 unit in latin1 and ascii", function()
    for _, name in ipairs({ "latin1", "binary", "ascii" }) do
      assert.equal("plain", encoding.encode("plain", name))
      assert.equal("caf\xE9", encoding.encode("caf\u{E9}", name))
      assert.equal("\x41\xAC\x3D\x00", encoding.encode("\u{141}\u{20AC}\u{1F600}", name))
      assert.equal("a\xFDb", encoding.encode("a\xFFb", name))
    end
  end)

  it("writes two bytes for each unit in utf16le", function()
    assert.equal("A\0\xE9\0\xAC\x20\x3D\xD8\x00\xDE",
      encoding.encode("A\u{E9}\u{20AC}\u{1F600}", "utf16le"))
    assert.equal("\xFD\xFFA\0\xFD\xFF", encoding.encode("\xFFA\xE2\x82", "utf16le"))
  end)

  it("ends hex before the first pair that is not of digits", function()
    local cases = {
      ["00fFAb"] = "\x00\xFF\xAB", abc = "\xAB", ["ab c"] = "\xAB", abxxcd = "\xAB", a = "",
      zz = "", ["0x12"] = "", ["12\u{E9}"] = "\x12", [""] = "",
    }
    for text, bytes in pairs(cases) do assert.equal(bytes, encoding.encode(text, "hex")) end
  end)

  it("reads both alphabets of base64, skips other characters, and ends at padding", function()
    local cases = {
      [""] = "", Z = "", Zg = "f", ["Zg=="] = "f", Zm8 = "fo", ["Zm8="] = "fo", Zm9v = "foo",
      ["Zm 9v\n"] = "foo", ["Zm!9v="] = "foo", ["Z\u{E9}m9v"] = "foo", ["Z\u{2603}m9v"] = "foo",
      ["-_+/"] = "\xFB\xFF\xBF", ["Zm9v=Zm9v"] = "foo", ["Zm=9v"] = "f", ["=Zm9v"] = "",
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
    for _, name in ipairs({ "latin1", "hex", "base64", "base64url" }) do
      assert.is_true(encoding.encode(encoding.decode(bytes, name), name) == bytes)
    end
  end)
end)
