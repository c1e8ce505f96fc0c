-- Asks a program to close its window, as a click on the window's cross does: luajit close_window.lua PID TITLE
-- TITLE is how the window's title begins. Ends with 1 where there is no such window.
-- luacheck: std luajit
local ffi = require "ffi"

local pid, title = arg[1], arg[2]

ffi.cdef [[
  typedef unsigned long XID;
  int setenv(const char *name, const char *value, int overwrite);
  void *XOpenDisplay(const char *name);
  XID XDefaultRootWindow(void *display);
  int XQueryTree(void *display, XID window, XID *root, XID *parent, XID **children, unsigned *count);
  int XFetchName(void *display, XID window, char **name);
  XID XInternAtom(void *display, const char *name, int only_if_exists);
  int XSendEvent(void *display, XID window, int propagate, long mask, void *event);
  int XSync(void *display, int discard);
  struct client_message {
    int type; unsigned long serial; int send_event; void *display; XID window, message_type; int format; long data[5];
    long padding[24];
  };
]]
local CLIENT_MESSAGE = 33 -- X.h
local x11 = ffi.load("libX11.so.6")

-- The display is that of the program.
for entry in assert(io.open("/proc/" .. pid .. "/environ", "rb")):read("*a"):gmatch("[^%z]+") do
  local name, value = entry:match("^(%u+)=(.*)$")
  if name == "DISPLAY" or name == "XAUTHORITY" then
    ffi.C.setenv(name, value, 1)
  end
end
local display = x11.XOpenDisplay(nil)
assert(display ~= nil, "no display")

local function find(window)
  local name = ffi.new("char *[1]")
  if x11.XFetchName(display, window, name) ~= 0 and ffi.string(name[0]):sub(1, #title) == title then
    return window
  end
  local unused, children, count = ffi.new("XID[2]"), ffi.new("XID *[1]"), ffi.new("unsigned[1]")
  x11.XQueryTree(display, window, unused, unused + 1, children, count)
  for i = 0, tonumber(count[0]) - 1 do
    local found = find(children[0][i])
    if found then
      return found
    end
  end
end

local window = find(x11.XDefaultRootWindow(display))
if not window then
  os.exit(1)
end
local message = ffi.new("struct client_message")
message.type, message.window, message.format = CLIENT_MESSAGE, window, 32
message.message_type = x11.XInternAtom(display, "WM_PROTOCOLS", 0)
message.data[0] = x11.XInternAtom(display, "WM_DELETE_WINDOW", 0)
x11.XSendEvent(display, window, 0, 0, message)
x11.XSync(display, 0)
