# One Makefile, no recursion except for variants. V=1 shows commands, WERROR=1 is for CI.
MAKEFLAGS += -rR
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/bash

# CROSS=aarch64-linux-gnu- builds for another machine, with Debian's compiler and libraries for it.
# -R drops the built-in CC and AR: "default" here, "undefined" in a sub-make.
ifneq (,$(filter default undefined,$(origin CC)))
CC := $(CROSS)gcc
endif
ifneq (,$(filter default undefined,$(origin AR)))
AR := $(CROSS)gcc-ar
endif
VARIANT ?= release
# STATIC=1 links the daemon, too, into one file that needs no loader and no library. Debian 12 lacks
# two of the archives that this takes; images/packages.sh has them.
O       := build/$(VARIANT)$(if $(STATIC),-static)$(if $(CROSS),-$(CROSS:%-=%))
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
	$(if $(filter asan fuzz,$(VARIANT)),,-Wl$(comma)-z$(comma)defs) -Wl,--as-needed -Wl,--gc-sections

# Sanitizers see less with HARD: -fno-strict-overflow silences the overflow check, and
# -ftrivial-auto-var-init hides uninitialised reads.
opt-release := -O2 $(HARD)
opt-asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
opt-cov     := -O0 --coverage
# The fuzz targets are clang's: "make fuzz-programs" builds them, and all they are linked with.
opt-fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ifeq ($(VARIANT),fuzz)
CC   := clang
WARN := -Wall -Wextra
endif
ALL_CFLAGS   = $(CSTD) $(WARN) $(BASE) $(opt-$(VARIANT)) -I. $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS  = $(opt-$(VARIANT)) $(LINK) $(LDFLAGS)

# PID 1 is linked with musl: it starts in half the time it takes with glibc, and is a sixth of the
# size. INIT_LIBC=glibc where there is no musl. Sanitizers, coverage and unit tests need glibc.
INIT_LIBC ?= musl
ifneq ($(VARIANT),release)
override INIT_LIBC := glibc
endif
OBJCOPY := $(shell $(CC) -print-prog-name=objcopy)
MUSL    := /usr/lib/$(ARCH:%-gnu=%-musl)
MUSL_CC ?= $(CC) -specs $(MUSL)/musl-gcc.specs
# Headers that go with any C library, which musl's specs hide together with those of glibc.
MUSL_HEADERS := $(O)/musl/include
MUSL_CFLAGS   = $(ALL_CFLAGS) -DSETTINGS_FOR_INIT -Os -fno-asynchronous-unwind-tables -isystem $(MUSL_HEADERS)
# What -static-pie means, which musl's specs do not know. C needs nothing of crtbegin.o and crtend.o.
MUSL_PIE     := -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text
MUSL_START   := $(MUSL)/rcrt1.o $(MUSL)/crti.o
MUSL_END     := $(MUSL)/crtn.o
# Debian's archive was made with glibc, and needs nothing of it that musl has not.
LIBCAP       := $(shell $(CC) -print-file-name=libcap.a)

COMMON_SRC := common/caps.c common/err.c common/events.c common/exits.c common/holder.c \
	common/io.c common/kstat.c common/log.c common/lograte.c common/marker.c common/settings.c \
	common/settings_help.c common/settings_table.c common/sink.c common/statefile.c \
	common/statusline.c common/str.c
INIT_SRC := init/boot.c init/check.c init/cli.c init/clock.c init/config.c init/env.c \
	init/health.c init/json.c init/phase_signals.c init/status.c init/termlog.c init/lock/dirlock.c \
	init/lock/keeper.c init/lock/lease.c init/lock/leasedir.c init/lock/leasetext.c init/lock/lock.c \
	init/lock/self.c init/lock/tenure.c init/process/child.c init/process/descriptors.c \
	init/process/dispositions.c init/process/filter.c init/process/mask.c init/process/netright.c \
	init/process/privileges.c init/process/program.c init/process/signame.c init/process/spawn.c \
	init/process/spawner.c init/process/tundev.c init/process/user.c init/state/denial.c \
	init/state/filecopy.c init/state/fsuser.c init/state/idmap.c init/state/journal.c \
	init/state/keyshow.c init/state/migrate.c init/state/migrate_aside.c init/state/migrate_phase.c \
	init/state/migrate_report.c init/state/names.c init/state/ownership.c \
	init/state/ownership_phase.c init/state/plainfile.c init/state/progress.c init/state/trial.c \
	init/state/verify.c init/supervise/cause.c init/supervise/forward.c init/supervise/handover.c \
	init/supervise/history.c init/supervise/lastline.c init/supervise/launch.c \
	init/supervise/notify.c init/supervise/notify_outer.c init/supervise/notify_parse.c \
	init/supervise/oom.c init/supervise/reap.c init/supervise/relay.c init/supervise/runtime.c \
	init/supervise/runtime_act.c init/supervise/runtime_end.c init/supervise/runtime_lease.c \
	init/supervise/runtime_setup.c init/supervise/runtime_storage.c init/supervise/runtime_watch.c \
	init/supervise/sender.c init/supervise/signals.c init/supervise/supervise.c \
	init/supervise/sweep.c init/volume/fstype.c init/volume/look.c init/volume/markfile.c \
	init/volume/mountinfo.c init/volume/mounts.c init/volume/othermount.c init/volume/proof.c \
	init/volume/prove.c init/volume/rootfield.c init/volume/statepath.c init/volume/storage.c \
	init/volume/volcheck.c init/volume/voltext.c init/volume/volume.c init/volume/volwatch.c \
	init/volume/writability.c
