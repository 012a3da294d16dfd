# `make help` lists the targets.  BUILD=mode picks the build, BUILDROOT its folder, V=1 shows commands.

BUILD     ?= release
BUILDROOT ?= build
PREFIX    ?= /usr/local
JOBS      ?= $(shell nproc 2>/dev/null || echo 2)
EXAMPLE   ?= $(firstword $(wildcard docs/examples/chat.mote docs/examples/*.mote))
T         ?=
SEEDS     ?= 3
SECS      ?= 60
SHELL     := /bin/bash -o pipefail
.DELETE_ON_ERROR .SECONDARY:
.DEFAULT_GOAL := all

# Coverage and fuzzing need clang (which minds NULL + 0; the next C allows it).
ifneq ($(filter cov fuzz,$(BUILD)),)
CC := clang
else ifeq ($(origin CC),default)
CC := gcc
endif
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null | head -n 1))

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
  -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough -Wdouble-promotion -Wconversion \
  -Wno-sign-conversion
ifeq ($(IS_CLANG),)
WARN += -Wold-style-definition -Wlogical-op -Wduplicated-cond -Wduplicated-branches \
  -Wjump-misses-init -Wstrict-aliasing=2
else
WARN += -Wcomma -Wassign-enum -Wunreachable-code-aggressive -Wmissing-variable-declarations \
  -Wthread-safety
endif
WARN += $(if $(WERROR),-Werror)

CHECKED := -DMOTE_DEBUG -DMOTE_SWITCH_DISPATCH -fno-omit-frame-pointer
UBSAN   := -fsanitize=undefined -fno-sanitize-recover=all
MODE_release := -O2 -DNDEBUG
MODE_debug   := -Og $(CHECKED)
MODE_asan    := -O1 $(CHECKED) -DMOTE_ASAN -fsanitize=address $(UBSAN)
MODE_tsan    := -O1 $(CHECKED) -DMOTE_TSAN -fsanitize=thread
MODE_stress  := -O1 $(CHECKED) -DMOTE_STRESS
MODE_cov     := -O1 -DMOTE_DEBUG -DMOTE_COV -fprofile-instr-generate -fcoverage-mapping
MODE_fuzz    := -O1 $(CHECKED) -DMOTE_ASAN -DMOTE_FUZZ -fsanitize=fuzzer-no-link,address $(UBSAN) -fno-sanitize=pointer-overflow
ifeq ($(MODE_$(BUILD)),)
$(error BUILD is one of release debug asan tsan stress cov fuzz)
endif
# How many times smaller the tests' sizes are, and longer their time limits.
SLOW := $(or $(patsubst $(BUILD)=%,%,$(filter $(BUILD)=%,asan=10 tsan=20 stress=100 debug=4 cov=10)),1)
# The thread sanitizer wants threads, whatever the machine has.
RUN_FLAGS_tsan := --flag --schedulers --flag 4

D   := $(BUILDROOT)/$(BUILD)
GEN := $(BUILDROOT)/gen
PKGS := gmp libuv zlib libutf8proc libmd libpcre2-8
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CPPFLAGS_ALL = -I. -I$(GEN) -D_GNU_SOURCE $(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL   = -std=c11 -g -fno-common -fvisibility=hidden -pthread $(MODE_$(BUILD)) $(CFLAGS)
LDFLAGS_ALL  = -pthread -Wl,--gc-sections $(filter -fsanitize% -fprofile%,$(MODE_$(BUILD))) $(LDFLAGS)
LIBS := $(PKG_LIBS) -lm -ldl
# The release executable carries its libraries and jemalloc inside.
ifeq ($(BUILD),release)
CFLAGS_ALL += -ffunction-sections -fdata-sections
LIBDIR := /usr/lib/$(shell $(CC) -print-multiarch)
LIBS := $(foreach l,$(filter-out -lpthread -ldl -lrt,$(PKG_LIBS)),$(or $(firstword \
  $(wildcard $(LIBDIR)/lib$(l:-l%=%).a $(LIBDIR)/lib$(l:-l%=%)_a.a)),$(l))) -lm -ldl
ALLOCATOR := $(wildcard $(LIBDIR)/libjemalloc.a)
endif

PROGRAMS := vm/mote.c compiler/motec.c
VM_SRC   := $(filter-out $(PROGRAMS),$(wildcard vm/*.c vm/*/*.c))
COMP_SRC := $(filter-out $(PROGRAMS),$(wildcard compiler/*.c compiler/*/*.c))
LEX      := $(wildcard compiler/*/*.re)
GRAMMAR  := $(wildcard compiler/*/*.y)
GEN_SRC  := $(LEX:%.re=$(GEN)/%.c) $(GRAMMAR:%.y=$(GEN)/%.c)
STDLIB   := $(sort $(shell find stdlib -name '*.mote' 2>/dev/null))
UNIT_SRC := $(filter $(if $(T),tests/unit/test_$(T)%,%),$(wildcard tests/unit/test_*.c))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
C_FILES  := $(wildcard vm/*.[ch] vm/*/*.[ch] compiler/*.[ch] compiler/*/*.[ch] tests/*.[ch] \
  tests/unit/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch] docs/*.c)
VM_OBJ   := $(VM_SRC:%.c=$(D)/obj/%.o)
COMP_OBJ := $(COMP_SRC:%.c=$(D)/obj/%.o) $(GEN_SRC:$(GEN)/%.c=$(D)/obj/gen/%.o)
UNITS    := $(UNIT_SRC:tests/unit/%.c=$(D)/unit/%)
TEST_DIRS := $(wildcard tests/lang tests/stdlib tests/actor tests/regress tests/oracle tests/golden docs/examples)
RUNNER   := $(BUILDROOT)/tools/runner
TABLES   := $(BUILDROOT)/tools/tables
RUN       = $(RUNNER) --mote $(D)/mote --jobs $(JOBS) --slow $(SLOW) --seeds $(SEEDS) $(RUN_FLAGS_$(BUILD)) \
  $(if $(T),--filter '$(T)')

ifeq ($(V),)
Q := @
say = @printf '%-5s %s\n' '$(1)' '$(2:$(BUILDROOT)/%=%)';
endif
# LENIENT=1 leaves out what does not compile, so that a half-finished tree can be worked on.
all: $(D)/mote ## build the mote command

$(D)/obj/%.o: %.c
	$(call say,CC,$<)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARN) -MMD -MP -c $< -o $@ $(if $(LENIENT),|| rm -f $@)
$(D)/obj/gen/%.o: $(GEN)/%.c
	$(call say,CC,$<)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -Wall -Wno-unused-variable -MMD -MP -c $< -o $@ $(if $(LENIENT),|| rm -f $@)
# One jump per instruction, and its five locals in registers: gcc would merge the one and pack the others.
ifeq ($(IS_CLANG),)
$(D)/obj/vm/interp/interp.o: CFLAGS_ALL += -fno-gcse -fno-crossjumping -fno-tree-vectorize
endif
$(COMP_OBJ) $(D)/obj/compiler/motec.o $(UNITS:$(D)/unit/%=$(D)/obj/tests/unit/%.o): | $(GEN_SRC)

%.c: %.y
$(GEN)/%.c: %.re
	$(call say,RE2C,$<)mkdir -p $(@D)
	$(Q)re2c -W -Werror --no-debug-info -o $@ $<
# lemon names its token file after the grammar; `_tokens` keeps it apart from our own header.
$(GEN)/%.c: %.y
	$(call say,LEMON,$<)mkdir -p $(@D)
	$(Q)lemon -q -d$(@D) $<
	$(Q)if [ -f $(@:.c=.h) ]; then mv $(@:.c=.h) $(@:.c=_tokens.h); fi

$(D)/libmote.a: $(VM_OBJ)
$(D)/libmotec.a: $(COMP_OBJ)
$(D)/libmote.a $(D)/libmotec.a:
	$(call say,AR,$@)rm -f $@
	$(Q)$(AR) qcs $@ $(if $(LENIENT),$$(ls $^ 2>/dev/null),$^)

$(D)/motec: $(D)/obj/compiler/motec.o $(D)/libmotec.a $(D)/libmote.a
	$(call say,LINK,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
# The module files of the library.  The stamp is newer than all of them.
$(D)/lib/.stamp: $(STDLIB) $(D)/motec
	$(call say,MOTEC,stdlib)mkdir -p $(@D) && rm -f $(@D)/*.mob
	$(Q)$(D)/motec -o $(@D) $(STDLIB) $(if $(LENIENT),|| true)
	$(Q)touch $@
# One archive inside the executable: "MOTEARC1", u32 count, then for each module u32 length and
# bytes of its name, u32 size, padding to 8 bytes, the module file; little-endian.
$(D)/archive.s: $(D)/lib/.stamp Makefile
	$(Q){ cd $(D)/lib; printf '.section .rodata\n.balign 16\n.globl archive_bytes, archive_bytes_end\n'; \
	  printf '.hidden archive_bytes, archive_bytes_end\narchive_bytes:\n.ascii "MOTEARC1"\n'; \
	  set -- *.mob; [ -e "$$1" ] || set --; printf '.long %d\n' $$#; for f; do n=$${f%.mob}; \
	  printf '.long %d\n.ascii "%s"\n.long 2f-1f\n.balign 8\n1: .incbin "%s"\n2:\n' $${#n} $$n $(D)/lib/$$f; done; \
	  printf 'archive_bytes_end:\n.section .note.GNU-stack,"",@progbits\n'; } > $@
$(D)/archive.o: $(D)/archive.s
	$(call say,AS,$<)$(CC) -c $< -o $@
$(D)/mote: $(D)/obj/vm/mote.o $(D)/archive.o $(D)/libmotec.a $(D)/libmote.a
	$(call say,LINK,$@)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(D)/libmotec.a $(D)/libmote.a \
	  $(ALLOCATOR) $(LIBS)

$(D)/unit/%: $(D)/obj/tests/unit/%.o $(D)/libmotec.a $(D)/libmote.a
	$(call say,LINK,$@)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
$(RUNNER): $(wildcard tests/runner*.[ch])
$(TABLES): docs/tables.c $(wildcard vm/format/*.def compiler/source/*.def)
$(RUNNER) $(TABLES): $(wildcard vm/base/*.[ch] vm/base/*.def)
	$(call say,CC,$<)mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -O1 -g $(WARN) -D_GNU_SOURCE -I. -pthread -o $@ $(filter %.c,$^)
$(D)/fuzz/%: $(D)/obj/tests/fuzz/fuzz_%.o $(D)/libmotec.a $(D)/libmote.a
	$(call say,LINK,$@)mkdir -p $(@D)
	$(Q)$(CC) -fsanitize=fuzzer $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

-include $(shell find $(D)/obj -name '*.d' 2>/dev/null)

run: deps ## install what is missing, build, run EXAMPLE=docs/examples/….mote
	$(Q)$(MAKE) --no-print-directory all && $(D)/mote $(EXAMPLE)
deps: ## install the Debian packages that are missing
	$(Q)tests/lint/deps.sh
test: deps ## build and run all tests; ends with `N passed, N failed`
	$(Q)$(MAKE) --no-print-directory test-all
build-tests: $(D)/mote $(RUNNER) $(UNITS)
test-all: build-tests
	$(Q)$(RUN) $(addprefix --unit ,$(UNITS)) $(TEST_DIRS)
test-fast: build-tests
	$(Q)$(RUN) --fast $(addprefix --unit ,$(UNITS)) $(TEST_DIRS)
test-unit unit: $(RUNNER) $(UNITS) ## unit tests; T=heap only that one
	$(Q)$(RUNNER) --jobs $(JOBS) --slow $(SLOW) $(addprefix --unit ,$(UNITS))
test-lang test-stdlib test-actor test-regress test-golden: test-%: $(D)/mote $(RUNNER) ## one folder; T=pattern picks
	$(Q)$(RUN) tests/$*
test-examples: $(D)/mote $(RUNNER) ## the programs of docs/examples
	$(Q)$(RUN) docs/examples
seeds: SEEDS := $(if $(filter 3,$(SEEDS)),200,$(SEEDS))
seeds: $(D)/mote $(RUNNER) ## actor tests under SEEDS=200 schedules each, every one twice
	$(Q)$(RUN) --only-seeds $(TEST_DIRS)
asan tsan stress: ## build that mode and run all tests in it
	$(Q)$(MAKE) --no-print-directory BUILD=$@ test-all
valgrind: ## unit and language tests under valgrind
	$(Q)$(MAKE) --no-print-directory BUILD=debug all && tests/lint/valgrind.sh $(BUILDROOT)/debug/mote $(T)
expect: ## T=name: rewrite a test's expectations from erl
	$(Q)tests/lint/expect.sh $(T)
oracle: $(D)/mote ## compare with erl, program by program
	$(Q)tests/lint/oracle.sh $(D)/mote $(T); a=$$?; tests/oracle/run.sh $(D)/mote $(T) && tests/oracle/random.sh $(D)/mote && exit $$a
golden: $(D)/mote $(RUNNER) ## rewrite the expected dumps
	$(Q)$(RUN) --rewrite tests/golden
fuzz: ## FUZZ=target SECS=60: one fuzz target
	$(Q)$(MAKE) --no-print-directory BUILD=fuzz $(BUILDROOT)/fuzz/fuzz/$(FUZZ)
	$(Q)tests/lint/fuzz.sh $(BUILDROOT)/fuzz/fuzz $(SECS) $(FUZZ)
fuzz-short: ## every fuzz target for ten seconds
	$(Q)$(MAKE) --no-print-directory BUILD=fuzz fuzzers
	$(Q)tests/lint/fuzz.sh $(BUILDROOT)/fuzz/fuzz 10 $(FUZZ_SRC:tests/fuzz/fuzz_%.c=%)
fuzzers: $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(D)/fuzz/%)
bench bench-compare: $(D)/mote ## run the benchmarks; and compare with the accepted numbers
	$(Q)tests/bench/run.sh $(if $(filter %compare,$@),--compare) $(D)/mote $(T)
	$(Q)$(if $(T),,tests/bench/scaling.sh $(D)/mote)
cov: ## coverage report; fails below 85 % of lines or with a table row that never ran
	$(Q)$(MAKE) --no-print-directory BUILD=cov all $(RUNNER) && tests/lint/cov.sh $(BUILDROOT)/cov $(RUNNER) $(TEST_DIRS)

check: format-check layers tables size docs-check test-fast ## the rules and the fast tests: before every commit
ci: ## what continuous checks run beyond `make test`
	$(Q)tests/lint/ci.sh
long: ## by hand before a release: ten thousand seeds, an hour of fuzzing, valgrind, coverage, benchmarks
	$(Q)$(MAKE) seeds SEEDS=10000
	$(Q)for f in $(FUZZ_SRC:tests/fuzz/fuzz_%.c=%); do $(MAKE) fuzz FUZZ=$$f SECS=400 || exit 1; done
	$(Q)$(MAKE) valgrind && $(MAKE) cov && $(MAKE) bench-compare
tidy: $(GEN_SRC) ## clang-tidy over every source
	$(Q)tests/lint/tidy.sh $(JOBS) "$(CPPFLAGS_ALL) -std=c11 -DMOTE_DEBUG" $(VM_SRC) $(COMP_SRC) $(wildcard $(PROGRAMS))
format: ## lay the sources out
	$(Q)clang-format -i $(C_FILES)
format-check: ## fail on a source that is laid out otherwise
	$(Q)clang-format --dry-run -Werror $(C_FILES)
layers tables size: ## fail on an include that points up; a row without a meaning; a file over its cap
	$(Q)tests/lint/$@.sh
bodies: $(D)/obj/vm/interp/interp.o ## fail if the machine code of an instruction's body reaches outside
	$(Q)tests/lint/bodies.sh $<
docs: $(TABLES) ## print the generated pages from the tables
	$(Q)$< docs
docs-check: $(TABLES) ## fail if they are stale or name a file that is gone
	$(Q)$< --check docs && tests/lint/docs.sh

install: all ## into PREFIX (/usr/local), under DESTDIR
	install -D -m 755 $(D)/mote $(DESTDIR)$(PREFIX)/bin/mote
uninstall: ## the reverse
	rm -f $(DESTDIR)$(PREFIX)/bin/mote
clean: ## remove all output
	rm -rf $(BUILDROOT) compile_commands.json tags
compile_commands.json: FORCE ## for editors
	$(Q)for f in $(VM_SRC) $(COMP_SRC) $(wildcard $(PROGRAMS)); do printf ',{"directory":"%s","file":"%s",' \
	  "$(CURDIR)" $$f; echo "\"command\":\"$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARN) -c $$f\"}"; \
	  done | sed '1s/,/[/; $$s/$$/]/' > $@
tags: $(C_FILES) ## for editors
	$(Q)ctags -o $@ $(C_FILES)
dist: ## the sources as an archive
	git archive --prefix=mote/ -o $(BUILDROOT)/mote.tar.gz HEAD
help: ## this list
	@sed -n 's/^\([a-zA-Z_. -]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r t d; do \
	  printf '%-22s %s\n' "$${t%%:*}" "$$d"; done

.PHONY: $(shell sed -n 's/^\([a-z][a-z. -]*\):.*\#\#.*/\1/p' Makefile) test-all test-fast build-tests fuzzers FORCE
