# Builds, checks and installs child_process for one Lua. `make help` lists the targets.
#
# Taken from the command line or the environment:
#   LUA                   the interpreter: Lua 5.1, 5.3, 5.4 or 5.5, or LuaJIT (default: the first
#                         that there is of lua5.4, lua-5.4, lua54, lua)
#   CC, CFLAGS, LDFLAGS   compiler, its optimisation and debugging flags, flags for linking
#   WERROR=1              make warnings errors
#   ASSERTIONS=1          check while the code runs what it relies on, as the tests do
#   PREFIX, DESTDIR       where `make install` puts things (/usr/local, nothing); single folders are
#                         LUADIR, LIBDIR, INCLUDEDIR and PKGCONFIGDIR
#   LUA_INCDIR            where lua.h is, instead of asking pkg-config
#   UV_CFLAGS, UV_LIBS    how to use libuv, instead of asking pkg-config
#   SYS                   what the module is built with: linux (on Linux) or posix
#   RECORD                the name of the record that `make test` leaves in build/results (test)
#   WRAPPER               a command under which `make test` runs everything
#   SPEC                  the folders or files of the spec to run (spec)
#   PLATFORMS             the platforms of `make test-platforms` (all)
#   RENEW=1               `make bench-budgets` writes the budgets
#   FUZZ_SECONDS          how long each program of `make fuzz` runs (20)
#   BUSTED                the Lua script that starts busted

CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
PKG_CONFIG ?= pkg-config
SPEC ?= spec
RECORD = test
BUSTED ?= scripts/busted.lua
OBJCOPY ?= objcopy

ifeq ($(origin LUA),undefined)
  LUA := $(or $(shell for name in lua5.4 lua-5.4 lua54 lua; do \
    command -v $$name >/dev/null && echo $$name && break; done),lua5.4)
endif

# A name for what the interpreter is, and the version whose modules it loads. One that is still to
# be installed is known by its own name: lua5.4, lua-5.4, lua54, luajit.
versions := 5.1 5.3 5.4 5.5 luajit
names_of = $(if $(filter luajit,$(1)),luajit,lua$(1) lua-$(1) lua$(subst .,,$(1)))
ABI := $(or $(shell $(LUA) -e 'print(jit and "luajit" or _VERSION:match("%d.%d"))' 2>/dev/null), \
  $(strip $(foreach version,$(versions), \
    $(if $(filter $(call names_of,$(version)),$(notdir $(LUA))),$(version)))))
lua_version := $(if $(filter luajit,$(ABI)),5.1,$(ABI))
allowed := it may be Lua 5.1, 5.3, 5.4, 5.5 or LuaJIT
ifndef ABI
  $(error LUA is "$(LUA)", which cannot be run as Lua; $(allowed), such as lua5.4 or luajit)
endif
ifneq ($(words $(ABI)) $(filter $(versions),$(ABI)),1 $(ABI))
  $(error LUA is "$(LUA)", which is Lua $(ABI); $(allowed))
endif

LUADIR = $(PREFIX)/share/lua/$(lua_version)
LIBDIR = $(PREFIX)/lib/lua/$(lua_version)
INCLUDEDIR = $(PREFIX)/include
PKGCONFIGDIR = $(PREFIX)/lib/pkgconfig

# Each Lua, and each variant of the build, has a folder for objects and for the module.
BUILD = build/$(ABI)
MODULE_DIR = $(BUILD)

ifdef LUA_INCDIR
  lua_cflags := -I$(LUA_INCDIR)
else
  lua_package := $(shell PKG_CONFIG="$(PKG_CONFIG)" scripts/lua_package.sh $(ABI) 2>/dev/null)
  lua_cflags := $(if $(lua_package),$(shell $(PKG_CONFIG) --cflags $(lua_package)))
endif

