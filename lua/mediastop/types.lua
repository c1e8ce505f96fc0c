---@meta mediastop.core

-- Annotations for the Lua language server: point its `workspace.library` at the folder above. Never loaded.

---One word of why a call failed: what programs test.
---@alias mediastop.Kind
---| "invalid_id" # empty, over 255 bytes, control bytes, "." or "..", for memories no UTF-8; nothing is sent
---| "credentials" # none found, half a pair, or bytes that cannot stand in a header; nothing is sent
---| "unauthorized" # 401
---| "payment_required" # 402
---| "forbidden" # 403
---| "not_found" # 404; memories' 400, which covers "invalid" and "not found"
---| "not_active" # the job is in no state to be ended
---| "invalid_request" # any other 4xx but 408
---| "rate_limited" # 429; retryable
---| "rejected" # a 2xx whose body says failure
---| "server" # 5xx; retryable
---| "redirect" # 3xx, which is never followed
---| "dns" # the name has no address; retryable
---| "connect" # the address refuses; retryable
---| "tls" # the certificate or the handshake fails
---| "network" # the connection was lost, or the answer was cut short; retryable
---| "timeout" # time ran out, or HTTP 408; retryable
---| "protocol" # a whole answer that cannot be read
---| "cancelled" # the caller cancelled the job
---| "closed" # the client was closed
---| "blocking" # the call would have stalled nginx; nothing is sent (of a wait: the job goes on)
---| "misuse" # an item of `each` that is no request; elsewhere misuse raises

---@alias mediastop.Provider "memories"|"screenplay"|"emogg"|"fastpix"

---@alias mediastop.Operation
---| "memories.stop" # stop the moderation of a video stream
---| "screenplay.cancel" # cancel a screenplay extraction
---| "screenplay.status" # read a task's state
---| "emogg.stop" # stop an analysis session
---| "emogg.status" # read a session's state
---| "fastpix.finish" # complete a live stream
---| "fastpix.status" # read a live stream's state

---@alias mediastop.Outcome
---| "ended" # the provider says that it ended the job
---| "already_ended" # it says that the job is not running
---| "accepted" # it took the request without saying that the job is over

---@alias mediastop.Reached
---| "no" # the provider never got a request
---| "maybe" # a request was sent whose answer never came: the job may have been ended
---| "yes" # every request that was sent was answered

---@class mediastop.Result
---@field provider mediastop.Provider
---@field operation string "finish"
---@field id string as given
---@field outcome? mediastop.Outcome nil of a read that found no end
---@field confirmed boolean whether the provider reported an end state, and not merely said yes
---@field state? string the provider's own word for the job's state
---@field unconfirmed? string why `confirm` saw no end state
---@field status integer HTTP status
---@field attempts integer requests sent
---@field elapsed number seconds from call to result
---@field request_id? string the provider's trace id, for its support
---@field body? table the answer's JSON, in which null is `mediastop.null`
---@field raw? string the answer's body as received; nil of `fastpix.status`, whose answer holds keys

---@class mediastop.Error
---@field kind mediastop.Kind
---@field message string one line; the second value of the call
---@field reached mediastop.Reached over all attempts
---@field retryable boolean whether the same call may well succeed later
---@field provider? mediastop.Provider nil of a misuse that names none
---@field operation? string likewise
---@field id? string likewise; nil of a callback or webhook that could not be read
---@field attempts integer requests sent
---@field elapsed number seconds
---@field status? integer HTTP status
---@field code? string the provider's own code, as text
---@field detail? string the provider's own words
---@field fields? { field: string, message: string }[] what FastPix does not take
---@field retry_after? number seconds that the provider asked to wait
---@field request_id? string
---@field body? table
---@field raw? string the first 4 KiB of the answer's body

---What `on_event` is told.
---@class mediastop.Event
---@field type "attempt"|"retry"|"result"
---@field provider mediastop.Provider
---@field operation string
---@field id string
---@field attempt? integer of an attempt: the number of the one that begins; of a retry: of the one that failed
---@field kind? mediastop.Kind of a retry: why it failed
---@field wait? number of a retry: seconds until the next
---@field result? mediastop.Result of a result
---@field error? mediastop.Error of a result

---The fields of the provider's own: `api_key` for memories and screenplay, `token` for emogg, the pair for fastpix.
---@class mediastop.Credential
---@field api_key? string
---@field token? string
---@field username? string
---@field password? string

---@alias mediastop.CredentialSource mediastop.Credential|fun(): mediastop.Credential

---Options of a call, and of a client.
---@class mediastop.CommonOptions
---@field profile? string which profile of the credentials file ("default")
---@field timeout? number seconds for the whole call (30)
---@field attempt_timeout? number seconds for one attempt (10)
---@field connect_timeout? number seconds for name look-up, TCP and TLS of one attempt (5)
---@field attempts? integer at most this many requests (3)
---@field confirm? boolean read the job until its provider reports an end state; not for memories (false)
---@field ignore_ended? boolean `not_active` is a result whose outcome is "already_ended" (false)
---@field allow_blocking? boolean in nginx, block where a call that blocks is refused (false)
---@field on_event? fun(event: mediastop.Event) in nginx it cannot yield, and is not to call `ngx.exit`

