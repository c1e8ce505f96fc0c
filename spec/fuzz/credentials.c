/*
 * credentials.c - fuzzes the credentials file, and what a program prints that the file names.
 *
 * Input: provider; a line, what the program prints; then the file. No file is read and no program run: both come from the
 * input.
 */
#include "fuzz.h"

static const char source[] =
    "local core = require('mediastop.core')\n"
    "local content, printed\n"
    "core.system.read = function() return content end\n"
    "core.system.run = function(arguments, seconds)\n"
    "  assert(#arguments >= 1 and #arguments <= 64 and seconds >= 0)\n"
    "  for _, argument in ipairs(arguments) do assert(type(argument) == 'string' and not argument:find('%z')) end\n"
    "  if printed == '' then return nil, 'failed' end\n"
    "  return printed\n"
    "end\n"
    /* The names of the environment, which is not what is looked at here. */
    "os.getenv = function(name) return name == 'MEDIASTOP_CREDENTIALS_FILE' and '/credentials.json' or nil end\n"
    "local credentials = require('mediastop.credentials')\n"
    /* What was found is kept. */
    "local kept\n"
    "for i = 1, 99 do\n"
    "  local name, value = debug.getupvalue(credentials.find, i)\n"
    "  kept = name == 'kept' and value or kept\n"
    "end\n"
    "local client = core.constructor(credentials.find, {})()\n"
    "local json = require('cjson.safe').new()\n"
    "local function count(text, part)\n"
    "  local found, at = 0, 1\n"
    "  repeat\n"
    "    at = select(2, text:find(part, at, true))\n"
    "    found, at = found + (at and 1 or 0), at and at + 1\n"
    "  until not at\n"
    "  return found\n"
    "end\n"
    /* The values of the fields that hold secrets, unless the same text stands elsewhere too, or may be our own words. */
    "local secret_names = { api_key = true, token = true, username = true, password = true }\n"
    "local function secrets(value, list)\n"
    "  for name, item in pairs(value) do\n"
    "    if type(item) == 'table' then\n"
    "      secrets(item, list)\n"
    "    elseif secret_names[name] and type(item) == 'string' and item:find('%d%d%d%d%d')\n"
    "      and count(content .. printed, item) < 2 then\n"
    "      list[#list + 1] = item\n"
    "    end\n"
    "  end\n"
    "  return list\n"
    "end\n"
    "local names = { 'memories.stop', 'emogg.stop', 'fastpix.finish' }\n"
    "return function(number, output, file)\n"
    "  content, printed = file, output\n"
    "  for key in pairs(kept) do kept[key] = nil end\n"
    "  local provider = names[number]:match('^%a+')\n"
    "  local secret, why, found = credentials.find(provider, nil, nil, 30, 0)\n"
    "  assert(not secret or tostring(secret):find('credential for ' .. provider, 1, true))\n"
    "  assert(secret or type(why) == 'string')\n"
    "  local ok, message, err = core.engine.check(client, names[number], 'x')\n"
    "  assert(ok or err.kind == 'credentials' and not message:find('%c'), message)\n"
    "  assert(not ok or secret)\n"
    "  local said = (why or '') .. (message or '') .. tostring(credentials.explain(provider)) .. tostring(secret or '')\n"
    "  for _, text in ipairs({ content, printed }) do\n"
    "    local value = json.decode(text)\n"
    "    for _, hidden in ipairs(type(value) == 'table' and secrets(value, {}) or {}) do\n"
    "      assert(not said:find(hidden, 1, true), 'a secret is told: ' .. said)\n"
    "    end\n"
    "  end\n"
    "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { (const char *)data, size };
    fuzz_push_function(source);
    lua_State *L = fuzz_lua();
    unsigned provider = input_choose(&input, 3) + 1;
    lua_pushinteger(L, (lua_Integer)provider);
    struct text printed = input_take_line(&input), file = input_take_rest(&input);
    lua_pushlstring(L, printed.data, printed.length);
    lua_pushlstring(L, file.data, file.length);
    text_free(&printed);
    text_free(&file);
    fuzz_call(L, 3);
    return 0;
}
