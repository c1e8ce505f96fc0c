# mediastop. `make demo` and `make test` get what is missing by themselves; DEPS=skip turns that off.

LUA_VERSION ?= 5.4
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g
DEPS ?= install

# V is how Lua's own folders call the version.
ifeq ($(LUA_VERSION),jit)
V := 5.1
LUA_NAMES := luajit
LUA_DIRS := luajit-2.1 luajit-2.0
else
V := $(LUA_VERSION)
LUA_NAMES := lua$(LUA_VERSION) lua-$(LUA_VERSION) lua$(subst .,,$(LUA_VERSION)) lua
LUA_DIRS := lua$(LUA_VERSION) lua/$(LUA_VERSION) lua$(subst .,,$(LUA_VERSION)) .
endif

# The first of the usual names that is this Lua's.
ifeq ($(origin LUA),undefined)
LUA := $(or $(shell for lua in $(LUA_NAMES); do \
	test "$$($$lua -e 'io.write(_VERSION)' 2>/dev/null)" = "Lua $(V)" && echo $$lua && break; done),$(firstword $(LUA_NAMES)))
endif

INST_LIBDIR ?= $(PREFIX)/lib/lua/$(V)
INST_LUADIR ?= $(PREFIX)/share/lua/$(V)
INST_BINDIR ?= $(PREFIX)/bin
INST_MANDIR ?= $(PREFIX)/share/man/man1

# The first folder of the usual ones that has lua.h.
LUA_INCDIR ?= $(patsubst %/lua.h,%,$(firstword $(wildcard $(foreach dir,$(LUA_DIRS),\
	/usr/include/$(dir)/lua.h /usr/local/include/$(dir)/lua.h /opt/homebrew/include/$(dir)/lua.h))))
# Where luarocks, or you, say that curl is; else curl's own programs say it.
ifneq ($(wildcard $(CURL_INCDIR)/curl/curl.h),)
CURL_CFLAGS ?= -I$(CURL_INCDIR)
endif
ifneq ($(CURL_LIBDIR),)
CURL_LIBS ?= -L$(CURL_LIBDIR) -Wl,-rpath,$(CURL_LIBDIR) -lcurl
endif
CURL_CFLAGS ?= $(shell pkg-config --cflags libcurl 2>/dev/null || curl-config --cflags 2>/dev/null)
CURL_LIBS ?= $(shell pkg-config --libs libcurl 2>/dev/null || curl-config --libs 2>/dev/null || echo -lcurl)

VERSION = $(shell sed -n 's/^\#define MEDIASTOP_VERSION "\(.*\)"/\1/p' csrc/mediastop.h)

WERROR ?= -Werror
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wconversion $(WERROR)
BUILD ?= build/$(LUA_VERSION)
SOURCES := $(sort $(wildcard csrc/*.c))
HEADERS := $(wildcard csrc/*.h)
OBJECTS := $(SOURCES:csrc/%.c=$(BUILD)/%.o)
# For the specs that let malloc fail.
FAILING ?=
ifneq ($(FAILING),)
OBJECTS += $(BUILD)/failing.o
WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
endif
MODULE := $(BUILD)/mediastop/core.so
COMMAND := $(BUILD)/bin/mediastop
SPEC_MODULES := $(BUILD)/rooms.so $(BUILD)/shortage.so $(BUILD)/process.so $(BUILD)/states.so $(BUILD)/libcurl.so $(BUILD)/late.so \
	$(BUILD)/private_lua

ifeq ($(shell uname -s),Darwin)
SHARED := -bundle -undefined dynamic_lookup
else
# Never unmapped: a thread of libcurl's may still run when a Lua state closes.
SHARED := -shared -Wl,-z,nodelete
endif

LUA_PATHS := lua/?.lua;lua/?/init.lua;./?.lua;./?/init.lua
RUN := LUA_PATH="$(LUA_PATHS);;" LUA_CPATH="$(BUILD)/?.so;;"
# The specs but those of the hosts, which need programs that a test of the module does not.
ALL_SPECS = $(filter-out spec/hosts/%,$(wildcard spec/*_spec.lua spec/*/*_spec.lua))
# busted's program, run by the Lua that is asked for.
BUSTED = "$$(command -v busted)" --ignore-lua $(BUSTED_FLAGS) $(SPEC)
# One spec file is left to busted; of more, several run at once.
SPECS = $(or $(SPEC),$(ALL_SPECS))
SHARDS = MAKE="$(MAKE)" .ci/specs

# The program that loads programs.
LOADER := ls /lib64/ld-linux-*.so.2 /lib/ld-linux-*.so.* 2>/dev/null | head -n 1

LUA_VERSIONS ?= 5.1 5.2 5.3 5.4 jit
DEB_VERSIONS = $(filter-out jit,$(LUA_VERSIONS))

.PHONY: all asan asan-busted asan-specs bench bench-module busted clean coverage coverage-specs deb demo deps docs emulator \
	fuzz fuzzers install lint nginx-module rockspec spec spec-modules test test-all test-hosts try tsan tsan-busted \
	tsan-specs valgrind valgrind-busted

all: $(MODULE) $(COMMAND)

quote = '$(subst ','\'',$(1))'

# write_command FOLDER_OF_LUA,FOLDER_OF_C,FILE: the command for them. It finds all by absolute paths, since some run it without
# PATH: nginx-rtmp's exec_publish_done, for one.
INTERPRETER = $(or $(shell command -v $(LUA)),$(filter /%,$(LUA)))
absolute = $(if $(filter /%,$(firstword $(1))),$(1),$(CURDIR)/$(1))
write_command = { printf '\#!%s\n' $(call quote,$(abspath $(INTERPRETER))); \
	printf 'package.path = [[%s/?.lua;%s/?/init.lua;]] .. package.path; ' $(call quote,$(call absolute,$(1))) \
		$(call quote,$(call absolute,$(1))); \
	printf 'package.cpath = [[%s/?.so;]] .. package.cpath\n' $(call quote,$(call absolute,$(2))); \
	sed 1,2d bin/mediastop; } >$(call quote,$(3)) && chmod 755 $(call quote,$(3))
NO_INTERPRETER := echo "mediastop: $(LUA) is not found, so that there is no command: name the program of Lua $(LUA_VERSION) by LUA=" >&2

# To be run where it was built.
$(COMMAND): bin/mediastop Makefile
	@mkdir -p $(@D)
	$(if $(INTERPRETER),$(call write_command,$(CURDIR)/lua,$(abspath $(BUILD)),$@),\
		@$(NO_INTERPRETER))

$(MODULE): $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP) $(SHARED) -o $@ $(OBJECTS) $(CURL_LIBS) -pthread

# have_header NAME,FLAGS,ADVICE: ends the build with the advice where the compiler does not find the header.
have_header = echo '\#include <$(1)>' | $(CC) $(CPPFLAGS) $(CFLAGS) $(2) -E -x c - >/dev/null 2>&1 || \
	{ echo "mediastop: $(1) is not found: install $(3)" >&2; exit 1; }
LUA_ADVICE := the headers of Lua $(LUA_VERSION), or name their folder: LUA_INCDIR=/folder
CURL_ADVICE := libcurl4-openssl-dev (Debian), libcurl-devel (Fedora), curl-dev (Alpine) or curl (Homebrew), or name the folder \
	that has curl/: CURL_INCDIR=/folder

$(BUILD)/headers:
	@mkdir -p $(@D)
	@$(call have_header,lua.h,$(addprefix -I,$(LUA_INCDIR)),$(LUA_ADVICE))
	@$(call have_header,curl/curl.h,$(CURL_CFLAGS),$(CURL_ADVICE))
	@touch $@

$(BUILD)/%.o: csrc/%.c $(HEADERS) Makefile | $(BUILD)/headers
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -std=c99 -fPIC -fvisibility=hidden -pthread $(WARNINGS) \
		$(addprefix -I,$(LUA_INCDIR)) $(CURL_CFLAGS) -c -o $@ $<

$(BUILD)/failing.o: spec/support/failing.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -std=c99 -fPIC -fvisibility=hidden $(WARNINGS) $(addprefix -I,$(LUA_INCDIR)) -c -o $@ $<

# For the specs only: what they ask of C directly.
$(BUILD)/%.so: spec/support/%.c $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -std=c99 -fPIC -fvisibility=hidden -pthread $(WARNINGS) $(addprefix -I,$(LUA_INCDIR)) \
		$(CURL_CFLAGS) -Icsrc $(LDFLAGS) $(WRAP) $(SHARED) -o $@ $^ $(CURL_LIBS)

$(BUILD)/late.so: spec/support/late.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -std=c99 -fPIC $(WARNINGS) $(LDFLAGS) -shared -o $@ $< -ldl

$(BUILD)/private_lua: spec/support/private_lua.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -std=c99 $(WARNINGS) $(LDFLAGS) -o $@ $< -ldl

# The packages first: where the headers are is only known then, by a make of its own.
demo: deps
	@$(MAKE) --no-print-directory all
	@$(RUN) $(LUA) examples/demo.lua

# The four providers on this machine, to try against; until Ctrl-C.
emulator: deps
	@$(RUN) $(LUA) spec/emulator/run.lua

# That the module works where there is no provider, and nothing to run specs with.
try: all
	@$(RUN) $(LUA) .ci/try.lua

test: deps
	@$(MAKE) -s --no-print-directory spec

# The specs without a look at the packages; SPEC names some of them, files or folders.
spec: spec-modules
ifeq ($(words $(SPEC)) $(suffix $(SPEC)),1 .lua)
	@$(RUN) $(LUA) $(BUSTED)
else
	@LUA_VERSIONS=$(LUA_VERSION) $(SHARDS) busted $(SPECS)
endif

# All that the specs need, built with every processor.
PROCESSORS := $(shell getconf _NPROCESSORS_ONLN)

spec-modules:
	@$(MAKE) -s --no-print-directory -j $(PROCESSORS) all $(SPEC_MODULES) nginx-module

# For the specs that run nginx: the module for its Lua, which may be the one just built.
nginx-module: all
	@$(MAKE) -s --no-print-directory all LUA_VERSION=jit BUILD=build/jit CFLAGS="-O2 -g" FAILING=

busted:
	@$(RUN) $(LUA) $(BUSTED)

deps:
	@DEPS=$(DEPS) LUA=$(LUA) LUA_VERSION=$(LUA_VERSION) sh .ci/deps build test

# gcc's analyzer and clang's, file by file.
LINT_FLAGS = -std=c99 -Wall -Wextra $(addprefix -I,$(LUA_INCDIR)) $(CURL_CFLAGS)
ANALYZE = gcc -O1 -fanalyzer -Werror $(LINT_FLAGS) -c -o /dev/null
TIDY = clang-tidy --quiet --config-file=.ci/clang-tidy

lint:
	@DEPS=$(DEPS) LUA_VERSION=$(LUA_VERSION) sh .ci/deps build lint
	@luacheck --quiet lua .ci spec examples bench bin/mediastop .luacheckrc
	@.ci/layers $(CC) $(addprefix -I,$(LUA_INCDIR)) $(CURL_CFLAGS)
	@cppcheck --quiet --std=c99 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		--suppress=missingIncludeSystem csrc
	@printf '%s\n' $(SOURCES) | xargs -P $(PROCESSORS) -I FILE sh -c '$(ANALYZE) FILE && $(TIDY) FILE -- $(LINT_FLAGS) 2>/dev/null'

# The specs on every Lua. One after the other gets its packages and is built, then all run in one go. nginx has a Lua of its own:
# its specs run once.
test-all:
	@for version in $(LUA_VERSIONS); do \
		$(MAKE) --no-print-directory deps LUA_VERSION=$$version && \
		$(MAKE) -s --no-print-directory spec-modules LUA_VERSION=$$version || exit 1; \
	done
	@LUA_VERSIONS="$(LUA_VERSIONS)" ONCE="spec/(resty|rtmp|nginx)" $(SHARDS) busted $(SPECS)