DAEMON_SRC := daemon/clock.c daemon/config.c daemon/config_secret.c daemon/memory.c \
	daemon/admin/adminlink.c daemon/admin/forward.c daemon/admin/forwardlog.c daemon/admin/netadmin.c \
	daemon/admin/netadmin_batch.c daemon/admin/netadmin_check.c daemon/admin/netadmin_client.c \
	daemon/admin/netadmin_nodes.c daemon/admin/netadmin_peers.c daemon/admin/netadmin_setup.c \
	daemon/admin/netadmin_wire.c daemon/cli/call.c daemon/cli/cli.c daemon/cli/commands.c \
	daemon/cli/complete.c daemon/cli/completion.c daemon/cli/control.c daemon/cli/decode.c \
	daemon/cli/derived.c daemon/cli/doctor.c daemon/cli/down.c daemon/cli/init.c \
	daemon/cli/initlines.c daemon/cli/join.c daemon/cli/member.c daemon/cli/newfile.c \
	daemon/cli/passphrase.c daemon/cli/peers.c daemon/cli/peertesttext.c daemon/cli/peertext.c \
	daemon/cli/qr.c daemon/cli/qrtext.c daemon/cli/state.c daemon/cli/state_dir.c \
	daemon/cli/state_export.c daemon/cli/state_import.c daemon/cli/state_live.c \
	daemon/cli/state_show.c daemon/cli/state_snapshots.c daemon/cli/state_verify.c \
	daemon/cli/status.c daemon/cli/statustext.c daemon/cli/table.c daemon/cli/terminal.c \
	daemon/cli/testpeer.c daemon/cli/text.c daemon/cli/watch.c daemon/confine/confine.c \
	daemon/confine/filter.c daemon/confine/landlock.c daemon/dht/agenda.c daemon/dht/allowance.c \
	daemon/dht/bencode.c daemon/dht/dht.c daemon/dht/dhtcore.c daemon/dht/dhtcore_query.c \
	daemon/dht/dhtcore_serve.c daemon/dht/found.c daemon/dht/krpc.c daemon/dht/lookup.c \
	daemon/dht/nodefile.c daemon/dht/nodeid.c daemon/dht/nodetable.c daemon/dht/peerstore.c \
	daemon/dht/transact.c daemon/dht/voters.c daemon/dht/writetoken.c daemon/discovery/discovery.c \
	daemon/discovery/exchange.c daemon/discovery/lan.c daemon/discovery/peertest.c \
	daemon/discovery/pong.c daemon/discovery/prospects.c daemon/discovery/ratelimit.c \
	daemon/discovery/visitor.c daemon/doctor/examine.c daemon/doctor/inchild.c daemon/doctor/judge.c \
	daemon/doctor/judge_asked.c daemon/doctor/judge_caps.c daemon/doctor/judge_clock.c \
	daemon/doctor/judge_net.c daemon/doctor/judge_peers.c daemon/doctor/judge_ports.c \
	daemon/doctor/judge_probe.c daemon/doctor/judge_secret.c daemon/doctor/judge_storage.c \
	daemon/doctor/judge_wireguard.c daemon/doctor/nodefacts.c daemon/doctor/probe_asked.c \
	daemon/doctor/probe_caps.c daemon/doctor/probe_clock.c daemon/doctor/probe_forward.c \
	daemon/doctor/probe_links.c daemon/doctor/probe_multicast.c daemon/doctor/probe_node.c \
	daemon/doctor/probe_ports.c daemon/doctor/probe_secret.c daemon/doctor/probe_storage.c \
	daemon/doctor/probe_supervisor.c daemon/doctor/probe_tun.c daemon/doctor/probe_wireguard.c \
	daemon/doctor/report.c daemon/doctor/strength.c daemon/http/address.c daemon/http/endpoints.c \
	daemon/http/keep.c daemon/http/listen.c daemon/http/metrics.c daemon/http/metrics_table.c \
	daemon/http/metrics_writer.c daemon/http/process.c daemon/http/server.c daemon/nat/introduce.c \
	daemon/nat/knownpoint.c daemon/nat/matchmaker.c daemon/nat/ownpoint.c daemon/nat/relay.c \
	daemon/nat/rendezvous.c daemon/nat/stun.c daemon/nat/stunclient.c daemon/nat/stunpace.c \
	daemon/nat/stunround.c daemon/net/addr.c daemon/net/connset.c daemon/net/dnsconf.c \
	daemon/net/dnsmsg.c daemon/net/growbuf.c daemon/net/hostaddr.c daemon/net/hostport.c \
	daemon/net/ifstate.c daemon/net/ifwatch.c daemon/net/mtu.c daemon/net/nft.c daemon/net/nft_msg.c \
	daemon/net/nlcount.c daemon/net/nlmsg.c daemon/net/nlsock.c daemon/net/pace.c \
	daemon/net/resolve.c daemon/net/rtnl.c daemon/net/rtnl_batch.c daemon/net/rtnl_msg.c \
	daemon/net/udp.c daemon/net/underlay.c daemon/net/underlaywatch.c daemon/net/unixlisten.c \
	daemon/node/clockback.c daemon/node/clone.c daemon/node/node.c daemon/node/node_admin.c \
	daemon/node/node_cache.c daemon/node/node_clock.c daemon/node/node_clone.c \
	daemon/node/node_collision.c daemon/node/node_dht.c daemon/node/node_forward.c \
	daemon/node/node_goodbye.c daemon/node/node_gossip.c daemon/node/node_greet.c \
	daemon/node/node_introducer.c daemon/node/node_layers.c daemon/node/node_mtu.c \
	daemon/node/node_nat.c daemon/node/node_notify.c daemon/node/node_observe.c \
	daemon/node/node_peers.c daemon/node/node_pex.c daemon/node/node_prospects.c \
	daemon/node/node_relay.c daemon/node/node_reload.c daemon/node/node_rendezvous.c \
	daemon/node/node_routes.c daemon/node/node_self.c daemon/node/node_view.c daemon/node/node_ways.c \
	daemon/node/notify.c daemon/node/reload.c daemon/peers/candidates.c daemon/peers/collision.c \
	daemon/peers/peerpath.c daemon/peers/peers.c daemon/peers/reconcile.c daemon/peers/refresh.c \
	daemon/peers/rewritten.c daemon/peers/routejudge.c daemon/peers/routelist.c daemon/peers/routes.c \
	daemon/rpc/rpc.c daemon/rpc/rpc_server.c daemon/state/archive.c daemon/state/identity.c \
	daemon/state/identity_file.c daemon/state/identity_store.c daemon/state/identity_trace.c \
	daemon/state/identity_write.c daemon/state/livecheck.c daemon/state/peercache.c \
	daemon/state/sealed.c daemon/state/snapshot.c daemon/state/snapshot_list.c \
	daemon/state/statedir.c daemon/state/statejudge.c daemon/state/statelease.c \
	daemon/state/statename.c daemon/state/stateview.c daemon/view/gather.c daemon/view/histogram.c \
	daemon/view/judge.c daemon/view/ownaddr.c daemon/view/supervisor.c daemon/view/view.c \
	daemon/view/viewjson.c daemon/wg/changes.c daemon/wg/genl.c daemon/wg/kernel.c daemon/wg/key.c \
	daemon/wg/spawn.c daemon/wg/uapi.c daemon/wg/userspace.c daemon/wg/wg.c daemon/wire/announce.c \
	daemon/wire/announce_json.c daemon/wire/crypto.c daemon/wire/derive.c daemon/wire/endpoint.c \
	daemon/wire/envelope.c daemon/wire/json.c daemon/wire/pex.c daemon/wire/token.c
COMMON_UNITS := tests/unit/test_caps.c tests/unit/test_err.c tests/unit/test_events.c \
	tests/unit/test_exits.c tests/unit/test_io.c tests/unit/test_kstat.c tests/unit/test_log.c \
	tests/unit/test_lograte.c tests/unit/test_marker.c tests/unit/test_settings.c \
	tests/unit/test_sink.c tests/unit/test_statefile.c tests/unit/test_statusline.c \
	tests/unit/test_str.c
INIT_UNITS := tests/unit/test_init_cause.c tests/unit/test_init_child.c \
	tests/unit/test_init_config.c tests/unit/test_init_denial.c tests/unit/test_init_dispositions.c \
	tests/unit/test_init_env.c tests/unit/test_init_filter.c tests/unit/test_init_golden.c \
	tests/unit/test_init_history.c tests/unit/test_init_idmap.c tests/unit/test_init_keyshow.c \
	tests/unit/test_init_lastline.c tests/unit/test_init_lease.c tests/unit/test_init_lease_sim.c \
	tests/unit/test_init_lock.c tests/unit/test_init_look.c tests/unit/test_init_markfile.c \
	tests/unit/test_init_migrate.c tests/unit/test_init_mountinfo.c tests/unit/test_init_netright.c \
	tests/unit/test_init_notify.c tests/unit/test_init_notify_outer.c \
	tests/unit/test_init_notify_parse.c tests/unit/test_init_oom.c tests/unit/test_init_othermount.c \
	tests/unit/test_init_ownership.c tests/unit/test_init_plainfile.c tests/unit/test_init_proof.c \
	tests/unit/test_init_relay.c tests/unit/test_init_sender.c tests/unit/test_init_signals.c \
	tests/unit/test_init_signame.c tests/unit/test_init_spawn.c tests/unit/test_init_spawner.c \
	tests/unit/test_init_statepath.c tests/unit/test_init_status.c tests/unit/test_init_supervise.c \
	tests/unit/test_init_user.c tests/unit/test_init_volcheck.c tests/unit/test_init_voltext.c \
	tests/unit/test_init_volume.c tests/unit/test_init_volwatch.c tests/unit/test_init_writability.c
DAEMON_UNITS := tests/unit/test_addr.c tests/unit/test_adminlink.c tests/unit/test_announce.c \
	tests/unit/test_archive.c tests/unit/test_candidates.c tests/unit/test_cli_complete.c \
	tests/unit/test_cli_fuzz.c tests/unit/test_cli_peers.c tests/unit/test_cli_peertesttext.c \
	tests/unit/test_cli_peertext.c tests/unit/test_cli_qr.c tests/unit/test_cli_statustext.c \
	tests/unit/test_cli_table.c tests/unit/test_cli_text.c tests/unit/test_cli_watch.c \
	tests/unit/test_clockback.c tests/unit/test_clone.c tests/unit/test_collision.c \
	tests/unit/test_config.c tests/unit/test_connset.c tests/unit/test_crypto.c \
	tests/unit/test_derive.c tests/unit/test_dht_bencode.c tests/unit/test_dht_core.c \
	tests/unit/test_dht_krpc.c tests/unit/test_dht_lookup.c tests/unit/test_dht_nodefile.c \
	tests/unit/test_dht_nodeid.c tests/unit/test_dht_nodetable.c tests/unit/test_dht_pace.c \
	tests/unit/test_dht_peerstore.c tests/unit/test_dht_voters.c tests/unit/test_dnsconf.c \
	tests/unit/test_dnsmsg.c tests/unit/test_doctor_asked.c tests/unit/test_doctor_caps.c \
	tests/unit/test_doctor_clock.c tests/unit/test_doctor_inchild.c tests/unit/test_doctor_net.c \
	tests/unit/test_doctor_peers.c tests/unit/test_doctor_ports.c tests/unit/test_doctor_report.c \
	tests/unit/test_doctor_secret.c tests/unit/test_doctor_storage.c \
	tests/unit/test_doctor_strength.c tests/unit/test_doctor_wireguard.c tests/unit/test_endpoint.c \
	tests/unit/test_envelope.c tests/unit/test_exchange.c tests/unit/test_forward.c \
	tests/unit/test_forwardlog.c tests/unit/test_gather.c tests/unit/test_hostaddr.c \
	tests/unit/test_hostport.c tests/unit/test_http_address.c tests/unit/test_http_endpoints.c \
	tests/unit/test_http_process.c tests/unit/test_http_server.c tests/unit/test_identity.c \
	tests/unit/test_identity_fault.c tests/unit/test_identity_store.c \
	tests/unit/test_identity_trace.c tests/unit/test_ifstate.c tests/unit/test_ifwatch.c \
	tests/unit/test_introduce.c tests/unit/test_json.c tests/unit/test_judge.c tests/unit/test_keep.c \
	tests/unit/test_knownpoint.c tests/unit/test_livecheck.c tests/unit/test_log_forms.c \
	tests/unit/test_matchmaker.c tests/unit/test_metrics.c tests/unit/test_mtu.c \
	tests/unit/test_netadmin_batch.c tests/unit/test_netadmin_check.c \
	tests/unit/test_netadmin_nodes.c tests/unit/test_netadmin_peers.c tests/unit/test_netadmin_wire.c \
	tests/unit/test_newfile.c tests/unit/test_nft.c tests/unit/test_nlmsg.c \
	tests/unit/test_node_claims.c tests/unit/test_node_greets.c tests/unit/test_node_nat.c \
	tests/unit/test_node_notify.c tests/unit/test_node_peers.c tests/unit/test_node_pex.c \
	tests/unit/test_node_relay.c tests/unit/test_node_reload.c tests/unit/test_node_routes.c \
	tests/unit/test_node_view.c tests/unit/test_node_writes.c tests/unit/test_notify.c \
	tests/unit/test_ownaddr.c tests/unit/test_ownpoint.c tests/unit/test_pace.c \
	tests/unit/test_peercache.c tests/unit/test_peerpath.c tests/unit/test_peers.c \
	tests/unit/test_peers_claims.c tests/unit/test_pex.c tests/unit/test_pong.c \
	tests/unit/test_prospects.c tests/unit/test_ratelimit.c tests/unit/test_reconcile.c \
	tests/unit/test_refresh.c tests/unit/test_relay.c tests/unit/test_reload.c \
	tests/unit/test_rendezvous.c tests/unit/test_resolve.c tests/unit/test_rewritten.c \
	tests/unit/test_routejudge.c tests/unit/test_routes.c tests/unit/test_rpc.c \
	tests/unit/test_rpc_server.c tests/unit/test_rtnl.c tests/unit/test_rtnl_msg.c \
	tests/unit/test_sealed.c tests/unit/test_snapshot_list.c tests/unit/test_statedir.c \
	tests/unit/test_statejudge.c tests/unit/test_statename.c tests/unit/test_stun.c \
	tests/unit/test_stunclient.c tests/unit/test_stunpace.c tests/unit/test_stunround.c \
	tests/unit/test_supervisor.c tests/unit/test_token.c tests/unit/test_udp.c \
	tests/unit/test_underlay.c tests/unit/test_vectors_derive.c tests/unit/test_vectors_nat.c \
	tests/unit/test_vectors_state.c tests/unit/test_vectors_wire.c tests/unit/test_view.c \
	tests/unit/test_viewjson.c tests/unit/test_wg_genl.c tests/unit/test_wg_uapi.c \
	tests/unit/test_wg_userspace.c

