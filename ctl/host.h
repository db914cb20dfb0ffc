/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/host.h - what the engine asks of the keeper: every act on the host, one typed request each
 *
 * The engine's descriptor 3 is a SOCK_SEQPACKET socket to the keeper. One message is one request or one reply, in host
 * byte order, of exactly the size its type has, with at most one descriptor beside it (the reply to HOST_LISTEN: many). Strings are terminated inside
 * their field. Requests are answered one after another, in order; the reply repeats type and serial. Whatever does not
 * keep to this is answered with -EPROTO and changes nothing.
 *
 * The keeper keeps a copy of each descriptor it opened under the `name` given, so that an engine that was started again
 * finds it by HOST_RECALL, or by making the same request again: a request equal to the one that opened `name` is
 * answered with that same descriptor. A name that holds something else is refused with -EEXIST. An empty name means:
 * do not keep it. A kept descriptor stays open, connections and interfaces with it, until HOST_DROP.
 *
 * Names are the engine's to choose, by its own rule: "tap:lab/web1", "vhost:lab/vm1:kick0", "forward:lab/web/127.0.0.1".
 * Two are there from the start: HOST_API_LISTENER and HOST_ATTACH_LISTENER.
 *
 * `uid` is the user for whom the act is done. A keeper that runs as root does it with that user's rights, so that a
 * path, a namespace or an interface named by a client opens just what the client could open itself; a keeper that runs
 * as a user acts for that user (and for root) alone and refuses others with -EPERM.
 */
#ifndef CTL_HOST_H
#define CTL_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HOST_NAME_SIZE = 192,
	HOST_IFNAME_SIZE = 16,
	HOST_NETNS_SIZE = 256,
	HOST_PATH_SIZE = 108,		/* as in sockaddr_un */
	HOST_TEXT_SIZE = 200,
	HOST_FILE_SIZE = 256,		/* a path, and one below it */
	HOST_MESSAGE_MAX = 1024,	/* no request or reply is larger */
	HOST_HELD_MAX = 65536,		/* descriptors the keeper keeps; one more is refused with -ENOSPC */
	HOST_ENGINE_FD = 3,		/* the engine finds its socket here */
	HOST_LISTEN_MAX = 253,		/* sockets by one HOST_LISTEN: as many descriptors as the kernel passes with a message */
	HOST_LISTEN_BITS = 32,		/* bytes of a bit for each */
	HOST_ICMP_SHARES = 256,
	HOST_WIRE_MACS = 128,		/* addresses in one HOST_WIRE */
	HOST_WIRE_SLOTS = 8,
	HOST_LOCK_FD = 4,		/* and here the lock of the state directory, to be left open until it ends */
	HOST_VALIDATOR_FD = 3,		/* a validator finds its socket to the engine here */
	HOST_CONFIG_FD = 5,		/* and here the configuration to be put in force, where there is one */
};

#define HOST_API_LISTENER "listen:lanyard.sock"		/* SOCK_STREAM, listening */
#define HOST_ATTACH_LISTENER "listen:attach.sock"	/* SOCK_SEQPACKET, listening */

