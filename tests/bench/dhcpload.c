// SPDX-License-Identifier: GPL-2.0-or-later
/* tests/bench/dhcpload.c - DHCP exchanges per second: DISCOVER, OFFER, REQUEST, ACK, then RELEASE, each by a new client
 *
 *	dhcpload INTERFACE SECONDS IN-FLIGHT
 *	dhcpload INTERFACE 0 CLIENTS			each boots once, all at the same moment, and keeps what it got
 *	dhcpload INTERFACE SECONDS IN-FLIGHT FIRST CLIENTS	so many, numbered from FIRST on, come one after the other and keep what they got; the
 *							run ends with the last of them, or its time
 *
 * Runs in a guest's namespace, whose interface need not have an address: clients are made up, with a MAC address and
 * a transaction each. IN-FLIGHT of them are at work at any time; one that hears nothing for a second begins again. They
 * release what they got, since a port may have 64 addresses. Prints one JSON object. An ACK counts once it has the
 * address that was asked for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checksum.h"

enum {
	IN_FLIGHT_MAX = 8192, FRAME = 14 + 20 + 8 + 300, EXCHANGES_MAX = 1 << 20,
	BOOTP = 14 + 20 + 8, OPTIONS = BOOTP + 240,	/* offsets in a frame: the message, its options (RFC 2131, 2) */
	DISCOVER = 1, OFFER, REQUEST, ACK = 5, RELEASE = 7,	/* RFC 2132, 9.6 */
};

struct client {
	uint32_t id;		/* number of the exchange: its transaction id */
	uint32_t number;	/* which client it is: its MAC; its place's, the same in each run, so that the port keeps within its quota, or one after the other */
	uint32_t offered, server;
	uint64_t begun_ns, sent_ns;
	uint8_t waits_for;	/* OFFER or ACK */
};