BENCH_SRC   := tests/bench/initbench.c
PROBE_SRC   := tests/helper/probe.c tests/helper/probe_family.c tests/helper/probe_signals.c

# Writes the manual's tables from those in the source; never shipped.
DOCGEN_SRC  := docs/gen/commands.c docs/gen/main.c docs/gen/options.c docs/gen/sections.c \
	docs/gen/serving.c docs/gen/text.c docs/gen/usage.c

FUZZ_SRC    := $(sort $(wildcard tests/fuzz/*.c))

FAULT_SRC   := tests/fault/calls.c tests/fault/marktool.c tests/fault/regs.c tests/fault/statetool.c \
	tests/fault/tracer.c

# The nodes' real code under a simulated clock and network; see docs/sim.md.
SIM_SRC     := tests/sim/check.c tests/sim/fake_admin.c tests/sim/fake_edges.c \
	tests/sim/fake_event.c tests/sim/liar.c tests/sim/main.c tests/sim/measure.c tests/sim/network.c \
	tests/sim/queue.c tests/sim/scenario.c tests/sim/wireguard.c tests/sim/world.c

INIT_LIBS   := -lcap
DAEMON_LIBS := -levent_extra -levent_core -ljansson -lmnl -lsodium -lnettle -lqrencode -lseccomp -lcap
obj          = $(1:%.c=$(O)/%.o)
SOURCES     := $(COMMON_SRC) $(INIT_SRC) $(DAEMON_SRC)
UNIT_SRC    := $(COMMON_UNITS) $(INIT_UNITS) $(DAEMON_UNITS)
HEADERS      = $(shell find common init daemon docs/gen tests/fault tests/fuzz tests/helper tests/sim tests/unit -name '*.h')
UNITS       := $(UNIT_SRC:tests/unit/%.c=$(O)/unit/%)

.PHONY: all units
all: build/wgmesh-init build/wgmesh ## build both programs

build/wgmesh-init: $(O)/wgmesh-init
	$(Q)ln -sf $(VARIANT)/wgmesh-init $@
build/wgmesh: $(O)/wgmesh
	$(Q)ln -sf $(VARIANT)/wgmesh $@

# The static form needs no loader and no library: one file for any image. Sanitizers need both.
PID1_SRC   := init/main.c init/entry.c $(INIT_SRC) $(COMMON_SRC)
PID1_ENTRY := -Wl,-e,wgmesh_init_entry
ifeq ($(INIT_LIBC),musl)
# libcap's constructor asks the kernel six times for its last capability, at every start and before
# main(); nothing that is called here needs the answer.
$(O)/musl/libcap.a: $(LIBCAP)
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --remove-section=.init_array $< $@
$(O)/wgmesh-init: $(PID1_SRC:%.c=$(O)/musl/%.o) $(O)/musl/libcap.a
	@echo "  LD   $@"
	$(Q)$(MUSL_CC) $(MUSL_CFLAGS) $(ALL_LDFLAGS) $(MUSL_PIE) $(PID1_ENTRY) $(MUSL_START) $^ $(MUSL_END) -o $@
	$(Q)$(OBJCOPY) --only-keep-debug $@ $@.debug
	$(Q)$(OBJCOPY) --strip-all --add-gnu-debuglink=$@.debug $@
else
$(O)/wgmesh-init: $(call obj,init/main.c init/entry.c) $(O)/libinit.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(if $(filter asan,$(VARIANT)),-pie,-static-pie) $(PID1_ENTRY) $^ $(INIT_LIBS) -o $@
endif
$(O)/wgmesh: $(call obj,daemon/main.c) $(O)/libdaemon.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(if $(STATIC),-static-pie,-pie) $^ $(DAEMON_LIBS) -o $@

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
# Many members of a mesh in one process, and wireguard-go with a look at what it is asked.
$(O)/crowd: $(O)/tests/helper/crowd.o $(O)/libdaemon.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -pie $^ $(DAEMON_LIBS) -o $@
$(O)/wgproxy: opt-asan := -O1
$(O)/wgproxy: $(O)/tests/helper/wgproxy.o
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -static-pie $^ -o $@
# Tries what a confined process must not be able to do.
$(O)/confined: $(O)/tests/helper/confined.o $(O)/libdaemon.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -pie $^ $(DAEMON_LIBS) -o $@
# The supervised program of tests: static, since it goes into any container; never sanitized, since
# it is not under test and must start as fast as the real one.
$(O)/probe: opt-asan := -O1
$(O)/probe: $(call obj,$(PROBE_SRC))
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -static-pie $^ -o $@
$(O)/initbench: opt-asan := -O1
$(O)/initbench: $(call obj,$(BENCH_SRC))
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -static-pie $^ -o $@
$(O)/docgen: $(call obj,$(DOCGEN_SRC)) $(O)/libdaemon.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -pie $^ $(DAEMON_LIBS) -o $@
# Not linked with libevent: what a node uses of it is simulated.
$(O)/sim: $(call obj,$(SIM_SRC)) $(O)/libdaemon.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -pie $^ $(filter-out -levent%,$(DAEMON_LIBS)) -o $@
FAULT_PROGRAMS := $(O)/tracer $(O)/statetool $(O)/marktool
# The fault sweeps: what is swept must be static, or most of its calls were those of the loader.
$(O)/tracer: opt-asan := -O1
$(O)/tracer: $(call obj,$(filter-out %tool.c,$(FAULT_SRC))) $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -static-pie $^ -o $@
$(O)/statetool: $(call obj,tests/fault/statetool.c) $(O)/libdaemon.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -static-pie $^ -ljansson -lsodium -lnettle -lcap -o $@
$(O)/marktool: $(call obj,tests/fault/marktool.c) $(O)/libinit.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -static-pie $^ $(INIT_LIBS) -o $@
$(O)/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/libdaemon.a $(O)/libinit.a $(O)/libcommon.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -pie $^ $(DAEMON_LIBS) -o $@
$(O)/%.o: %.c Makefile
	@mkdir -p $(@D); echo "  CC   $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(O)/musl/%.o: %.c Makefile | $(MUSL_HEADERS)/sys/capability.h
	@mkdir -p $(@D); echo "  CC   $< (musl)"
	$(Q)$(MUSL_CC) $(MUSL_CFLAGS) -MMD -MP -c $< -o $@
$(MUSL_HEADERS)/sys/capability.h:
	@mkdir -p $(@D)
	$(Q)ln -sfn /usr/include/linux $(MUSL_HEADERS)/linux
	$(Q)ln -sfn /usr/include/asm-generic $(MUSL_HEADERS)/asm-generic
	$(Q)ln -sfn /usr/include/$(ARCH)/asm $(MUSL_HEADERS)/asm
	$(Q)ln -sfn /usr/include/sys/capability.h $@
.SECONDARY:

units: $(UNITS) ## build and run the unit tests
	$(Q)set -e; for t in $^; do ./$$t; done

# Checks. Those that are slow leave a stamp per file; an object file knows which headers it needs.
JOBS    := $(shell nproc 2>/dev/null || echo 2)
SUB     := $(MAKE) --no-print-directory -j$(JOBS)
PYTEST  := $(PYTHON) -B -m pytest -c tests/pytest.ini
LINTED  := $(SOURCES) $(filter-out $(SOURCES),init/entry.c init/main.c daemon/main.c) $(UNIT_SRC) \
	tests/helper/confined.c tests/helper/crowd.c tests/helper/wgproxy.c tests/helper/wgtool.c $(PROBE_SRC) $(BENCH_SRC) $(DOCGEN_SRC) $(FAULT_SRC) \
	$(FUZZ_SRC) $(SIM_SRC)
# The fast ones first; tests/container and the whole of tests/fault have targets of their own.
TESTED  := $(addprefix tests/,unit lint fault integration kernel fuzz)
CHECKS  := format headers tidy cppcheck analyzer banned shell python
BANNED  := v?sprintf|strcpy|strcat|strtok|ato[il]l?|system|popen|alloca|gets
SCRIPTS  = $(shell grep -rlE --exclude='*.py' '^\#!/bin/(ba|busybox )?sh' .ci images tests 2>/dev/null)
PYTHONS  = $(shell find images tests -name '*.py')

.PHONY: deps docs images install test test-container test-kernel soak-nat sim sweep demo bench bench-init bench-containers bench-daemon asan fuzz fuzz-programs programs unit-programs clean help
.PHONY: lint list-lint format headers $(CHECKS:%=lint-%)
deps: ## install what it takes to build, test and lint on Debian 12
	$(Q)tests/deps.sh
test: ## install what is missing, build and run every test; T= passes options to pytest
	$(Q)tests/deps.sh
	$(Q)$(SUB) WERROR=1 programs unit-programs
	$(Q)$(SUB) WERROR=1 VARIANT=asan programs unit-programs
	$(Q)$(SUB) WERROR=1 VARIANT=fuzz fuzz-programs
	$(Q)$(PYTEST) -n 2 --dist loadfile --variants release,asan $(T) $(TESTED)
test-kernel: programs $(O)/wgtool $(O)/crowd $(O)/probe ## the tests that need the kernel's WireGuard, in a virtual machine
	$(Q)$(PYTEST) $(T) tests/kernel
# Files at a time, each worker with engines of its own: they wait more than they compute.
WORKERS ?= 3
test-container: ## images, compose files and manifests in containers of Docker and Podman; T= as for test
	$(Q)tests/deps.sh
	$(Q)tests/container/deps.sh
	$(Q)$(SUB) WERROR=1 programs
	$(Q)$(SUB) images ARCHES="amd64 arm64"
	$(Q)$(PYTEST) -n $(WORKERS) --dist loadfile $(T) tests/container
ARCHES  ?= amd64
images: ## both container images into build/images, without a registry; ARCHES="amd64 arm64"
	$(Q)images/deps.sh
	$(Q)images/make.sh build/images $(VERSION) $(ARCHES)
demo: ## a mesh of three containers keeps its identities, or loses one: watch it for a minute
	$(Q)tests/deps.sh
	$(Q)$(SUB) programs
	$(Q)$(PYTHON) -B tests/demo/demo.py
bench: bench-init bench-containers bench-daemon ## measure all that is measured
bench-init: ## wgmesh-init beside tini, dumb-init and catatonit, into docs/bench-init.md; B= passes options
	$(Q)tests/deps.sh
	$(Q)tests/bench/deps.sh
	$(Q)$(SUB) programs $(O)/probe $(O)/initbench
	$(Q)$(PYTHON) -B tests/bench/bench.py --markdown docs/bench-init.md $(B)
bench-containers: ## start, peer update and stop of a container, into docs/bench.md; B= passes options
	$(Q)tests/deps.sh
	$(Q)tests/bench/deps.sh
	$(Q)tests/container/deps.sh
	$(Q)$(SUB) programs images
	$(Q)$(PYTHON) -B tests/bench/containers.py --markdown docs/bench.md $(B)
sim: $(O)/sim ## a mesh of 1,000 simulated nodes, and what befalls it; N= is how many, S= passes options
	$(Q)$(O)/sim -n $(or $(N),1000) -i $(S)
bench-daemon: ## a node with ten, a hundred and a thousand peers, into docs/bench-daemon.md; B= passes options
	$(Q)tests/deps.sh
	$(Q)$(SUB) programs $(O)/probe $(O)/crowd $(O)/wgproxy
	$(Q)$(PYTHON) -B tests/bench/daemon.py --markdown docs/bench-daemon.md $(B)
sweep: ## fail, kill and cut the power at every system call that touches the state; S= selects, tests/fault
	$(Q)tests/deps.sh
	$(Q)$(SUB) programs $(FAULT_PROGRAMS)
	$(Q)$(PYTHON) -B tests/fault/sweep.py $(S)
FUZZ_S  ?= 3600
fuzz: ## libFuzzer on every parser of outside bytes, FUZZ_S= seconds each; F= passes options
	$(Q)tests/deps.sh
	$(Q)$(SUB) VARIANT=fuzz fuzz-programs
	$(Q)$(PYTHON) -B tests/fuzz/run.py --seconds $(FUZZ_S) $(F)
asan: ## build and run the unit tests under AddressSanitizer and UBSan
	$(Q)$(SUB) VARIANT=asan units
programs: $(O)/wgmesh-init $(O)/wgmesh
fuzz-programs: $(FUZZ_SRC:tests/fuzz/%.c=$(O)/%)
unit-programs: $(UNITS) $(O)/sim $(O)/confined $(O)/wgtool $(O)/crowd $(O)/wgproxy $(O)/probe $(O)/initbench \
	$(if $(filter release,$(VARIANT)),$(FAULT_PROGRAMS) $(O)/docgen)

# The pages are committed: who reads them needs no compiler, and a change of them is seen in a review.
# "DIR=" writes elsewhere, which is how the tests find out whether they are as they should be.
PAGES   := docs/man/wgmesh-init.8 docs/man/wgmesh.8
DIR     ?= docs
docs: $(O)/docgen ## write the manual pages and the tables of docs/reference.md anew
	@mkdir -p $(DIR)/man
	$(Q)set -e; for page in $(PAGES); do $(O)/docgen $$page.in >$(O)/page.new; \
		mv $(O)/page.new $(DIR)/man/$${page##*/}; done
	$(Q)$(O)/docgen docs/reference.md >$(O)/page.new
	$(Q)mv $(O)/page.new $(DIR)/reference.md

PREFIX  ?= /usr/local
BASH_COMPLETIONS ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS  ?= $(PREFIX)/share/zsh/site-functions
FISH_COMPLETIONS ?= $(PREFIX)/share/fish/vendor_completions.d
install: programs ## programs, manual, guides and shell completions below DESTDIR= and PREFIX=
	$(Q)install -d $(addprefix $(DESTDIR),$(PREFIX)/sbin $(PREFIX)/share/man/man8 $(PREFIX)/share/doc/wgmesh \
		$(BASH_COMPLETIONS) $(ZSH_COMPLETIONS) $(FISH_COMPLETIONS))
	$(Q)install -m 755 $(O)/wgmesh-init $(O)/wgmesh $(DESTDIR)$(PREFIX)/sbin
	$(Q)install -m 644 $(PAGES) $(DESTDIR)$(PREFIX)/share/man/man8
	$(Q)install -m 644 LICENSE $(wildcard docs/*.md docs/*.svg) $(DESTDIR)$(PREFIX)/share/doc/wgmesh
	$(Q)set -e; for to in bash:$(BASH_COMPLETIONS)/wgmesh zsh:$(ZSH_COMPLETIONS)/_wgmesh \
		fish:$(FISH_COMPLETIONS)/wgmesh.fish; do \
		$(O)/wgmesh completion $${to%%:*} >$(O)/completion.new; \
		install -m 644 $(O)/completion.new $(DESTDIR)$${to#*:}; done

lint: ## all checks of the sources: layout, headers, static analysis, scripts
	$(Q)$(SUB) --output-sync=target --keep-going $(CHECKS:%=lint-%)
list-lint:
	@echo $(CHECKS:%=lint-%)
format: lint-format ## is everything laid out as clang-format would?
headers: lint-headers ## does every header compile alone?
lint-format:
	$(Q)clang-format --dry-run -Werror $(LINTED) $(HEADERS)
lint-headers:
	$(Q)printf '%s\n' $(HEADERS) | xargs -P$(JOBS) -n1 \
		$(CC) $(CSTD) -Wall -Wextra -Werror -I. -fsyntax-only -x c
lint-tidy: $(LINTED:%.c=build/lint/%.tidy)
lint-cppcheck:
	@mkdir -p build/lint/cppcheck
	$(Q)cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr \
		--suppress=memleak --suppress=unknownMacro --error-exitcode=1 --cppcheck-build-dir=build/lint/cppcheck -j$(JOBS) -I. $(LINTED)
lint-analyzer: $(LINTED:%.c=build/lint/%.analyzed)
lint-banned:
	$(Q)grep -nE '\b($(BANNED))\(' $(LINTED) $(HEADERS); test $$? = 1
lint-shell:
	$(Q)shellcheck -x $(SCRIPTS)
lint-python:
	$(Q)$(PYTHON) -B -W error::DeprecationWarning -c 'import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]' \
		$(PYTHONS)
build/lint/%.tidy: build/release/%.o .clang-tidy
	@mkdir -p $(@D); echo "  TIDY $*.c"
	$(Q)clang-tidy --quiet $*.c -- $(CSTD) -I. 2>$@.log || { cat $@.log; exit 1; }
	@rm -f $@.log; touch $@
build/lint/%.analyzed: build/release/%.o
	@mkdir -p $(@D); echo "  GCC  -fanalyzer $*.c"
	$(Q)$(CC) $(CSTD) -I. -O1 -fanalyzer -Werror -c $*.c -o /dev/null
	@touch $@

clean: ## remove build/, but not what was fetched: a kernel, Prometheus, Debian 13
	$(Q)find build -mindepth 1 -maxdepth 1 ! -name kernel ! -name prometheus ! -name debian13 -exec rm -rf {} + 2>/dev/null || :
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | \
		while IFS=$$'\t' read -r target what; do printf '  %-16s %s\n' "$$target" "$$what"; done

-include $(patsubst %.o,%.d,$(call obj,$(SOURCES) $(UNIT_SRC) $(PROBE_SRC) $(BENCH_SRC) $(DOCGEN_SRC) $(FAULT_SRC) $(FUZZ_SRC) $(SIM_SRC) init/entry.c init/main.c daemon/main.c)) \
	$(patsubst %.c,$(O)/musl/%.d,$(PID1_SRC))