# What a program that uses the static library requires besides, for its pkg-config file.
packages := $(lua_package) $(if $(filter undefined,$(origin UV_LIBS)),libuv)
UV_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags libuv 2>/dev/null)
UV_LIBS ?= $(shell $(PKG_CONFIG) --libs libuv 2>/dev/null)
UV_CFLAGS := $(UV_CFLAGS)
UV_LIBS := $(UV_LIBS)

# What the sources need, whatever CFLAGS says. In 32 bits, too, files may be long and times late.
wide := -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(WERROR),-Werror)
required := -std=gnu11 -D_GNU_SOURCE $(wide) -fPIC -fvisibility=hidden $(warnings) -Isrc -Iinclude \
  $(if $(ASSERTIONS),-DCP_ASSERTIONS)
compile = $(CC) $(required) $(lua_cflags) $(UV_CFLAGS) $(CFLAGS)

# What differs between systems: Linux has files of its own, all others share those for POSIX.
system := $(shell uname -s)
SYS ?= $(if $(filter Linux,$(system)),linux,posix)
ifneq ($(words $(SYS)) $(filter linux posix,$(SYS)),1 $(SYS))
  $(error SYS is "$(SYS)"; it may be linux or posix)
endif
ifeq ($(SYS),linux)
  poller := epoll
  link_module := -shared -Wl,-z,nodelete
else
  poller := uv
  link_module := $(if $(filter Darwin,$(system)),-bundle -undefined dynamic_lookup,-shared)
endif

module := $(MODULE_DIR)/child_process/core.so
library := $(BUILD)/libchild_process.a
core_objects := $(patsubst src/%.c,$(BUILD)/%.o, \
  $(filter-out src/core/loop/poller_%,$(wildcard src/core/*.c src/core/*/*.c)) \
  src/core/loop/poller_$(poller).c $(wildcard src/core/sys/$(SYS)/*.c))
codec_objects := $(patsubst src/%.c,$(BUILD)/%.o, \
  $(wildcard src/compat/*.c src/codec/*.c src/codec/*/*.c))
number_objects := $(filter $(BUILD)/codec/number/%,$(codec_objects))
binding_objects := $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/binding/*.c))
module_objects := $(core_objects) $(codec_objects) $(binding_objects)
c_tests := $(patsubst %.c,$(BUILD)/%,$(wildcard spec/core/*_test.c spec/codec/*_test.c))
fuzzers := $(patsubst %.c,$(BUILD)/%,$(wildcard spec/fuzz/*_fuzz.c))
lua_files := $(patsubst lua/%,%, \
  $(sort $(wildcard lua/*.lua lua/child_process/*.lua lua/child_process/*/*.lua)))
