#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/guards.sh - what guards and many stations cost between two vhost-user guests, into $DIR/figures
#
#	make bench BENCH=guards RUNS=5 SECONDS_EACH=2
#
# As vhost.sh, which makes the machine quiet, but with lanyard alone: without guards, with every guard on, with 100,000 stations, and with another guest beside
# that sends from one address, or from a new one in each frame. Two rates that are compared are taken one after the other, while the cores stay where they
# are. 100,000 stations cannot lie ready in as many frames (that would measure the memory they take): guests write addresses into each frame that leaves, which
# moves its cache line from core to core, so those that they are compared with write theirs, too. The guest beside changes its ways every second.
export PEERS=lanyard SERIES=guards-series.sh
exec "${BASH_SOURCE[0]%/*}/vhost.sh"
