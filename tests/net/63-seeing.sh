#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/63-seeing.sh - events, wait, metrics, top, completion
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard net add other --subnet 10.78.0.0/24
lanyard events --json >"$DIR/all" &
lanyard events lab --json >"$DIR/lab" &
heard() { jq -es "any(.[]; $2)" "$DIR/$1" >/dev/null; }
# the lines are there when the connection is: make something until both have heard of it
listening() { lanyard dns add lab x 10.77.0.9; lanyard net add probe --mode internal; lanyard net rm probe; [ -s "$DIR/all" ]; }
until_ok 5 listening

say "wait: for what is not there yet"
lanyard wait lab/web1 --for dns --timeout 20s &
DNS=$!
status 7 lanyard wait lab/web1 --for link --timeout 1s
status 2 lanyard wait lab/web1 --for fun
box web1
lanyard wait lab/web1 --for link
dhcp web1
lanyard wait lab/web1
wait $DNS
is "the name resolves" "$(json .dns_name port show lab/web1)" web1.lab.internal
status 7 lanyard wait lab/web1 --for address6 --timeout 1s

say "wait: for a network, and for a forward that listens"
status 7 lanyard wait later --timeout 1s
has "reason" "$ERR" 'there is no network later \(after 1 s\)'
lanyard wait later --timeout 20s &
LATER=$!
lanyard net add later --mode internal
wait $LATER
status 7 lanyard wait later 8089 --timeout 1s
has "reason" "$ERR" 'no forward 8089-tcp \(after 1 s\)'
lanyard net rm later
nc -d -l 127.0.0.1 8089 >/dev/null 2>&1 &
TAKEN=$!
until_ok 5 sh -c 'ss -Hltn "sport = :8089" | grep -q .'
lanyard forward add lab 8089:web1:80 2>/dev/null
status 7 lanyard wait lab 8089 --timeout 1s
has "reason" "$ERR" 'forward 8089/tcp: .* is used by .* \(after 1 s\)'
lanyard wait lab 8089 &
LISTENS=$!
kill $TAKEN
wait $LISTENS
is "listens" "$(json .state wait lab 8089)" up
lanyard forward rm lab 8089
status 2 lanyard wait lab --for link
has "usage" "$ERR" 'is about a guest'

say "events"
until_ok 5 heard lab '.event == "lease" and .port == "web1"'
heard lab '.event == "link" and .port == "web1" and .state == "up"' || fail "no link event"
lanyard forward add lab 8080:web1:80
in_box web1 busybox httpd -f -p 80 -h "$DIR/www" &
echo hello >"$DIR/www/index.html"
until_ok 5 curl -sf -m 2 http://127.0.0.1:8080/
until_ok 5 heard lab '.event == "forward-hit" and .id == "8080/tcp" and .count >= 1'
in_box web1 ping -c 3 -i 0.1 -W 1 169.254.9.9 >/dev/null 2>&1 || true
until_ok 5 heard lab '.event == "drop" and .port == "web1"'
lanyard net rm other
until_ok 5 heard all '.event == "network-removed" and .network == "other"'
! heard lab '.network != "lab"' || fail "of another network"

say "metrics"
lanyard metrics >"$DIR/page"
python3 "$ROOT/tests/net/openmetrics.py" 'lanyard_port_up{network="lab",port="web1"}' 'lanyard_forward_up{network="lab",forward="8080/tcp"}' \
	'lanyard_leases{network="lab"}' <"$DIR/page" >"$DIR/read" || fail "$(<"$DIR/read")"
is "up, listening, one lease" "$(sed 1d "$DIR/read" | xargs)" "1 1 1"
# each frame has one verdict, on a page between two frames
received() { sed -n 's/^lanyard_port_receive_frames_total{network="lab",port="web1"} //p' "$DIR/page"; }
verdicts() { awk '/^lanyard_port_frames_total{network="lab",port="web1",/ { n += $NF } END { print n }' "$DIR/page"; }
agree() { lanyard metrics >"$DIR/page" && [ "$(received)" -gt 0 ] && [ "$(received)" = "$(verdicts)" ]; }
until_ok 3 agree
has "content type" "$(curl -sS -o /dev/null -w '%{content_type}' --unix-socket "$LANYARD_SOCKET" http://l/metrics)" '^application/openmetrics-text; version=1.0.0'

