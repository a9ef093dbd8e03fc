# shmlog: memory-mapped append-only logs, shared with the Node package shmio.
# `make help` prints the targets (##) and the knobs (#:) from this file.

#: CC=clang              the compiler
#: CFLAGS, CPPFLAGS, LDFLAGS, LDLIBS     your flags; they come last, so they take precedence
#: V=1                   show the commands
#: WERROR=1              treat warnings as errors
#: SANITIZE=address,undefined            (or thread) build in build/asan (or build/tsan)
#: PCRE2=no              build without patterns (--grep), even if PCRE2 is installed
#: ZSTD=no               build without archives of logs, even if zstd is installed
#: NCURSES=no            build without view and top, even if ncursesw is installed
#: CURL=no               build without the program shmlog-dispatch
#: NATS=no               build without the program shmlog-relay
#: PORTABLE=1            build without futex, leases and /proc, in build/portable
#: BUILD=DIR             build there instead
#: SIZE=full             how much campaign, fuzz and bench do (small, full; bench
#:                       also quick, and huge: logs of up to 4 GiB)
#: SHMIO=PATH            the Node package for bench, where node does not find it
#: NATS_JS=PATH          the npm package nats for bench, likewise
#: ROOTS, COMMANDS, USERS, MIRROR, BASES what checks in minimal systems do, and from where
#: DEPS=no               install nothing; test with the tools that are there
#: DESTDIR=DIR, prefix=/usr/local, libdir=…      where install puts things

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY: # keep all objects
MAKEFLAGS += --no-builtin-rules
export MAKE

VERSION := $(shell sed -n 's/^.define SHMLOG_VERSION "\(.*\)"/\1/p' src/include/shmlog.h)
MAJOR := $(firstword $(subst ., ,$(VERSION)))

# Each variant has a folder of its own, so none overwrites another's objects.
empty :=
comma := ,
variant := $(if $(SANITIZE),$(if $(findstring thread,$(SANITIZE)),tsan,asan)) \
	$(if $(PORTABLE),portable)
BUILD := build$(addprefix /,$(subst $(empty) $(empty),-,$(strip $(variant))))

# ------------------------------------------------------------------- flags

# Sanitizers need the lines and no more, which compiles faster.
CFLAGS ?= $(if $(SANITIZE),-O1 -g1,-O2 -g)
# The tests' own programs spend their time in the library, and are compiled in a
# third of the time without optimization; but those that race, or are about what a
# program has inline from the header, are as a program would be.
QUICK_CFLAGS := $(if $(filter file,$(origin CFLAGS)),-O0 -g1,$(CFLAGS))
PKG_CONFIG ?= pkg-config
SANITIZERS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
COMMON := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion \
	-Wmissing-prototypes -Wvla $(if $(WERROR),-Werror) $(SANITIZERS) \
	$(if $(PORTABLE),-DSHMLOG_PORTABLE)

# A layer may include what its flags let it find, and no more.
LIBRARY := -Isrc/include -Isrc -fPIC -fvisibility=hidden -fno-semantic-interposition
$(BUILD)/src/%.o: LAYER = $(LIBRARY)
$(BUILD)/src/damage/%.o: LAYER = $(LIBRARY) -Isrc/damage
# The wings of the command line, each after those that it may see: an include
# of any other does not compile.
see = $(addprefix -Icli/,$(1))
$(BUILD)/cli/base/%.o: LAYER = $(call see,base) $(CLI_CFLAGS)
$(BUILD)/cli/bendec/%.o: LAYER = $(call see,base bendec)
$(BUILD)/cli/term/%.o: LAYER = $(call see,base term) $(CLI_CFLAGS) $(NCURSES_CFLAGS)
$(BUILD)/cli/log/%.o: LAYER = -Isrc/include $(call see,base term log) $(ZSTD_CFLAGS)
$(BUILD)/cli/frame/%.o: LAYER = -Isrc/include $(call see,base bendec term log frame)
$(BUILD)/cli/filter/%.o: LAYER = -Isrc/include \
	$(call see,base bendec term log frame filter) $(PCRE2_CFLAGS)
