# SPDX-License-Identifier: GPL-2.0-or-later
# make            lanyardd and the keeper it becomes, what that acts by, lanyard-engine, lanyard-validator, lanyard (CLI), into $B
# make check      unit and packet tests, layers, configurations; no root, no network
# make mutants    does each guard against hostile guests have a test that misses it?
# make SAN=address,undefined check | SAN=thread check | CC=clang | B=/some/where
comma  := ,
PREFIX ?= /usr/local
B      ?= build$(addprefix -,$(subst $(comma),-,$(SAN)))
CFLAGS ?= -O2 -g
KEEPER := libcap-ng				# what each program links
LINKS  := libcap-ng libnl-route-3.0
NAT    := libcap-ng libnftables libnetfilter_conntrack
ENGINE := libevent libevent_pthreads jansson yaml-0.1 sqlite3 liburcu-qsbr liburcu-cds libpcap libseccomp
CLI    := libcurl jansson libnl-route-3.0
VALIDATOR := libunbound libevent libseccomp
ALL    := $(sort $(KEEPER) $(LINKS) $(NAT) $(ENGINE) $(CLI) $(VALIDATOR))

# Ours, kept apart from CFLAGS so that `make CFLAGS=-O3 SAN=address` still works.
WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
HARDEN := -fPIE -fstack-protector-strong $(if $(SAN),-fno-omit-frame-pointer,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
FLAGS  := -std=gnu11 -I. -MMD -MP -pthread $(WARN) $(HARDEN) $(if $(SAN),-fsanitize=$(SAN)) \
	  $(if $(findstring thread,$(SAN)),$(if $(findstring clang,$(CC)),,-Wno-tsan))
FLAGS  += $(shell pkg-config --cflags $(ALL) 2>/dev/null)
LINK   := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread $(if $(SAN),-fsanitize=$(SAN))
libs    = $(shell pkg-config --libs $1 2>/dev/null)
objs    = $(patsubst %.c,$(or $2,$B)/%.o,$1)

# Packages of Debian 12 (or later) that building, running and testing need; `make deps` installs them.
DEPS := build-essential pkg-config git ca-certificates libevent-dev libjansson-dev libyaml-dev libsqlite3-dev \
	liburcu-dev libpcap-dev libseccomp-dev libcap-ng-dev uthash-dev libcurl4-openssl-dev libnl-3-dev libnl-route-3-dev libnftables-dev libnetfilter-conntrack-dev libsystemd-dev libunbound-dev dns-root-data \
	libcmocka-dev clang llvm libclang-rt-dev clang-tidy clang-format shellcheck man-db python3 python3-scapy \
	python3-yaml iproute2 iputils-ping procps util-linux udhcpc isc-dhcp-client bind9-dnsutils dnsperf iperf3 \
	traceroute iputils-tracepath mtr-tiny coturn strace nftables iptables curl jq tcpdump libcap2-bin netcat-openbsd sqlite3 xz-utils \
	qemu-system-x86 ipxe-qemu busybox-static dpdk-dev musl-tools knot-dnsutils python3-cryptography

LIB_C    := $(wildcard base/*.c switch/*.c tap/*.c nat/*.c dhcp/*.c)
MAINS    := ctl/start_main.c ctl/keeper_main.c ctl/engine_main.c ctl/cli_main.c ctl/validator_main.c $(wildcard ctl/act_*_main.c)
START_C  := $(wildcard ctl/start*.c ctl/paths.c ctl/act_socket.c ctl/keeper_rights.c base/*.c)
KEEPER_C := $(wildcard ctl/keeper*.c ctl/host.c base/*.c)
# The programs that act on the host, one kind of acts each (ctl/act.h).
act_c     = $(patsubst %,ctl/%.c,act_$1_main act act_call act_rights host $2) $(wildcard base/*.c)
PLUG_C   := $(call act_c,plug,act_plug act_vmm act_uplink act_icmp act_guard act_tc netns netns_tap netns_link netns_veth netns_sysctl)
IFACE_C  := $(call act_c,iface,act_iface act_change act_setting act_forwarding act_journal act_managers netns_tap netns_link netns_address netns_sysctl)
WAYS_C   := $(call act_c,ways,act_ways act_delegated act_setting act_journal act_wire act_tc netns_link)
NAT_C    := $(call act_c,nat,act_nat act_nat_books act_nat_program act_nat_settings act_nft act_nft_features act_conntrack act_look \
	    act_journal act_setting netns_sysctl)
NAMES_C  := $(call act_c,names,act_domains act_guests act_names act_resolv act_resolved act_bus act_journal)
PATHS_C  := $(call act_c,paths,act_paths act_socket act_file act_listen act_given act_owner)
CLI_ONLY := $(wildcard ctl/cli*.c ctl/cmd_*.c ctl/client*.c ctl/run*.c ctl/check*.c ctl/netns*.c ctl/qemu*.c)
CLI_C    := $(CLI_ONLY) $(wildcard ctl/paths.c ctl/pcapng.c ctl/host_routes.c ctl/route_get.c switch/build.c switch/heading.c switch/nd.c switch/packet.c dhcp/message*.c dhcp/dhcp6_message.c base/*.c)
VALIDATOR_C := $(wildcard ctl/validator*.c ctl/confine_*.c dhcp/validator_wire.c dhcp/dns_name.c base/*.c)
ENGINE_C := $(filter-out ctl/start%.c ctl/keeper%.c ctl/act%.c ctl/validator%.c $(CLI_ONLY),$(wildcard ctl/*.c)) $(LIB_C)
# Everything but each main(): what tests, fuzz targets and benchmarks link.
TESTED_C := $(filter-out $(MAINS),$(wildcard ctl/*.c)) $(LIB_C)

# tests/{unit,packet}/test_X.c is a test, other files there help them; tests/{net,vm,bench}/X.c is a tool for the scripts.
TEST_C  := $(wildcard tests/unit/test_*.c tests/packet/test_*.c)
HELP_C  := $(filter-out $(TEST_C),$(wildcard tests/unit/*.c tests/packet/*.c))
TOOL_C  := $(wildcard tests/net/*.c tests/vm/*.c tests/bench/*.c)
FUZZ_C  := $(wildcard tests/fuzz/fuzz_*.c)
TESTS   := $(TEST_C:%.c=$B/%)
TOOLS   := $(TOOL_C:%.c=$B/%)
FUZZERS := $(FUZZ_C:tests/fuzz/fuzz_%.c=$B/fuzz/%)
ACTS     := $B/lanyard-iface $B/lanyard-ways $B/lanyard-plug $B/lanyard-nat $B/lanyard-names $B/lanyard-paths
PROGRAMS := $B/lanyardd $B/lanyard-keeper $B/lanyard-engine $B/lanyard-validator $B/lanyard $(ACTS)

# ThreadSanitizer is told what liburcu orders.
ifneq ($(findstring thread,$(SAN)),)
TSAN_C := tests/tsan/urcu.c
WRAP   := $(patsubst __wrap_%,-Wl$(comma)--wrap=%,$(sort $(shell grep -o '__wrap_[a-z_]*' tests/tsan/urcu.c)))
endif

all: $(PROGRAMS)
$B/lanyardd: $(call objs,$(START_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(KEEPER)) -o $@
$B/lanyard-keeper: $(call objs,$(KEEPER_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(KEEPER)) -o $@
$B/lanyard-plug: $(call objs,$(PLUG_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(LINKS)) -o $@
$B/lanyard-iface: $(call objs,$(IFACE_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(LINKS)) -o $@
$B/lanyard-ways: $(call objs,$(WAYS_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(LINKS)) -o $@
$B/lanyard-nat: $(call objs,$(NAT_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(NAT)) -o $@
$B/lanyard-names: $(call objs,$(NAMES_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(KEEPER)) -o $@
$B/lanyard-paths: $(call objs,$(PATHS_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(KEEPER)) -o $@
$B/lanyard-engine: $(call objs,$(ENGINE_C) $(TSAN_C))
	$(CC) $(LINK) $(WRAP) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(ENGINE)) -o $@
$B/lanyard-validator: $(call objs,$(VALIDATOR_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(VALIDATOR)) -o $@
$B/lanyard: $(call objs,$(CLI_C))
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(CLI)) -o $@

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# Another compiler or other flags in the same $B: everything is built again.
$B/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS)' >$@

# Tests: an archive, so that each links what it uses.
$B/tested.a: $(call objs,$(TESTED_C) $(HELP_C))
	@rm -f $@; $(AR) rcs $@ $^
$(TESTS) $(TOOLS): $B/%: $B/%.o $(TSAN_C:%.c=$B/%.o) $B/tested.a
	$(CC) $(LINK) $(WRAP) $(CFLAGS) $(LDFLAGS) $^ $(call libs,$(ALL) cmocka) -o $@

tests: $(TESTS) $(TOOLS)
check: all $(TESTS)
	@CC='$(CC)' tests/check.sh $(abspath $B) $(TESTS)
check-net: all $(TOOLS)
	@B=$(abspath $B) tests/run.sh tests/net/*.sh
# Each call by which the host is changed fails once, in the keeper's acts; `make check` has a sample of them do so, and check-net one under the running daemon
FAULTS := $(filter %_faults,$(TESTS))
check-faults: all $(FAULTS)
	@FAULT_STEP=1 CC='$(CC)' tests/check.sh $(abspath $B) $(FAULTS)
check-vm: all $(TOOLS)
	@B=$(abspath $B) tests/run.sh tests/vm/*.sh
bench: all $(TOOLS)
	@B=$(abspath $B) tests/bench/run.sh

# Guards are taken out one by one, and a test must go red each time; with sanitizers, which see what a test would not.
mutants: $(if $(SAN),$(TESTS))
ifeq ($(SAN),)
	@$(MAKE) --no-print-directory SAN=address,undefined $(if $(filter command%,$(origin B)),B=$B-address-undefined) $@
else
	@B=$(abspath $B) LINK='$(LINK) $(CFLAGS) $(LDFLAGS)' LIBS='$(call libs,$(ALL) cmocka)' tests/mutants/run.py $(MUTANTS)
endif

# Fuzz targets: clang, own objects, with counters of lines reached. FUZZ_SECONDS is per target.
FUZZ_SECONDS ?= 30
FUZZ_FLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fprofile-instr-generate -fcoverage-mapping
fuzz: $(FUZZERS)
fuzz-quick: $(FUZZERS)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/quick.sh $(abspath $B) $(FUZZERS)
$(FUZZERS): $B/fuzz/%: $B/fuzz/obj/tests/fuzz/fuzz_%.o $B/fuzz/tested.a
	clang -fsanitize=fuzzer $(FUZZ_FLAGS) -pthread $^ $(call libs,$(ALL)) -o $@
$B/fuzz/tested.a: $(call objs,$(TESTED_C) $(HELP_C),$B/fuzz/obj)
	@rm -f $@; $(AR) rcs $@ $^
$B/fuzz/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	clang -std=gnu11 -I. -MMD -MP $(WARN) -fsanitize=fuzzer-no-link $(FUZZ_FLAGS) $(shell pkg-config --cflags $(ALL)) -c $< -o $@

# A program's packages come first and its build second, in a new make that sees them.
quickstart:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@B=$(abspath $B) scripts/quickstart
quickstart-stop:
	@B=$(abspath $B) scripts/quickstart stop

deps:
	@missing=$$(for p in $(DEPS); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -z "$$missing" ]; then echo "deps: every package is installed"; exit 0; fi; \
	echo "deps: installing" $$missing; \
	if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	$$sudo apt-get -q update && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends $$missing

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/lanyard $(DESTDIR)$(PREFIX)/share/lanyard \
		$(addprefix $(DESTDIR)$(PREFIX)/share/man/,man1 man5 man8) $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $B/lanyardd $B/lanyard $(DESTDIR)$(PREFIX)/bin
	install -m 755 $B/lanyard-keeper $B/lanyard-engine $B/lanyard-validator $(ACTS) $(DESTDIR)$(PREFIX)/libexec/lanyard
	for m in $(wildcard docs/*.[158]); do install -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}; done
	for c in $(wildcard configs/*.yaml); do install -m 644 $$c $(DESTDIR)$(PREFIX)/share/lanyard; done
	for s in $(wildcard configs/*.sysusers); do \
		install -D -m 644 $$s $(DESTDIR)$(PREFIX)/lib/sysusers.d/$$(basename $$s .sysusers).conf; done
	install -D -m 644 configs/completion/lanyard.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/lanyard
	install -D -m 644 configs/completion/_lanyard $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_lanyard
	install -D -m 644 configs/completion/lanyard.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/lanyard.fish
	for u in $(wildcard configs/*.service); do \
		sed 's|@PREFIX@|$(PREFIX)|g' $$u >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${u##*/}; done

tidy:
	clang-tidy --quiet --checks='-*,clang-analyzer-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier' \
		$(LIB_C) $(wildcard ctl/*.c) -- -std=gnu11 -I. $(shell pkg-config --cflags $(ALL))
format:
	clang-format -i $(wildcard $(foreach d,base switch tap nat dhcp ctl tests/unit tests/packet tests/fuzz,$d/*.[ch]))
clean:
	rm -rf $B

FORCE:
.PHONY: all tests check check-net check-vm check-faults bench mutants fuzz fuzz-quick quickstart quickstart-stop deps install tidy format clean FORCE
.SECONDARY:
-include $(patsubst %.c,$B/%.d,$(wildcard ctl/*.c) $(LIB_C) $(TEST_C) $(HELP_C) $(TOOL_C))
-include $(patsubst %.c,$B/fuzz/obj/%.d,$(TESTED_C) $(HELP_C) $(FUZZ_C))
