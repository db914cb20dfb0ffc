# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# tests/bench/vhost-peers.sh - the switches of vhost-series.sh: for each X_start, X_end, X_continue, X_stop, X_pid, X_sockets
#
# and look_far for rates that are compared. All stand on core SWITCH_CPU with one forwarding thread. Sockets are in $DIR. They end with the sandbox, whatever happens.

# look_far - into FAR: are the cores far apart now? A cache line's way there and back says so; hosts move virtual CPUs about
FAR='' FAR_NS=150
look_far() {
	FAR=
	[ "$("$B/tests/bench/vhostgen" --cpu "$LOAD_CPU" --distance "$SWITCH_CPU" | jq .round_trip_ns)" -le $FAR_NS ] || FAR=" (cores far apart)"
}

# lanyard: three ports, the third with a guest that only listens; it sleeps when nothing comes, so it needs no stopping
lanyard_start() {
	PLACES+=(--workers 1)
	daemon_start
	lanyard net add bench --mode internal --quiet
	for n in a b idle0; do lanyard port add bench/"$n" --vhost-user "$DIR/$n" --quiet; done
	for n in /proc/"$(engine_pid)"/task/*; do
		[[ $(<"$n/comm") != worker* ]] || taskset -pc "$SWITCH_CPU" "${n##*/}" >/dev/null
	done
}
lanyard_pid() { engine_pid; }
lanyard_sockets() { echo "--idle $DIR/idle:1 $DIR/a $DIR/b"; }
lanyard_continue() { :; }
lanyard_stop() { :; }

# ovs_start [tso] - userspace datapath, one PMD thread, two client ports, action NORMAL, a table that holds all addresses
ovs_start() {
	local ctl
	OVS=$DIR/ovs
	mkdir -p "$OVS"
	rm -f "$OVS"/*
	huge_pages
	export OVS_RUNDIR=$OVS OVS_LOGDIR=$OVS OVS_DBDIR=$OVS OVS_SYSCONFDIR=$OVS
	ctl=(ovs-vsctl --timeout=30 --db="unix:$OVS/db.sock")
	ovsdb-tool create "$OVS/db" /usr/share/openvswitch/vswitch.ovsschema
	ovsdb-server "$OVS/db" --remote=punix:"$OVS/db.sock" --pidfile="$OVS/db.pid" --detach --log-file="$OVS/db.log" 2>/dev/null
	"${ctl[@]}" --no-wait init -- set Open_vSwitch . other_config:dpdk-init=true "other_config:dpdk-extra=--no-pci -m 1024 --file-prefix=ovs" \
		other_config:pmd-cpu-mask="$(printf '0x%x' $((1 << SWITCH_CPU)))" other_config:dpdk-lcore-mask="$(printf '0x%x' $((1 << LOAD_CPU)))" \
		other_config:userspace-tso-enable="$([ "${1:-}" = tso ] && echo true || echo false)"
	/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk "unix:$OVS/db.sock" --pidfile="$OVS/vs.pid" --detach --log-file="$OVS/vs.log" 2>/dev/null
	"${ctl[@]}" add-br br0 -- set bridge br0 datapath_type=netdev other-config:mac-table-size=100000 other-config:mac-aging-time=3600 \
		-- add-port br0 v0 -- set interface v0 type=dpdkvhostuserclient options:vhost-server-path="$OVS/v0" \
		-- add-port br0 v1 -- set interface v1 type=dpdkvhostuserclient options:vhost-server-path="$OVS/v1"
	ovs_stop
}
ovs_end() {
	kill -KILL "$(ovs_pid)" "$(<"$OVS/db.pid")"
	until_ok 10 gone "$(ovs_pid)"
}
ovs_pid() { cat "$OVS/vs.pid"; }
ovs_sockets() { echo "listen:$OVS/v0 listen:$OVS/v1"; }
ovs_continue() { kill -CONT "$(ovs_pid)"; }
ovs_stop() { kill -STOP "$(ovs_pid)"; }

# testpmd: librte_vhost on both sides and nothing between them: no lookup, no learning
testpmd_start() {
	local vdevs=()
	mkdir -p "$DIR/pmd"
	huge_pages
	for n in 0 1; do vdevs+=(--vdev="net_vhost$n,iface=$DIR/pmd/v$n,queues=1,tso=1"); done
	mkfifo "$DIR/pmd/in"
	exec {PMD_IN}<>"$DIR/pmd/in"
	dpdk-testpmd --lcores="$LOAD_CPU@$LOAD_CPU,$SWITCH_CPU@$SWITCH_CPU" --main-lcore="$LOAD_CPU" -m 512 --no-pci --file-prefix=pmd "${vdevs[@]}" \
		-- -i --nb-cores=1 --forward-mode=io --auto-start --txd=1024 --rxd=1024 --burst=32 --no-flush-rx <&"$PMD_IN" >"$DIR/pmd/log" 2>&1 &
	PMD=$!
	until_ok 20 test -S "$DIR/pmd/v1"
	until_ok 20 grep -q 'testpmd>' "$DIR/pmd/log"
	testpmd_stop
}
testpmd_end() {
	kill -KILL "$PMD"
	wait "$PMD" 2>/dev/null || true
}
testpmd_pid() { echo "$PMD"; }
testpmd_sockets() { echo "$DIR/pmd/v0 $DIR/pmd/v1"; }
testpmd_continue() { kill -CONT "$PMD"; }
testpmd_stop() { kill -STOP "$PMD"; }

# huge_pages - a place for them in the sandbox's own view
huge_pages() {
	mountpoint -q "$DIR/huge" && return
	mkdir -p "$DIR/huge"
	mount -t hugetlbfs none "$DIR/huge"
}