enum host_type {
	HOST_READY = 1,		/* host_header: the engine serves; reply value: how often it was started again */
	HOST_HOLD,		/* host_named + descriptor: keep a copy */
	HOST_DROP,		/* host_named: close the copy; a bound unix socket's path is removed */
	HOST_RECALL,		/* host_recall: name, value and descriptor of what is held */
	HOST_OPEN_TAP,		/* host_link: a TAP in the keeper's own network namespace */
	HOST_OPEN_NETNS,	/* host_link: an interface in another namespace; reply value: enum host_medium */
	HOST_LISTEN,		/* host_listen: bound sockets, listening when TCP; or those that the daemon was given at its start.
				 * Those of the ports that could not be had are `missing` in the reply; asked again, they are
				 * tried again. Only when none is there is it an error. */
	HOST_UNIX_LISTEN,	/* host_unix: a listening stream socket; a dead socket at the path is replaced */
	HOST_UNIX_CONNECT,	/* host_unix: a connected stream socket */
	HOST_REPLACE,		/* host_named + descriptor: as HOST_HOLD, in place of what HOST_HOLD or this put there */
	HOST_UNIX_BIND,		/* host_unix: a bound datagram socket; a dead socket at the path is replaced */
	HOST_UNIX_PEER,		/* host_unix: connect the socket of HOST_UNIX_BIND held under the name to the one at the path;
				 * reply: a descriptor (O_PATH) of that one's file, not kept */
	HOST_OPEN_VMM_TAP,	/* host_link without mac, mtu: the interface side of a TAP that a VMM has; done with the keeper's
				 * rights if root or the TAP's owner asks; nothing of it reaches the host's stack while it is kept */
	HOST_OPEN_ICMP,		/* host_icmp: a raw socket for the daemon's own use, which the keeper does not keep; -EPERM without CAP_NET_RAW */
	HOST_OPEN_IFACE,	/* host_iface: an interface of the host's own, the host's end of a network; asked with other settings
				 * under the same name and ifname it is changed. Done with the keeper's rights, whoever's network it is. */
	HOST_OPEN_RESOLV,	/* host_header: what the host resolves by, as dhcp/resolvers.h reads it: resolv.conf, or what systemd-resolved has; not kept */
	HOST_OPEN_UPLINK,	/* host_uplink: a packet socket on an interface of the host, with the keeper's rights */
	HOST_WIRE,		/* host_wire: how the host is joined to the bridged network whose HOST_OPEN_IFACE is held under the name */
	HOST_CHANGES,		/* host_header: a descriptor to read the journal of changes by: struct host_change, one after another */
	HOST_NAT,		/* host_nat + descriptor of its forwards: the host translates for an interface of HOST_OPEN_IFACE. What is different from
				 * before is one transaction. On success `message` may say what this kernel lacks, or whose rules are in the way,
				 * and `hint` what helps. */
	HOST_NAT_WATCH,		/* host_header: a socket that tells of every change of the host's nftables, not kept */
	HOST_OPEN_FILE,		/* host_file: a file to be read, from a directory of files that anybody may read; not kept */
	HOST_NAMES,		/* host_names + descriptor of its guests: what programs of the host find under their names, in the place of what
				 * the last one said; no guests and no interface: nothing of it is left. Reply value: bits of enum host_names_by */
	HOST_RULESET,		/* host_header: the host's nftables as they are now, a file of JSON as `nft -j list ruleset` writes it; not kept. Reply
				 * value: 1 where there are rules of iptables' own, too, which it does not show */
	HOST_FLOWS,		/* host_named: the connections of guests behind the HOST_OPEN_IFACE held under the name that the kernel knows of, a file of
				 * struct host_flow; not kept. Reply value: how many there are, which may be more than HOST_FLOWS_MAX in the file */
	HOST_VALIDATOR,		/* host_header: a socket to a new process that judges DNS answers (ctl/validator.h), not kept; it ends when that is closed */
	HOST_DELEGATED,		/* host_delegated + descriptor of its ways: where the prefixes are that were delegated to guests behind the
				 * HOST_OPEN_IFACE held under the name, in the place of what the last one said. Reply value: how many of them
				 * the kernel refused, with the first reason in `message` */
	HOST_CLIENT,		/* host_header + descriptor of a connection that the engine accepted at one of its two listeners: root's keeper does what
				 * names a user for none but those who were there, this keeper's time or an earlier one's, else -EPERM */
	HOST_TYPES
};

struct host_header {
	uint32_t type;		/* enum host_type */
	uint32_t size;		/* of the whole message, bytes */
	uint32_t serial;	/* chosen by the engine */
};

struct host_named {
	struct host_header head;
	char name[HOST_NAME_SIZE];
};

/* host_recall - the descriptor held under @name, or with @next the one that came after it (an empty name: the first); -ENOENT past the end */
struct host_recall {
	struct host_header head;
	uint32_t next;		/* 0 or 1 */
	char name[HOST_NAME_SIZE];
};

struct host_link {
	struct host_header head;
	uint32_t uid;
	uint32_t mtu;			/* 0: leave it */
	uint8_t mac[6];			/* all zero: leave it */
	uint8_t queues;			/* 1: one of several queues, where the TAP takes several; each has a name of its own */
	uint8_t zero;
	char ifname[HOST_IFNAME_SIZE];
	char netns[HOST_NETNS_SIZE];	/* NAME, PID or PATH; of HOST_OPEN_NETNS, else empty */
	char name[HOST_NAME_SIZE];
};

enum host_medium { HOST_MEDIUM_TAP = 1, HOST_MEDIUM_PACKET = 2 };	/* see ctl/netns.h */