# The specs of the hosts: the module in the real programs. One at a time, since frames are counted; and the modules first, which
# several of them install.
test-hosts:
	@DEPS=$(DEPS) LUA_VERSION=$(LUA_VERSION) sh .ci/deps build test hosts
	@for version in 5.2 5.3 jit; do $(MAKE) -s --no-print-directory all LUA_VERSION=$$version || exit 1; done
	@JOBS=1 $(MAKE) -s --no-print-directory spec SPEC="$(or $(SPEC),spec/hosts)"

# The specs under valgrind: no error, and no byte lost.
valgrind:
	@DEPS=$(DEPS) LUA_VERSION=$(LUA_VERSION) sh .ci/deps build test valgrind
	@$(MAKE) -s --no-print-directory spec-modules
	@LUA_VERSIONS=$(LUA_VERSION) $(SHARDS) valgrind-busted $(SPECS)

# Where Lua's memory runs short lua-cjson loses a buffer, which make asan can tell from ours.
valgrind-busted:
	@$(RUN) MEDIASTOP_LUA="$$(command -v $(LUA))" valgrind --quiet --error-exitcode=9 --leak-check=full \
		--show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
		$(LUA) $(BUSTED) --filter-out="memory runs short"

# What the sanitizers' own memory and pace would fail: bounds on memory, tight time limits; and what is lost on purpose, the
# connections that the child of a fork leaves to its parent.
ASAN_OUT := --filter-out="no more memory" --filter-out="leave nothing" --filter-out="do not meet" \
	--filter-out="that never comes" --filter-out="fork with a warm"

# All but those that look at memory from outside, at the module's file, at modules of other Luas, or at nginx, whose is another.
ASAN_SPECS = $(filter-out $(addprefix spec/,memory_spec.lua versions_spec.lua library_spec.lua rock_spec.lua provider_spec.lua \
	readme_spec.lua rtmp_spec.lua resty%),$(ALL_SPECS))
ASAN := BUILD=build/$(LUA_VERSION)-asan FAILING=yes \
	CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"

# Makes $(BUILD)/lua, an interpreter with a sanitizer's runtime and other libraries loaded first.
SANITIZED = LOADER="$$($(LOADER))" CC="$(CC)" LUA="$(LUA)" .ci/sanitized $(BUILD)/lua

# The specs under the address and undefined-behaviour sanitizers, leaks included. The runtime is loaded by the loader, not by
# LD_PRELOAD, so that nginx and other children go without it. It is not to guess where libraries have their threads' memory: it
# guesses by an address's last bits, and crashes where it guesses wrong.
asan:
	@DEPS=$(DEPS) LUA_VERSION=$(LUA_VERSION) sh .ci/deps build test symbols
	@$(MAKE) -s --no-print-directory asan-specs $(ASAN)

asan-specs: spec-modules
	@ENVIRONMENT="ASAN_OPTIONS=intercept_tls_get_addr=0 LSAN_OPTIONS=suppressions=$(CURDIR)/spec/support/lsan.supp:print_suppressions=0" \
		$(SANITIZED) libasan.so "$$($(LUA) -e 'io.write(package.searchpath("cjson", package.cpath))')"
	@LUA_VERSIONS=$(LUA_VERSION) $(SHARDS) asan-busted $(or $(SPEC),$(ASAN_SPECS))

asan-busted:
	@$(RUN) MEDIASTOP_LUA="$(CURDIR)/$(BUILD)/lua" $(BUILD)/lua $(BUSTED) $(ASAN_OUT)

# What the thread sanitizer's own memory and pace would fail, and its thread in the child of a fork.
TSAN_OUT := --filter-out="leave nothing" --filter-out="forks at any moment" --filter-out="a fork with a warm" \
	--filter-out="takes its slice" --filter-out="goes on at the next" --filter-out="finishes what jobs meet" \
	--filter-out="no more memory" --filter-out="sees the value in what is kept"

# The specs under the thread sanitizer. Of libraries that are not built for it, it hears only what they ask of others, which tells
# nothing.
TSAN := BUILD=build/$(LUA_VERSION)-tsan CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=thread"

