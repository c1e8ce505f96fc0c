/*
 * options.c - fuzzes what a caller gives: options of a client and of a call, and an id.
 *
 * Input: operation; a line, the id; a line, a client's options as JSON; then a call's as JSON. In the JSON "<function>" stands
 * for a function.
 */
#include "fuzz.h"

#include "operation.h"

static const char source[] =
    "local core, json = require('mediastop.core'), require('cjson.safe').new()\n"
    "local kinds = { invalid_id = true, credentials = true }\n"
    "local function with_functions(value)\n"
    "  if value == '<function>' then return function() return nil, 'none' end end\n"
    "  if type(value) ~= 'table' then return value end\n"
    "  local copy = {}\n"
    "  for key, item in pairs(value) do copy[key] = with_functions(item) end\n"
    "  return copy\n"
    "end\n"
    "local function read(text)\n"
    "  if text ~= '' then return with_functions(json.decode(text)) end\n"
    "end\n"
    /* Only misuse raises, and names the argument. */
    "local function judge(name, ok, first, message, err)\n"
    "  if not ok then\n"
    "    assert(type(first) == 'string', 'no text is raised')\n"
    "    assert(first:find('^bad argument #%d to \\'' .. name .. '\\' %(.*%)$'), first)\n"
    "    assert(not first:find('%c'), 'more than a line is raised')\n"
    "  elseif not first then\n"
    "    assert(type(message) == 'string' and not message:find('%c') and message == err.message, 'no message')\n"
    "    assert(kinds[err.kind], err.kind)\n"
    "    assert(err.reached == 'no' and err.attempts == 0)\n"
    "  end\n"
    "  return ok and first\n"
    "end\n"
    "return function(number, id, client_options, call_options)\n"
    "  local operation = core.engine.operations[number]\n"
    "  local client = judge('new', pcall(core.new, read(client_options))) or core.new()\n"
    "  local started = judge('start', pcall(core.engine.check, client, operation, id, read(call_options)))\n"
    "  assert(not started or #id > 0 and #id <= 255 and not id:find('%c'))\n"
    "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { (const char *)data, size };
    fuzz_push_function(source);
    lua_State *L = fuzz_lua();
    unsigned operation = input_choose(&input, OPERATION_COUNT) + 1;
    lua_pushinteger(L, (lua_Integer)operation);
    struct text id = input_take_line(&input), client = input_take_line(&input), call = input_take_rest(&input);
    lua_pushlstring(L, id.data, id.length);
    lua_pushlstring(L, client.data, client.length);
    lua_pushlstring(L, call.data, call.length);
    text_free(&id);
    text_free(&client);
    text_free(&call);
    fuzz_call(L, 4);
    return 0;
}
