#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/13-dnssec.sh - answers of others are believed as far as they are signed (RFC 4035), with a signed zone outside
. "$ROOT/tests/net/lib.sh"
/usr/bin/python3 -c 'import cryptography' 2>/dev/null || absent "python3-cryptography is not installed"
outside_make
for ip in 198.51.100.3 198.51.100.4; do outside ip addr add $ip/24 dev eth0; done
outside /usr/bin/python3 "$ROOT/tests/net/signed.py" $OUTSIDE >"$DIR/signed.log" &
outside /usr/bin/python3 "$ROOT/tests/net/signed.py" 198.51.100.3 plain >"$DIR/plain.log" &
outside /usr/bin/python3 "$ROOT/tests/net/answers.py" 198.51.100.4 wiki.corp.example=10.99.0.1 >"$DIR/corp.log" &
echo "nameserver $OUTSIDE" >"$DIR/resolv.conf"
until_ok 5 grep -q DNSKEY "$DIR/signed.log"
grep DNSKEY "$DIR/signed.log" >"$DIR/anchor.key"
chmod 755 "$DIR"
chmod 644 "$DIR/anchor.key"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --dns-validate true --dns-trust-anchor "$DIR/anchor.key"
box web1
dhcp web1 >/dev/null
ask() { in_box web1 dig +time=5 +tries=1 @10.77.0.1 "$@"; }
says() { ask "$@" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p;s/^;; flags: \([a-z ]*\);.*/\1/p;s/^; EDE: \([0-9]*\).*/ede \1/p' | tr '\n' ' '; }

say "what is signed"
is "an address" "$(ask +short good.example)" 203.0.113.1
is "and who asks hears so (AD)" "$(says good.example)" "NOERROR qr rd ra ad "
has "with its signature, for who wants it" "$(ask +dnssec good.example)" 'RRSIG.A 15 2'
hasnt() { ! grep -qE -- "$3" <<<"$2" || fail "$1: '$2' matches '$3'"; }
hasnt "and without for others" "$(ask good.example)" RRSIG
is "no AD for who did not ask" "$(says +noadflag good.example)" "NOERROR qr rd ra "
is "in a zone below" "$(says www.sub.example)" "NOERROR qr rd ra ad "
is "what is not there" "$(says nobody.example)" "NXDOMAIN qr rd ra ad "
has "with the proof" "$(ask +dnssec nobody.example)" 'NSEC'
is "nor such a record" "$(says good.example TXT)" "NOERROR qr rd ra ad "
is "over TCP" "$(says +tcp +dnssec good.example)" "NOERROR qr rd ra ad "

say "what a guest would be told, and why"
told() { lanyard dns resolve lab "$@" | tr -s ' ' | tr '\n' ' '; }
has "of a guest" "$(told web1.lab.internal)" 'names the network answers itself: there are records answer NOERROR web1.lab.internal 30 A 10.77.0'
has "of others" "$(told mail.sub.example)" "cache not kept.*resolvers for all names: $OUTSIDE validation what they say is judged.*it is signed as it must be.*authenticated mail.sub.example 60 A 203.0.113.4"
has "once more" "$(told mail.sub.example A --as web1)" 'cache kept for [1-6][0-9]* s more.*validation it is signed'
has "of what is not there" "$(told x.nobody.example)" 'NXDOMAIN'
has "below that" "$(told y.x.nobody.example)" 'cache a name above it does not exist, and so neither does it; kept for .*NXDOMAIN'
has "bogus" "$(told bogus.example)" 'validation bogus: it is not signed.*answer SERVFAIL'
has "no such port" "$(lanyard dns resolve lab a.example --as nobody 2>&1)" 'there is no port nobody'

say "what is not as it should be"
is "one bit turned" "$(says bogus.example)" "SERVFAIL qr rd ra ede 6 "
is "expired" "$(says expired.example)" "SERVFAIL qr rd ra ede 6 "
is "but who checks for himself has it" "$(ask +short +cd bogus.example)" 203.0.113.66
is "and hears of no AD" "$(says +cd +dnssec good.example)" "NOERROR qr rd ra cd "
has "told" "$(cat "$DIR/lanyardd.log")" 'event=dnssec-bogus name="bogus.example" reason=.*'

say "what nobody signs"
is "an unsigned zone below" "$(says www.plain.example) $(ask +short www.plain.example)" "NOERROR qr rd ra  203.0.113.3"
is "names elsewhere" "$(says www.example.org) $(ask +short www.example.org)" "NOERROR qr rd ra  203.0.113.9"
is "a domain of others' resolvers would be bogus" "$(says wiki.corp.example)" "NXDOMAIN qr rd ra ad "
lanyard net set lab --dns-domain corp.example=198.51.100.4
is "and is not, once they are named" "$(ask +short wiki.corp.example)" 10.99.0.1
has "by which domain" "$(told wiki.corp.example)" 'for names in corp.example: 198.51.100.4'
lanyard net set lab --dns-rebind-protect true
has "what leads inside" "$(told wiki.corp.example)" 'rebinding it leads to private addresses.*NOERROR'
lanyard net set lab --dns-rebind-protect false
is "guests as before" "$(ask +short web1.lab.internal | wc -l)" 1

say "the validator dies"
validator() { ps -o pid=,comm= --ppid "$(keeper_pid)" | awk '$2 ~ /^lanyard-valid/ { print $1 }'; }
pid=$(validator)
[ -n "$pid" ] || fail "no validator runs"
if [ "$(id -u)" = 0 ] && [ "$AS" = root ]; then
	is "it has no rights, and another user" "$(awk '/^CapEff/ { print $2 } /^Uid/ && $3 != 0 { print "other" } /^Seccomp:/ { print "seccomp", $2 }' "/proc/$pid/status" | tr '\n' ' ')" \
		"other 0000000000000000 seccomp 2 "
	! same_space "$pid" net || fail "it is in the host's network namespace"
fi
kill -9 "$pid"
until_ok 2 grep -q event=validator-ended "$DIR/lanyardd.log"
is "nothing goes by unseen meanwhile" "$(says elsewhere.example.org)" "SERVFAIL qr rd ra ede 14 "
back() { [ "$(says good.example)" = "NOERROR qr rd ra ad " ]; }
until_ok 6 back
is "and guests' own names never failed" "$(ask +short web1.lab.internal | wc -l)" 1

say "resolvers without DNSSEC, and no keys"
lanyard net set lab --dns-upstream 198.51.100.3
is "fail" "$(says good.example)" "SERVFAIL qr rd ra ede 6 "
warned() { lanyard net show lab | grep -qE "nothing can be validated.*pass on no DNSSEC"; }
until_ok 5 warned
lanyard net set lab --dns-upstream '' --dns-trust-anchor /nonexistent/key
has "told" "$(lanyard net show lab)" 'no keys to trust'
is "and fail" "$(says www.example.org)" "SERVFAIL qr rd ra ede 14 "
lanyard net set lab --dns-trust-anchor "$DIR/anchor.key"
until_ok 6 back
has "counted" "$(lanyard metrics)" 'lanyard_dns_validation_bogus_total\{network="lab"\} [1-9]'

say "without"
lanyard net set lab --dns-validate false
is "as it comes" "$(ask +short bogus.example)" 203.0.113.66
gone_all() { [ -z "$(validator)" ]; }
until_ok 3 gone_all
