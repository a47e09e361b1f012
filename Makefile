# One Makefile, no recursion except for variants. V=1 shows commands, WERROR=1 is for CI.
MAKEFLAGS += -rR
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/bash

# -R drops the built-in CC and AR: "default" here, "undefined" in a sub-make.
ifneq (,$(filter default undefined,$(origin CC)))
CC := gcc
endif
ifneq (,$(filter default undefined,$(origin AR)))
AR := gcc-ar
endif
VARIANT ?= release
O       := build/$(VARIANT)
Q       := $(if $(V),,@)
ARCH    := $(shell $(CC) -dumpmachine 2>/dev/null)
VERSION := 0.1.0
PYTHON  ?= /usr/bin/python3

CSTD := -std=gnu17 -D_GNU_SOURCE -DWGMESH_VERSION='"$(VERSION)"'
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Warith-conversion \
	-Wformat=2 -Wformat-overflow=2 -Wformat-truncation=2 -Wformat-signedness -Wundef -Wvla \
	-Walloca -Wcast-qual -Wcast-align=strict -Wpointer-arith -Wwrite-strings \
	-Wstrict-prototypes -Wold-style-definition -Wmissing-prototypes -Wredundant-decls \
	-Wswitch-enum -Wimplicit-fallthrough=5 -Wduplicated-cond -Wduplicated-branches \
	-Wlogical-op -Wnull-dereference -Wjump-misses-init -Wunused-macros -Wbidi-chars=any \
	-Wtrampolines -Wstack-usage=65536 $(if $(WERROR),-Werror)
BASE := -g -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-common -fPIE \
	-fvisibility=hidden -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=.
HARD := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr \
	-fno-strict-overflow $(if $(filter x86_64-%,$(ARCH)),-fcf-protection=full) \
	$(if $(filter aarch64-%,$(ARCH)),-mbranch-protection=standard)
comma := ,
LINK := -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code \
	$(if $(filter asan,$(VARIANT)),,-Wl$(comma)-z$(comma)defs) -Wl,--as-needed -Wl,--gc-sections

# Sanitizers see less with HARD: -fno-strict-overflow silences the overflow check, and
# -ftrivial-auto-var-init hides uninitialised reads.
opt-release := -O2 $(HARD)
opt-asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
opt-cov     := -O0 --coverage
ALL_CFLAGS   = $(CSTD) $(WARN) $(BASE) $(opt-$(VARIANT)) -I. $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS  = $(opt-$(VARIANT)) $(LINK) $(LDFLAGS)

COMMON_SRC := common/caps.c common/err.c common/io.c common/log.c common/settings.c \
	common/statefile.c common/str.c
INIT_SRC   :=
DAEMON_SRC := daemon/addr.c daemon/adminlink.c daemon/announce.c daemon/announce_json.c \
	daemon/clock.c daemon/config.c daemon/config_secret.c daemon/crypto.c daemon/derive.c \
	daemon/endpoint.c daemon/envelope.c daemon/identity.c daemon/identity_store.c \
	daemon/json.c daemon/netadmin.c daemon/netadmin_client.c daemon/netadmin_setup.c \
	daemon/netadmin_wire.c daemon/node.c daemon/node_peers.c daemon/node_self.c \
	daemon/peercache.c daemon/peers.c daemon/pong.c daemon/ratelimit.c daemon/reconcile.c \
	daemon/routes.c daemon/rpc.c daemon/rpc_server.c daemon/snapshot.c \
	daemon/cli/call.c daemon/cli/cli.c daemon/cli/decode.c daemon/cli/down.c \
	daemon/cli/init.c daemon/cli/join.c daemon/cli/peers.c daemon/cli/state.c \
	daemon/cli/status.c \
	daemon/discovery/discovery.c daemon/discovery/exchange.c daemon/discovery/lan.c \
	daemon/net/growbuf.c daemon/net/nlmsg.c daemon/net/nlsock.c daemon/net/rtnl.c \
	daemon/net/rtnl_msg.c daemon/net/udp.c \
	daemon/wg/genl.c daemon/wg/kernel.c daemon/wg/key.c daemon/wg/spawn.c daemon/wg/uapi.c \
	daemon/wg/userspace.c daemon/wg/wg.c
