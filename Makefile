# Builds, checks and installs child_process for Lua 5.4. `make help` lists the targets.
#
# Taken from the command line or the environment:
#   LUA                   the interpreter (default: the first of lua5.4, lua-5.4, lua54, lua that is Lua 5.4)
#   CC, CFLAGS, LDFLAGS   compiler, its optimisation and debugging flags, flags for linking
#   WERROR=1              make warnings errors
#   PREFIX, DESTDIR       where `make install` puts things (/usr/local, nothing)
#   LUA_INCDIR            where lua.h is, instead of asking pkg-config
#   UV_CFLAGS, UV_LIBS    how to use libuv, instead of asking pkg-config
#   SPEC                  the folders or files of the spec to run (spec)
#   FUZZ_SECONDS          how long each program of `make fuzz` runs (20)
#   BUSTED                the Lua script that starts busted

CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
LUADIR = $(PREFIX)/share/lua/5.4
LIBDIR = $(PREFIX)/lib/lua/5.4
PKG_CONFIG ?= pkg-config
SPEC ?= spec
BUSTED ?= scripts/busted.lua

# A variant of the build has folders of its own for objects and for the module.
BUILD = build
MODULE_DIR = lua

lua_names := lua5.4 lua-5.4 lua54 lua

ifeq ($(origin LUA),undefined)
  LUA := $(or $(shell for name in $(lua_names); do \
    [ "$$($$name -e 'print(_VERSION)' 2>/dev/null)" = "Lua 5.4" ] && echo $$name && break; \
    done),lua5.4)
endif

ifdef LUA_INCDIR
  lua_cflags := -I$(LUA_INCDIR)
else
  lua_package := $(shell for name in $(lua_names); do \
    $(PKG_CONFIG) --exists "$$name >= 5.4 $$name < 5.5" 2>/dev/null && echo $$name && break; done)
  lua_cflags := $(if $(lua_package),$(shell $(PKG_CONFIG) --cflags $(lua_package)))
endif

UV_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags libuv 2>/dev/null)
UV_LIBS ?= $(shell $(PKG_CONFIG) --libs libuv 2>/dev/null)
UV_CFLAGS := $(UV_CFLAGS)
UV_LIBS := $(UV_LIBS)

# What the sources need, whatever CFLAGS says.
warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(WERROR),-Werror)
required := -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(warnings) -Isrc
compile = $(CC) $(required) $(lua_cflags) $(UV_CFLAGS) $(CFLAGS)

# Once loaded the module stays: closing a Lua state would unmap code that libuv still refers to.
ifeq ($(shell uname -s),Darwin)
  link_module := -bundle -undefined dynamic_lookup
else
  link_module := -shared -Wl,-z,nodelete
endif

module := $(MODULE_DIR)/child_process/core.so
core_objects := $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/core/*.c))
codec_objects := $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/codec/*.c))
number_objects := $(filter $(BUILD)/codec/number%,$(codec_objects))
binding_objects := $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/binding/*.c))
c_tests := $(patsubst %.c,$(BUILD)/%,$(wildcard spec/core/*_test.c spec/codec/*_test.c))
fuzzers := $(patsubst %.c,$(BUILD)/%,$(wildcard spec/fuzz/*_fuzz.c))
lua_files := $(patsubst lua/%,%,$(wildcard lua/*.lua lua/child_process/*.lua))

# Programs started from here, and the programs that they start, find this checkout first.
export LUA_PATH := $(CURDIR)/lua/?.lua;$(or $(LUA_PATH),;)
export LUA_CPATH := $(abspath $(MODULE_DIR))/?.so;$(or $(LUA_CPATH),;)
export CC LUA PKG_CONFIG LUA_INCDIR BUSTED SPEC
export C_TESTS = $(c_tests)
# The interpreter that the specs start for child scripts.
export CHILD_PROCESS_LUA = $(LUA)

# The targets that set up first start over in a second make, which then finds what was installed.
again := $(MAKE) --no-print-directory

.DELETE_ON_ERROR:

.PHONY: build
build: $(module) ## build the module in this checkout (default)

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(firstword $(MAKEFILE_LIST)) \
	  | while IFS='	' read -r target text; do printf '%-16s %s\n' "$$target" "$$text"; done

.PHONY: env
env: ## print the settings to use the module from this checkout: eval "$(make env)"
	@echo "export LUA_PATH='$(LUA_PATH)'; export LUA_CPATH='$(LUA_CPATH)'"

.PHONY: setup
setup: ## install what building and testing need (Debian)
	@scripts/setup.sh

.PHONY: demo
demo: setup ## set up, build, and run the main example
	@$(again) build
	@$(LUA) examples/pipeline.lua

.PHONY: test
test: setup ## set up, build, and run the whole spec and the C tests
	@$(again) build c-tests
	@scripts/test.sh test $(LUA)

.PHONY: test-c
test-c: c-tests ## run the C tests alone
	@for test in $(c_tests); do echo "$$test" && $$test || exit 1; done

.PHONY: test-fallbacks
test-fallbacks: setup ## run all tests without pidfds, vfork, both, and without epoll
	@$(again) build c-tests
	@status=0; \
	CHILD_PROCESS_NO_PIDFD=1 scripts/test.sh test-no-pidfd $(LUA) || status=1; \
	CHILD_PROCESS_NO_VFORK=1 scripts/test.sh test-no-vfork $(LUA) || status=1; \
	CHILD_PROCESS_NO_PIDFD=1 CHILD_PROCESS_NO_VFORK=1 \
	  scripts/test.sh test-no-pidfd-no-vfork $(LUA) || status=1; \
	$(again) $(poller_uv) build c-tests run-poller-uv || status=1; \
	exit $$status

# How other systems than Linux wait for descriptors.
poller_uv := BUILD=build/poller-uv MODULE_DIR=build/poller-uv CFLAGS="-O2 -g -DCP_POLLER_UV"

.PHONY: run-poller-uv
run-poller-uv: build c-tests
	@scripts/test.sh test-poller-uv $(LUA)

# In a process that has loaded all of the spec each collection would take as long as a test.
.PHONY: test-gc
test-gc: setup ## run all tests with the garbage collector always at work
	@$(again) build c-tests
	@CHILD_PROCESS_SPEC_GC=1 ONE_BY_ONE=1 scripts/test.sh test-gc $(LUA)

# The interpreter is a small program of our own: the sanitizer's runtime must be in the program from
# its start, and preloading it would put it into every program that the tests start.
# Undefined behaviour traps, so that it, too, is reported by the address sanitizer, to the same place.
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all \
  -fsanitize-undefined-trap-on-error -fno-omit-frame-pointer
asan := BUILD=build/asan MODULE_DIR=build/asan LUA=build/asan/lua \
  CFLAGS="-O1 -g $(sanitize)" LDFLAGS="$(sanitize)"

.PHONY: test-asan
test-asan: setup ## run all tests under the address and undefined behaviour sanitizers
	@$(again) $(asan) build c-tests build/asan/lua
	@$(again) $(asan) run-asan

.PHONY: run-asan
run-asan:
	@ASAN_OPTIONS=detect_leaks=1:exitcode=99:handle_sigill=1:log_path=$(CURDIR)/build/asan/reports/report \
	REPORTS=build/asan/reports CHILD_PROCESS_LUA=$(abspath $(LUA)) \
	  scripts/test.sh test-asan $(LUA)

build/asan/lua: scripts/sanitized_lua.c $(BUILD)/flags
	@echo "  CC $@"
	@$(compile) $(LDFLAGS) $< -o $@ $(shell $(PKG_CONFIG) --libs $(lua_package))

# Valgrind knows neither pidfds nor the way in which the fast path makes a process.
.PHONY: test-valgrind
test-valgrind: ## run all tests under valgrind
	@scripts/setup.sh valgrind
	@$(again) build c-tests
	@ONE_BY_ONE=1 CHILD_PROCESS_NO_PIDFD=1 CHILD_PROCESS_NO_VFORK=1 scripts/test.sh test-valgrind $(LUA) \
	  valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite \
	  --show-leak-kinds=definite --error-exitcode=99 --child-silent-after-fork=yes \
	  --trace-children=no

# libFuzzer belongs to clang. Where it cannot be had nothing is run, and that is no failure.
fuzz := CC=clang BUILD=build/fuzz CFLAGS="-O1 -g $(sanitize) -fsanitize=fuzzer-no-link" \
  LDFLAGS="$(sanitize) -fsanitize=fuzzer"

.PHONY: fuzz
fuzz: ## feed the codec with arbitrary bytes under the sanitizers (for FUZZ_SECONDS)
	@if scripts/setup.sh fuzz; then \
	  $(again) $(fuzz) run-fuzz; else echo "fuzz: skipped, clang has no libFuzzer"; fi

.PHONY: run-fuzz
run-fuzz: $(fuzzers)
	@scripts/fuzz.sh $(fuzzers)

.PHONY: test-stress
test-stress: setup ## run what takes long: thousands of calls, and what they leave
	@$(again) build
	@. scripts/results.sh; results_begin test-stress; \
	for program in spec/stress/*.lua; do check "$$program" "$$LUA" "$$program"; done; \
	results_end

.PHONY: test-rock
test-rock: setup ## install the rock into a folder and run an example from there
	@scripts/test_rock.sh

.PHONY: lint
lint: ## check style, layers, and warnings of two compilers
	@scripts/setup.sh lint
	@$(again) run-lint

.PHONY: run-lint
run-lint:
	@COMPILE_FLAGS="$(required) $(lua_cflags) $(UV_CFLAGS)" scripts/lint.sh

.PHONY: format
format: ## bring the C sources into shape
	@clang-format -i $$(find src spec bench scripts -name '*.[ch]')

.PHONY: bench
bench: setup ## measure against C programs and other implementations
	@$(again) build
	@$(LUA) bench/run.lua

.PHONY: install
install: build ## install into $(DESTDIR)$(PREFIX)
	@mkdir -p "$(DESTDIR)$(LUADIR)/child_process" "$(DESTDIR)$(LIBDIR)/child_process"
	@for file in $(lua_files); do \
	  install -m 644 "lua/$$file" "$(DESTDIR)$(LUADIR)/$$file" || exit 1; done
	@install -m 755 $(module) "$(DESTDIR)$(LIBDIR)/child_process/core.so"

.PHONY: uninstall
uninstall: ## remove what install has put there
	@rm -f $(lua_files:%="$(DESTDIR)$(LUADIR)/%") "$(DESTDIR)$(LIBDIR)/child_process/core.so"
	@rmdir "$(DESTDIR)$(LUADIR)/child_process" "$(DESTDIR)$(LIBDIR)/child_process" \
	  2>/dev/null || true

.PHONY: clean
clean: ## remove everything that was built
	@rm -rf build lua/child_process/core.so

.PHONY: c-tests
c-tests: $(c_tests)
	@:

$(module): $(core_objects) $(codec_objects) $(binding_objects)
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $(link_module) $(CFLAGS) $(LDFLAGS) $^ -o $@ $(UV_LIBS)

$(BUILD)/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(compile) -MMD -MP -c $< -o $@

$(BUILD)/spec/core/%: spec/core/%.c $(core_objects) $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(compile) $(LDFLAGS) -MMD -MP -MF $@.d -MT $@ $< $(core_objects) -o $@ $(UV_LIBS)

# Only what of the codec can do without Lua.
$(BUILD)/spec/codec/%: spec/codec/%.c $(number_objects) $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(compile) $(LDFLAGS) -MMD -MP -MF $@.d -MT $@ $< $(number_objects) -o $@ -lm

$(BUILD)/spec/fuzz/%: spec/fuzz/%.c $(core_objects) $(codec_objects) $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(compile) $(LDFLAGS) -MMD -MP -MF $@.d -MT $@ $< $(core_objects) $(codec_objects) -o $@ \
	  $(UV_LIBS) $(shell $(PKG_CONFIG) --libs $(lua_package)) -lm

# Written anew only when a flag has changed, and then everything is made again.
$(BUILD)/flags: always | found
	@mkdir -p $(@D)
	@echo '$(compile) $(LDFLAGS) $(UV_LIBS)' | cmp -s - $@ \
	  || echo '$(compile) $(LDFLAGS) $(UV_LIBS)' >$@

.PHONY: always
always:

.PHONY: found
found:
	@[ -n "$(LUA_INCDIR)$(lua_package)" ] || { \
	  echo "Lua 5.4's headers were not found: install liblua5.4-dev (or set LUA_INCDIR)" >&2; exit 1; }
	@[ -n "$(UV_LIBS)" ] || { \
	  echo "libuv was not found: install libuv1-dev (or set UV_CFLAGS and UV_LIBS)" >&2; exit 1; }

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/spec/*/*.d)