---@class mediastop.CallOptions: mediastop.CommonOptions
---@field credentials? mediastop.CredentialSource of this provider; default: found
---@field base_url? string https, or http to a loopback address

---@class mediastop.ClientOptions: mediastop.CommonOptions
---@field credentials? table<mediastop.Provider, mediastop.CredentialSource>
---@field base_url? table<mediastop.Provider, string>
---@field ca_file? string PEM file of trusted roots (the system's)
---@field proxy? string URL, "" for none (the environment's)
---@field user_agent? string put in front of "mediastop/VERSION"
---@field max_connections? integer at most this many at once to each provider (32)

---@class mediastop.EachOptions
---@field concurrency? integer jobs in flight, results not yet taken included (64)

---@class mediastop.LaterOptions: mediastop.CallOptions
---@field delay? number seconds (0)
---@field key? string by which `keep` calls a delayed job off

---@class mediastop.Request
---@field [1] mediastop.Operation
---@field [2] string id
---@field [3]? mediastop.CallOptions

---@alias mediastop.Requests mediastop.Request[]|fun(): mediastop.Request?

---@class mediastop.Job
local Job = {}

---Moves the job on without blocking.
---@return boolean done
function Job:poll() end

---Waits at most that many seconds; without them, until the job's timeout.
---@param seconds? number
---@return boolean? done nil where a wait would stall nginx
---@return string? message
---@return mediastop.Error? err
function Job:wait(seconds) end

---What the call would have returned; before the end nil, "pending", `{ kind = "pending" }`.
---@return mediastop.Result? result
---@return string? message
---@return mediastop.Error|{ kind: "pending" }|nil err
function Job:result() end

---Ends the job with kind "cancelled". The provider may still have got the request.
function Job:cancel() end

---@class mediastop.Memories
local Memories = {}

---Stops the moderation of a video stream.
---@param task_id string
---@param options? mediastop.CallOptions
---@return mediastop.Result? result
---@return string? message
---@return mediastop.Error? err
function Memories.stop(task_id, options) end

---What Memories.ai posts when a stream ends. Nothing authenticates it.
---@class mediastop.Callback
---@field id string
---@field code? string
---@field status? integer
---@field ended boolean `status` is 14
---@field state? "stopped_by_user"
---@field message? string
---@field body table

---Reads the callback that Memories.ai posts when a stream ends.
---@param body string as it came
---@return mediastop.Callback? callback
---@return string? message
---@return mediastop.Error? err
function Memories.callback(body) end

---@class mediastop.Screenplay
local Screenplay = {}

---Cancels a screenplay extraction.
---@param task_id string
---@param options? mediastop.CallOptions
---@return mediastop.Result? result
---@return string? message
---@return mediastop.Error? err
function Screenplay.cancel(task_id, options) end

---Reads a task's state; ends nothing.
---@param task_id string
---@param options? mediastop.CallOptions
---@return mediastop.Result? result
---@return string? message
---@return mediastop.Error? err
function Screenplay.status(task_id, options) end

---@class mediastop.Emogg
local Emogg = {}

---Stops an analysis session.
---@param session_id string
---@param options? mediastop.CallOptions
---@return mediastop.Result? result
---@return string? message
---@return mediastop.Error? err
function Emogg.stop(session_id, options) end

---Reads a session's state; ends nothing.
---@param session_id string
---@param options? mediastop.CallOptions
---@return mediastop.Result? result
---@return string? message
---@return mediastop.Error? err
function Emogg.status(session_id, options) end

---@class mediastop.Fastpix
local Fastpix = {}

---Completes a live stream.
---@param stream_id string
---@param options? mediastop.CallOptions
---@return mediastop.Result? result
---@return string? message
---@return mediastop.Error? err
function Fastpix.finish(stream_id, options) end

---Reads a live stream's state; ends nothing. "idle" is also the state of a stream that never was live.
---@param stream_id string
---@param options? mediastop.CallOptions
---@return mediastop.Result? result
---@return string? message
---@return mediastop.Error? err
function Fastpix.status(stream_id, options) end

---An event that FastPix posts.
---@class mediastop.Webhook
---@field probe boolean FastPix tries the address: to be answered with 200
---@field ended boolean the type is `video.live_stream.idle` or `.disabled`
---@field id? string of the event
---@field type? string
---@field created_at? string
---@field object? { type: string?, id: string? }
---@field stream_id? string
---@field state? string
---@field data? table
---@field body? table

---Verifies that FastPix signed a webhook, and reads its event.
---@param body string byte by byte as it came
---@param signature string? the header FastPix-Signature
---@param secret string|string[] the signing secret, in base64, or up to 8 of them
---@return mediastop.Webhook? event
---@return string? message
---@return mediastop.Error? err
function Fastpix.webhook(body, signature, secret) end

---@class mediastop.Providers
---@field memories mediastop.Memories
---@field screenplay mediastop.Screenplay
---@field emogg mediastop.Emogg
---@field fastpix mediastop.Fastpix

---The methods are called with a colon, the operations with a dot: `client.emogg.stop(id)`.
---@class mediastop.Client: mediastop.Providers
local Client = {}

---Starts a job and returns at once.
---@param operation mediastop.Operation
---@param id string
---@param options? mediastop.CallOptions
---@return mediastop.Job? job
---@return string? message
---@return mediastop.Error? err
function Client:start(operation, id, options) end

---Carries out many requests, a bounded number at a time; results come in the order in which they end.
---@param requests mediastop.Requests
---@param options? mediastop.EachOptions
---@return fun(): mediastop.Request?, mediastop.Result?, string?, mediastop.Error?
function Client:each(requests, options) end

---Moves every job on without blocking; as `mediastop.step`.
---@return integer unfinished
function Client:step() end

---A descriptor that is readable when `step` has work; not to be read or closed.
---@return integer? fd
---@return string? message
function Client:fd() end

---Seconds until `step` is next needed without the descriptor becoming readable; nil for never.
---@return number?
function Client:due() end

---Ends its jobs with kind "closed", and its connections.
function Client:close() end

---@class mediastop.Explanation
---@field provider mediastop.Provider
---@field profile string
---@field found boolean
---@field source? string what won
---@field looked { place: string, found: boolean }[]

---@class mediastop.CredentialsOptions
---@field profile? string ("default")

---@class mediastop.Credentials
local Credentials = {}

---Says what is looked at for a provider and which source wins, without any value; `tostring` makes it readable.
---@param provider mediastop.Provider
---@param options? mediastop.CredentialsOptions
---@return mediastop.Explanation
function Credentials.explain(provider, options) end

---Looks every provider's credential up now and keeps it: for nginx's `init_by_lua`.
---@param options? mediastop.CredentialsOptions
function Credentials.preload(options) end

---Looks for a provider's credential, as calls do.
---@param provider "memories"|"emogg"|"fastpix"
---@param base_url? string where the call goes, if that is neither the provider's own address nor this machine
---@param profile? string ("default")
---@param left? number seconds that a program may take (30)
---@param newest? number look anew unless that was done so many seconds ago at most; else what was kept serves
---@param may_block? boolean whether a program may be run in a host that must not be blocked
---@return userdata? credential which nobody can open
---@return string? places each that was looked at, and why it gave nothing
---@return boolean? found whether one was found that may not be sent there
function Credentials.find(provider, base_url, profile, left, newest, may_block) end

---@class mediastop.Module: mediastop.Providers
---@field _VERSION string
---@field null lightuserdata JSON's null, the same value as `cjson.null`
---@field credentials mediastop.Credentials
local Module = {}

---A client with options and connections of its own.
---@param options? mediastop.ClientOptions
---@return mediastop.Client
function Module.new(options) end

---Starts a job and returns at once.
---@param operation mediastop.Operation
---@param id string
---@param options? mediastop.CallOptions
---@return mediastop.Job? job
---@return string? message
---@return mediastop.Error? err
function Module.start(operation, id, options) end

---Carries out many requests, a bounded number at a time; results come in the order in which they end.
---@param requests mediastop.Requests
---@param options? mediastop.EachOptions
---@return fun(): mediastop.Request?, mediastop.Result?, string?, mediastop.Error?
function Module.each(requests, options) end

---Moves every job on without blocking, for about a millisecond at most; once a frame or a tick. From the first one on a
---thread does what the network takes, unless `fd` was asked for before.
---@return integer unfinished
function Module.step() end

---A descriptor that is readable when `step` has work; not to be read or closed.
---@return integer? fd
---@return string? message
function Module.fd() end

---Seconds until `step` is next needed without the descriptor becoming readable; nil for never.
---@return number?
function Module.due() end

---@class mediastop.RestyClient: mediastop.Client
local RestyClient = {}

---Starts a job that nobody waits for, in any phase but `init`.
---@param operation mediastop.Operation
---@param id string
---@param options? mediastop.LaterOptions
---@return boolean? true
---@return string? message
---@return mediastop.Error? err
function RestyClient:later(operation, id, options) end

---In nginx and OpenResty: calls yield their light thread.
---@class mediastop.Resty: mediastop.Module
local Resty = {}

---A client with options and connections of its own.
---@param options? mediastop.ClientOptions
---@return mediastop.RestyClient
function Resty.new(options) end

---Starts a job that nobody waits for, in any phase but `init`.
---@param operation mediastop.Operation
---@param id string
---@param options? mediastop.LaterOptions
---@return boolean? true
---@return string? message
---@return mediastop.Error? err
function Resty.later(operation, id, options) end

---Calls off what `later` has delayed under a key, in whichever worker.
---@param key string
---@return boolean found
function Resty.keep(key) end

---@class mediastop.Loader
---@field library? string the path of the host's Lua, where C modules find it
---@field reason? string why there was nothing to do

---@type mediastop.Module
local core

return core