enum host_proto { HOST_TCP = 6, HOST_UDP = 17 };

struct host_listen {
	struct host_header head;
	uint32_t uid;			/* a low port is refused to a user other than root */
	uint8_t family;			/* 4 or 6; a socket for 6 takes no IPv4 */
	uint8_t proto;			/* enum host_proto */
	uint16_t port;			/* host order, 1..65535: the first of */
	uint16_t count;			/* so many, 1..HOST_LISTEN_MAX */
	uint16_t zero;
	uint8_t addr[16];		/* network order; IPv4 in the first four bytes, the rest zero */
	char name[HOST_NAME_SIZE];
};

struct host_unix {
	struct host_header head;
	uint32_t uid;
	char path[HOST_PATH_SIZE];	/* absolute */
	char name[HOST_NAME_SIZE];
};

/* host_file - the regular file at @file below @dir, to which no `..` and no link leads from outside of it; -ENOENT when there is none
 *
 * It is opened with the rights of @uid; what root lends, everybody must be allowed to read.
 */
struct host_file {
	struct host_header head;
	uint32_t uid;
	char dir[HOST_FILE_SIZE];	/* absolute */
	char file[HOST_FILE_SIZE];
	char name[HOST_NAME_SIZE];	/* empty */
};
_Static_assert(sizeof(struct host_file) <= HOST_MESSAGE_MAX, "it fits");

/* host_iface - a TAP "ly-..." with the gateway's addresses. Everything that it takes is journaled (struct host_change) before it is
 * done and undone when the name is dropped; nothing of it outlives the keeper but what the next one finds in the journal.
 */
struct host_iface {
	struct host_header head;
	uint32_t uid;			/* 0 */
	uint32_t mtu;
	uint8_t mac[6];
	uint8_t len4, len6;		/* of the addresses' prefixes; len6 0: no IPv6 address */
	uint8_t queues;			/* 1: let further queues be opened by HOST_OPEN_TAP */
	uint8_t routed;			/* 1: the host routes between this interface and @uplink */
	uint8_t bridged;		/* 1: it has no addresses; it stands for @uplink towards guests (ctl/act_wire.h) */
	uint8_t localnet;		/* 1: of a routed one; HOST_NAT_LOOPBACK may lead here to 127.0.0.1 (route_localnet) */
	uint8_t addr4[4], addr6[16];	/* network order */
	char ifname[HOST_IFNAME_SIZE];	/* begins with HOST_IFACE_PREFIX */
	char uplink[HOST_IFNAME_SIZE];	/* of a bridged one; of a routed one, or empty: the host's settings decide */
	uint8_t pool6[16];		/* prefixes are delegated out of this one: what of it is nobody's is unreachable; the ways by HOST_DELEGATED */
	uint8_t pool6_len, zero[3];	/* 0: none are */
	uint32_t uplink_index;		/* of a routed one's, as the engine saw it: another interface of that name is another request; 0: no uplink */
	char name[HOST_NAME_SIZE];
};

/* host_uplink - nothing of the interface is changed; reply value: 1 when the socket also hears what is for the interface's own address */
enum host_hears { HOST_HEARS_OTHERS, HOST_HEARS_ALL, HOST_HEARS_ALL_ON_AIR /* where the interface is a wireless one */ };

struct host_uplink {
	struct host_header head;
	uint32_t uid;			/* 0 */
	uint8_t hears;			/* enum host_hears */
	uint8_t zero[3];
	char ifname[HOST_IFNAME_SIZE];
	char name[HOST_NAME_SIZE];
};

/* host_wire - what the host sends to these addresses is for guests; each slot has its own, the last word on it counts */
struct host_wire {
	struct host_header head;
	uint32_t uid;			/* 0 */
	uint32_t nic;			/* index of the uplink, which may be called otherwise by now */
	uint16_t slot, count;
	uint8_t macs[HOST_WIRE_MACS][6];	/* zero behind the last */
	char name[HOST_NAME_SIZE];
};
_Static_assert(sizeof(struct host_wire) <= HOST_MESSAGE_MAX, "it fits");

enum { HOST_DOMAIN_SIZE = 254, HOST_NAMES_MAX = 4096 };

/* host_guest - one name, and one address of it; the descriptor has so many after one another */
struct host_guest {
	uint8_t family;			/* 4 or 6 */
	uint8_t addr[16];		/* network order; IPv4 in the first four bytes, the rest zero */
	char name[HOST_DOMAIN_SIZE];	/* lower-case, without a dot at the end; below the domain */
};