struct load {
	int sock;
	unsigned nclients;	/* at work at the same time */
	bool keep;		/* none begins again that has an address */
	uint32_t next_number, end_number;	/* clients that have not begun; both 0: each place is one */
	uint32_t next_id;
	unsigned done, again, refused;
	struct client clients[IN_FLIGHT_MAX];
	uint32_t took_us[EXCHANGES_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void write_option_u32(struct writer *w, uint8_t code, uint32_t value)
{
	write_u8(w, code);
	write_u8(w, 4);
	write_u32(w, value);
}

static void write_message(struct writer *w, const struct client *c, uint8_t type, const uint8_t *mac)
{
	write_u32(w, 0x01010600);		/* BOOTREQUEST, Ethernet, six bytes, no hops */
	write_u32(w, c->id);
	write_u32(w, 0);			/* seconds, and flags: answer to our MAC */
	write_u32(w, type == RELEASE ? c->offered : 0);
	write_zeros(w, 12);
	write_bytes(w, mac, 6);
	write_zeros(w, 10 + 64 + 128);
	write_u32(w, 0x63825363);
	write_u8(w, 53);
	write_u8(w, 1);
	write_u8(w, type);
	if (type == REQUEST)
		write_option_u32(w, 50, c->offered);
	if (type != DISCOVER)
		write_option_u32(w, 54, c->server);
	write_u8(w, 255);
	write_zeros(w, w->room - w->pos);
}

static void write_frame(uint8_t *frame, const struct client *c, uint8_t type)
{
	uint8_t mac[6] = { 0x02, 0x1d, 0, (uint8_t)(c->number >> 16), (uint8_t)(c->number >> 8), (uint8_t)c->number };
	struct writer w = writer_init(frame, FRAME);

	write_bytes(&w, "\xff\xff\xff\xff\xff\xff", 6);
	write_bytes(&w, mac, 6);
	write_u16(&w, ETHERTYPE_IP);
	write_u32(&w, 0x45000000 | (FRAME - 14));
	write_u32(&w, 0);
	write_u32(&w, 0x40110000);		/* TTL 64, UDP */
	write_u32(&w, INADDR_ANY);
	write_u32(&w, INADDR_BROADCAST);
	put_u16(frame + 24, checksum_finish(checksum_add(0, frame + 14, 20)));
	write_u16(&w, 68);
	write_u16(&w, 67);
	write_u16(&w, FRAME - 34);
	write_u16(&w, 0);			/* no checksum (RFC 768) */
	write_message(&w, c, type, mac);
}

/* say() - a full socket is a lost message, as on any wire */
static void say(struct load *load, struct client *c, uint8_t type, uint64_t now)
{
	uint8_t frame[FRAME];

	write_frame(frame, c, type);
	c->sent_ns = now;
	(void)!send(load->sock, frame, sizeof(frame), 0);
}

/* begin() - client @number asks; its place is found again from the id of an answer */
static void begin(struct load *load, struct client *c, uint32_t number, uint64_t now)
{
	*c = (struct client){ .number = number, .begun_ns = now, .waits_for = OFFER,
			      .id = load->next_id++ * load->nclients + (uint32_t)(c - load->clients) };
	say(load, c, DISCOVER, now);
}

/* go_on() - the place of one that is served: it gives its address back and begins again, or another client begins, or nobody */
static void go_on(struct load *load, struct client *c, uint64_t now)
{
	if (!load->keep) {
		say(load, c, RELEASE, now);
		begin(load, c, c->number, now);
	} else if (load->next_number < load->end_number) {
		begin(load, c, load->next_number++, now);
	}
}

/* read_type() - message type and server of the answer, 0 where there is none */
static uint8_t read_type(const uint8_t *options, size_t size, uint32_t *server)
{
	struct reader r = reader_init(options, size);
	uint8_t type = 0;

	while (reader_left(&r) >= 2) {
		uint8_t code = read_u8(&r), length = code && code != 255 ? read_u8(&r) : 0;
		const uint8_t *value = read_bytes(&r, length);

		if (code == 255 || !value)
			break;
		if (code == 53 && length == 1)
			type = value[0];
		else if (code == 54 && length == 4)
			*server = get_u32(value);
	}
	return type;
}

static void on_answer(struct load *load, const uint8_t *frame, size_t size, uint64_t now)
{
	uint32_t id, server = 0, ip;
	struct client *c;
	uint8_t type;

	if (size < OPTIONS || frame[23] != IPPROTO_UDP || get_u16(frame + 34) != 67 || frame[BOOTP] != 2)
		return;
	id = get_u32(frame + BOOTP + 4);
	ip = get_u32(frame + BOOTP + 16);
	c = &load->clients[id % load->nclients];
	type = read_type(frame + OPTIONS, size - OPTIONS, &server);
	if (c->id != id)
		return;
	if (type == OFFER && c->waits_for == OFFER) {
		c->offered = ip;
		c->server = server;
		c->waits_for = ACK;
		say(load, c, REQUEST, now);
	} else if (c->waits_for == ACK && type > OFFER) {
		if (type == ACK && ip == c->offered && load->done < EXCHANGES_MAX) {
			load->took_us[load->done++] = (uint32_t)((now - c->begun_ns) / 1000);
			c->waits_for = 0;
			go_on(load, c, now);
		} else {
			load->refused++;
			begin(load, c, c->number, now);
		}
	}
}

static void retry_late(struct load *load, uint64_t now)
{
	for (unsigned i = 0; i < load->nclients; i++)
		if (load->clients[i].waits_for && now - load->clients[i].sent_ns > UINT64_C(1000000000)) {
			load->again++;
			begin(load, &load->clients[i], load->clients[i].number, now);
		}
}

/* begin_all() - one at each place. Return: how many exchanges there will be when none begins again */
static unsigned begin_all(struct load *load, uint64_t now)
{
	bool numbered = load->end_number > load->next_number;
	unsigned all = numbered ? load->end_number - load->next_number : load->nclients;

	for (unsigned i = 0; i < load->nclients && i < all; i++)
		begin(load, &load->clients[i], numbered ? load->next_number++ : i, now);
	return all;
}

/* run() - Return: seconds that it took */
static double run(struct load *load, unsigned seconds)
{
	uint64_t start = now_ns(), now = start, end = now + (seconds ? seconds : 10) * UINT64_C(1000000000), look = now;
	unsigned all = begin_all(load, now);
	struct pollfd poll_fd = { .fd = load->sock, .events = POLLIN };
	uint8_t frame[2048];
	ssize_t n;

	while (now < end && !(load->keep && load->done == all)) {
		poll(&poll_fd, 1, 100);
		now = now_ns();
		while ((n = recv(load->sock, frame, sizeof(frame), MSG_DONTWAIT)) > 0)
			on_answer(load, frame, (size_t)n, now);
		if (now - look > UINT64_C(200000000)) {
			retry_late(load, now);
			look = now;
		}
	}
	return (double)(now - start) / 1e9;
}

static int open_socket(const char *interface)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_IP) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETHERTYPE_IP)), room = 8 << 20;

	at.sll_ifindex = (int)if_nametoindex(interface);
	if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		fprintf(stderr, "dhcpload: %s: %s\n", interface, strerror(errno));
		exit(1);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return fd;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	unsigned seconds = argc >= 4 ? (unsigned)atoi(argv[2]) : 0, n = argc >= 4 ? (unsigned)atoi(argv[3]) : 0;
	struct load *load;
	double took_s;

	if ((argc != 4 && argc != 6) || !n || n > IN_FLIGHT_MAX) {
		fputs("usage: dhcpload INTERFACE SECONDS IN-FLIGHT [FIRST CLIENTS]\n", stderr);
		return 2;
	}
	load = calloc(1, sizeof(*load));
	if (!load)
		return 1;
	load->sock = open_socket(argv[1]);
	load->nclients = n;
	load->keep = !seconds || argc == 6;
	if (argc == 6) {
		load->next_number = (uint32_t)atoi(argv[4]);
		load->end_number = load->next_number + (uint32_t)atoi(argv[5]);
	}
	load->next_id = (uint32_t)getpid() << 8 & 0x3ffff;	/* other exchanges than those of the last run */
	took_s = run(load, seconds);
	qsort(load->took_us, load->done, sizeof(load->took_us[0]), by_size);
	printf("{\"per_second\": %.0f, \"p50_us\": %u, \"p99_us\": %u, \"again\": %u, \"refused\": %u}\n",
	       load->done / took_s, load->took_us[load->done / 2], load->took_us[(uint64_t)load->done * 99 / 100],
	       load->again, load->refused);
	free(load);
	return 0;
}