$(BUILD)/cli/cmd/%.o: LAYER = -Isrc/include $(call see,$(WINGS))
$(BUILD)/cli/%.o: LAYER = -Isrc/include $(call see,base term)
WINGS := base bendec term log frame filter
COMMAND_FOLDERS := $(patsubst cli/%/,%,$(wildcard cli/cmd/*/))
# A program of its own sees what commands see; its feature.mk says more.
FEATURE_FOLDERS := $(patsubst cli/%/feature.mk,%,$(wildcard cli/*/feature.mk))
$(foreach name,$(FEATURE_FOLDERS),$(eval $(BUILD)/cli/$(name)/%.o: \
	LAYER = -Isrc/include $$(call see,$$(WINGS) $(name)) -pthread $$($(name)_CFLAGS)))
$(filter-out %fast.o %concurrent.o %_race.o,$(patsubst %.c,$(BUILD)/%.o,$(wildcard \
	tests/unit/*.c tests/fault/*.c tests/interop/*.c))): CFLAGS = $(QUICK_CFLAGS)
$(BUILD)/tests/%.o: LAYER = -Isrc/include -Isrc -Isrc/damage \
	$(call see,$(WINGS) $(COMMAND_FOLDERS) $(FEATURE_FOLDERS)) -Itests/unit -pthread $(TEST_CFLAGS)

modules = $(shell $(PKG_CONFIG) $(1) 2>/dev/null)
CLI_CFLAGS := $(call modules,--cflags argtable2 libcjson)
# The static libraries where there are some: each that is loaded at start takes
# 7 % of `tail -n 10`.
archive = $(wildcard $(shell $(CC) -print-file-name=$(1) 2>/dev/null))
# Without PCRE2 all but --grep and test() of --where is built.
ifneq ($(PCRE2),no)
ifneq ($(call modules,--modversion libpcre2-8),)
PCRE2_CFLAGS := -DSHMLOG_PCRE2 $(call modules,--cflags libpcre2-8)
PCRE2_LIBS := $(or $(call archive,libpcre2-8.a),$(call modules,--libs libpcre2-8))
endif
endif
# Without zstd all but the archives of logs is built.
ifneq ($(ZSTD),no)
ifneq ($(call modules,--modversion libzstd),)
ZSTD_CFLAGS := -DSHMLOG_ZSTD $(call modules,--cflags libzstd)
ZSTD_LIBS := $(or $(call archive,libzstd.a),$(call modules,--libs libzstd))
endif
endif
# Without ncursesw all but the commands that take a whole screen is built.  Its
# module's macros would contradict those of the command line above.
ifneq ($(NCURSES),no)
ifneq ($(call modules,--modversion ncursesw),)
NCURSES_CFLAGS := -DSHMLOG_NCURSES \
	$(filter-out -D%,$(call modules,--cflags ncursesw))
NCURSES_LIBS := $(or $(and $(call archive,libtinfo.a),$(call \
	archive,libncursesw.a) $(call archive,libtinfo.a)), \
	$(call modules,--libs ncursesw))
endif
endif
# What --version says: a library has its version where pkg-config knows it, and
# those that may be left out are told of in any case.
version_of = $(addprefix $(empty) ,$(call modules,--modversion $(1)))
BUILT_WITH := argtable2$(call version_of,argtable2), \
	cJSON$(call version_of,libcjson)$(if $(PCRE2_LIBS),$(comma) \
	PCRE2$(call version_of,libpcre2-8))$(if $(ZSTD_LIBS),$(comma) \
	zstd$(call version_of,libzstd))$(if $(NCURSES_LIBS),$(comma) \
	ncursesw$(call version_of,ncursesw))
BUILT_WITHOUT := $(subst $(empty) $(empty),$(comma) ,$(strip \
	$(if $(PCRE2_LIBS),,PCRE2) $(if $(ZSTD_LIBS),,zstd) \
	$(if $(NCURSES_LIBS),,ncursesw)))
VERSION_FLAGS := -DCLI_BUILT_WITH='"$(BUILT_WITH)"' -DCLI_BUILT_WITHOUT='"$(BUILT_WITHOUT)"'
$(BUILD)/cli/term/standalone.o: LAYER += $(VERSION_FLAGS)
# Programs of their own, each built where its library is: cli/NAME/feature.mk adds
# NAME to FEATURES then, and sets NAME_CFLAGS and NAME_LIBS.
FEATURES :=
include $(wildcard cli/*/feature.mk)
CLI_LIBS := $(or $(call archive,libargtable2.a), \
	$(call modules,--libs argtable2),-largtable2) \
	$(or $(addsuffix $(empty) -lm,$(call archive,libcjson.a)), \
	$(call modules,--libs libcjson),-lcjson) $(PCRE2_LIBS) $(ZSTD_LIBS) \
	$(NCURSES_LIBS)
TEST_CFLAGS := $(call modules,--cflags cmocka)
TEST_LIBS := $(or $(call modules,--libs cmocka),-lcmocka)

ifeq ($(shell uname -s),Darwin)
SHARED := -dynamiclib -Wl,-install_name,$(libdir)/libshmlog.so.$(MAJOR)
else
SHARED := -shared -Wl,-soname,libshmlog.so.$(MAJOR) \
	-Wl,--version-script=src/libshmlog.map
# All symbols at once: 3 % off `tail -n 10`, and nothing to overwrite later.
CLI_LDFLAGS := -Wl,-z,now
endif

# ------------------------------------------------------------------- files

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)))
# src/sys.h says what the library asks of the system; one set of files does it.
SYS_LINUX := $(addprefix $(BUILD)/src/,sys_attachments.o sys_linux.o sys_marks.o \
	sys_pages.o sys_proc.o)
