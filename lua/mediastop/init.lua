--- Ends remote media jobs, and tells the truth about it.
-- The functions of this module are those of a client without options. A call that is given no credential looks for
-- one (see `mediastop.credentials`).
-- @module mediastop

local core = require "mediastop.core"
local credentials = require "mediastop.credentials"
local each = require "mediastop.each"

local mediastop = {
  _VERSION = core._VERSION,
  --- JSON's null, as it stands in `body`; the same value as `cjson.null`.
  null = core.null,
  --- Where credentials are found: `explain(provider)`, `preload()`.
  credentials = credentials,
  --- A client with options and connections of its own.
  -- @function new
  -- @tparam[opt] table options defaults of its calls
  -- @return a client: `client.memories.stop(id)` and so on with a dot, `client:close()`
  -- @raise on an unknown option, or one of the wrong type
  new = core.constructor(credentials.find, {
    each = function(client, requests, options)
      local next_result, state, first, closing = each(client, requests, options)
      return next_result, state, first, closing
    end,
  }),
}

local client = mediastop.new()
local functions = core.bind(client)

for _, provider in ipairs(core.engine.providers) do
  mediastop[provider.name] = functions[provider.name]
end

--- Memories.ai: stops the moderation of a video stream.
-- @function memories.stop
-- @tparam string task_id
-- @tparam[opt] table options
-- @treturn[1] table result
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table error

--- Memories.ai: cancels a screenplay extraction.
-- @function screenplay.cancel
-- @tparam string task_id
-- @tparam[opt] table options
-- @return as `memories.stop`

--- Screenplay: reads a task's state; ends nothing.
-- @function screenplay.status
-- @tparam string task_id
-- @tparam[opt] table options
-- @treturn[1] table result as of `memories.stop`, with `state`; `confirmed` is true and `outcome` `"already_ended"` if
-- that is an end (`completed`, `failed`, `cancelled`), else false and nil
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table error

--- emogg: stops an analysis session.
-- @function emogg.stop
-- @tparam string session_id
-- @tparam[opt] table options
-- @return as `memories.stop`

--- emogg: reads a session's state; `finished` is its end.
-- @function emogg.status
-- @tparam string session_id
-- @tparam[opt] table options
-- @return as `screenplay.status`

--- FastPix: completes a live stream.
-- @function fastpix.finish
-- @tparam string stream_id
-- @tparam[opt] table options
-- @return as `memories.stop`

--- FastPix: reads a live stream's state; `idle` and `disabled` are its ends, and `idle` is also a stream that never was
-- live. The answer holds stream keys: the result has no `body` and no `raw`.
-- @function fastpix.status
-- @tparam string stream_id
-- @tparam[opt] table options
-- @return as `screenplay.status`

--- Starts a job and returns at once.
-- @function start
-- @tparam string operation `"memories.stop"`, `"screenplay.cancel"`, `"emogg.stop"`, `"fastpix.finish"`, or a read:
-- `"screenplay.status"`, `"emogg.status"`, `"fastpix.status"`
-- @tparam string id
-- @tparam[opt] table options
-- @return[1] job: `job:poll()`, `job:wait(seconds)`, `job:result()`, `job:cancel()`
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table error of a job that cannot be sent: a bad id, no credential
mediastop.start = functions.start

--- Moves every job on without blocking, for about a millisecond at most; to be called once a frame or a tick. From the
-- first one on a thread does what the network takes, unless `fd` was asked for before: who waits for the descriptor
-- does that by these steps.
-- @function step
-- @treturn integer how many jobs are unfinished
mediastop.step = functions.step

--- A descriptor that is readable when `step` has work, for an event loop.
-- @function fd
-- @treturn[1] integer the descriptor, which is ours: not to be read or closed
-- @treturn[2] nil
-- @treturn[2] string why there is none
mediastop.fd = functions.fd

--- When `step` is next needed without the descriptor becoming readable.
-- @function due
-- @treturn number|nil seconds; nil for never
mediastop.due = functions.due

--- Carries out many requests, a bounded number at a time.
-- @function each
-- @param requests a list of, or an iterator over, `{ "memories.stop", id, options }`
-- @tparam[opt] table options `{ concurrency = 64 }`
-- @return for the generic `for`: request, result | request, nil, message, error
function mediastop.each(requests, options)
  local next_result, state, first, closing = each(client, requests, options)
  return next_result, state, first, closing
end

return mediastop --[[@as mediastop.Module]]
