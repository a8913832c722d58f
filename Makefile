# rcf: offline forensics for Redis Cluster and Valkey Cluster.
#
#   V=1         show the commands
#   SANITIZE=1  build with ASan and UBSan (objects in build/sanitize)
#   WERROR=1    warnings are errors (CI sets it)
#   CC=clang    another compiler
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
OPTIMISE := -O2 $(HARDEN)
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
LDLIBS_ALL = $(shell pkg-config --libs $(PACKAGES)) -lcsv -pthread

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
