#!/bin/sh
# Installs the rock into an empty folder and runs an example, in another folder, with nothing but
# what was installed there.
set -u
. scripts/results.sh

checkout=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

install_rock() {
  luarocks --lua-version 5.4 make --tree "$folder/tree" rockspec/child_process-scm-1.rockspec
}

run_example() {
  mkdir "$folder/elsewhere"
  cp "$checkout/examples/pipeline.lua" "$folder/elsewhere"
  cd "$folder/elsewhere" || return
  export LUA_PATH="$folder/tree/share/lua/5.4/?.lua;;" LUA_CPATH="$folder/tree/lib/lua/5.4/?.so;;"
  "$LUA" -e 'for module, path in pairs { child_process = package.path, ["child_process.core"] = package.cpath } do
      local file = assert(package.searchpath(module, path))
      assert(file:find("^" .. arg[1]), file .. " is not from the rock")
    end' /dev/null "$folder" && "$LUA" pipeline.lua
}

install_and_run() (install_rock && run_example)

results_begin test-rock
check "the rock installs, and an example runs with it from another folder" install_and_run
results_end
