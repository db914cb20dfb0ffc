// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/run_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "dhcp/message.h"

enum {
	IP_HEADER = 20,
	UDP_HEADER = 8,
	HEADERS = ETH_HLEN + IP_HEADER + UDP_HEADER,
	FRAME_MAX = 2200,
	IP_MORE_OR_OFFSET = 0x3fff,	/* set in any fragment */
};

/* hear_dhcp() - let the kernel drop everything but UDP for port 68 that is no fragment */
static int hear_dhcp(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),				/* EtherType */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),				/* protocol */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),				/* fragment */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IP_MORE_OR_OFFSET, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),			/* header length */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),				/* destination port */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_CLIENT_PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

int wire_open(const char *ifname)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)if_nametoindex(ifname),
	};
	int fd, rc;

	if (!ll.sll_ifindex)
		return -ENODEV;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = hear_dhcp(fd);
	if (rc == 0 && bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static void write_headers(struct writer *w, const struct wire_route *route, const uint8_t *payload, size_t size)
{
	uint8_t *ip, *udp;
	uint64_t sum;

	write_bytes(w, route->to_mac, MAC_SIZE);
	write_bytes(w, route->from_mac, MAC_SIZE);
	write_u16(w, ETH_P_IP);
	ip = w->data + w->pos;
	write_u16(w, 0x45 << 8 | 0x10);		/* low delay, as DHCP clients ask for */
	write_u16(w, (uint16_t)(IP_HEADER + UDP_HEADER + size));
	write_u32(w, 0);
	write_u16(w, 64 << 8 | IPPROTO_UDP);
	write_u16(w, 0);
	write_u32(w, route->from);
	write_u32(w, route->to);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP_HEADER)));
	udp = w->data + w->pos;
	write_u16(w, DHCP_CLIENT_PORT);
	write_u16(w, DHCP_SERVER_PORT);
	write_u16(w, (uint16_t)(UDP_HEADER + size));
	write_u16(w, 0);
	sum = checksum_pseudo4(ip + 12, ip + 16, IPPROTO_UDP, (uint32_t)(UDP_HEADER + size));
	sum = checksum_add(checksum_add(sum, udp, UDP_HEADER), payload, size);
	put_u16(udp + 6, checksum_finish_udp(sum));
}

int wire_send(int fd, const struct wire_route *route, const uint8_t *payload, size_t size)
{
	uint8_t headers[HEADERS];
	struct writer w = writer_init(headers, sizeof(headers));
	struct iovec iov[2] = { { headers, sizeof(headers) }, { (void *)(uintptr_t)payload, size } };

	write_headers(&w, route, payload, size);
	return writev(fd, iov, 2) < 0 ? -errno : 0;
}

int wire_parse(const uint8_t *frame, size_t size, bool has_sum, size_t *at)
{
	const uint8_t *ip = frame + ETH_HLEN, *udp;
	size_t header, total, udp_size;
	uint64_t sum;

	if (size < HEADERS || get_u16(frame + 12) != ETH_P_IP || ip[0] >> 4 != 4)
		return -EBADMSG;
	header = (ip[0] & 15) * 4u;
	total = get_u16(ip + 2);
	if (header < IP_HEADER || total > size - ETH_HLEN || total < header + UDP_HEADER || ip[9] != IPPROTO_UDP ||
	    get_u16(ip + 6) & IP_MORE_OR_OFFSET || checksum_finish(checksum_add(0, ip, header)))
		return -EBADMSG;
	udp = ip + header;
	udp_size = get_u16(udp + 4);
	if (get_u16(udp + 2) != DHCP_CLIENT_PORT || udp_size < UDP_HEADER || udp_size > total - header)
		return -EBADMSG;
	sum = checksum_pseudo4(ip + 12, ip + 16, IPPROTO_UDP, (uint32_t)udp_size);
	if (has_sum && get_u16(udp + 6) && checksum_finish(checksum_add(sum, udp, udp_size)))
		return -EBADMSG;
	*at = (size_t)(udp + UDP_HEADER - frame);
	return (int)(udp_size - UDP_HEADER);
}

/* checksum_ready() - the kernel says so beside the frame; a sender on this machine may leave it undone */
static bool checksum_ready(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA || c->cmsg_len < CMSG_LEN(sizeof(aux)))
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		return !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
	}
	return true;
}

int wire_receive(int fd, uint8_t *payload, size_t room, uint8_t from_mac[MAC_SIZE])
{
	uint8_t frame[FRAME_MAX], control[128];
	struct iovec iov = { frame, sizeof(frame) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, 0);
	size_t at = 0;
	int size;

	if (n < 0)
		return -errno;
	size = wire_parse(frame, (size_t)n, checksum_ready(&msg), &at);
	if (size < 0 || (size_t)size > room)
		return 0;
	memcpy(payload, frame + at, (size_t)size);
	memcpy(from_mac, frame + 6, MAC_SIZE);
	return size;
}
