--- With a LUA_PATH like "?.lua;;", which is the same as "./?.lua;;", the command took modules from the folder where it
--- ran, which may be anybody's.
local command = require("spec.support.command")
local finding = require("spec.support.finding")
local support = require("spec.support")

for _, template in ipairs({ "?.lua", "./?.lua", "modules/?.lua", "../modules/?.lua" }) do
  it(("the command takes no module from where it runs, though LUA_PATH has %s"):format(template), function()
    local folder = finding.folder({ ["argparse.lua"] = "error 'not this one'", ["cjson.lua"] = "error 'nor this'" })
    os.execute(("mkdir %s/modules && cp %s/*.lua %s/modules"):format(folder, folder, folder))
    local from = template:find("^%.%.") and folder .. "/modules" or folder
    local ended = command.run("explain emogg", {
      before = ("sh -c 'cd \"$0\" && exec \"$@\"' %s"):format(from),
      environment = support.merge(support.variables(), { LUA_PATH = template .. ";;" }),
    })
    assert.are.equal("", ended.stderr)
    assert.are.equal(0, ended.status)
  end)
end
