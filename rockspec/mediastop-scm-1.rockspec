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
  license = "MIT",
  labels = { "http", "streaming", "curl" },
}
supported_platforms = { "unix" }
dependencies = { "lua >= 5.1, < 5.6", "lua-cjson >= 2.1.0" }
external_dependencies = {
  CURL = { header = "curl/curl.h", library = "curl" },
}
build = {
  type = "make",
  build_target = "all",
  build_variables = {
    CC = "$(CC)",
    CFLAGS = "$(CFLAGS)",
    WERROR = "",
    LUA_INCDIR = "$(LUA_INCDIR)",
    LUA_VERSION = "$(LUA_VERSION)",
    CURL_CFLAGS = "-I$(CURL_INCDIR)",
    CURL_LIBS = "-L$(CURL_LIBDIR) -lcurl",
  },
  install_variables = {
    LUA = "$(LUA)",
    LUA_VERSION = "$(LUA_VERSION)",
    INST_LIBDIR = "$(LIBDIR)",
    INST_LUADIR = "$(LUADIR)",
    INST_BINDIR = "$(BINDIR)",
    INST_MANDIR = "$(PREFIX)/man/man1",
  },
}