enum host_names_by {
	HOST_NAMES_STUB = 1,		/* all that the host's programs ask is systemd-resolved's */
	HOST_NAMES_LINK = 2,		/* it asks the host's address on the interface: there is no block in the hosts file */
};

struct host_names {
	struct host_header head;
	uint32_t uid;			/* 0 */
	uint32_t n;			/* 0..HOST_NAMES_MAX */
	char domain[HOST_DOMAIN_SIZE];
	char ifname[HOST_IFNAME_SIZE];	/* an interface of the network, by whose address systemd-resolved may ask for them; or empty */
	char name[HOST_NAME_SIZE];	/* "names:NET" */
};

enum { HOST_WAYS_MAX = 65536 };

/* host_way - one prefix, and the guest that routes to it; the descriptor has so many after one another */
struct host_way {
	uint8_t prefix[16];		/* network order, inside the interface's pool6; zero behind its length */
	uint8_t via[16];		/* link-local, or inside its subnet */
	uint8_t len;			/* up to 64 */
	uint8_t zero[7];
};

struct host_delegated {
	struct host_header head;
	uint32_t uid;			/* 0 */
	uint32_t n;			/* 0..HOST_WAYS_MAX */
	char name[HOST_NAME_SIZE];	/* of the HOST_OPEN_IFACE */
};

#define HOST_IFACE_PREFIX "ly-"

enum { HOST_FORWARDS_MAX = 262144 };	/* of one network */

/* host_forward - what comes for one port of the host goes to a guest; the descriptor has so many after one another. The first four say what it is of: no two have them alike. */
struct host_forward {
	uint8_t family;			/* 4 or 6 */
	uint8_t proto;			/* enum host_proto */
	uint16_t port;			/* host order */
	uint8_t addr[16];		/* of the host, network order; zero: any but a loopback one; IPv4 in the first four bytes, the rest zero */
	uint16_t to_port;
	uint16_t zero;
	uint8_t to[16];			/* the guest's, likewise; zero: it leads where it did before, and nowhere if it did not exist */
};

enum host_nat_access { HOST_NAT_NONE, HOST_NAT_OWN, HOST_NAT_LOOPBACK };	/* what of the host its guests reach */

enum host_nat_helper { HOST_NAT_FTP = 1, HOST_NAT_TFTP = 2, HOST_NAT_SIP = 4, HOST_NAT_HELPERS = 7 };	/* of connection tracking */

/* host_nat - the table "inet lanyard" (ctl/act_nft.h); it is journaled and undone with the interface */
struct host_nat {
	struct host_header head;
	uint32_t nforwards;		/* 0..HOST_FORWARDS_MAX */
	uint8_t access;			/* enum host_nat_access */
	uint8_t again;			/* 1: somebody changed the table; it is made anew, for all interfaces */
	uint8_t helpers;		/* bits of enum host_nat_helper */
	uint8_t leave;			/* 1: the host translates for this interface no more; but for the name all else is zero */
	char out[HOST_IFNAME_SIZE];	/* guests leave by this interface alone, or by any */
	char name[HOST_NAME_SIZE];	/* of the HOST_OPEN_IFACE */
};

#define HOST_NAT_FAMILY "inet"
#define HOST_NAT_TABLE "lanyard"
#define HOST_NAT_SETTINGS "net/netfilter/"	/* settings of the host that are changed and undone with the table */

/* host_flow - a connection as the guest sees it; addresses as in host_forward */
struct host_flow {
	uint8_t family, proto;		/* 4 or 6; IPPROTO_TCP ... */
	uint8_t inward;			/* 1: the remote began it */
	uint8_t state;			/* enum host_flow_state */
	uint16_t guest_port, remote_port;
	uint8_t guest[16], remote[16];
	uint64_t bytes_out, bytes_in;	/* as the guest sees it; 0 where the host does not count (net.netfilter.nf_conntrack_acct) */
};

enum host_flow_state { HOST_FLOW_OPENING, HOST_FLOW_OPEN, HOST_FLOW_CLOSING };
enum { HOST_FLOWS_MAX = 16384 };

