// SPDX-License-Identifier: GPL-2.0-or-later
/* tests/bench/wire.c - how large the packets on an interface are
 *
 *	wire INTERFACE SECONDS
 *
 * Prints one JSON object: packets seen, how many were super-frames, and the largest IP packet; of a super-frame, the
 * largest that its virtio-net header says is to be cut from it. Needs CAP_NET_RAW.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { GSO_UDP_L4 = 5 };	/* VIRTIO_NET_HDR_GSO_UDP_L4, newer than Debian 12's headers */
enum { TCP_OFFSET_AT = 12, UDP_HEADER_SIZE = 8, BUFFER = 65536 + 64 };

static int open_packets(const char *interface)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, room = 64 << 20;
	struct timeval limit = { .tv_usec = 100000 };

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0 || !at.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror(interface);
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* largest() - IP packet in, or cut from, the frame */
static uint32_t largest(const struct virtio_net_hdr *h, const uint8_t *frame, uint32_t size)
{
	uint32_t headers;

	if (h->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return size - ETH_HLEN;
	headers = (uint32_t)h->csum_start - ETH_HLEN;
	if ((h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == GSO_UDP_L4)
		return headers + UDP_HEADER_SIZE + h->gso_size;
	if ((uint32_t)h->csum_start + TCP_OFFSET_AT >= size)
		return size;
	return headers + (frame[h->csum_start + TCP_OFFSET_AT] >> 4) * 4u + h->gso_size;
}

int main(int argc, char **argv)
{
	static uint8_t buffer[BUFFER];
	unsigned long long packets = 0, super = 0;
	uint32_t most = 0;
	time_t end;
	int fd;

	if (argc != 3) {
		fputs("usage: wire INTERFACE SECONDS\n", stderr);
		return 2;
	}
	fd = open_packets(argv[1]);
	end = time(NULL) + atoi(argv[2]) + 1;
	while (time(NULL) < end) {
		const struct virtio_net_hdr *h = (const struct virtio_net_hdr *)buffer;
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		uint32_t size = n > (ssize_t)sizeof(*h) ? (uint32_t)n - sizeof(*h) : 0, one;

		if (size < ETH_HLEN)
			continue;
		one = largest(h, buffer + sizeof(*h), size);
		packets++;
		super += h->gso_type != VIRTIO_NET_HDR_GSO_NONE;
		most = one > most ? one : most;
	}
	printf("{\"packets\": %llu, \"super_frames\": %llu, \"largest\": %u}\n", packets, super, most);
	return 0;
}
