/*
 * posted.c - fuzzes what providers post: the callback of Memories.ai, and the webhook of FastPix, signed and not.
 *
 * Input: what is posted; two lines, the secret and the signature; then the body. Where the choice says so the body is signed
 * with the secret.
 */
#include "fuzz.h"

#include "base64.h"
#include "sha256.h"

#define KEY_MAX_BYTES 1024

static const char source[] =
    "local core = require('mediastop.core')\n"
    "local function check_error(name, message, err, kinds)\n"
    "  assert(type(message) == 'string' and not message:find('%c') and message == err.message)\n"
    "  assert(kinds[err.kind] and err.reached == 'no' and not err.retryable, message)\n"
    "  assert(message:find(name .. ': ' .. err.kind .. ': ', 1, true) == 1, message)\n"
    "end\n"
    "local function callback(body)\n"
    "  local result, message, err = core.memories.callback(body)\n"
    "  if not result then return check_error('memories.callback', message, err, { protocol = true }) end\n"
    "  assert(type(result.id) == 'string' and #result.id > 0 and #result.id <= 255 and not result.id:find('%c'))\n"
    "  assert(result.ended == (result.status == 14) and result.state == (result.ended and 'stopped_by_user' or nil))\n"
    "  assert(result.status == nil or math.type(result.status) == 'integer')\n"
    "  assert(result.message == nil or not result.message:find('%c') and #result.message <= 503)\n"
    "  assert(result.code == nil or type(result.code) == 'string')\n"
    "  assert(type(result.body) == 'table')\n"
    "end\n"
    "local kinds = { protocol = true, unauthorized = true, credentials = true }\n"
    "local texts = { 'id', 'type', 'created_at', 'stream_id', 'state' }\n"
    "local function webhook(body, signature, secret, is_signed)\n"
    "  local event, message, err = core.fastpix.webhook(body, signature, secret)\n"
    "  if not event then\n"
    "    check_error('fastpix.webhook', message, err, kinds)\n"
    "    assert(not is_signed or err.kind == 'protocol', message)\n"
    "    return\n"
    "  elseif event.probe then\n"
    "    assert(event.ended == false and #body <= 1024 and event.body == nil)\n"
    "    return\n"
    "  end\n"
    "  assert(is_signed, 'a body that nobody signed is taken')\n"
    "  for _, name in ipairs(texts) do assert(event[name] == nil or type(event[name]) == 'string', name) end\n"
    "  local word = event.type and event.type:match('^video%.live_stream%.(.*)$')\n"
    "  assert(event.ended == (word and (word:lower() == 'idle' or word:lower() == 'disabled') or false))\n"
    "  assert(type(event.body) == 'table' and type(event.object) == 'table')\n"
    "end\n"
    "return function(what, secret, signature, body)\n"
    "  if what == 0 then return callback(body) end\n"
    "  webhook(body, signature, secret, what == 1)\n"
    "end\n";

/* The signature that FastPix would give it; false if the secret is none. */
static bool sign(const struct text *secret, const struct text *body, struct text *signature)
{
    unsigned char key[KEY_MAX_BYTES], digest[SHA256_BYTES];
    long length = base64_decode(secret->data, secret->length, key, sizeof key);
    if (length <= 0)
        return false;
    sha256_hmac(key, (size_t)length, body->data, body->length, digest);
    struct text bytes = { (char *)digest, SHA256_BYTES, 0, false };
    text_clear(signature);
    CHECK(base64_add(signature, &bytes));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { (const char *)data, size };
    fuzz_push_function(source);
    lua_State *L = fuzz_lua();
    unsigned what = input_choose(&input, 3);
    struct text secret = input_take_line(&input), signature = input_take_line(&input), body = input_take_rest(&input);
    if (what == 1 && !sign(&secret, &body, &signature))
        what = 2;
    lua_pushinteger(L, (lua_Integer)what);
    lua_pushlstring(L, secret.data, secret.length);
    lua_pushlstring(L, signature.data, signature.length);
    lua_pushlstring(L, body.data, body.length);
    text_free(&secret);
    text_free(&signature);
    text_free(&body);
    fuzz_call(L, 4);
    return 0;
}
