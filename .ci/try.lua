-- What is installed works: a call to an address at which nobody listens, which needs all of it but a provider.
local mediastop = require "mediastop"
local result, message, err = mediastop.fastpix.finish("one", {
  base_url = "http://127.0.0.1:1",
  credentials = { username = "one", password = "two" },
  attempts = 1,
})
assert(not result and err.kind == "connect" and err.reached == "no", message)
assert(mediastop.null == require "cjson".null)
print(_VERSION, rawget(_G, "jit") and jit.version or "", mediastop._VERSION, message)
