--- Ends remote media jobs, and tells the truth about it.
-- The functions of this module are those of a client without options. A call that is given no credential looks for
-- one (see `mediastop.credentials`).
-- @module mediastop

local core = require "mediastop.core"
local credentials = require "mediastop.credentials"

local mediastop = {
  _VERSION = core._VERSION,
  --- JSON's null, as it stands in `body`; the same value as `cjson.null`.
  null = core.null,
  --- A client with options and connections of its own.
  -- @function new
  -- @tparam[opt] table options defaults of its calls
  -- @return a client: `client.memories.stop(id)` and so on with a dot, `client:close()`
  -- @raise on an unknown option, or one of the wrong type
  new = core.constructor(credentials.find),
}

local client = mediastop.new()

--- Memories.ai: stops the moderation of a video stream.
-- @function memories.stop
-- @tparam string task_id
-- @tparam[opt] table options
-- @treturn[1] table result
-- @treturn[2] nil
-- @treturn[2] string message
-- @treturn[2] table error
mediastop.memories = client.memories

--- Memories.ai: cancels a screenplay extraction.
-- @function screenplay.cancel
-- @tparam string task_id
-- @tparam[opt] table options
-- @return as `memories.stop`
mediastop.screenplay = client.screenplay

--- emogg: stops an analysis session.
-- @function emogg.stop
-- @tparam string session_id
-- @tparam[opt] table options
-- @return as `memories.stop`
mediastop.emogg = client.emogg

--- FastPix: completes a live stream.
-- @function fastpix.finish
-- @tparam string stream_id
-- @tparam[opt] table options
-- @return as `memories.stop`
mediastop.fastpix = client.fastpix

return mediastop
