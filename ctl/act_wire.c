// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_wire.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "ctl/host.h"
#include "ctl/act_tc.h"
#include "ctl/netns_link.h"

enum {
	TO_HOST = 1, NO_MORE = 2,	/* priorities on the TAP, which is ours alone */
	PRIORITY = 7,			/* on the NIC; after what an administrator is likely to have put first */
	OURS = 0x6c61,			/* upper half of our filters' handles there: "la" */
	CODE_MAX = 2 + 5 * HOST_WIRE_MACS,
};

/* handle_of() - of our filter @i on an interface; a NIC is the uplink of one bridged network */
static uint32_t handle_of(unsigned i)
{
	return (uint32_t)OURS << 16 | (i + 1);
}

/* guests_code() - is the destination one of these? One comparison for each that it is not. */
static unsigned guests_code(struct sock_filter *to, const uint8_t (*macs)[6], unsigned n)
{
	unsigned at = 0;

	to[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2);
	for (unsigned i = 0; i < n; i++) {
		to[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, get_u32(macs[i] + 2), 0, 4);
		to[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0);
		to[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, get_u16(macs[i]), 0, 1);
		to[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
		to[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2);
	}
	to[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return at;
}

/* to_guests() - the filters of the NIC's way out */
static int to_guests(struct nl_sock *sk, int nic, int tap, unsigned slot, const uint8_t (*macs)[6], unsigned n)
{
	static const struct sock_filter group[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter code[CODE_MAX];
	struct tc_filter f = {
		.ifindex = nic, .hook = TC_EGRESS, .priority = PRIORITY, .handle = handle_of(0), .code = group, .ncode = ARRAY_SIZE(group),
		.eaction = TCA_EGRESS_MIRROR, .target = tap,
	};
	int rc = tc_filter_set(sk, &f, true);

	f.handle = handle_of(1 + slot);
	f.code = code;
	f.ncode = guests_code(code, macs, n);
	f.eaction = TCA_EGRESS_REDIR;
	if (rc == 0 && !n)
		tc_filter_end(sk, nic, TC_EGRESS, PRIORITY, f.handle);
	else if (rc == 0)
		rc = tc_filter_set(sk, &f, true);
	return rc;
}

/* to_host() - the filters of the TAP's way in: what is for another station is not for the host, and nothing is for the TAP itself */
static int to_host(struct nl_sock *sk, int nic, int tap)
{
	static const struct sock_filter mine[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	static const struct sock_filter drop[] = { BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT) };
	const struct tc_filter in = {
		.ifindex = tap, .hook = TC_INGRESS, .priority = TO_HOST, .handle = handle_of(0), .code = mine, .ncode = ARRAY_SIZE(mine),
		.eaction = TCA_INGRESS_REDIR, .target = nic,
	};
	const struct tc_filter rest = {
		.ifindex = tap, .hook = TC_INGRESS, .priority = NO_MORE, .handle = handle_of(0), .code = drop, .ncode = ARRAY_SIZE(drop),
	};
	int rc = tc_filter_set(sk, &rest, true);

	return rc == 0 ? tc_filter_set(sk, &in, true) : rc;
}

/* take_address() - the TAP has the NIC's */
static int take_address(const char *tap, int nic, struct error *err)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;
	struct ifreq ifr = { .ifr_flags = 0 };
	uint8_t mac[6];

	if (fd < 0)
		return error_set(err, -errno, "cannot make a socket: %s", strerror(errno));
	rc = if_indextoname((unsigned)nic, ifr.ifr_name) && ioctl(fd, SIOCGIFHWADDR, &ifr) == 0 ? 0 : -errno;
	close(fd);
	if (rc < 0)
		return error_set(err, rc, "the uplink is gone");
	memcpy(mac, ifr.ifr_hwaddr.sa_data, sizeof(mac));
	return netns_set_link(tap, mac, 0, true, err);
}

int wire_set(const char *tap, int nic, unsigned slot, const uint8_t (*macs)[6], unsigned nmacs, struct error *err)
{
	int index = (int)if_nametoindex(tap), rc = index ? take_address(tap, nic, err) : error_set(err, -ENODEV, "interface %s is gone", tap);
	struct nl_sock *sk;

	if (rc < 0)
		return rc;
	sk = tc_open();
	rc = sk ? tc_clsact(sk, index) : -EIO;
	if (rc == 0)
		rc = to_host(sk, nic, index);
	if (rc == 0)
		rc = tc_clsact(sk, nic);
	if (rc == 0)
		rc = to_guests(sk, nic, index, slot, macs, nmacs);
	nl_socket_free(sk);
	if (rc == -EBUSY)
		return error_set(err, rc, "the uplink has an ingress qdisc of somebody's (tc) in the place of clsact");
	return rc < 0 ? error_set(err, rc, "cannot join the host to the network (tc clsact, cls_bpf, act_mirred): %s", strerror(-rc)) : 0;
}

/* found - whose filters an interface has */
struct found {
	uint32_t ours[1 + HOST_WIRE_SLOTS];
	unsigned nours;
	bool others;
};

static void on_filter(void *arg, uint16_t priority, uint32_t handle)
{
	struct found *f = arg;

	if (priority == PRIORITY && handle >> 16 == OURS && f->nours < ARRAY_SIZE(f->ours))
		f->ours[f->nours++] = handle;
	else if (handle || priority != PRIORITY)
		f->others = true;
}

/* gone() - what was to be taken away is not there, or the interface is not */
static bool gone(int rc)
{
	return rc == -ENOENT || rc == -ENODEV || rc == -EINVAL;
}

static int end_ours(struct nl_sock *sk, int nic, const struct found *out)
{
	int rc = 0, one;

	for (unsigned i = 0; i < out->nours; i++) {
		one = tc_filter_end(sk, nic, TC_EGRESS, PRIORITY, out->ours[i]);
		rc = one < 0 && !gone(one) ? one : rc;
	}
	return rc;
}

int wire_end(int nic, bool keep)
{
	struct found out = { .nours = 0 }, in = { .nours = 0 };
	struct nl_sock *sk = tc_open();
	int rc = sk ? tc_filters(sk, nic, TC_EGRESS, on_filter, &out) : -EIO;

	if (rc == 0)
		rc = end_ours(sk, nic, &out);
	if (rc == 0 && !keep && !out.others)
		rc = tc_filters(sk, nic, TC_INGRESS, on_filter, &in);
	if (rc == 0 && !keep && !out.others && !in.others)
		rc = tc_clsact_end(sk, nic);
	nl_socket_free(sk);
	return gone(rc) ? 0 : rc;
}

int wire_hooks_are(int nic)
{
	struct nl_sock *sk = tc_open();
	int are = sk ? tc_clsact_is(sk, nic) : -EIO;

	nl_socket_free(sk);
	return are;
}