tsan:
	@DEPS=$(DEPS) LUA_VERSION=$(LUA_VERSION) sh .ci/deps build test
	@$(MAKE) -s --no-print-directory tsan-specs $(TSAN)

tsan-specs: spec-modules
	@ENVIRONMENT="TSAN_OPTIONS=ignore_noninstrumented_modules=1:die_after_fork=0:exitcode=66" $(SANITIZED) libtsan.so
	@LUA_VERSIONS=$(LUA_VERSION) $(SHARDS) tsan-busted $(or $(SPEC),$(ASAN_SPECS))

tsan-busted:
	@$(RUN) LEFTOVERS=threads MEDIASTOP_LUA="$(CURDIR)/$(BUILD)/lua" $(BUILD)/lua $(BUSTED) $(TSAN_OUT)

# Which lines and branches of csrc/ the specs reach, those that need malloc to fail included: a summary, and pages in
# build/coverage. Every process adds to the counts, those of other users, too.
COVERAGE := BUILD=build/$(LUA_VERSION)-coverage FAILING=yes CFLAGS="-O0 -g --coverage -fprofile-update=atomic"

coverage:
	@DEPS=$(DEPS) LUA_VERSION=$(LUA_VERSION) sh .ci/deps build test coverage
	@$(MAKE) -s --no-print-directory coverage-specs $(COVERAGE)

coverage-specs: spec-modules
	@find $(BUILD) -name '*.gcda' -delete
	@chmod a+rwx $(BUILD)
	@umask 0; LUA_VERSIONS=$(LUA_VERSION) $(SHARDS) busted $(or $(SPEC),$(ASAN_SPECS))
	@lcov --quiet --rc lcov_branch_coverage=1 --capture --directory $(BUILD) --output-file $(BUILD)/all.info
	@lcov --quiet --rc lcov_branch_coverage=1 --extract $(BUILD)/all.info '$(CURDIR)/csrc/*' --output-file $(BUILD)/csrc.info
	@genhtml --quiet --branch-coverage --output-directory build/coverage $(BUILD)/csrc.info
	@lcov --rc lcov_branch_coverage=1 --list $(BUILD)/csrc.info

