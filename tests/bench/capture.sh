#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench/capture.sh - what captures cost between two vhost-user guests, into $DIR/figures
#
#	make bench BENCH=capture RUNS=5 SECONDS_EACH=2
#
# As guards.sh: without a capture, with captures whose filters mean nothing of what passes, and with one that takes everything. Ratios are
# taken within a round.
export PEERS=lanyard SERIES=capture-series.sh
exec "${BASH_SOURCE[0]%/*}/vhost.sh"
