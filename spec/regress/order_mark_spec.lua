--- A byte order mark, as editors on Windows put it in front of a text, was read as part of it: the credentials file was
--- "no JSON object", FastPix got a user name that begins with the mark (401), and the first line of `stop-all` named an
--- unknown operation that looks like a known one. Answers and callbacks were read without it all along.
local command = require("spec.support.command")
local finding = require("spec.support.finding")
local json = require("cjson")
local support = require("spec.support")

local MARK = "\239\187\191"

describe("a byte order mark is no part of", function()
  it("the credentials file", function()
    local text = MARK .. json.encode({ default = { memories = { api_key = "of-the-file" } } }) .. "\r\n"
    assert.are.equal("of-the-file", finding.sent("memories", finding.with_file(text)))
  end)

  it("what a program prints", function()
    local program = finding.program("printf '\\357\\273\\277{\"api_key\":\"of-the-program\"}'")
    assert.are.equal("of-the-program", finding.sent("memories", finding.with_program(program)))
  end)

  it("a value in a file", function()
    assert.are.equal(finding.basic("the-id", "password"), finding.sent("fastpix", {
      FASTPIX_USERNAME_FILE = finding.file(MARK .. "the-id\r\n"),
      FASTPIX_PASSWORD_FILE = finding.file(MARK .. "password"),
    }))
    assert.are.equal("Bearer of-systemd", finding.sent("emogg", {
      CREDENTIALS_DIRECTORY = finding.folder({ emogg_api_token = MARK .. "of-systemd\n" }),
    }))
  end)

  it("a value in a file, which is empty without it", function()
    finding.fails("emogg", { EMOGG_API_TOKEN_FILE = finding.file(MARK .. "\n") }, nil, "an empty file")
  end)

  it("the first line of stop-all", function()
    local one, two = support.id("fastpix"), support.id("fastpix")
    local input = ("%sfastpix.finish %s\r\nfastpix.finish %s\r\n"):format(MARK, one, two)
    local ended = command.run("stop-all -q " .. command.base_urls("fastpix"), { input = input })
    assert.are.same({ status = 0, stdout = "", stderr = "" }, ended)
    assert.are.equal("idle", support.emulator():state("fastpix", one))
  end)
end)