SYS_PORTABLE := $(BUILD)/src/sys_portable.o
is_linux := $(and $(findstring linux,$(shell $(CC) -dumpmachine)),$(if $(findstring \
	-DSHMLOG_PORTABLE,$(COMMON) $(CPPFLAGS) $(CFLAGS)),,yes))
LIB_OBJECTS := $(filter-out $(if $(is_linux),$(SYS_PORTABLE),$(SYS_LINUX)), \
	$(call objects,src/*.c src/damage/*.c))
CLI_OBJECTS := $(filter-out $(foreach name,$(FEATURE_FOLDERS),$(BUILD)/cli/$(name)/%), \
	$(call objects,cli/*.c cli/*/*.c cli/*/*/*.c)) $(BUILD)/cli/cmd/completion/scripts.o
# The rooms that a program of its own shares with the command.
SHARED_OBJECTS := $(filter-out $(BUILD)/cli/main.o $(BUILD)/cli/programs.o \
	$(BUILD)/cli/cmd/%,$(CLI_OBJECTS))
# Those of a program's own that need no library: for unit tests and fuzzers.
feature_objects = $(filter-out $(if $(filter $(1),$(FEATURES)),,$($(1)_LIBRARY_OBJECTS)), \
	$(filter-out %_main.o,$(call objects,cli/$(1)/*.c)))
FEATURE_ARCHIVES := $(foreach name,$(FEATURE_FOLDERS),$(BUILD)/cli/$(name).a)
FEATURE_PROGRAMS := $(addprefix $(BUILD)/shmlog-,$(FEATURES))
UNIT_TESTS := $(basename $(call objects,tests/unit/test_*.c))
UNIT_SUPPORT := $(filter-out $(UNIT_TESTS:=.o),$(call objects,tests/unit/*.c))
# Programs that tests run, or that run tests: a peer, a killer, a measure.
PROGRAMS := $(basename $(call objects,$(addprefix tests/,interop/*.c fault/*.c bench/*.c runner/*.c)))
FUZZERS := $(basename $(call objects,tests/fuzz/fuzz_*.c))
FUZZ_SUPPORT := $(filter-out $(FUZZERS:=.o) %/replay.o,$(call objects,tests/fuzz/*.c))

## all: build the commands and both libraries, in build/ (the default)
all: $(BUILD)/shmlog $(FEATURE_PROGRAMS) $(BUILD)/libshmlog.a $(BUILD)/libshmlog.so

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $@)

$(BUILD)/%.o: %.c $(BUILD)/.build-flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(COMMON) $(LAYER) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The scripts that `shmlog completion` prints, in a C file.
SCRIPTS := $(wildcard cli/cmd/completion/shmlog.*sh)
$(BUILD)/cli/cmd/completion/scripts.c: $(SCRIPTS)
	@mkdir -p $(@D)
	@for script in $^; do printf 'const char cli_script_%s[] =\n' "$${script##*.}" && \
		sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' "$$script" && echo ';'; done >$@
$(BUILD)/cli/cmd/completion/scripts.o: $(BUILD)/cli/cmd/completion/scripts.c \
		$(BUILD)/.build-flags
	$(call say,CC)
	$(Q)$(CC) $(COMMON) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/libshmlog.a: $(LIB_OBJECTS)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libshmlog.so: $(LIB_OBJECTS) src/libshmlog.map
	$(call say,LD)
	$(Q)$(CC) $(COMMON) $(SHARED) $(CFLAGS) -o $@ $(LIB_OBJECTS) $(LDFLAGS) $(LDLIBS)

$(BUILD)/shmlog: $(CLI_OBJECTS) $(BUILD)/libshmlog.a
	$(call say,LD)
	$(Q)$(CC) $(COMMON) $(CFLAGS) $(CLI_LDFLAGS) -o $@ $^ $(LDFLAGS) $(CLI_LIBS) $(LDLIBS)

$(foreach name,$(FEATURE_FOLDERS),$(eval $(BUILD)/cli/$(name).a: \
	$(call feature_objects,$(name))))
$(FEATURE_ARCHIVES):
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FEATURE_PROGRAMS): $(BUILD)/shmlog-%: $(BUILD)/cli/%.a $(SHARED_OBJECTS) \
		$(BUILD)/libshmlog.a
	$(call say,LD)
	$(Q)$(CC) $(COMMON) $(CFLAGS) -pthread -o $@ $(filter %.o,$^) $(BUILD)/cli/$*.a \
		$(BUILD)/libshmlog.a $(LDFLAGS) $($*_LIBS) $(CLI_LIBS) $(LDLIBS)
$(foreach name,$(FEATURES),$(eval $(BUILD)/shmlog-$(name): $(BUILD)/cli/$(name)/$(name)_main.o))

# A unit test may look into every room but main; one of the library needs no
# room of the command line built.
$(UNIT_TESTS): %: %.o $(UNIT_SUPPORT) $(BUILD)/libshmlog.a
	$(call say,LD)
	$(Q)$(CC) $(COMMON) $(CFLAGS) -pthread -o $@ $(filter %.o,$^) \
		$(filter-out %libshmlog.a,$(filter %.a,$^)) $(BUILD)/libshmlog.a $(LDFLAGS) $(CLI_LIBS) $(TEST_LIBS) $(LDLIBS)
# One of the command line takes the few rooms that it needs from an archive.
ROOMS := $(BUILD)/cli/rooms.a
SMALL_COMMANDS := $(call objects,cli/cmd/*.c cli/cmd/bench/*.c)
$(basename $(call objects,tests/unit/test_cli_*.c)): $(ROOMS)
# This one has the options of every command.
$(BUILD)/tests/unit/test_cli_hints: $(SMALL_COMMANDS)
$(ROOMS): $(filter-out $(BUILD)/cli/main.o $(SMALL_COMMANDS),$(CLI_OBJECTS))
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) qcs $@ $^ # q: two objects may have one name

# A unit test or a fuzzer of a program of its own takes its rooms from an archive.
$(foreach name,$(FEATURE_FOLDERS),$(eval $(basename $(call objects, \
	tests/unit/test_$(name)_*.c)): $(BUILD)/cli/$(name).a $(ROOMS)))

$(PROGRAMS): %: %.o $(BUILD)/libshmlog.a
	$(call say,LD)
	$(Q)$(CC) $(COMMON) $(CFLAGS) -pthread -o $@ $^ $(LDFLAGS) $(LDLIBS)

# Programs of campaigns that differ in one object, which comes before the archive
# whose own is not taken then: an appender that keeps the lock from its first
# commit on, and a relay that sends messages without saying behind which one they
# belong, to show what this is for.
EAGER := $(BUILD)/tests/fault/eager
EAGER_PROGRAMS := $(addprefix $(EAGER)/,shmlog power_cut record_kill rotate_race)
$(EAGER)/lock_cache.o: LAYER = $(LIBRARY) -DSHMLOG_TEST_KEEP_AT_ONCE
$(EAGER)/lock_cache.o: src/lock_cache.c
UNCHAINED := $(BUILD)/tests/fault/relay_unchained
$(UNCHAINED).o: LAYER = -Isrc/include $(call see,$(WINGS) relay) -pthread $(relay_CFLAGS) \
	-DSHMLOG_TEST_UNCHAINED
$(UNCHAINED).o: cli/relay/engine_jetstream.c
$(EAGER)/lock_cache.o $(UNCHAINED).o: $(BUILD)/.build-flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(COMMON) $(LAYER) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $(filter %.c,$^)

$(EAGER)/shmlog: $(CLI_OBJECTS)
$(filter-out %/shmlog,$(EAGER_PROGRAMS)): $(EAGER)/%: $(BUILD)/tests/fault/%.o
$(EAGER_PROGRAMS): $(EAGER)/lock_cache.o $(BUILD)/libshmlog.a
	$(call say,LD)
	$(Q)$(CC) $(COMMON) $(CFLAGS) -pthread -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		$(LDFLAGS) $(CLI_LIBS) $(LDLIBS)
$(UNCHAINED): $(UNCHAINED).o $(BUILD)/cli/relay/relay_main.o $(BUILD)/cli/relay.a \
		$(SHARED_OBJECTS) $(BUILD)/libshmlog.a
	$(call say,LD)
	$(Q)$(CC) $(COMMON) $(CFLAGS) -pthread -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		$(LDFLAGS) $(relay_LIBS) $(CLI_LIBS) $(LDLIBS)

# The stub of a model's server reads JSON, and speaks TLS where OpenSSL is.
STUB := $(BUILD)/tests/fault/model_stub
ifneq ($(call modules,--modversion openssl),)
$(STUB).o: CPPFLAGS += -DSTUB_TLS
$(STUB): LDLIBS += $(call modules,--libs openssl)
endif
$(STUB): $(addprefix $(BUILD)/cli/base/,json_check.o json_quick.o \
	json_scan.o utf8.o wide.o)

# What shmlog-dispatch is measured against, in the part of that.
ifneq ($(filter dispatch,$(FEATURES)),)
$(BUILD)/tests/bench/prompts.o: CPPFLAGS += -DBENCH_CURL $(dispatch_CFLAGS)
$(BUILD)/tests/bench/prompts: LDLIBS += $(dispatch_LIBS)
endif
$(BUILD)/tests/bench/stores: LDLIBS += -lm

# With SANITIZE=fuzzer-no-link,… a fuzzer; else a program that takes files.
FUZZ_MAIN := $(if $(findstring fuzzer,$(SANITIZE)),,$(BUILD)/tests/fuzz/replay.o)
$(FUZZERS): %: %.o $(FUZZ_SUPPORT) $(FUZZ_MAIN) \
		$(filter-out $(BUILD)/cli/main.o,$(CLI_OBJECTS)) $(FEATURE_ARCHIVES) $(BUILD)/libshmlog.a
	$(call say,LD)
	$(Q)$(CC) $(COMMON) $(CFLAGS) -pthread -Wl,--wrap=write,--wrap=malloc,--wrap=free \
		-o $@ $^ $(LDFLAGS) \
		$(if $(FUZZ_MAIN),,-fsanitize=fuzzer) $(CLI_LIBS) $(LDLIBS)

# Changed flags rebuild what they were used for; a first build looks for what
# it needs before the compiler misses it.
FLAGS := $(CC) $(COMMON) $(CPPFLAGS) $(CFLAGS) $(QUICK_CFLAGS) $(CLI_LDFLAGS) $(LDFLAGS) $(LDLIBS) $(CLI_LIBS) \
	$(PCRE2_CFLAGS) $(ZSTD_CFLAGS) $(NCURSES_CFLAGS) $(VERSION_FLAGS) \
	$(foreach name,$(FEATURES),$($(name)_CFLAGS) $($(name)_LIBS))
$(BUILD)/.build-flags: FORCE
	@echo '$(FLAGS)' | cmp -s - $@ || { .ci/deps --check build && mkdir -p $(@D) && \
		echo '$(FLAGS)' >$@; }

-include $(patsubst %.o,%.d,$(LIB_OBJECTS) $(CLI_OBJECTS) \
	$(foreach name,$(FEATURE_FOLDERS),$(call objects,cli/$(name)/*.c)) $(UNIT_SUPPORT) \
	$(UNIT_TESTS:=.o) $(PROGRAMS:=.o) $(EAGER)/lock_cache.o $(UNCHAINED).o \
	$(FUZZERS:=.o) $(FUZZ_SUPPORT) $(FUZZ_MAIN))

# ------------------------------------------------------------------- tests

## units: build the unit tests, one program each, in build/tests/unit
## programs: build these and the programs that other tests run
programs: units $(PROGRAMS) $(EAGER_PROGRAMS) $(if $(filter relay,$(FEATURES)),$(UNCHAINED))
units: $(UNIT_TESTS)
# What `make fuzz` runs; see tests/fuzz/fuzz.sh for how it is built.
fuzzers: $(FUZZERS)

## deps: install what building and testing need; does nothing when all is there
## KIND-deps: install what one KIND needs: build, test, deep (check-deep), bench, roots,
##+dist, packages
deps: test-deps
need_build := build option
need_test := build option test
need_deep := build option test deep
need_bench := build option bench
need_roots := build option roots
need_dist := dist
need_packages := build option dist packages
build-deps test-deps deep-deps bench-deps roots-deps dist-deps packages-deps:
	@[ '$(DEPS)' = no ] || .ci/deps $(need_$(@:-deps=))

## screens-renew: make the screens in the README as the commands show them now
screens-renew: test-deps
	@$(MAKE) --no-print-directory all
	@SHMLOG_BUILD=$(BUILD) tests/screens.sh --renew

## demo: build, and show shmlog at work on this machine's data
demo: build-deps
	@$(MAKE) --no-print-directory all
	@SHMLOG_BUILD=$(BUILD) tests/demo.sh

## test, check: test every behaviour once, and run the unit tests with sanitizers
## check-deep: test everything with sanitizers, valgrind, both compilers, …
## check-PART: run a part of test: unit, cli, interop, install, structure, campaigns; or
##+of check-deep: sanitize, tsan, valgrind, portable, compilers, abi, runner, fault, fuzz,
##+bench, musl
## lint: run the linters over code, scripts and manual
test check: test-deps
	@tests/check.sh test
# The parts of `make test` need no more than it does.
check-unit check-cli check-interop check-install check-structure check-campaigns: \
check-%: test-deps
	@tests/check.sh $*
check-%: deep-deps
	@tests/check.sh $*
lint: deep-deps
	@tests/check.sh lint

## abi-renew: make the library's interface the one that later ones may not break
abi-renew:
	@tests/abi/renew.sh

## check-roots: run demo and test in minimal Debian systems, as root and as a user; see
##+tests/roots/roots.sh for its ROOTS, COMMANDS and USERS (needs root)
check-roots: roots-deps
	@tests/roots/roots.sh

## check-arm64: build for arm64 in a minimal Debian system and test it by emulation; see
##+tests/roots/arm64.sh for its ROOTS (needs root)
check-arm64: roots-deps
	@tests/roots/arm64.sh

## campaign: run the fault tests (kills, faults, races) with SIZE=full
## campaign-NAME: run one of them, tests/fault/NAME.sh
## fuzz: fuzz every parser of untrusted bytes, and the output formats
## fuzz-NAME: run one of them, tests/fuzz/fuzz_NAME.c
campaign: RUN := fault
fuzz: RUN := fuzz
campaign fuzz: deep-deps
	@$(MAKE) --no-print-directory all programs
	@[ $@ != campaign ] || $(MAKE) --no-print-directory BUILD=build/asan \
		SANITIZE=address,undefined WERROR=1 all programs
	@SIZE=$(or $(SIZE),full) SHMLOG_BUILD=$(BUILD) tests/campaign.sh tests/$(RUN)
campaign-%: deep-deps
	@SIZE=$(or $(SIZE),full) SHMLOG_BUILD=$(BUILD) tests/fault/$*.sh
fuzz-%: deep-deps
	@SIZE=$(or $(SIZE),full) ONLY=$* tests/fuzz/fuzz.sh

## bench: measure the speed against the usual tools, in eight minutes
## bench-quick: run a short version of bench, in half a minute
## bench-renew: make the last results the baseline for later comparisons
bench: bench_size := full
bench-quick: bench_size := quick
bench bench-quick: bench-deps
	@$(MAKE) --no-print-directory all $(filter $(BUILD)/tests/bench/%,$(PROGRAMS)) \
		$(if $(filter dispatch,$(FEATURES)),$(STUB))
	@SIZE=$(or $(SIZE),$(bench_size)) SHMLOG_BUILD=$(BUILD) tests/bench/bench.sh
bench-renew:
	@tests/bench/renew.sh

# ----------------------------------------------------------------- install

prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
libdir ?= $(exec_prefix)/lib
libexecdir ?= $(exec_prefix)/libexec
includedir ?= $(prefix)/include
mandir ?= $(prefix)/share/man
pkgconfigdir ?= $(libdir)/pkgconfig
# Where shells look for completions; Debian's zsh has a folder of its own for
# what packages bring.
bashcompletiondir ?= $(prefix)/share/bash-completion/completions
zshcompletiondir ?= $(prefix)/share/zsh/$(if $(filter \
	/usr,$(call hide,$(prefix))),vendor-completions,site-functions)
fishcompletiondir ?= $(prefix)/share/fish/vendor_completions.d
INSTALL ?= install

# A folder's name may hold blanks: it is one word of a list only while these are
# hidden, and quoted for the shell.
hide = $(subst $(empty) $(empty),|,$(1))
quote = $(foreach path,$(1),'$(subst ','\'',$(subst |, ,$(path)))')
# Below DESTDIR, for the shell.
to = $(call quote,$(addprefix $(call hide,$(DESTDIR)),$(1)))

PAGES := $(wildcard man/*.[0-9])
page_path = $(call hide,$(mandir))/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
LIBDIR := $(call hide,$(libdir))
# What lies below the prefix moves with it, as pkg-config can say.
below_prefix = $(patsubst $(call hide,$(prefix))/%,$${prefix}/%,$(1))
PC_PATH := $(call hide,$(pkgconfigdir))/libshmlog.pc
SHARED_NAMES := libshmlog.so libshmlog.so.$(MAJOR) libshmlog.so.$(VERSION)
# Where the command finds programs of their own; uninstall also removes those
# that another build has put there.
own_path = $(call hide,$(libexecdir))/shmlog/shmlog-$(1)
# bash and fish look by the name of the command, so the programs of their own
# have links to the script.
BASH_FOLDER := $(call hide,$(bashcompletiondir))
FISH_FOLDER := $(call hide,$(fishcompletiondir))
ZSH_SCRIPT := $(call hide,$(zshcompletiondir))/_shmlog
COMPLETION_LINKS := $(foreach name,$(FEATURE_FOLDERS), \
	$(BASH_FOLDER)/shmlog-$(name) $(FISH_FOLDER)/shmlog-$(name).fish)
COMPLETIONS := $(BASH_FOLDER)/shmlog $(ZSH_SCRIPT) $(FISH_FOLDER)/shmlog.fish \
	$(COMPLETION_LINKS)
INSTALLED := $(call hide,$(bindir))/shmlog \
	$(foreach name,$(FEATURE_FOLDERS),$(call own_path,$(name))) \
	$(call hide,$(includedir))/shmlog.h $(LIBDIR)/libshmlog.a \
	$(addprefix $(LIBDIR)/,$(SHARED_NAMES)) $(PC_PATH) \
	$(foreach page,$(PAGES),$(call page_path,$(page))) $(COMPLETIONS)

## install: install command, header, libraries, pkg-config file, manual, completion
install: all
	$(Q)$(INSTALL) -d $(call to,$(sort $(dir $(filter-out $(foreach \
		name,$(filter-out $(FEATURES),$(FEATURE_FOLDERS)),$(call own_path,$(name))), \
		$(INSTALLED)))))
	$(Q)$(INSTALL) -m 755 $(BUILD)/shmlog $(call to,$(call hide,$(bindir))/shmlog)
	$(Q)$(foreach name,$(FEATURES),$(INSTALL) -m 755 $(BUILD)/shmlog-$(name) \
		$(call to,$(call own_path,$(name))) && ):
	$(Q)$(INSTALL) -m 644 src/include/shmlog.h $(call to,$(call hide,$(includedir))/shmlog.h)
	$(Q)$(INSTALL) -m 644 $(BUILD)/libshmlog.a $(call to,$(LIBDIR)/libshmlog.a)
	$(Q)$(INSTALL) -m 755 $(BUILD)/libshmlog.so $(call to,$(LIBDIR)/libshmlog.so.$(VERSION))
	$(Q)cd $(call to,$(LIBDIR)) && ln -sf libshmlog.so.$(VERSION) libshmlog.so.$(MAJOR) && \
		ln -sf libshmlog.so.$(MAJOR) libshmlog.so
	$(Q)sed -e s'|@prefix@|'$(call quote,$(call hide,$(prefix)))'|' \
		-e s'|@libdir@|'$(call quote,$(call below_prefix,$(LIBDIR)))'|' \
		-e s'|@includedir@|'$(call quote,$(call below_prefix,$(call hide,$(includedir))))'|' \
		-e 's|@version@|$(VERSION)|' src/libshmlog.pc.in >$(BUILD)/libshmlog.pc
	$(Q)$(INSTALL) -m 644 $(BUILD)/libshmlog.pc $(call to,$(PC_PATH))
	$(Q)$(foreach page,$(PAGES),$(INSTALL) -m 644 $(page) \
		$(call to,$(call page_path,$(page))) && ):
	$(Q)$(INSTALL) -m 644 cli/cmd/completion/shmlog.bash $(call to,$(BASH_FOLDER)/shmlog)
	$(Q)$(INSTALL) -m 644 cli/cmd/completion/shmlog.zsh $(call to,$(ZSH_SCRIPT))
	$(Q)$(INSTALL) -m 644 cli/cmd/completion/shmlog.fish $(call to,$(FISH_FOLDER)/shmlog.fish)
	$(Q)$(foreach link,$(COMPLETION_LINKS),ln -sf shmlog$(suffix $(link)) \
		$(call to,$(link)) && ):
	@echo installed in $(call to,$(call hide,$(prefix)))

# Folders that are empty now go as well, the system's own excepted.
ROOM := $(or $(call hide,$(DESTDIR)),$(filter-out / /usr /usr/local,$(call hide,$(prefix))))
## uninstall: remove the installed files
uninstall:
	$(Q)rm -f $(call to,$(INSTALLED))
	$(Q)room=$(call quote,$(ROOM)); [ -z "$$room" ] || \
		for folder in $(call quote,$(sort $(dir $(INSTALLED)))); do \
		(cd "$$room" && rmdir -p "./$${folder#$(if $(DESTDIR),,"$$room")}"); \
		done 2>/dev/null; :

# ----------------------------------------------------------------- packages

## dist: make build/dist/shmlog-VERSION.tar.xz of what is committed
## deb: make the Debian packages, in build/deb/
dist: dist-deps
	@.packaging/dist.sh $(VERSION)
	@echo 'made build/dist/shmlog-$(VERSION).tar.xz'
deb: packages-deps
	@.packaging/dist.sh $(VERSION)
	@.packaging/deb.sh $(VERSION)
	@ls build/deb/*.deb

## check-dist: make, test and package what dist has made, unpacked elsewhere
## check-reproducible: make archive and packages again elsewhere, and compare the bytes
## check-packages: build, install, upgrade and purge the packages in minimal Debian
##+systems; see tests/packages/packages.sh for its ROOTS (needs root)
check-dist: test-deps packages-deps
	@tests/packages/dist.sh $(VERSION)
check-reproducible: packages-deps
	@tests/packages/reproducible.sh $(VERSION)
check-packages: roots-deps
	@tests/packages/packages.sh

## clean: remove build/
clean:
	rm -rf build

## help: print this text
help:
	@sed -n 's/^##+/  \t/p; s/^## \([^:]*\): /  \1\t/p' Makefile | expand -t 22
	@echo 'Knobs:'
	@sed -n 's/^#: /  /p' Makefile

.PHONY: all units programs fuzzers screens-renew deps build-deps test-deps deep-deps bench-deps \
	roots-deps dist-deps packages-deps demo test check check-unit check-cli check-interop \
	check-install check-structure check-campaigns check-roots check-arm64 abi-renew dist deb \
	check-dist check-reproducible check-packages \
	lint campaign fuzz bench bench-quick bench-renew install uninstall clean help FORCE
