#!/bin/sh
# Does what users of LuaRocks do, for the interpreter in LUA and for LuaJIT: makes the rock of this
# checkout; packs the release, installs it, packs what was installed, and installs that; runs tests;
# removes the rock. The repository that the rockspec names is a copy of this checkout, so that no
# network is needed. Examples run in another folder, with nothing but what was installed.
set -u
. scripts/results.sh
unset MAKEFLAGS # what make was asked for is not for those that LuaRocks starts

checkout=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

release=$(basename rockspec/child_process-[0-9]*.rockspec .rockspec)

# make_repository: a copy of this checkout with the tag of the release, and a rockspec that names
# it.
make_repository() {
  mkdir "$folder/repository"
  git ls-files -z --cached --others --exclude-standard \
    | tar --null --files-from=- --ignore-failed-read -cf - | tar -xf - -C "$folder/repository"
  git="git -C $folder/repository -c user.name=Rock -c user.email=rock@localhost"
  tag=$(sed -n 's/^ *tag = "\(.*\)",$/\1/p' "rockspec/$release.rockspec")
  $git init -q && $git add . && $git commit -q -m "$tag" && $git tag "$tag" || exit
  sed "s|git+https://[^\"]*\.git\"|git+file://$folder/repository\"|" "rockspec/$release.rockspec" \
    >"$folder/$release.rockspec"
}

# choose LUA: the interpreter for what follows.
choose() {
  lua=$(command -v "$1")
  version=$("$lua" -e 'print(_VERSION:match("%d.%d"))')
  work=$folder/$(basename "$lua")
  mkdir "$work"
  cat >"$work/config.lua" <<END
lua_interpreter = "$(basename "$lua")"
variables = {LUA_BINDIR = "$(dirname "$lua")"}
END
  # LuaRocks would take the headers of Lua 5.1 if it found both
  if "$lua" -e 'os.exit(jit and 0 or 1)'; then
    echo "variables.LUA_INCDIR = '$("${PKG_CONFIG:-pkg-config}" --variable=includedir luajit)'" \
      >>"$work/config.lua"
  fi
}

# rocks ARGUMENT...: LuaRocks for that interpreter.
rocks() {
  LUAROCKS_CONFIG=$work/config.lua MAKEFLAGS=-j2 luarocks --lua-version "$version" "$@"
}

# in_folder FOLDER COMMAND...: run there.
in_folder() (cd "$1" && shift && "$@")

pack_sources() {
  in_folder "$work" rocks pack "$folder/$release.rockspec"
}

install_sources() {
  rocks install --tree "$work/sources" "$work/$release.src.rock"
}

pack_installed() {
  in_folder "$work" rocks pack --tree "$work/sources" child_process
}

# The trees that the rock was packed from are gone, so that nothing of them is used.
install_packed() {
  rm -rf "$work/made" "$work/sources"
  rocks install --tree "$work/packed" "$work/$release".linux-*.rock
}

# The end of a `make test` that ran nothing looks different.
run_tests() {
  in_folder "$folder/repository" rocks test "rockspec/$release.rockspec" -- \
    SPEC=spec/project/release_spec.lua BUILD="$work/build" | tee "$work/test" \
    && grep -q '^test: [1-9].* 0 failed' "$work/test"
}

# run_example TREE: in a folder that has the example alone.
run_example() (
  rm -rf "$folder/elsewhere"
  mkdir "$folder/elsewhere"
  cp "$checkout/examples/pipeline.lua" "$folder/elsewhere"
  cd "$folder/elsewhere" || exit
  export LUA_PATH="$1/share/lua/$version/?.lua" LUA_CPATH="$1/lib/lua/$version/?.so"
  "$lua" -e 'local cp, core = require("child_process"), require("child_process.core")
    for _, path in ipairs({debug.getinfo(cp.spawn, "S").source:sub(2), core.path}) do
      assert(path:sub(1, #arg[1]) == arg[1], path .. " is not from the rock")
    end' /dev/null "$1" && "$lua" pipeline.lua
)

# Only the list of what is installed stays, in a file of LuaRocks.
remove() {
  rocks remove --tree "$work/packed" child_process \
    && [ "$(find "$work/packed" -type f | grep -cv '/manifest[^/]*$')" -eq 0 ]
}

# try LUA NAME
try() {
  choose "$1"
  for rockspec in rockspec/*.rockspec; do
    check "$2: luarocks lint $rockspec" rocks lint "$rockspec"
  done
  check "$2: luarocks make" rocks make --tree "$work/made" rockspec/child_process-scm-1.rockspec
  check "$2: an example runs with what was made" run_example "$work/made"
  check "$2: luarocks pack, of the release" pack_sources
  check "$2: luarocks install, of its sources" install_sources
  check "$2: luarocks pack, of what was installed" pack_installed
  check "$2: luarocks install, of what was packed" install_packed
  check "$2: an example runs with what was packed" run_example "$work/packed"
  check "$2: luarocks test" run_tests
  check "$2: luarocks remove" remove
}

results_begin test-rock
make_repository
try "$LUA" Lua
if make --no-print-directory setup LUA=luajit; then
  try luajit LuaJIT
else
  fail "LuaJIT can be had"
fi
results_end