# The fuzzers of spec/fuzz, each for FUZZ_SECONDS (0: only what is in its corpus); FUZZ names some of them.
FUZZ_SECONDS ?= 60
FUZZ ?= $(patsubst spec/fuzz/%.c,%,$(sort $(wildcard spec/fuzz/*.c)))
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined

fuzz:
	@DEPS=$(DEPS) LUA_VERSION=$(LUA_VERSION) sh .ci/deps build fuzz
	@$(MAKE) -s --no-print-directory -j $(PROCESSORS) fuzzers BUILD=build/fuzz CC=clang CFLAGS="$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link"
	@FUZZ_SECONDS=$(FUZZ_SECONDS) .ci/fuzz build/fuzz $(FUZZ)

fuzzers: $(addprefix $(BUILD)/fuzz-,$(FUZZ))

$(BUILD)/fuzz-%: spec/fuzz/%.c $(wildcard spec/fuzz/support/*) $(OBJECTS)
	$(CC) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer -std=c99 $(WARNINGS) $(addprefix -I,$(LUA_INCDIR)) $(CURL_CFLAGS) \
		-Icsrc -Ispec/fuzz/support $(LDFLAGS) -o $@ $(filter %.c %.o,$^) $(CURL_LIBS) -llua$(LUA_VERSION) -pthread

# What a stop costs, side by side with libcurl itself and with what else a program could take; BENCH: rounds, calls, groups. On
# each of Lua 5.4 and LuaJIT that is here.
bench: build/bench/limit build/bench/measure
	@DEPS=$(DEPS) LUA_VERSION=$(LUA_VERSION) sh .ci/deps build test bench
	@$(MAKE) --no-print-directory -s build/bench/limit-json
	@for version in 5.4 jit; do \
		command -v $$(test $$version = jit && echo luajit || echo lua$$version) >/dev/null || continue; \
		$(MAKE) --no-print-directory -s bench-module LUA_VERSION=$$version || exit 1; \
	done
	@$(LUA) bench/run.lua $(BENCH)

bench-module: all build/bench/$(LUA_VERSION)/bench_support.so

build/bench/$(LUA_VERSION)/bench_support.so: bench/support.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -O2 -std=c99 -fPIC $(WARNINGS) $(addprefix -I,$(LUA_INCDIR)) $(LDFLAGS) $(SHARED) -o $@ $<

# The same with lua-cjson, in Lua 5.4.
build/bench/limit-json: bench/limit.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -O2 -std=gnu99 -DREADS_JSON $(WARNINGS) $$(pkg-config --cflags lua5.4) $(CURL_CFLAGS) $(LDFLAGS) \
		-o $@ $< $(CURL_LIBS) $$(pkg-config --libs lua5.4)

build/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -O2 -std=gnu99 $(WARNINGS) $(CURL_CFLAGS) $(LDFLAGS) -o $@ $< $(CURL_LIBS)

install: all
	install -d "$(DESTDIR)$(INST_LIBDIR)/mediastop" "$(DESTDIR)$(INST_LUADIR)/mediastop/source" \
		"$(DESTDIR)$(INST_LUADIR)/mediastop/resty"
	install -m 755 $(MODULE) "$(DESTDIR)$(INST_LIBDIR)/mediastop/core.so"
	install -m 644 $(wildcard lua/mediastop/*.lua) "$(DESTDIR)$(INST_LUADIR)/mediastop"
	install -m 644 $(wildcard lua/mediastop/source/*.lua) "$(DESTDIR)$(INST_LUADIR)/mediastop/source"
	install -m 644 $(wildcard lua/mediastop/resty/*.lua) "$(DESTDIR)$(INST_LUADIR)/mediastop/resty"
	install -d "$(DESTDIR)$(INST_LUADIR)/mediastop/cli" "$(DESTDIR)$(INST_BINDIR)" "$(DESTDIR)$(INST_MANDIR)"
	install -m 644 $(wildcard lua/mediastop/cli/*.lua) "$(DESTDIR)$(INST_LUADIR)/mediastop/cli"
	$(if $(INTERPRETER),$(call write_command,$(INST_LUADIR),$(INST_LIBDIR),$(DESTDIR)$(INST_BINDIR)/mediastop),\
		@$(NO_INTERPRETER))
	install -m 644 man/mediastop.1 "$(DESTDIR)$(INST_MANDIR)"
	for file in $$(find spec/emulator -type f); do \
		folder="$(DESTDIR)$(INST_LUADIR)/mediastop/emulator/$${file%/*}"; \
		install -d "$$folder" && install -m 644 "$$file" "$$folder" || exit 1; \
	done

# The reference, of the comments, into doc/.
docs:
	@DEPS=$(DEPS) LUA_VERSION=$(LUA_VERSION) sh .ci/deps docs
	@ldoc . | grep -v '^format: \|^found master\|^reading configuration\|^\*\*\*closing'

# The rockspec of a release, made of that of the sources: build/mediastop-VERSION-1.rockspec.
rockspec:
	@mkdir -p build
	@sed -e 1d -e 's/^version = .*/version = "$(VERSION)-1"/' -e 's/^  branch = .*/  tag = "v$(VERSION)",/' \
		rockspec/mediastop-scm-1.rockspec >build/mediastop-$(VERSION)-1.rockspec
	@echo build/mediastop-$(VERSION)-1.rockspec

# Debian's packages, for every Lua of Debian's, into build/: lua-mediastop_VERSION_ARCHITECTURE.deb and mediastop_VERSION_all.deb.
deb:
	@for version in $(DEB_VERSIONS); do \
		DEPS=$(DEPS) LUA_VERSION=$$version sh .ci/deps build || exit 1; \
	done
	@MAKE="$(MAKE)" LUA_VERSIONS="$(DEB_VERSIONS)" .ci/deb $(VERSION) build

clean:
	rm -rf build
