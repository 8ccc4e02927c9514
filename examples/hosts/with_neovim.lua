-- A plugin for Neovim, for the folder ~/.config/nvim/plugin: `:Run make test` runs a command in a
-- shell, and its output appears in a new window while one goes on editing.
--
-- child_process runs on Neovim's own loop: nothing has to call `run`.

local running = {}

-- Functions of Neovim's API may not be called in callbacks of the loop, so Neovim calls this later.
local append = vim.schedule_wrap(function(buffer, line)
  if vim.api.nvim_buf_is_loaded(buffer) then
    vim.api.nvim_buf_set_lines(buffer, -2, -1, false, {line, ""})
  end
end)

local function run(command)
  local cp = require("child_process")
  vim.cmd("new")
  local buffer = vim.api.nvim_get_current_buf()
  vim.bo.buftype = "nofile"

  cp.async(function()
    local child = cp.spawn("sh", {"-c", "exec 2>&1\n" .. command}, {stdio = {"ignore", "pipe"}})
    running[child] = true
    for line in child.stdout:lines() do
      append(buffer, line)
    end
    local code, signal = child:wait("close")
    running[child] = nil
    append(buffer, ("[ended with %s]"):format(code or signal))
  end):catch(function(err)
    append(buffer, tostring(err))
  end)
end

vim.api.nvim_create_user_command("Run", function(arguments)
  run(arguments.args)
end, {nargs = "+", complete = "shellcmd"})

-- Otherwise the commands would go on when Neovim has ended.
vim.api.nvim_create_autocmd("VimLeavePre", {callback = function()
  for child in pairs(running) do
    child:kill()
  end
end})