COMMON_UNITS := tests/unit/test_settings.c
INIT_UNITS   :=
DAEMON_UNITS := tests/unit/test_config.c tests/unit/test_exchange.c tests/unit/test_netadmin_wire.c \
	tests/unit/test_peers.c tests/unit/test_pong.c tests/unit/test_ratelimit.c \
	tests/unit/test_reconcile.c tests/unit/test_routes.c tests/unit/test_rpc.c \
	tests/unit/test_rpc_server.c tests/unit/test_udp.c

INIT_LIBS   := -lcap
DAEMON_LIBS := -levent_core -ljansson -lmnl -lsodium -lnettle -lcap
obj          = $(1:%.c=$(O)/%.o)
SOURCES     := $(COMMON_SRC) $(INIT_SRC) $(DAEMON_SRC)
UNIT_SRC    := $(COMMON_UNITS) $(INIT_UNITS) $(DAEMON_UNITS)
HEADERS      = $(shell find common init daemon tests/unit -name '*.h')
UNITS       := $(UNIT_SRC:tests/unit/%.c=$(O)/unit/%)

.PHONY: all units
all: build/wgmesh-init build/wgmesh ## build both programs

build/wgmesh-init: $(O)/wgmesh-init
	$(Q)ln -sf $(VARIANT)/wgmesh-init $@
build/wgmesh: $(O)/wgmesh
	$(Q)ln -sf $(VARIANT)/wgmesh $@

# The static form needs no loader and no library: one file for any image. Sanitizers need both.
$(O)/wgmesh-init: $(call obj,init/main.c) $(O)/libinit.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(if $(filter asan,$(VARIANT)),-pie,-static-pie) $^ $(INIT_LIBS) -o $@
$(O)/wgmesh: $(call obj,daemon/main.c) $(O)/libdaemon.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -pie $^ $(DAEMON_LIBS) -o $@

$(O)/libcommon.a: $(call obj,$(COMMON_SRC))
$(O)/libinit.a: $(call obj,$(INIT_SRC))
$(O)/libdaemon.a: $(call obj,$(DAEMON_SRC))
$(O)/lib%.a:
	@mkdir -p $(@D); echo "  AR   $@"; rm -f $@
	$(Q)$(AR) rcsD $@ $^

$(COMMON_UNITS:tests/unit/%.c=$(O)/unit/%): $(O)/unit/%: $(O)/tests/unit/%.o $(O)/libcommon.a
	@mkdir -p $(@D); echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -pie $^ -lcmocka -lcap -o $@
$(INIT_UNITS:tests/unit/%.c=$(O)/unit/%): $(O)/unit/%: $(O)/tests/unit/%.o $(O)/libinit.a $(O)/libcommon.a
	@mkdir -p $(@D); echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -pie $^ -lcmocka $(INIT_LIBS) -o $@
$(DAEMON_UNITS:tests/unit/%.c=$(O)/unit/%): $(O)/unit/%: $(O)/tests/unit/%.o $(O)/libdaemon.a $(O)/libcommon.a
	@mkdir -p $(@D); echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -pie $^ -lcmocka $(DAEMON_LIBS) -o $@
# Drives the WireGuard back ends from tests in a virtual machine.
$(O)/wgtool: $(O)/tests/helper/wgtool.o $(O)/libdaemon.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -pie $^ $(DAEMON_LIBS) -o $@
$(O)/%.o: %.c Makefile
	@mkdir -p $(@D); echo "  CC   $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
.SECONDARY:

units: $(UNITS) ## build and run the unit tests
	$(Q)set -e; for t in $^; do ./$$t; done

-include $(patsubst %.o,%.d,$(call obj,$(SOURCES) $(UNIT_SRC) init/main.c daemon/main.c))