lua_folders := $(patsubst lua/%,%,$(wildcard lua/child_process/*/))

# The second file is for those who install the library for several Luas. As long as one of these is
# there, uninstall leaves the header; as long as one names the same folder, the module and library,
# too: Lua 5.1 and LuaJIT share them.
pc_files := child_process.pc $(lua_package:%=child_process-%.pc)
in_prefix = $(subst $(PREFIX)/,$${prefix}/,$(1))
pc_path = -e 's|@$(1)@|$(call in_prefix,$(2))|'
pc_values = $(call pc_path,includedir,$(INCLUDEDIR)) $(call pc_path,libdir,$(LIBDIR)/child_process) \
  $(call pc_path,luadir,$(LUADIR)) -e 's|@prefix@|$(PREFIX)|' -e 's|@packages@|$(packages)|' \
  -e 's|@libs@|-pthread -lm $(if $(filter libuv,$(packages)),,$(UV_LIBS))|' \
  -e "s|@version@|$$(sed -n 's/^\#define CHILD_PROCESS_VERSION "\(.*\)"/\1/p' include/child_process.h)|"

# Programs started from here, and the programs that they start, find this checkout first.
export LUA_PATH := $(CURDIR)/lua/?.lua;$(or $(LUA_PATH),;)
export LUA_CPATH := $(abspath $(MODULE_DIR))/?.so;$(or $(LUA_CPATH),;)
export CC LUA ABI PKG_CONFIG LUA_INCDIR BUSTED SPEC
export C_TESTS = $(c_tests)
# With these a test makes more of what is being tested.
export BUILD_VARIABLES = $(call build_variables,$(BUILD),$(ASSERTIONS))
build_variables = BUILD='$(1)' ASSERTIONS='$(2)' SYS='$(SYS)' LUA='$(LUA)' ABI='$(ABI)' \
  CC='$(CC)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)'
# The interpreter that the specs start for child scripts.
export CHILD_PROCESS_LUA = $(LUA)

# The targets that set up first start over in a second make, which then finds what was installed.
# (`$(MAKE)` stands in each recipe itself: only there does make pass its job slots on.)
again := --no-print-directory

# What sets up, or removes, is done one after the other: `make -j2 demo test`. The second make
# builds in parallel.
ifneq ($(filter-out test-c,$(filter setup% demo test% lint fuzz bench% clean,$(MAKECMDGOALS))),)
.NOTPARALLEL:
endif

.DELETE_ON_ERROR:

.PHONY: build
build: $(module) ## build the module in this checkout (default)

.PHONY: static
static: $(library) ## build the static library, for programs in C

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(firstword $(MAKEFILE_LIST)) \
	  | while IFS='	' read -r target text; do printf '%-16s %s\n' "$$target" "$$text"; done

.PHONY: types
types: ## write types of the module into build/types: an addon for LuaLS, declarations for Teal
	@$(LUA) scripts/types/addon.lua build/types/luals/child_process
	@$(LUA) scripts/types/teal.lua build/types/teal
	@echo "  WRITE build/types/luals/child_process and build/types/teal"

.PHONY: env
env: ## print the settings to use the module from this checkout: eval "$(make env)"
	@echo "export LUA_PATH='$(LUA_PATH)'; export LUA_CPATH='$(LUA_CPATH)'"

.PHONY: setup
setup: ## install what building needs (Debian)
	@scripts/setup.sh

.PHONY: setup-test
setup-test: ## install what building and testing need (Debian)
	@scripts/setup.sh test

.PHONY: demo
demo: setup ## set up, build, and run two examples
	@$(MAKE) $(again) build
	@$(LUA) examples/pipeline.lua
	@echo; $(LUA) examples/test_runner.lua

# The tests have a build of their own, with assertions: a user's build does without.
checked := $(BUILD)/checked
checked_tests := $(c_tests:$(BUILD)/%=$(checked)/%)
with_checked = LUA_CPATH='$(abspath $(checked))/?.so;$(LUA_CPATH)' C_TESTS='$(checked_tests)' \
  BUILD_VARIABLES="$(call build_variables,$(checked),1)"

.PHONY: checked
checked: ## build the module and the C tests with assertions, as they are tested
	@$(MAKE) $(again) ASSERTIONS=1 BUILD=$(checked) build c-tests

.PHONY: test
test: setup-test ## set up, build, and run the whole spec and the C tests
	@$(MAKE) $(again) checked
	@$(with_checked) scripts/test.sh $(RECORD) $(LUA) $(WRAPPER)

.PHONY: test-versions
test-versions: $(versions:%=test-%) ## run all tests in every Lua

.PHONY: $(versions:%=test-%)
$(versions:%=test-%): test-%:
	@scripts/test_version.sh $*

.PHONY: test-c
test-c: checked ## run the C tests alone
	@for test in $(checked_tests); do echo "$$test" && $$test || exit 1; done

.PHONY: test-fallbacks
test-fallbacks: setup-test ## run all tests without pidfds, and without vfork
	@$(MAKE) $(again) checked
	@status=0; export $(with_checked); \
	CHILD_PROCESS_NO_PIDFD=1 scripts/test.sh test-no-pidfd $(LUA) || status=1; \
	CHILD_PROCESS_NO_VFORK=1 scripts/test.sh test-no-vfork $(LUA) || status=1; \
	exit $$status

# What other systems than Linux get.
posix := SYS=posix ASSERTIONS=1 BUILD=$(BUILD)/posix

.PHONY: test-posix
test-posix: setup-test ## run all tests with the build for any POSIX system
	@$(MAKE) $(again) $(posix) build c-tests
	@$(MAKE) $(again) $(posix) run-posix

.PHONY: run-posix
run-posix:
	@CHILD_PROCESS_SPEC_SYS=posix scripts/test.sh test-posix $(LUA)

# In a process that has loaded all of the spec each collection would take as long as a test.
.PHONY: test-gc
test-gc: setup-test ## run all tests with the garbage collector always at work
	@$(MAKE) $(again) checked
	@$(with_checked) CHILD_PROCESS_SPEC_GC=1 ONE_BY_ONE=1 scripts/test.sh test-gc $(LUA)

# The interpreter is a small program of our own: the sanitizer's runtime must be in the program from
# its start, and preloading it would put it into every program that the tests start.
# Undefined behaviour traps, so that the address sanitizer reports it, too, to the same place.
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all \
  -fsanitize-undefined-trap-on-error -fno-omit-frame-pointer
asan := ASSERTIONS=1 BUILD=$(BUILD)/asan ABI=$(ABI) LUA=$(BUILD)/asan/lua \
  CFLAGS="-O1 -g $(sanitize)" LDFLAGS="$(sanitize)"

.PHONY: test-asan
test-asan: setup-test ## run all tests under the address and undefined behaviour sanitizers
	@$(MAKE) $(again) $(asan) build c-tests $(BUILD)/asan/lua
	@$(MAKE) $(again) $(asan) run-asan

.PHONY: run-asan
run-asan:
	@report="$(CURDIR)/$(BUILD)/reports/report"; \
	ASAN_OPTIONS="detect_leaks=1:exitcode=99:handle_sigill=1:log_path='$$report'" \
	REPORTS=$(BUILD)/reports CHILD_PROCESS_LUA="$(abspath $(LUA))" \
	  scripts/test.sh test-asan $(LUA)

$(BUILD)/lua: scripts/sanitized_lua.c $(BUILD)/flags
	@echo "  CC $@"
	@$(compile) $(LDFLAGS) $< -o $@ $(shell $(PKG_CONFIG) --libs $(lua_package))

# What threads do to each other: Lua states in threads of their own, children and lookups that
# threads wait for, and the tests of the core. Lua and libuv are not built for it, so it sees of
# them only what they ask of the C library. It does not look at copies of a program with threads.
tsan := ASSERTIONS=1 BUILD=$(BUILD)/tsan ABI=$(ABI) LUA=$(BUILD)/tsan/lua \
  CFLAGS="-O1 -g -fsanitize=thread" LDFLAGS="-fsanitize=thread -rdynamic"
tsan_spec := $(if $(filter file,$(origin SPEC)),spec/loop/threads_spec.lua \
  spec/net/socket_spec.lua spec/net/server_spec.lua spec/hosts/embed_spec.lua,$(SPEC))

.PHONY: test-tsan
test-tsan: setup-test ## run the tests with threads in them under the thread sanitizer
	@$(MAKE) $(again) $(tsan) build c-tests $(BUILD)/tsan/lua
	@$(MAKE) $(again) $(tsan) SPEC="$(tsan_spec)" run-tsan

.PHONY: run-tsan
run-tsan:
	@TSAN_OPTIONS="exitcode=99:die_after_fork=0:log_path='$(CURDIR)/$(BUILD)/reports/report'" \
	REPORTS=$(BUILD)/reports CHILD_PROCESS_LUA="$(abspath $(LUA))" \
	  scripts/test.sh test-tsan $(LUA)

# Valgrind knows neither pidfds nor the way in which the fast path makes a process. So these are also
# the tests without both.
.PHONY: test-valgrind
test-valgrind: ## run all tests under valgrind
	@scripts/setup.sh test valgrind
	@$(MAKE) $(again) checked
	@$(with_checked) ONE_BY_ONE=1 CHILD_PROCESS_NO_PIDFD=1 CHILD_PROCESS_NO_VFORK=1 \
	  scripts/test.sh test-valgrind $(LUA) \
	  valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite \
	  --show-leak-kinds=definite --error-exitcode=99 --child-silent-after-fork=yes \
	  --trace-children=no

# libFuzzer belongs to clang. Where it cannot be had nothing is run, and that is no failure.
fuzz := CC=clang ASSERTIONS=1 BUILD=$(BUILD)/fuzz \
  CFLAGS="-O1 -g $(sanitize) -fsanitize=fuzzer-no-link" LDFLAGS="$(sanitize) -fsanitize=fuzzer"

.PHONY: fuzz
fuzz: ## feed the codec and links with arbitrary bytes under the sanitizers (for FUZZ_SECONDS)
	@if scripts/setup.sh fuzz; then \
	  $(MAKE) $(again) $(fuzz) run-fuzz; else echo "fuzz: skipped, clang has no libFuzzer"; fi

.PHONY: run-fuzz
run-fuzz: $(fuzzers)
	@scripts/fuzz.sh $(fuzzers)

.PHONY: test-stress
test-stress: setup-test ## run what takes long: thousands of calls, and what they leave
	@$(MAKE) $(again) build
	@. scripts/results.sh; results_begin test-stress; \
	for program in spec/stress/*.lua; do check "$$program" "$$LUA" "$$program"; done; \
	results_end

# The host is a program of its own in which calls fail, so that the programs that it starts know
# nothing of it. GNU's C library only: it takes that one's names.
.PHONY: test-faults
test-faults: setup ## let each system call and each allocation fail once (FAULTS_STRIDE=N: one in N)
	@$(MAKE) $(again) checked $(BUILD)/spec/faults/host
	@$(with_checked) scripts/faults.sh $(BUILD)/spec/faults/host $(checked)/child_process/core.so

.PHONY: test-bare
test-bare: ## run the demo and all tests on a bare Debian, or here without Node
	@$(with_checked) scripts/test_bare.sh

.PHONY: test-offline
test-offline: setup-test ## run all tests without network and without IPv6
	@$(MAKE) $(again) checked
	@$(with_checked) scripts/test_offline.sh $(LUA)

.PHONY: test-hosts
test-hosts: ## run the tests in Prosody, lighttpd, nginx and Neovim, which are installed first
	@scripts/setup.sh test hosts
	@scripts/nginx.sh
	@$(MAKE) $(again) checked
	@$(with_checked) SPEC=spec/hosts scripts/test.sh test-hosts $(LUA)

# What these tests need beyond that, such as root, they say when they skip.
.PHONY: test-cluster
test-cluster: setup-test ## run the tests of other hosts by ssh, sudo and Slurm, which are installed first
	@scripts/setup.sh cluster || echo "test-cluster: tests that need what is missing are skipped"
	@$(MAKE) $(again) checked
	@$(with_checked) SPEC="spec/cluster spec/host/ssh_spec.lua" scripts/test.sh test-cluster $(LUA)

.PHONY: test-platforms
test-platforms: setup-test ## run the tests on other processors, systems and kernels (PLATFORMS=...)
	@$(MAKE) $(again) checked
	@$(with_checked) scripts/test_platforms.sh $(PLATFORMS)

.PHONY: test-rock
test-rock: ## install the rock into a folder and run an example from there
	@scripts/setup.sh rock
	@scripts/test_rock.sh

.PHONY: lint
lint: ## check style, layers, and warnings of two compilers
	@scripts/setup.sh lint
	@$(MAKE) $(again) run-lint

.PHONY: run-lint
run-lint:
	@COMPILE_FLAGS="$(required) $(lua_cflags) $(UV_CFLAGS)" scripts/lint.sh

# Prints what the module is built of, for scripts/macos.sh.
.PHONY: sources
sources:
	@printf '%s\n' $(patsubst $(BUILD)/%.o,src/%.c,$(module_objects))

.PHONY: format
format: ## bring the C sources into shape
	@clang-format -i $$(find include src spec bench scripts examples -name '*.[ch]')

.PHONY: bench
bench: setup ## measure against C programs and other implementations
	@$(MAKE) $(again) build
	@$(LUA) bench/run.lua

.PHONY: bench-quick
bench-quick: setup ## the same for a look: without peers, and less of everything
	@$(MAKE) $(again) build
	@BENCH_ROUNDS=2 BENCH_SECONDS=0.06 BENCH_PEERS=none BENCH_OUTPUT=build/bench/quick \
	  $(LUA) bench/run.lua

.PHONY: bench-growth
bench-growth: setup ## measure whether a unit costs more when there are many
	@$(MAKE) $(again) build
	@$(LUA) bench/growth.lua

.PHONY: bench-memory
bench-memory: setup ## measure the memory of children, timers ..., and after much work
	@$(MAKE) $(again) build
	@$(LUA) bench/memory.lua

.PHONY: bench-peers
bench-peers: setup ## install the implementations to compare with into build/peers
	@bench/install_peers.sh

# Instructions can be counted where times cannot be judged.
.PHONY: bench-budgets
bench-budgets: setup ## compare counts of instructions and allocations with the budgets (RENEW=1: write them)
	@if scripts/setup.sh valgrind; then $(MAKE) $(again) run-budgets; \
	  else echo "bench-budgets: skipped, there is no valgrind"; fi

.PHONY: run-budgets
run-budgets: build $(BUILD)/bench/counter
	@$(MAKE) -s -C bench ../build/bench/tiny
	@CFLAGS='$(CFLAGS)' scripts/budgets.sh $(BUILD)/bench/counter

.PHONY: install
install: install-module install-library ## install into $(DESTDIR)$(PREFIX)

.PHONY: install-module
install-module: build ## install the module without the library for C programs
	@echo "  INSTALL $(words $(lua_files)) files into $(DESTDIR)$(LUADIR)"
	@mkdir -p $(lua_folders:%="$(DESTDIR)$(LUADIR)/%") "$(DESTDIR)$(LIBDIR)/child_process"
	@for file in $(lua_files); do \
	  install -m 644 "lua/$$file" "$(DESTDIR)$(LUADIR)/$$file" || exit 1; done
	@echo "  INSTALL child_process/core.so into $(DESTDIR)$(LIBDIR)"
	@install -m 755 $(module) "$(DESTDIR)$(LIBDIR)/child_process/core.so"

.PHONY: install-library
install-library: static
	@echo "  INSTALL libchild_process.a into $(DESTDIR)$(LIBDIR)"
	@mkdir -p "$(DESTDIR)$(LIBDIR)/child_process" "$(DESTDIR)$(INCLUDEDIR)" "$(DESTDIR)$(PKGCONFIGDIR)"
	@install -m 644 $(library) "$(DESTDIR)$(LIBDIR)/child_process/libchild_process.a"
	@install -m 644 include/child_process.h "$(DESTDIR)$(INCLUDEDIR)/child_process.h"
	@echo "  INSTALL $(pc_files) into $(DESTDIR)$(PKGCONFIGDIR)"
	@for file in $(pc_files); do \
	  sed $(pc_values) include/child_process.pc.in >"$(DESTDIR)$(PKGCONFIGDIR)/$$file" || exit 1; done

.PHONY: uninstall
uninstall: ## remove what install has put there
	@folder="$(DESTDIR)$(PKGCONFIGDIR)"; own="$$folder/$(lastword $(pc_files))"; \
	if cmp -s "$$own" "$$folder/child_process.pc"; then rm -f "$$folder/child_process.pc"; fi; \
	rm -f "$$own"; \
	ls "$$folder"/child_process-*.pc >/dev/null 2>&1 \
	  || rm -f "$(DESTDIR)$(INCLUDEDIR)/child_process.h"
	@if grep -qsxF 'libdir=$(call in_prefix,$(LIBDIR)/child_process)' \
	  "$(DESTDIR)$(PKGCONFIGDIR)"/child_process-*.pc; then \
	  echo "  KEEP child_process in $(DESTDIR)$(LUADIR) and $(DESTDIR)$(LIBDIR) for another Lua"; \
	  exit; \
	fi; \
	echo "  REMOVE child_process from $(DESTDIR)$(LUADIR) and $(DESTDIR)$(LIBDIR)"; \
	rm -f $(lua_files:%="$(DESTDIR)$(LUADIR)/%") "$(DESTDIR)$(LIBDIR)/child_process/core.so" \
	  "$(DESTDIR)$(LIBDIR)/child_process/libchild_process.a" || exit; \
	rmdir $(lua_folders:%="$(DESTDIR)$(LUADIR)/%") "$(DESTDIR)$(LUADIR)/child_process" \
	  "$(DESTDIR)$(LIBDIR)/child_process" 2>/dev/null || true

.PHONY: clean
clean: ## remove everything that was built
	@rm -rf build

.PHONY: c-tests
c-tests: $(c_tests)
	@:

$(module): $(module_objects)
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $(link_module) $(CFLAGS) $(LDFLAGS) $^ -o $@ $(UV_LIBS)

# One object, in which only what child_process.h declares is visible: our names cannot meet the
# program's. On i386 the compiler puts small functions into groups, of which the linker keeps one of
# each name; ours would be lost.
$(library): $(module_objects)
	@echo "  AR $@"
	@rm -f $@
	@$(CC) -nostdlib -r $(if $(filter Darwin,$(system)),,-Wl,--force-group-allocation) $^ \
	  -o $(BUILD)/child_process.o
	@$(if $(filter Darwin,$(system)),,$(OBJCOPY) --localize-hidden $(BUILD)/child_process.o)
	@$(AR) -rcs $@ $(BUILD)/child_process.o

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

$(BUILD)/spec/faults/host: $(wildcard spec/faults/*.[ch]) $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(compile) -Wno-pedantic -fvisibility=default -rdynamic $(LDFLAGS) $(filter %.c,$^) -o $@ \
	  $(UV_LIBS) $(shell $(PKG_CONFIG) --libs $(lua_package)) -ldl

$(BUILD)/bench/counter: bench/budgets/counter.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(compile) -fvisibility=default -rdynamic $(LDFLAGS) $< -o $@ \
	  $(shell $(PKG_CONFIG) --libs $(lua_package))

# Written anew only when a flag has changed, and then everything is made again.
$(BUILD)/flags: always | found
	@mkdir -p $(@D)
	@echo '$(SYS) $(compile) $(LDFLAGS) $(UV_LIBS)' | cmp -s - $@ \
	  || echo '$(SYS) $(compile) $(LDFLAGS) $(UV_LIBS)' >$@

.PHONY: always
always:

.PHONY: found
found:
	@[ -n "$(LUA_INCDIR)$(lua_package)" -a -n "$(UV_LIBS)" ] || command -v $(PKG_CONFIG) >/dev/null || { \
	  echo "$(PKG_CONFIG) was not found: install pkg-config (or set LUA_INCDIR, UV_CFLAGS and UV_LIBS)" >&2; \
	  exit 1; }
	@[ -n "$(LUA_INCDIR)$(lua_package)" ] || { \
	  echo "the headers of $(LUA) were not found: install Lua's development package (or set LUA_INCDIR)" >&2; \
	  exit 1; }
	@[ -n "$(UV_LIBS)" ] || { \
	  echo "libuv was not found: install libuv1-dev (or set UV_CFLAGS and UV_LIBS)" >&2; exit 1; }

-include $(module_objects:.o=.d) $(addsuffix .d,$(c_tests) $(fuzzers))
