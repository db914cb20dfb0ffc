// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/dhcp_bench.h"

#include <string.h>

int bench_setup(void **state)
{
	static struct bench bench;
	struct bench *b = &bench;
	static const struct lease_conf leases = {
		.subnet = { NET, 24 }, .ranges = { { FIRST, FIRST + 9, 0 } }, .nranges = 1, .excluded = { SERVER }, .nexcluded = 1,
	};

	memset(b, 0, sizeof(*b));
	b->s.conf = (struct dhcp_conf){
		.subnet = { NET, 24 },
		.server_ip = SERVER,
		.router = SERVER,
		.dns = SERVER,
		.domain = "lab.internal",
		.mtu = 1500,
		.lease_s = HOUR,
	};
	b->leases = leases;
	b->s.leases = lease_table_new(&leases, NULL, NULL);
	b->now = NOW;
	*state = b;
	return b->s.leases ? 0 : -1;
}

int bench_teardown(void **state)
{
	struct bench *b = *state;

	lease_table_free(b->s.leases);
	reservations_free(b->index);
	return 0;
}

void reserve(struct bench *b, size_t n)
{
	reservations_free(b->index);
	b->index = reservations_new(b->reserved, n);
	assert_non_null(b->index);
	b->s.conf.reservations = b->leases.reservations = b->index;
	assert_int_equal(lease_table_configure(b->s.leases, &b->leases, b->now), 0);
}

static void add_text(struct option_list *list, uint8_t code, const char *text)
{
	if (text)
		option_add(list, code, true, text, strlen(text));
}

size_t write_say(const struct say *say, uint8_t *data, size_t room)
{
	uint8_t mac[16] = { 2, 0, 0, 0, 0, say->mac };
	struct message_header h = {
		.op = say->op ? say->op : BOOTP_REQUEST,
		.htype = say->htype ? say->htype : HTYPE_ETHERNET,
		.hlen = say->hlen ? say->hlen : 6,
		.xid = 0xabcd0001,
		.secs = 2,
		.flags = say->flags,
		.ciaddr = say->ciaddr,
		.giaddr = say->giaddr,
		.chaddr = mac,
	};
	struct option_list list;
	int n;

	option_list_init(&list);
	option_add_u8(&list, OPTION_TYPE, true, (uint8_t)say->type);
	if (say->want)
		option_add_u32(&list, OPTION_REQUESTED_IP, true, say->want);
	if (say->server)
		option_add_u32(&list, OPTION_SERVER_ID, true, say->server);
	if (say->lease_s)
		option_add_u32(&list, OPTION_LEASE_TIME, true, say->lease_s);
	if (say->max_size)
		option_add_u16(&list, OPTION_MAX_SIZE, true, say->max_size);
	add_text(&list, OPTION_CLIENT_ID, say->client_id);
	add_text(&list, OPTION_PARAMETERS, say->parameters);
	add_text(&list, OPTION_VENDOR_CLASS, say->vendor);
	add_text(&list, OPTION_USER_CLASS, say->user);
	if (say->arch)
		option_add_u16(&list, OPTION_ARCH, true, (uint16_t)(say->arch - 1));
	if (say->rapid)
		option_add(&list, OPTION_RAPID_COMMIT, true, NULL, 0);
	if (say->auto_config)
		option_add_u8(&list, OPTION_AUTO_CONFIG, true, 1);
	add_text(&list, OPTION_RELAY_INFO, say->relay);
	n = message_build(&h, &list, data, room);
	assert_true(n > 0);
	data[3] = say->hops;
	return (size_t)n;
}

enum dhcp_outcome tell(struct bench *b, const struct say say)
{
	struct dhcp_request from = {
		.port = say.port ? say.port : "web1", .src_mac = { 2, 0, 0, 0, 0, 0xee }, .src_ip = say.src_ip,
		.store_ok = !b->store_broken,
	};
	uint8_t data[1400];
	size_t size = write_say(&say, data, sizeof(data));

	b->size = dhcp_server_input(&b->s, &from, data, size, b->now, b->reply, sizeof(b->reply), &b->r);
	if (b->r.has_record)
		lease_committed(b->s.leases, &b->r.record);
	if (!b->size)
		return b->r.outcome;
	assert_true(b->size >= 300);					/* DHCP-25 */
	assert_int_equal(message_parse(&b->answer, b->reply, b->size), 0);
	assert_int_equal(b->answer.op, BOOTP_REPLY);			/* DHCP-01 */
	assert_int_equal(b->answer.hops, 0);
	assert_int_equal(b->answer.xid, 0xabcd0001);
	assert_int_equal(b->answer.giaddr, say.giaddr);
	assert_memory_equal(b->answer.chaddr, data + 28, 16);
	assert_int_equal(b->answer.server_id, b->named_as ? b->named_as : SERVER);
	return b->r.outcome;
}

uint32_t lease(struct bench *b, const char *port, uint8_t mac)
{
	uint32_t ip;

	assert_int_equal(TELL(b, DHCP_DISCOVER, .port = port, .mac = mac), DHCP_OUT_OFFER);
	ip = b->answer.yiaddr;
	assert_int_equal(TELL(b, DHCP_REQUEST, .port = port, .mac = mac, .want = ip, .server = SERVER),
			 DHCP_OUT_ACK);
	assert_int_equal(b->answer.yiaddr, ip);
	return ip;
}

bool has(const struct bench *b, uint8_t code)
{
	size_t size;

	return message_option(&b->answer, code, &size) != NULL;
}

void put(struct option_set *set, const char *line)
{
	char why[OPTION_WHY];

	if (option_set_add(set, line, why) < 0)
		fail_msg("%s: %s", line, why);
}

const char *text_of(const struct bench *b, uint8_t code)
{
	static char text[OPTION_VALUE_TEXT];
	const struct option_kind *kind = option_coded(OPTIONS4, code);
	size_t size;
	const uint8_t *data = message_option(&b->answer, code, &size);

	if (!data)
		return "-";
	option_value_format(kind ? kind->type : VALUE_HEX, data, size, text);
	return text;
}