say "top"
in_box web1 ping -i 0.01 -c 400 10.77.0.1 >/dev/null &
lanyard top lab --once --json >"$DIR/top"
jq -e '.ports[] | select(.port == "web1") | .rx_frames > 20 and .rx_bits > 8 * .rx_frames and .tx_frames > 20 and .drops == 0' "$DIR/top" >/dev/null ||
	fail "top: $(<"$DIR/top")"
has "a table" "$(lanyard top --once)" 'lab/web1 +up +[1-9]'
status 2 lanyard top --sort fun --once

say "flows, by the frames themselves"
lanyard flows lab --watch 1s --json >"$DIR/flows"
jq -e '.flows[] | select(.from_name == "web1.lab.internal" and .to == "10.77.0.1" and .proto == "icmp") | .frames > 20 and .frames_back > 20' "$DIR/flows" >/dev/null ||
	fail "flows: $(<"$DIR/flows")"
status 2 lanyard flows --watch 1s
status 2 lanyard flows lab --watch 0s

say "completion"
# next WORDS... - the candidates without what they are, on one line
next() { lanyard complete -- lanyard "$@" | cut -f1 | xargs; }
is "first words" "$(next por)" port
is "verbs" "$(next port s)" "set show"
is "flags" "$(next port set lab/web1 --li)" --link
is "a flag's values" "$(next port set lab/web1 --link '')" "up down"
is "names of ports" "$(next port set '')" lab/web1
is "names of networks" "$(next net show '')" lab
is "forwards of the network named" "$(next forward rm lab '')" 8080/tcp
is "of a wait, too" "$(next wait lab '')" 8080/tcp
is "files" "$(next apply -f '')" :files
is "nothing where nothing is known" "$(next net add '' | tr -d '\n'; next bogus '')" lab
PATH=$B:$PATH
# shellcheck disable=SC2016
is "bash" "$(as_lanyard bash -c '. "$1"; COMP_WORDS=(lanyard port rm la) COMP_CWORD=3; _lanyard; echo "${COMPREPLY[*]}"' - "$ROOT/configs/completion/lanyard.bash")" lab/web1
if command -v fish >/dev/null; then
	is "fish" "$(as_lanyard fish --no-config -c "source $ROOT/configs/completion/lanyard.fish; complete -C 'lanyard port rm la'" | cut -f1)" lab/web1
fi
if command -v zsh >/dev/null; then
	cat >"$DIR/typed.zsh" <<'END'
# what a terminal shows of a line when TAB is pressed twice: typed.zsh SITE-FUNCTIONS LINE
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='> '; fpath=(${(q)1} \$fpath); autoload -U compinit; compinit -u -D; LISTMAX=0; echo rea''dy"
zpty -r -m shell seen "*ready*"
zpty -n -w shell "$2"$'\t\t'
zpty -r -m shell seen "*$3*" && print -r -- "${${seen##*> }//$'\e'\[*m}"
zpty -d shell
END
	has "zsh, the only one" "$(as_lanyard timeout 20 zsh -f "$DIR/typed.zsh" "$ROOT/configs/completion" "lanyard net sh" "lanyard net show")" "lanyard net show"
	has "zsh, with what they are" "$(as_lanyard timeout 20 zsh -f "$DIR/typed.zsh" "$ROOT/configs/completion" "lanyard port rm la" "lab/web1")" "lab/web1"
	has "zsh, a list" "$(as_lanyard timeout 20 zsh -f "$DIR/typed.zsh" "$ROOT/configs/completion" "lanyard port set lab/web1 --link " "down*up")" "down"
fi

say "events go on after the engine"
kill -KILL "$(engine_pid)"
until_ok 10 heard all '.event == "engine-restarted" and .restarts == 1'
