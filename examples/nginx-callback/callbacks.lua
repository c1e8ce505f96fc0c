-- luacheck: std ngx_lua
--- nginx locations for what Memories.ai and FastPix post when a job ends; callbacks.conf has them.

-- What reads a post needs no connection, and so nothing of nginx's.
local core = require "mediastop.core"

local callbacks = {}

-- nginx takes the environment from its workers: this is read by init_by_lua, in the master. Both, while one secret
-- takes the place of the other.
local secrets = {}
for _, name in ipairs { "FASTPIX_WEBHOOK_SECRET", "FASTPIX_WEBHOOK_SECRET_BEFORE" } do
  local secret = os.getenv(name)
  if secret and secret ~= "" then
    secrets[#secrets + 1] = secret
  end
end

--- Called once for each job that has ended: put what is to happen here. What it raises is answered with 500.
function callbacks.on_end(provider, id, state)
  ngx.log(ngx.NOTICE, provider, " ", id, " has ended: ", state)
end

local function read_body()
  ngx.req.read_body()
  return ngx.req.get_body_data() or ""
end

local function answer(status)
  ngx.status = status
  ngx.header["Content-Length"] = 0
  return ngx.exit(ngx.OK)
end

-- What an error's kind is answered with; anything else is our own fault.
local statuses = { protocol = 400, unauthorized = 401 }

local function refuse(message, err)
  ngx.log(ngx.ERR, message)
  return answer(statuses[err.kind] or 500)
end

--- The location for Memories.ai's callbacks.
function callbacks.memories()
  local callback, message, err = core.memories.callback(read_body())
  if not callback then
    return refuse(message, err)
  end
  if callback.ended then
    callbacks.on_end("memories", callback.id, callback.state)
  end
  return answer(200)
end

--- The location for FastPix's webhooks.
function callbacks.fastpix()
  if not secrets[1] then
    return refuse("FASTPIX_WEBHOOK_SECRET is not set, or not named by `env`", {})
  end
  local event, message, err = core.fastpix.webhook(read_body(), ngx.var.http_fastpix_signature, secrets)
  if not event then
    return refuse(message, err)
  end
  -- The signature holds for ever: an event that was seen before is the same one again.
  local seen = ngx.shared.fastpix_events
  local _, problem = seen:add(event.id or "", true, 86400)
  local is_repeated = event.id and problem == "exists"
  if event.ended and not is_repeated then
    local good, words = pcall(callbacks.on_end, "fastpix", event.stream_id, event.state)
    if not good then
      seen:delete(event.id or "") -- it is to be taken if it is posted again
      return refuse(tostring(words), {})
    end
  end
  return answer(200)
end

return callbacks