enum host_change_kind { HOST_CHANGE_FREE, HOST_CHANGE_FILE, HOST_CHANGE_INTERFACE, HOST_CHANGE_ADDRESS, HOST_CHANGE_SYSCTL,
			HOST_CHANGE_FILTER, HOST_CHANGE_TABLE, HOST_CHANGE_NAMES, HOST_CHANGE_ROUTES, HOST_CHANGE_KINDS };

enum { HOST_TARGET_SIZE = 160, HOST_VALUE_SIZE = 64 };

/* host_change - one change of the host, as the keeper keeps it in the state directory: on the disk before it is made, gone when it is
 * undone. A record is one sector, written in place; one that is free or torn is none (host_change_check()).
 */
struct host_change {
	uint64_t check;			/* of all that follows */
	uint64_t order;			/* the latest is undone first */
	int64_t wall_s;			/* when */
	uint32_t kind;			/* enum host_change_kind */
	uint32_t zero;
	char name[HOST_NAME_SIZE];	/* for whom: the name of the HOST_OPEN_IFACE */
	char target[HOST_TARGET_SIZE];	/* a path, an interface, a setting below /proc/sys, a table */
	char before[HOST_VALUE_SIZE];	/* of a setting; empty: what it is of goes away itself; of a filter: not empty where its hooks were there */
	char after[HOST_VALUE_SIZE];	/* of a setting; an interface's address; of a filter: the interface's index, and the TAP;
					 * of routes by an interface: the prefix that all of them are inside of */
};
_Static_assert(sizeof(struct host_change) == 512, "one sector");

uint64_t host_change_sum(const struct host_change *change);	/* what its check is to be */
bool host_change_check(const struct host_change *change);	/* is it whole and in use, with texts that end? */

/* host_icmp - ICMP, or ICMPv6; nothing is received by it but echo replies, and of these the ones whose identifier modulo @shares is @share
 *
 * The kernel's own rules decide from which addresses it sends: the host's.
 */
struct host_icmp {
	struct host_header head;
	uint8_t family;			/* 4 or 6 */
	uint8_t zero;
	uint16_t share;			/* 0..shares - 1 */
	uint16_t shares;		/* a power of two, up to HOST_ICMP_SHARES */
	uint16_t zero2;
};

struct host_reply {
	struct host_header head;
	int32_t rc;			/* 0, or a negative errno */
	uint32_t value;			/* see the types; for -EADDRINUSE of HOST_LISTEN the next free port, or 0 */
	uint8_t missing[HOST_LISTEN_BITS];		/* of HOST_LISTEN: bit i for port + i; message and hint are then about the first of them */
	char name[HOST_NAME_SIZE];	/* of HOST_RECALL */
	char message[HOST_TEXT_SIZE];	/* when rc is negative: what failed and why, or who holds it */
	char hint[HOST_TEXT_SIZE];	/* what helps, or empty */
};

/* host_send() - one message, with @fd beside it unless that is negative (borrowed)
 *
 * Return: 0, or a negative errno (-EPIPE: the other side is gone).
 */
int host_send(int sock, const void *message, size_t size, int fd);

/* host_receive() - one message of at most @room bytes; @fd becomes the descriptor beside it (the caller's), or -1
 *
 * Return: its size in bytes; -EPIPE when the other side is gone (an empty message looks
 * the same); -EPROTO for one that is too large or had more than one descriptor (all closed); -EAGAIN on a socket
 * that does not block.
 */
long host_receive(int sock, void *message, size_t room, int *fd);

/* host_send_many(), host_receive_many() - the same with @n descriptors, or up to *n of them
 * Of a message with more than *n all are closed (-EPROTO).
 */
int host_send_many(int sock, const void *message, size_t size, const int *fds, unsigned n);
long host_receive_many(int sock, void *message, size_t room, int *fds, unsigned *n);

static inline bool host_listen_missing(const struct host_reply *r, unsigned i)
{
	return r->missing[i / 8] >> (i % 8) & 1;
}

/* host_request_check() - is this a request, whole, terminated and in range? Return: 0 or -EPROTO */
int host_request_check(const void *message, size_t size, int fd);

/* host_reply_check() - is this a reply to the request with this header? Texts are terminated when it is. */
int host_reply_check(const void *message, size_t size, const struct host_header *request);

/* host_uid_of() - the `uid` of a request that has one */
uint32_t host_uid_of(const void *message);

/* host_name_of() - the `name` field of a checked request, an empty one for those that have none */
const char *host_name_of(const void *message);

#endif
