-- The rockspec of the sources as they are. `make rockspec` makes that of a release of it, whose version csrc/mediastop.h has.
rockspec_format = "3.0"
package = "mediastop"
version = "scm-1"
source = {
  url = "git+https://github.com/mediastop/mediastop.git",
  branch = "main",
}
description = {
  summary = "Ends remote media jobs, and tells the truth about it",
  detailed = [[
    Stops a moderated stream of Memories.ai, cancels a screenplay extraction,
    stops an emogg session, completes a FastPix live stream. Over libcurl.
  ]],
  homepage = "https://github.com/mediastop/mediastop",
  issues_url = "https://github.com/mediastop/mediastop/issues",
  license = "MIT",
  labels = { "http", "streaming", "curl" },
}
supported_platforms = { "unix" }
dependencies = {
  "lua >= 5.1, < 5.6",
  "lua-cjson >= 2.1.0",
  "argparse >= 0.7.0", -- the command
}
-- No header is named: LuaRocks does not know Debian's folder of headers for an architecture. The Makefile asks the compiler,
-- and says what to set where that has none.
external_dependencies = {
  CURL = { library = "curl" },
}
build = {
  type = "make",
  build_target = "all",
  variables = {
    BUILD = "build/rock$(LUA_INCDIR)", -- what was built for other headers is not taken
    LUA = "$(LUA)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    LUA_VERSION = "$(LUA_VERSION)",
  },
  build_variables = {
    CC = "$(CC)",
    CFLAGS = "$(CFLAGS)",
    WERROR = "",
    CURL_INCDIR = "$(CURL_INCDIR)",
    CURL_LIBDIR = "$(CURL_LIBDIR)",
  },
  install_variables = {
    INST_LIBDIR = "$(LIBDIR)",
    INST_LUADIR = "$(LUADIR)",
    INST_BINDIR = "$(BINDIR)",
    INST_MANDIR = "$(PREFIX)/man/man1",
  },
}
test = {
  type = "command",
  script = "spec/rock.lua",
}
