# rcf: offline forensics for Redis Cluster and Valkey Cluster.
#
#   V=1         show the commands
#   SANITIZE=1  build with ASan and UBSan (objects in build/sanitize)
#   WERROR=1    warnings are errors (CI sets it)
#   CC=clang    another compiler
#   FILTER=     tests to run, such as 'plan/*' or '!(live)/*'
#   PREFIX=     where `make install` puts things (/usr/local); DESTDIR= is put before it

PREFIX ?= /usr/local
VERSION := 0.1.0
PYTHON ?= /usr/bin/python3
TEST_JOBS ?= 4

ifeq ($(origin CC),default)
CC := gcc
endif

BUILD := build/$(notdir $(CC))
WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef \
	-Wcast-qual -Wwrite-strings -Wno-missing-field-initializers
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fcf-protection
OPTIMISE := -O3 $(HARDEN)
ifdef SANITIZE
BUILD := build/sanitize-$(notdir $(CC))
OPTIMISE := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LINK_SANITIZE := -fsanitize=address,undefined
endif
ifdef WERROR
WARNINGS += -Werror
endif
ifndef V
Q := @
endif

PACKAGES := zlib liblz4 libzstd libisal libcrypto libxxhash jansson
BUILD_DEBS := gcc libc6-dev pkg-config zlib1g-dev liblz4-dev libzstd-dev libisal-dev libssl-dev libxxhash-dev libcsv-dev libjansson-dev
TEST_DEBS := clang libcriterion-dev redis-server redis-tools python3 python3-jsonschema shellcheck strace \
	gzip lz4 zstd

CFLAGS_ALL := -std=c11 -D_GNU_SOURCE -DRCF_VERSION='"$(VERSION)"' -I. -I$(BUILD) -g $(OPTIMISE) -fPIE $(WARNINGS) $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now $(LINK_SANITIZE) $(LDFLAGS)
LDLIBS_ALL = $(shell pkg-config --libs $(PACKAGES)) -lcsv -lm -pthread

PARSERS := $(wildcard parsers/*/*.c)
STEPS := $(wildcard tools/*/*.c)
COMMANDS := $(patsubst tools/%.c,%,$(wildcard tools/*.c))
PROGRAMS := $(addprefix $(BUILD)/,$(COMMANDS))
UNITS := $(wildcard tests/unit/*.c)
OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(PARSERS) $(STEPS) $(wildcard tools/*.c) $(UNITS))

.PHONY: all
all: $(PROGRAMS) ## build every command into build/

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The text of --explain is the document itself, a string literal a line.
$(BUILD)/docs/findings.inc: docs/findings.md
	@mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< > $@

$(BUILD)/tools/findings/explain.o: $(BUILD)/docs/findings.inc

$(BUILD)/libparsers.a: $(patsubst %.c,$(BUILD)/%.o,$(PARSERS))
	$(Q)rm -f $@ && ar qcs $@ $^

$(BUILD)/libtools.a: $(patsubst %.c,$(BUILD)/%.o,$(STEPS))
	$(Q)rm -f $@ && ar qcs $@ $^

$(BUILD)/rcf-%: $(BUILD)/tools/rcf-%.o $(BUILD)/libtools.a $(BUILD)/libparsers.a
	@echo "  LD    $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)

$(BUILD)/unit: $(patsubst %.c,$(BUILD)/%.o,$(UNITS)) $(BUILD)/libtools.a $(BUILD)/libparsers.a
	@echo "  LD    $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL) $(shell pkg-config --libs criterion)

.SECONDARY:
-include $(patsubst %.o,%.d,$(OBJECTS))

# ---------------------------------------------------------------- what users type

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Installs the packages in $(1) that are missing; says nothing when there is nothing to do.
define install_missing
@missing=$$(for p in $(1); do \
	dpkg-query -W -f='$${db:Status-Abbrev}' $$p 2>/dev/null | grep -q '^ii' || echo $$p; done); \
[ -z "$$missing" ] || { echo "installing" $$missing; \
	$(SUDO) apt-get -q update && \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q install -y --no-install-recommends $$missing; }
endef

.PHONY: deps deps-test
deps: ## install what the build needs (apt, with sudo when not root)
	$(call install_missing,$(BUILD_DEBS))

deps-test: deps ## install what the tests need besides (Criterion, redis-server, ...)
	$(call install_missing,$(TEST_DEBS))

.PHONY: demo
demo: deps ## build, and work the main job on a fixture: topology, findings, plan
	@$(MAKE) --no-print-directory all
	@sh tests/demo.sh $(BUILD)

.PHONY: test
test: deps-test ## build and run every test; the last lines are the runner's totals
	@$(MAKE) --no-print-directory run-tests

.PHONY: run-tests check-manifest
run-tests: all $(BUILD)/unit check-manifest
	@rm -rf $(BUILD)/sanitizer && mkdir -p $(BUILD)/sanitizer
	@RCF_BUILD=$(BUILD) PYTHON=$(PYTHON) RCF_SANITIZE=$(SANITIZE) \
	ASAN_OPTIONS=log_path=$(CURDIR)/$(BUILD)/sanitizer/asan:detect_leaks=1 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/tests/leaks.supp:print_suppressions=0 \
	UBSAN_OPTIONS=log_path=$(CURDIR)/$(BUILD)/sanitizer/ubsan:print_stacktrace=1 \
	$(BUILD)/unit --jobs $(TEST_JOBS) $(if $(FILTER),--filter '$(FILTER)'); code=$$?; \
	cd fixtures && sha256sum --check --quiet MANIFEST.sha256 || { echo "fixtures were changed by a test"; exit 1; }; \
	cd .. && for log in $(BUILD)/sanitizer/*; do [ ! -e "$$log" ] || { cat "$$log"; echo "sanitizer report: $$log"; exit 1; }; done; \
	exit $$code

check-manifest:
	@cd fixtures && sha256sum --check --quiet MANIFEST.sha256

.PHONY: check-headers
check-headers: $(patsubst %.h,$(BUILD)/%.h.ok,$(wildcard parsers/*.h parsers/*/*.h tools/*/*.h)) ## each header compiles alone
$(BUILD)/%.h.ok: %.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Wno-unused-function -x c -fsyntax-only -include $< /dev/null && touch $@

.PHONY: bench
bench: deps-test ## measure; what is printed stands in docs/performance.md
	@$(MAKE) --no-print-directory all
	@for script in tests/bench/*.sh; do echo "== $$script"; RCF_BUILD=$(BUILD) sh $$script || exit 1; done

.PHONY: fuzz
fuzz: ## build the fuzz targets with clang into build/fuzz
	@mkdir -p build/fuzz
	@for target in tests/fuzz/*.c; do name=$$(basename $$target .c); echo "  FUZZ  $$name"; \
	clang -std=c11 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	-o build/fuzz/$$name $$target $(PARSERS) $$(pkg-config --libs $(PACKAGES)) || exit 1; done

.PHONY: install uninstall
install: all ## install the commands and documents below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/rcf
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin/
	cp -R README.md docs/. $(DESTDIR)$(PREFIX)/share/doc/rcf/

uninstall: ## remove what install has put there
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(COMMANDS))
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/rcf

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile
